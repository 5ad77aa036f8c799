package transporttest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"

	"tradepost/transport"
)

// random is n bytes that no compression makes small.
func random(n int) []byte {
	r := rand.NewChaCha8([32]byte{1})
	b := make([]byte, n)
	_, _ = r.Read(b) // never fails
	return b
}

// bytesAndNames: content crosses unchanged, whatever it looks like; names are
// metadata and never lead anywhere.
func bytesAndNames(t *testing.T, r *Road) {
	ctx, sink := limited(t), NewSink()
	serve(t, r, sink)
	s := r.Sender(t)
	cases := []struct {
		name, filename string
		content        []byte
	}{
		{"one byte", "one.edi", []byte{'I'}},
		{"one line feed", "lf.edi", []byte{'\n'}},
		{"a NUL byte", "nul.bin", []byte{0}},
		{"LF line ends", "lf.edi", []byte("ISA*00~\nGS*PO~\nST*850*0001~\n")},
		{"CRLF line ends", "crlf.edi", []byte("ISA*00~\r\nGS*PO~\r\n")},
		{"mixed line ends", "mixed.edi", []byte("\r\nA\nB\rC\r\n\r\n\n\r--\r\n--b\r\n\r\n.\r\n")},
		{"8-bit", "latin1.txt", []byte("M\xfcller\x80\xff\x1a\x04")},
		{"a MIME header", "mime.txt", []byte("Content-Type: text/plain\r\n\r\nnot a header")},
		{"1 MiB of noise", "noise.bin", random(1 << 20)},
		{"a path", "../../etc/passwd", []byte("a path")},
		{"a path of Windows", `C:\temp\..\order.edi`, []byte("a path of Windows")},
		{"unicode", "заказ 注文 ordré.edi", []byte("unicode")},
		{"quotes", `or"der;x=1.edi`, []byte("quotes")},
		{"line ends in a name", "a\r\nX-Injected: 1.edi", []byte("line ends in a name")},
		{"no name", "", []byte("no name")},
	}
	if r.Empty {
		cases = append(cases, struct {
			name, filename string
			content        []byte
		}{"nothing", "empty.edi", nil})
	}
	for i, c := range cases {
		id := fmt.Sprintf("name-%02d", i)
		p := prepare(ctx, t, s, delivery(id, c.filename, c.content))
		deliver(ctx, t, s, id, p)
		got := arrived(ctx, t, sink, i+1)[i]
		if !bytes.Equal(got.Bytes, c.content) {
			t.Errorf("%s: %d bytes arrived as %d bytes: %.80q", c.name, len(c.content), len(got.Bytes), got.Bytes)
		}
		if want := r.Filename(id, c.filename); got.Content.Filename != want {
			t.Errorf("%s: file name %q arrived as %q, want %q", c.name, c.filename, got.Content.Filename, want)
		}
		if got.Partner != r.Partner {
			t.Errorf("%s: Partner %q, want %q", c.name, got.Partner, r.Partner)
		}
		if got.Key == "" || got.Connection == "" || got.Connector == "" || got.Evidence.Remote == "" {
			t.Errorf("%s: arrival without key, connection, connector or evidence: %+v", c.name, got.Arrival)
		}
	}
	keys := map[string]bool{}
	for _, a := range sink.Accepted() {
		if keys[a.Key] {
			t.Errorf("two arrivals share the key %q", a.Key)
		}
		keys[a.Key] = true
	}
}

// acceptedBeforeAnswered: while the Sink fails nothing counts as received, and
// when it no longer fails everything arrives, once.
func acceptedBeforeAnswered(t *testing.T, r *Road) {
	ctx, sink := limited(t), NewSink()
	sink.FailNext(1, errors.New("the disk is full"))
	serve(t, r, sink)
	s := r.Sender(t)
	p := prepare(ctx, t, s, delivery("D1", "a.edi", []byte("once")))
	o, err := s.Send(ctx, "D1", p)
	switch {
	case r.Answers && err == nil:
		t.Fatalf("the Sink failed, but Send = %+v", o)
	case r.Answers && transport.IsPermanent(err):
		t.Fatalf("the Sink failed once, but Send gives up: %v", err)
	case r.Answers:
		if n := len(sink.Seen()); n != 0 {
			t.Fatalf("the Sink failed and has %d arrivals", n)
		}
		deliver(ctx, t, s, "D1", p)
	case err != nil || !o.Delivered:
		t.Fatalf("Send = %+v, %v", o, err)
	}
	got := arrived(ctx, t, sink, 1)
	if string(got[0].Bytes) != "once" || sink.Failed() != 1 {
		t.Errorf("%q arrived after %d failures", got[0].Bytes, sink.Failed())
	}
}

