package as2_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"tradepost/as2"
	"tradepost/certs"
	"tradepost/transport"
	connector "tradepost/transport/as2"
)

// soakSize is the payload of the soak tests, in bytes.
const soakSize = 4 << 30

// noise is a Body of any size that does not compress: one block of random
// octets, each time with another beginning.
type noise struct{ n int64 }

func (n noise) Size() int64 { return n.n }

func (n noise) Open() (io.ReadCloser, error) {
	r := &noiseReader{left: n.n, block: make([]byte, 1<<20)}
	random := rand.New(rand.NewPCG(4130, 3335))
	for i := range r.block {
		r.block[i] = byte(random.Uint32())
	}
	return io.NopCloser(r), nil
}

type noiseReader struct {
	left  int64
	block []byte
	at    int
	round uint64
}

func (r *noiseReader) Read(p []byte) (int, error) {
	if r.left == 0 {
		return 0, io.EOF
	}
	if r.at == len(r.block) {
		r.at = 0
		r.round++
		copy(r.block, strconv.AppendUint(nil, r.round, 10))
	}
	n := copy(p[:min(int64(len(p)), r.left)], r.block[r.at:])
	r.at += n
	r.left -= int64(n)
	return n, nil
}

// hashSink keeps nothing of what arrives but its digest.
type hashSink struct {
	mu   sync.Mutex
	sums []string
}

func (s *hashSink) Accept(_ context.Context, a *transport.Arrival) (*transport.Acceptance, error) {
	if a.Refused != "" {
		return nil, fmt.Errorf("refused: %s", a.Refused)
	}
	sum, err := digestOf(sha256.New(), a.Content.Body)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sums = append(s.sums, sum)
	return &transport.Acceptance{Receipt: a.Receipt}, nil
}

func digestOf(h hash.Hash, b transport.Body) (string, error) {
	r, err := b.Open()
	if err != nil {
		return "", err
	}
	if _, err := io.Copy(h, r); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), r.Close()
}

// resident is how much memory the process has, in bytes.
func resident(t *testing.T) int64 {
	t.Helper()
	b, err := os.ReadFile("/proc/self/status")
	must(t, err)
	lines := bufio.NewScanner(bytes.NewReader(b))
	for lines.Scan() {
		if v, ok := strings.CutPrefix(lines.Text(), "VmRSS:"); ok {
			n, err := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(v), " kB"), 10, 64)
			must(t, err)
			return n << 10
		}
	}
	t.Fatal("no VmRSS")
	return 0
}

// watchMemory samples the resident memory until the returned function is
// called, which gives the growth over the beginning.
func watchMemory(t *testing.T) func() int64 {
	debug.FreeOSMemory()
	begin := resident(t)
	stop, most := make(chan struct{}), make(chan int64)
	go func() {
		top := begin
		for {
			select {
			case <-stop:
				most <- top
				return
			case <-time.After(50 * time.Millisecond):
				top = max(top, resident(t))
			}
		}
	}()
	return func() int64 { close(stop); return <-most - begin }
}

// TestSoakLargePayloads sends 4 GB, signed and encrypted, to the other side and
// 4 GB back. Both sides run in this process.
func TestSoakLargePayloads(t *testing.T) { // not parallel: it measures the process
	soak(t)
	ctx := context.Background()
	want, err := digestOf(sha256.New(), noise{soakSize})
	must(t, err)
	for _, way := range [][2]string{{"ALICE", "BOB"}, {"BOB", "ALICE"}} {
		sink := &hashSink{}
		url := serve(t, endpoint(t, between(way[1], way[0], largeTerms), nil), sink, connector.ListenConfig{})
		s := sender(t, endpoint(t, between(way[0], way[1], largeTerms), nil), "to-"+way[1], url, `,"timeout":"20m"`)
		grown := watchMemory(t)
		start := time.Now()
		p, err := s.Prepare(ctx, &transport.Delivery{ID: "D1", Content: transport.Part{Filename: "big.bin", Body: noise{soakSize}}})
		must(t, err)
		prepared := time.Since(start)
		o, err := s.Send(ctx, "D1", p)
		must(t, err)
		took, more := time.Since(start), grown()
		must(t, transport.Release(p.Wire))
		t.Logf("%s to %s: %d MB; signed and encrypted in %v (%.0f MB/s), sent, received and answered in %v (%.0f MB/s); memory grew by %d MB",
			way[0], way[1], soakSize>>20, prepared.Round(time.Second), soakSize/1e6/prepared.Seconds(),
			(took - prepared).Round(time.Second), soakSize/1e6/(took-prepared).Seconds(), more>>20)
		if !o.Delivered || len(sink.sums) != 1 || sink.sums[0] != want {
			t.Errorf("%+v, arrived %q, want %s", o, sink.sums, want)
		}
		if more > 64<<20 {
			t.Errorf("memory grew by %d MB", more>>20)
		}
	}
}

