package cms

import (
	"bytes"
	"crypto/rand"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"
	"time"
)

// What one hostile input may cost.
const (
	hostileCPU    = time.Second
	hostileMemory = 64 << 20 // octets allocated, whether freed again or not
)

// readEverything gives b to every reader of the package and returns their errors.
func readEverything(b []byte, keys ...DecryptionKey) map[string]error {
	out := map[string]error{}
	_, err := io.Copy(io.Discard, readerOf(Decrypt(rand.Reader, bytes.NewReader(b), keys, Limits{})))
	out["Decrypt"] = err
	_, out["ParseSignedData"] = ParseSignedData(bytes.NewReader(b), Limits{})
	_, err = io.Copy(io.Discard, readerOf(Decompress(bytes.NewReader(b), Limits{})))
	out["Decompress"] = err
	return out
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

func readerOf[R io.Reader](r R, err error) io.Reader {
	if err != nil {
		return failing{err}
	}
	return r
}

// cost measures what f costs on this thread. Nothing may run in parallel with it.
func cost(f func()) (cpu time.Duration, memory uint64) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	const thread = 1 // RUSAGE_THREAD
	var before, after runtime.MemStats
	var start, end syscall.Rusage
	runtime.ReadMemStats(&before)
	_ = syscall.Getrusage(thread, &start)
	f()
	_ = syscall.Getrusage(thread, &end)
	runtime.ReadMemStats(&after)
	cpu = time.Duration(end.Utime.Nano()-start.Utime.Nano()) + time.Duration(end.Stime.Nano()-start.Stime.Nano())
	return cpu, after.TotalAlloc - before.TotalAlloc
}

func checkHostile(t *testing.T, name string, b []byte, keys ...DecryptionKey) {
	t.Helper()
	var errs map[string]error
	cpu, memory := cost(func() { errs = readEverything(b, keys...) })
	for reader, err := range errs {
		if err == nil {
			t.Errorf("%s: %s took it without an error", name, reader)
		}
	}
	if cpu > hostileCPU || memory > hostileMemory {
		t.Errorf("%s: %v of CPU, %d octets of memory", name, cpu, memory)
	}
	t.Logf("%s: %v, %d KB; %v", name, cpu, memory>>10, errs)
}

func TestCorpusHostile(t *testing.T) {
	dir := corpusDir(t)
	bob := corpusParty(t, dir, "bob")
	files, err := filepath.Glob(filepath.Join(dir, "gen-hostile", "*"))
	if err != nil || len(files) < 6 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, path := range files {
		b, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		checkHostile(t, filepath.Base(path), b, bob.decryption())
	}
}

// TestHostileShapes are inputs that would be dear to a reader that recurses,
// that holds everything or that trusts a length.
func TestHostileShapes(t *testing.T) {
	p := testParties(t)
	enveloped := append(beginContentInfo(nil, OIDEnvelopedData), encodeSmall(0)...)
	signed := append(beginContentInfo(nil, OIDSignedData), encodeSmall(1)...)
	info, _, err := (Recipient{Certificate: p.bob.cert}).encode(rand.Reader, sample(16))
	if err != nil {
		t.Fatal(err)
	}
	encrypted := tlv(tagSequence, encodeOID(OIDData), encodeAlgorithm(oidAES128CBC, tlv(tagOctetString, sample(16))), tlv(tagContext|0, sample(33)))
	chunks := func(head []byte, n int, chunk ...byte) []byte {
		return append(bytes.Clone(head), bytes.Repeat(chunk, n)...)
	}
	content := append(append(bytes.Clone(enveloped), tlv(tagSet, info)...), tagSequence, 0x80)
	content = append(content, encodeOID(OIDData)...)
	content = append(content, encodeAlgorithm(oidAES128CBC, tlv(tagOctetString, sample(16)))...)
	content = append(content, 0xa0, 0x80)
	embedded := append(bytes.Clone(signed), tlv(tagSet)...)
	embedded = append(embedded, tagSequence, 0x80)
	embedded = append(embedded, encodeOID(OIDData)...)
	embedded = append(embedded, 0xa0, 0x80, 0x24, 0x80)

	for name, b := range map[string][]byte{
		"nested sequences, 8 MB":          bytes.Repeat([]byte{0x30, 0x80}, 4<<20),
		"nested recipients, 8 MB":         chunks(enveloped, 4<<20, 0x31, 0x80),
		"nested octet strings, 8 MB":      chunks(content, 4<<20, 0x24, 0x80),
		"chunks of one octet, 1 MB":       chunks(content, 1<<18, 4, 1, 7),
		"empty chunks, 1 MB":              chunks(content, 1<<19, 4, 0),
		"empty constructed, 1 MB":         chunks(content, 1<<18, 0x24, 0x80, 0, 0),
		"empty chunks in a signed-data":   chunks(embedded, 1<<19, 4, 0),
		"octets in a signed-data, 1 MB":   chunks(embedded, 1<<18, 4, 1, 7),
		"150 recipients, all of them us":  append(bytes.Clone(enveloped), append(tlv(tagSet, bytes.Repeat(info, 150)), encrypted...)...),
		"300 recipients":                  append(bytes.Clone(enveloped), append(tlv(tagSet, bytes.Repeat(info, 300)), encrypted...)...),
		"recipients of 4 GB":              append(bytes.Clone(enveloped), 0x31, 0x84, 0xff, 0xff, 0xff, 0xff),
		"content of 2^62 octets":          append(append(bytes.Clone(enveloped), tlv(tagSet, info)...), 0x30, 0x88, 0x40, 0, 0, 0, 0, 0, 0, 0),
		"a million digest algorithms":     append(bytes.Clone(signed), tlv(tagSet, bytes.Repeat(encodeAlgorithm(oidSHA256), 1<<20))...),
		"stray ends of contents, 1 MB":    append([]byte{0x30, 0x84, 0x7f, 0xff, 0xff, 0xff}, make([]byte, 1<<20)...),
		"a name of a million identifiers": tlv(tagSequence, tlv(tagOID, bytes.Repeat([]byte{0x81}, 1<<20))),
	} {
		checkHostile(t, name, b, p.bob.decryption())
	}
}
