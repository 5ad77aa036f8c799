package as2_test

import (
	"bytes"
	"context"
	crand "crypto/rand"
	"crypto/sha256"
	"fmt"
	"math/rand/v2"
	"net"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"tradepost/as2"
	"tradepost/transport"
	connector "tradepost/transport/as2"
	"tradepost/transport/transporttest"
)

// line is a TCP connection between sender and receiver that breaks.
type line struct {
	t      *testing.T
	socket net.Listener

	mu     sync.Mutex
	target string
	cuts   []int64 // bytes that still go through before each break
	then   string  // target from the next break on, unless empty
	up     int64   // bytes that the sender has sent
	broken int     // how many times it broke
	lose   bool    // break at the first byte of the next answer of more than lines
}

func newLine(t *testing.T, url string) *line {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	p := &line{t: t, socket: l}
	p.point(url)
	t.Cleanup(func() { must(t, l.Close()) })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go p.join(c)
		}
	}()
	return p
}

func (p *line) point(url string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.target = strings.TrimSuffix(strings.TrimPrefix(url, "http://"), "/as2")
}

func (p *line) url() string { return "http://" + p.socket.Addr().String() + "/as2" }

// join copies both ways until one end goes, or it is time to break.
func (p *line) join(client net.Conn) {
	defer client.Close()
	p.mu.Lock()
	target := p.target
	p.mu.Unlock()
	server, err := net.Dial("tcp", target)
	if err != nil {
		return
	}
	defer server.Close()
	done := make(chan struct{}, 2)
	go func() {
		defer func() { done <- struct{}{} }()
		buf := make([]byte, 16<<10)
		for {
			n, err := client.Read(buf)
			go1, cut := p.through(int64(n))
			if _, werr := server.Write(buf[:go1]); werr != nil || err != nil || cut {
				if cut && p.hard() {
					_ = server.(*net.TCPConn).SetLinger(0) // a reset instead of an end
				}
				return
			}
		}
	}()
	go func() {
		defer func() { done <- struct{}{} }()
		buf := make([]byte, 16<<10)
		for {
			n, err := server.Read(buf)
			if n > 0 && p.losing(buf[:n]) {
				return
			}
			if _, werr := client.Write(buf[:n]); werr != nil || err != nil {
				return
			}
		}
	}()
	<-done
}

// through counts n bytes, and tells how many of them go through and whether the
// line breaks after them.
func (p *line) through(n int64) (int64, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.up += n
	if len(p.cuts) == 0 {
		return n, false
	}
	if p.cuts[0] -= n; p.cuts[0] > 0 {
		return n, false
	}
	n += p.cuts[0]
	p.cuts = p.cuts[1:]
	if p.broken++; p.then != "" {
		p.target, p.then = p.then, ""
	}
	return n, true
}

// hard tells every second break to be a hard one.
func (p *line) hard() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.broken%2 == 0
}

// losing tells whether this answer is to be lost: one of a receipt.
func (p *line) losing(b []byte) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.lose || !bytes.Contains(b, []byte("multipart/signed")) {
		return false
	}
	p.lose = false
	p.broken++
	return true
}

func (p *line) counts() (up int64, broken int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.up, p.broken
}

// largeTerms do not shrink what is sent.
var largeTerms = connector.Terms{Sign: as2.SHA256, Encrypt: as2.AES256CBC, Receipt: as2.SyncReceipt, SignedReceipt: true}

// large is a delivery of n bytes that do not compress.
func large(id string, n int) *transport.Delivery {
	content := make([]byte, n)
	_, _ = crand.Read(content) // never fails
	return &transport.Delivery{ID: id, Partner: "our-BOB", Content: transport.Part{Filename: "big.bin", Body: transport.Bytes(content)}}
}

// restarting makes ALICE's Sender over a line to BOB's listener.
func restarting(t *testing.T, b *bench) (*connector.Sender, *line) {
	b.bob.change(func(r *connector.Relation) { r.Terms = largeTerms })
	p := newLine(t, b.url)
	e := endpoint(t, between("ALICE", "BOB", largeTerms), func(c *connector.Config) { c.RestartPause = 50 * time.Millisecond })
	return sender(t, e, "to-BOB", p.url(), `,"restart":true`), p
}