// sentAgain: a Send whose outcome was lost in a crash is made again by a new
// Sender, learns that it is delivered, and nothing arrives twice.
func sentAgain(t *testing.T, r *Road) {
	ctx, sink := limited(t), NewSink()
	serve(t, r, sink)
	s := r.Sender(t)
	p := prepare(ctx, t, s, delivery("D1", "a.edi", []byte("once")))
	deliver(ctx, t, s, "D1", p)
	first := deliver(ctx, t, r.Sender(t), "D1", p) // the far end may not have looked yet
	arrived(ctx, t, sink, 1)
	second := deliver(ctx, t, r.Sender(t), "D1", p)
	if r.Answers {
		sameReceipt(t, first.Receipt, second.Receipt)
	}
	// A marker sent behind it shows that nothing more of the first is coming.
	q := prepare(ctx, t, s, delivery("D2", "b.edi", []byte("marker")))
	deliver(ctx, t, s, "D2", q)
	got := arrived(ctx, t, sink, 2)
	if string(got[0].Bytes) != "once" || string(got[1].Bytes) != "marker" {
		t.Errorf("arrived: %q, %q", got[0].Bytes, got[1].Bytes)
	}
	for _, a := range sink.Seen() {
		if a.Duplicate && a.Key != got[0].Key {
			t.Errorf("the duplicate has key %q, the first %q", a.Key, got[0].Key)
		}
	}
}

// sameReceipt: two receipts are the same bytes.
func sameReceipt(t *testing.T, a, b *transport.Receipt) {
	t.Helper()
	if a == nil || b == nil {
		t.Errorf("a receipt is missing: %v, %v", a, b)
		return
	}
	if !bytes.Equal(a.Body, b.Body) || a.MessageID != b.MessageID {
		t.Errorf("the duplicate got another receipt:\n%s\n---\n%s", a.Body, b.Body)
	}
}

// answerLost: the far end has accepted but its answer never arrived. The Send
// that failed is made again and ends delivered, with one arrival.
func answerLost(t *testing.T, r *Road) {
	if r.LoseAnswer == nil {
		t.Skip("this connector has no answers to lose")
	}
	ctx, sink := limited(t), NewSink()
	serve(t, r, sink)
	s := r.Sender(t)
	p := prepare(ctx, t, s, delivery("D1", "a.edi", []byte("once")))
	r.LoseAnswer(t)
	if o, err := s.Send(ctx, "D1", p); err == nil || transport.IsPermanent(err) {
		t.Fatalf("the answer was lost, but Send = %+v, %v", o, err)
	}
	first := arrived(ctx, t, sink, 1)[0]
	o := deliver(ctx, t, r.Sender(t), "D1", p)
	seen := sink.Seen()
	if len(seen) != 2 || !seen[1].Duplicate || seen[1].Key != first.Key {
		t.Fatalf("the Sink saw %d arrivals; want one and its duplicate", len(seen))
	}
	if o.Receipt != nil && !bytes.Equal(o.Receipt.Body, first.Receipt.Body) {
		t.Errorf("the duplicate was answered with\n%s\nthe first with\n%s", o.Receipt.Body, first.Receipt.Body)
	}
}

// killedBetween: a Prepared that went through the store is sent by a Sender
// that never saw it.
func killedBetween(t *testing.T, r *Road) {
	ctx, sink := limited(t), NewSink()
	serve(t, r, sink)
	p := prepare(ctx, t, r.Sender(t), delivery("D1", "a.edi", []byte("once")))
	deliver(ctx, t, r.Sender(t), "D1", p)
	if got := arrived(ctx, t, sink, 1)[0]; string(got.Bytes) != "once" {
		t.Errorf("%q arrived", got.Bytes)
	}
}

// preparedTwice: the first Prepared was never stored, because of a crash; the
// second one counts, under the same id.
func preparedTwice(t *testing.T, r *Road) {
	ctx, sink := limited(t), NewSink()
	serve(t, r, sink)
	d := delivery("D1", "a.edi", []byte("once"))
	lost := prepare(ctx, t, r.Sender(t), d)
	s := r.Sender(t)
	p := prepare(ctx, t, s, d)
	if lost.MessageID != p.MessageID {
		t.Errorf("prepared as %q and then as %q", lost.MessageID, p.MessageID)
	}
	deliver(ctx, t, s, "D1", p)
	arrived(ctx, t, sink, 1)
}

// manyAtATime: one Sender is used from many goroutines.
func manyAtATime(t *testing.T, r *Road) {
	const n = 24
	ctx, sink := limited(t), NewSink()
	serve(t, r, sink)
	s := r.Sender(t)
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			id := fmt.Sprintf("D%02d", i)
			p, err := s.Prepare(ctx, delivery(id, "same.edi", []byte("content of "+id)))
			if err != nil {
				t.Errorf("Prepare(%s): %v", id, err)
				return
			}
			o, err := s.Send(ctx, id, p)
			if err != nil || !o.Delivered {
				t.Errorf("Send(%s) = %+v, %v", id, o, err)
			}
			if err := transport.Release(p.Wire); err != nil {
				t.Errorf("Release(%s): %v", id, err)
			}
		})
	}
	wg.Wait()
	if t.Failed() {
		return
	}
	contents := map[string]int{}
	for _, a := range arrived(ctx, t, sink, n) {
		contents[string(a.Bytes)]++
	}
	for i := range n {
		if c := fmt.Sprintf("content of D%02d", i); contents[c] != 1 {
			t.Errorf("%q arrived %d times", c, contents[c])
		}
	}
}