// TestSoakRestart breaks the line in the middle of 4 GB.
func TestSoakRestart(t *testing.T) { // not parallel, as above
	soak(t)
	want, err := digestOf(sha256.New(), noise{soakSize})
	must(t, err)
	sink := &hashSink{}
	line := newLine(t, serve(t, endpoint(t, between("BOB", "ALICE", largeTerms), nil), sink, connector.ListenConfig{}))
	line.cuts = []int64{soakSize / 2}
	s := sender(t, endpoint(t, between("ALICE", "BOB", largeTerms), nil), "to-BOB", line.url(), `,"timeout":"20m","restart":true`)
	p, err := s.Prepare(context.Background(), &transport.Delivery{ID: "D1", Content: transport.Part{Body: noise{soakSize}}})
	must(t, err)
	grown := watchMemory(t)
	start := time.Now()
	o, err := s.Send(context.Background(), "D1", p)
	must(t, err)
	up, broken := line.counts()
	more := grown()
	t.Logf("%d breaks, %d KB sent again, %v, memory grew by %d MB", broken, (up-p.Wire.Size())>>10, time.Since(start).Round(time.Second), more>>20)
	must(t, transport.Release(p.Wire))
	if !o.Delivered || broken != 1 || len(sink.sums) != 1 || sink.sums[0] != want || up-p.Wire.Size() > 16<<20 || more > 64<<20 {
		t.Errorf("%+v, arrived %q, want %s", o, sink.sums, want)
	}
}

// TestSoakKilledReceiver kills the receiving process in the middle of 1 GB: the
// next one goes on with what had reached the disk.
func TestSoakKilledReceiver(t *testing.T) { // not parallel, as above
	soak(t)
	const size = 1 << 30
	temp, pairs := t.TempDir(), t.TempDir()
	for name, k := range keys() {
		pem, err := certs.EncodeKey(k.Private)
		must(t, err)
		must(t, os.WriteFile(filepath.Join(pairs, name), append(pem, certs.EncodeCertificate(k.Certificate)...), 0o600))
	}
	receiver := func() (*exec.Cmd, string) {
		t.Helper()
		cmd := exec.Command(os.Args[0], "-test.run=^TestReceiverProcess$")
		cmd.Env = append(os.Environ(), "TRADEPOST_RECEIVER_TEMP="+temp, "TRADEPOST_RECEIVER_KEYS="+pairs)
		cmd.Stderr = os.Stderr
		out, err := cmd.StdoutPipe()
		must(t, err)
		must(t, cmd.Start())
		url, err := bufio.NewReader(out).ReadString('\n')
		must(t, err)
		return cmd, strings.TrimSpace(url)
	}
	first, url := receiver()
	line := newLine(t, url)
	s := sender(t, endpoint(t, between("ALICE", "BOB", largeTerms), nil), "to-BOB", line.url(), `,"restart":true`)
	p, err := s.Prepare(context.Background(), &transport.Delivery{ID: "D1", Content: transport.Part{Body: noise{size}}})
	must(t, err)
	type outcome struct {
		o   *transport.Outcome
		err error
	}
	done := make(chan outcome, 1)
	go func() {
		o, err := s.Send(context.Background(), "D1", p)
		done <- outcome{o, err}
	}()
	for up := int64(0); up < size/2; up, _ = line.counts() {
		time.Sleep(time.Millisecond)
	}
	must(t, first.Process.Kill())
	_ = first.Wait() // it was killed
	before, _ := line.counts()
	second, url := receiver()
	line.point(url)
	got := <-done
	must(t, got.err)
	up, _ := line.counts()
	must(t, second.Process.Kill())
	_ = second.Wait() // it was killed
	must(t, transport.Release(p.Wire))
	t.Logf("killed after %d MB, then %d MB more of %d", before>>20, (up-before)>>20, p.Wire.Size()>>20)
	// Where the disk is slow, 64 MB are on their way to it while 64 MB more are
	// written; and some are in the buffers between the two.
	const lost = 128<<20 + 8<<20
	if !got.o.Delivered || up-before > size-size/2+lost {
		t.Errorf("%+v, %d bytes were sent to the second process", got.o, up-before)
	}
}

// TestReceiverProcess is the process that TestSoakKilledReceiver kills.
func TestReceiverProcess(t *testing.T) {
	temp, pairs := os.Getenv("TRADEPOST_RECEIVER_TEMP"), os.Getenv("TRADEPOST_RECEIVER_KEYS")
	if temp == "" {
		t.Skip("is started by TestSoakKilledReceiver")
	}
	for name := range keys() {
		b, err := os.ReadFile(filepath.Join(pairs, name))
		must(t, err)
		pair, err := certs.ParsePair(b, b)
		must(t, err)
		keys()[name] = as2.Key{Certificate: pair.Certificate, Private: pair.Key}
	}
	e := endpoint(t, between("BOB", "ALICE", largeTerms), func(c *connector.Config) { c.TempDir = temp })
	l, err := e.Listener(connector.ListenConfig{Address: "127.0.0.1:0"}, &hashSink{})
	must(t, err)
	fmt.Println("http://" + l.Addr().String() + "/as2")
	must(t, l.Serve(context.Background()))
}

// soak skips unless TRADEPOST_SOAK is set: these tests take minutes and some
// 20 GB of disk.
func soak(t *testing.T) {
	t.Helper()
	if os.Getenv("TRADEPOST_SOAK") == "" {
		t.Skip("TRADEPOST_SOAK is not set: `make soak` sends 4 GB each way")
	}
}