// deliver sends as the queue does: what failed for the moment is sent again. On
// a busy machine the receiver notices late that a line broke, and the sender
// gives up for the time being.
func deliver(t *testing.T, s *connector.Sender, p *transport.Prepared) *transport.Outcome {
	t.Helper()
	for deadline := time.Now().Add(2 * time.Minute); ; {
		o, err := s.Send(context.Background(), "D1", p)
		if err == nil {
			return o
		}
		if transport.IsPermanent(err) || time.Now().After(deadline) {
			t.Fatal(err)
		}
	}
}

// prepare prepares a delivery and takes it through a store.
func prepare(t *testing.T, s *connector.Sender, d *transport.Delivery) *transport.Prepared {
	t.Helper()
	p, err := s.Prepare(context.Background(), d)
	must(t, err)
	return transporttest.Stored(t, p)
}

func whole(t *testing.T, b transport.Body) []byte {
	t.Helper()
	out, err := transporttest.ReadAll(b)
	must(t, err)
	return out
}

// partialFiles counts the files of transmissions that broke off.
func partialFiles(t *testing.T, temp, ending string) int {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(temp, "partial", "*"+ending))
	must(t, err)
	return len(found)
}

// TestRestartOverABreakingLine: whatever breaks, the payload arrives once and
// whole, and little more than what was lost is sent again.
func TestRestartOverABreakingLine(t *testing.T) {
	t.Parallel()
	const size, cuts = 12 << 20, 7
	for seed := range uint64(3) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			t.Parallel()
			socket, err := net.Listen("tcp", "127.0.0.1:0")
			must(t, err)
			var received atomic.Int64
			b := newBench(t, nil, connector.ListenConfig{Listener: counting{socket, &received}})
			s, p := restarting(t, b)
			random := rand.New(rand.NewPCG(seed, 4130))
			for range cuts {
				p.cuts = append(p.cuts, 1+random.Int64N(2*size/cuts))
			}
			d := large("D1", size)
			prepared := prepare(t, s, d)
			o := deliver(t, s, prepared)
			if !o.Delivered {
				t.Fatalf("%+v", o)
			}
			seen := b.sink.Seen()
			want := whole(t, d.Content.Body)
			if len(seen) != 1 || sha256.Sum256(seen[0].Bytes) != sha256.Sum256(want) {
				t.Fatalf("%d arrivals", len(seen))
			}
			if wire := whole(t, prepared.Wire); !bytes.Equal(seen[0].WireBytes, wire) {
				t.Error("the evidence is not what was sent")
			}
			up, broken := p.counts()
			again := received.Load() - prepared.Wire.Size()
			t.Logf("%d breaks; of %d KiB, %d KiB were sent again, %d KiB of them because they never arrived",
				broken, prepared.Wire.Size()>>10, (up-prepared.Wire.Size())>>10, (up-received.Load())>>10)
			if broken < 3 {
				t.Errorf("broke only %d times: the test proves little", broken)
			}
			// Of what arrived, nothing comes again but what had no file yet when
			// the line broke, and the header lines.
			if most := int64(broken+1) * (80 << 10); again > most {
				t.Errorf("%d bytes came again, more than %d", again, most)
			}
			if left := partialFiles(t, b.temp, ".part"); left != 0 {
				t.Errorf("%d files are left", left)
			}
		})
	}
}

// counting counts what is read from its connections.
type counting struct {
	net.Listener
	n *atomic.Int64
}

func (c counting) Accept() (net.Conn, error) {
	conn, err := c.Listener.Accept()
	return countingConn{conn, c.n}, err
}

type countingConn struct {
	net.Conn
	n *atomic.Int64
}

func (c countingConn) Read(p []byte) (int, error) {
	n, err := c.Conn.Read(p)
	c.n.Add(int64(n))
	return n, err
}