// cancelled: a cancelled Send is an error that may be tried again.
func cancelled(t *testing.T, r *Road) {
	ctx, sink := limited(t), NewSink()
	serve(t, r, sink)
	s := r.Sender(t)
	p := prepare(ctx, t, s, delivery("D1", "a.edi", []byte("once")))
	gone, cancel := context.WithCancel(ctx)
	cancel()
	if o, err := s.Send(gone, "D1", p); err == nil || transport.IsPermanent(err) || !errors.Is(err, context.Canceled) {
		t.Fatalf("Send with a cancelled context = %+v, %v", o, err)
	}
	if _, err := s.Prepare(gone, delivery("D2", "b.edi", random(1<<20))); err == nil {
		t.Error("Prepare with a cancelled context succeeds")
	}
	deliver(ctx, t, s, "D1", p)
	arrived(ctx, t, sink, 1)
}

// unreachable: trouble on the way is temporary.
func unreachable(t *testing.T, r *Road) {
	ctx, sink := limited(t), NewSink()
	serve(t, r, sink)
	s := r.Sender(t)
	p := prepare(ctx, t, s, delivery("D1", "a.edi", []byte("once")))
	restore := r.Cut(t)
	o, err := s.Send(ctx, "D1", p)
	if err == nil || transport.IsPermanent(err) {
		t.Fatalf("unreachable, but Send = %+v, %v", o, err)
	}
	restore()
	deliver(ctx, t, s, "D1", p)
	arrived(ctx, t, sink, 1)
}

// refused: a no is told from trouble on the way, and has a reason.
func refused(t *testing.T, r *Road) {
	if r.Refuse == nil {
		t.Skip("nobody refuses on this connector")
	}
	ctx, sink := limited(t), NewSink()
	serve(t, r, sink)
	s := r.Sender(t)
	p := prepare(ctx, t, s, delivery("D1", "a.edi", []byte("once")))
	restore := r.Refuse(t)
	o, err := s.Send(ctx, "D1", p)
	switch {
	case err != nil && !transport.IsPermanent(err):
		t.Fatalf("refused, but Send wants to try again: %v", err)
	case err == nil && (o.Delivered || o.Pending || o.Reason == ""):
		t.Fatalf("refused, but Send = %+v", o)
	}
	restore()
	if n := len(sink.Accepted()); n != 0 {
		t.Fatalf("%d arrived", n)
	}
}

// drained: a Listener that is told to stop finishes what it has in hand.
func drained(t *testing.T, r *Road) {
	ctx, sink := limited(t), NewSink()
	entered, release := sink.Hold()
	defer release()
	stop := serve(t, r, sink)
	s := r.Sender(t)
	p := prepare(ctx, t, s, delivery("D1", "a.edi", []byte("once")))
	sent := make(chan error, 1)
	go func() {
		o, err := s.Send(ctx, "D1", p)
		if err == nil && !o.Delivered {
			err = fmt.Errorf("outcome %+v", o)
		}
		sent <- err
	}()
	select {
	case <-entered:
	case <-ctx.Done():
		t.Fatal("nothing reached the Sink")
	}
	stopped := make(chan struct{})
	go func() { defer close(stopped); stop() }()
	if n := len(sink.Seen()); n != 0 {
		t.Fatalf("the held Sink has %d arrivals", n)
	}
	release()
	<-stopped
	if err := <-sent; err != nil {
		t.Errorf("Send: %v", err)
	}
	arrived(ctx, t, sink, 1)
}

// receiverRestarted: what a Listener could not bring to its Sink is brought by
// the next one.
func receiverRestarted(t *testing.T, r *Road) {
	ctx, sink := limited(t), NewSink()
	sink.FailNext(1000, errors.New("the database is away"))
	stop := serve(t, r, sink)
	s := r.Sender(t)
	p := prepare(ctx, t, s, delivery("D1", "a.edi", []byte("once")))
	_, err := s.Send(ctx, "D1", p)
	if transport.IsPermanent(err) {
		t.Fatalf("Send gives up: %v", err)
	}
	if werr := sink.Wait(ctx, func() bool { return sink.Failed() > 0 }); werr != nil {
		t.Fatal("nothing reached the Sink")
	}
	stop()
	after := NewSink()
	serve(t, r, after)
	if err != nil {
		deliver(ctx, t, r.Sender(t), "D1", p)
	}
	if got := arrived(ctx, t, after, 1)[0]; string(got.Bytes) != "once" {
		t.Errorf("%q arrived", got.Bytes)
	}
}

// wrongSettings: an unknown setting is named, with its place.
func wrongSettings(t *testing.T, r *Road) {
	err := r.Settings(json.RawMessage(`{"no_such_setting": 1}`))
	var se *transport.SettingsError
	if !errors.As(err, &se) || se.Path != "no_such_setting" {
		t.Errorf("%v, want a *SettingsError at no_such_setting", err)
	}
}
