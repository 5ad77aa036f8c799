package cms

import (
	"bytes"
	"compress/zlib"
	"encoding/base64"
	"errors"
	"io"
	"regexp"
	"runtime"
	"sync"
	"testing"
	"testing/iotest"
)

func compressAll(t testing.TB, plain []byte, level int) []byte {
	t.Helper()
	var out bytes.Buffer
	w, err := Compress(&out, level)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(plain); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func decompressAll(b []byte, limits Limits) ([]byte, error) {
	r, err := Decompress(bytes.NewReader(b), limits)
	if err != nil {
		return nil, err
	}
	return io.ReadAll(r)
}

func TestCompressAndDecompress(t *testing.T) {
	t.Parallel()
	for _, level := range []int{-1, 0, 1, 6, 9} {
		for _, n := range []int{0, 1, 1000, chunkSize, 3*chunkSize + 1, 1 << 20} {
			plain := sample(n)
			b := compressAll(t, plain, level)
			for how, r := range readers(b) {
				d, err := Decompress(r, Limits{})
				if err != nil {
					t.Fatalf("level %d, %d octets, %s: %v", level, n, how, err)
				}
				if got, err := io.ReadAll(d); err != nil || !bytes.Equal(got, plain) {
					t.Errorf("level %d, %d octets, %s: %d octets, %v", level, n, how, len(got), err)
				}
			}
		}
	}
	if _, err := Compress(io.Discard, 10); err == nil {
		t.Error("level 10 was taken")
	}
}

// TestDeflatersAreUsedAgain: what one content left behind is not in the next.
func TestDeflatersAreUsedAgain(t *testing.T) {
	t.Parallel()
	var d Deflaters
	var group sync.WaitGroup
	for i := range 20 {
		group.Go(func() {
			plain := sample(1000 * (i + 1))
			for range 5 {
				var out bytes.Buffer
				size, level := int64(len(plain)), -1
				if size <= briefContent {
					level = zlib.BestSpeed
				}
				if i%2 == 0 {
					size, level = -1, -1
				}
				w, err := d.Compress(&out, size)
				if err == nil {
					_, err = w.Write(plain)
				}
				if err == nil {
					err = w.Close()
				}
				if err == nil && !bytes.Equal(out.Bytes(), compressAll(t, plain, level)) {
					err = errors.New("not as with a new one")
				}
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
	for _, free := range d.free {
		if n := len(free); n == 0 || n > runtime.GOMAXPROCS(0) {
			t.Errorf("%d are kept", n)
		}
		for _, z := range free {
			if z.to != nil {
				t.Error("one holds on to what it wrote to")
			}
		}
	}
}

// compressedDER is a CompressedData of definite lengths around zlib octets.
func compressedDER(octets []byte) []byte {
	return tlv(tagSequence, encodeOID(OIDCompressedData), tlv(tagContextCons|0, tlv(tagSequence,
		encodeSmall(0), encodeAlgorithm(oidZlib),
		tlv(tagSequence, encodeOID(OIDData), tlv(tagContextCons|0, tlv(tagOctetString, octets))))))
}

func zlibAll(t testing.TB, plain []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	w := zlib.NewWriter(&out)
	if _, err := w.Write(plain); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// TestWrapCompressed: the definite form is DER, and what others read.
func TestWrapCompressed(t *testing.T) {
	t.Parallel()
	var d Deflaters
	for _, n := range []int{0, 1, 100, 200, 70_000} {
		plain := sample(n)
		var stream, out bytes.Buffer
		z := d.Deflate(&stream, -1)
		if _, err := z.Write(plain); err != nil {
			t.Fatal(err)
		}
		if err := z.Close(); err != nil {
			t.Fatal(err)
		}
		size := int64(stream.Len())
		if err := WrapCompressed(&out, &stream, size); err != nil {
			t.Fatal(err)
		}
		if want := compressedDER(zlibAll(t, plain)); !bytes.Equal(out.Bytes(), want) {
			t.Errorf("%d octets: %x, want %x", n, out.Bytes(), want)
		}
		if got, err := decompressAll(out.Bytes(), Limits{}); err != nil || !bytes.Equal(got, plain) {
			t.Errorf("%d octets: %d came back, %v", n, len(got), err)
		}
	}
	for _, n := range []int64{4, 6} {
		if err := WrapCompressed(io.Discard, bytes.NewReader(make([]byte, 5)), n); err == nil {
			t.Errorf("5 octets were taken for %d", n)
		}
	}
}

func TestDecompressRefuses(t *testing.T) {
	t.Parallel()
	z := zlibAll(t, sample(5000))
	change := func(at int) []byte {
		b := bytes.Clone(z)
		b[(at+len(b))%len(b)] ^= 0x55
		return b
	}
	for name, octets := range map[string][]byte{
		"nothing":         nil,
		"not zlib":        []byte("hello"),
		"header changed":  change(0),
		"middle changed":  change(len(z) / 2),
		"checksum":        change(-1),
		"checksum cut":    z[:len(z)-1],
		"stream cut":      z[:len(z)/2],
		"with dictionary": {0x78, 0xbb, 0, 0, 0, 0},
	} {
		_, err := decompressAll(compressedDER(octets), Limits{})
		var syntax *SyntaxError
		if !errors.As(err, &syntax) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if got, err := decompressAll(append(compressedDER(append(z, "more"...)), 1, 2), Limits{}); err != nil || len(got) != 5000 {
		t.Errorf("octets behind the stream: %v", err)
	}
	var unsupported *UnsupportedError
	odd := bytes.Replace(compressedDER(z), encodeOID(oidZlib), encodeOID("1.2.840.113549.1.9.16.3.9"), 1)
	if _, err := decompressAll(odd, Limits{}); !errors.As(err, &unsupported) {
		t.Errorf("another algorithm: %v", err)
	}
	b := compressAll(t, sample(3000), 6)
	for n := range b {
		if _, err := decompressAll(b[:n], Limits{}); !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("%d of %d octets: %v", n, len(b), err)
		}
	}
	r, err := Decompress(io.MultiReader(bytes.NewReader(b[:len(b)/2]), iotest.ErrReader(errLine)), Limits{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(io.Discard, r); !errors.Is(err, errLine) {
		t.Errorf("a failing source: %v", err)
	}
}

// TestBase64InsteadOfZlib: phpas2 puts base64 of the zlib stream there.
func TestBase64InsteadOfZlib(t *testing.T) {
	t.Parallel()
	plain := order(100_000)
	text := base64.StdEncoding.EncodeToString(zlibAll(t, plain))
	lines := regexp.MustCompile(".{1,76}").ReplaceAllString(text, "$0\r\n")
	for name, octets := range map[string]string{"one line": text, "lines": lines} {
		d, err := Decompress(iotest.OneByteReader(bytes.NewReader(compressedDER([]byte(octets)))), Limits{})
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if got, err := io.ReadAll(d); err != nil || !bytes.Equal(got, plain) || !d.Base64 {
			t.Errorf("%s: %d octets, base64 %v, %v", name, len(got), d.Base64, err)
		}
	}
	if d, err := Decompress(bytes.NewReader(compressedDER(zlibAll(t, plain))), Limits{}); err != nil || d.Base64 {
		t.Errorf("a zlib stream: %+v, %v", d, err)
	}
	for name, octets := range map[string]string{
		"cut":            text[:len(text)/2],
		"cut in a group": text[:len(text)/2+1],
		"no base64":      text[:100] + "!" + text[101:],
		"only a letter":  "e",
	} {
		_, err := decompressAll(compressedDER([]byte(octets)), Limits{})
		var syntax *SyntaxError
		if !errors.As(err, &syntax) {
			t.Errorf("%s: %v", name, err)
		}
	}
	b := compressedDER([]byte(text))
	d, err := Decompress(io.MultiReader(bytes.NewReader(b[:len(b)/2]), iotest.ErrReader(errLine)), Limits{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(io.Discard, d); !errors.Is(err, errLine) {
		t.Errorf("a failing source: %v", err)
	}
}

func TestInflationIsLimited(t *testing.T) {
	t.Parallel()
	bomb := compressedDER(zlibAll(t, make([]byte, 8<<20)))
	var limit *LimitError
	if got, err := decompressAll(bomb, Limits{}); !errors.As(err, &limit) || limit.Limit != "ratio" || len(got) > ratioGrace+chunkSize {
		t.Errorf("ratio: %d octets, %v", len(got), err)
	}
	if got, err := decompressAll(bomb, Limits{Ratio: -1}); err != nil || len(got) != 8<<20 {
		t.Errorf("no ratio: %d octets, %v", len(got), err)
	}
	if got, err := decompressAll(bomb, Limits{Ratio: -1, Content: 2 << 20}); !errors.As(err, &limit) || limit.Limit != "content" || len(got) > 2<<20 {
		t.Errorf("content: %d octets, %v", len(got), err)
	}
	small := compressedDER(zlibAll(t, make([]byte, 1<<20)))
	if _, err := decompressAll(small, Limits{}); err != nil {
		t.Errorf("a small content of zeros: %v", err)
	}
}