// TestRestartOfALostAnswer: the receipt got lost on its way. The last byte is
// sent again and brings it, the same; nothing is received twice.
func TestRestartOfALostAnswer(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil, connector.ListenConfig{})
	s, p := restarting(t, b)
	p.lose = true
	d := prepare(t, s, large("D1", 3<<20))
	o := deliver(t, s, d)
	up, broken := p.counts()
	if !o.Delivered || broken != 1 || len(b.sink.Accepted()) != 1 || up > d.Wire.Size()+8<<10 {
		t.Errorf("%+v, %d breaks, %d accepted, %d bytes for %d", o, broken, len(b.sink.Accepted()), up, d.Wire.Size())
	}
	if !bytes.Equal(o.Receipt.Body, b.sink.Seen()[0].Receipt.Body) {
		t.Error("another receipt")
	}
	// A later attempt, by a process that knows nothing of the first: the same.
	if o = deliver(t, s, d); !o.Delivered || len(b.sink.Accepted()) != 1 {
		t.Errorf("%+v, %d accepted", o, len(b.sink.Accepted()))
	}
	// Each time that the answer was given again is on record.
	seen := b.sink.Seen()
	if len(seen) != 3 {
		t.Fatalf("%d arrivals", len(seen))
	}
	for _, a := range seen[1:] {
		if !a.Again || !a.Duplicate || a.Key != seen[0].Key || a.MessageID != seen[0].MessageID || a.Partner != "our-ALICE" || len(a.WireBytes) != 0 {
			t.Errorf("%+v", a)
		}
	}
	// When what was answered is not on record any more it is taken once more.
	b.sink.Take()
	if o = deliver(t, s, d); !o.Delivered || len(b.sink.Accepted()) != 1 || b.sink.Accepted()[0].Again {
		t.Errorf("%+v, %d accepted", o, len(b.sink.Accepted()))
	}
}

// TestRestartOfALostRefusal: what was refused stays so, with the same answer,
// and every time is on record.
func TestRestartOfALostRefusal(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil, connector.ListenConfig{})
	s, _ := restarting(t, b)
	b.bob.change(func(r *connector.Relation) { r.Relation.Partner.Verify = certificates("MALLORY") })
	d := prepare(t, s, large("D1", 3<<20))
	for i := range 2 {
		o := deliver(t, s, d)
		if o.Delivered || o.Receipt == nil || !strings.Contains(o.Receipt.Disposition, string(as2.AuthenticationFailed)) {
			t.Errorf("%d: %+v", i, o)
		}
		seen := b.sink.Seen()
		if len(seen) != i+1 || seen[i].Refused == "" || seen[i].Again {
			t.Fatalf("%d: %d arrivals, %+v", i, len(seen), seen[len(seen)-1])
		}
		if !bytes.Equal(o.Receipt.Body, seen[0].Receipt.Body) {
			t.Errorf("%d: another receipt", i)
		}
	}
}

// TestRestartAfterTheReceiverStopped: what arrived is there for the next
// process.
func TestRestartAfterTheReceiverStopped(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil, connector.ListenConfig{})
	s, p := restarting(t, b)
	d := prepare(t, s, large("D1", 8<<20))
	p.cuts, p.then = []int64{5 << 20}, "127.0.0.1:1" // where nothing is
	if _, err := s.Send(context.Background(), "D1", d); err == nil || transport.IsPermanent(err) {
		t.Fatalf("Send: %v", err)
	}
	sink := transporttest.NewSink()
	again := endpoint(t, b.bob, func(c *connector.Config) { c.TempDir = b.temp })
	deadline := time.Now().Add(2 * time.Minute)
	for partialFiles(t, b.temp, ".json") == 0 && time.Now().Before(deadline) {
		time.Sleep(time.Millisecond) // the first receiver puts down what it has
	}
	p.point(serve(t, again, sink, connector.ListenConfig{}))
	before, _ := p.counts()
	o := deliver(t, s, d)
	up, _ := p.counts()
	if !o.Delivered || len(sink.Accepted()) != 1 || up-before > d.Wire.Size()-4<<20 {
		t.Errorf("%+v, %d accepted, %d bytes of %d in the second attempt", o, len(sink.Accepted()), up-before, d.Wire.Size())
	}
}
