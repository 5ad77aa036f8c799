package transporttest

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"tradepost/transport"
)

// Road is a connector from end to end.
type Road struct {
	// Sender makes the sending end; each is like the one after a restart.
	Sender func(t *testing.T) transport.Sender
	// Listener makes the receiving end likewise, one at a time. A delivery sent
	// while none serves arrives later, or its Send fails.
	Listener func(t *testing.T, sink transport.Sink) transport.Listener
	// Settings makes one of the ends with other settings, to see them refused.
	Settings func(settings json.RawMessage) error

	// Partner is who the receiving end is expected to recognise.
	Partner string
	// Answers: Send waits for the Sink of the other end.
	Answers bool
	// Empty: content without a byte is carried, too.
	Empty bool
	// Filename is the name that is expected at the other end for a name given
	// at this one.
	Filename func(id, sent string) string

	// Cut makes the other end unreachable until restore.
	Cut func(t *testing.T) (restore func())
	// LoseAnswer loses the next answer after the other end has accepted. Nil
	// where there are no answers.
	LoseAnswer func(t *testing.T)
	// Refuse makes the other end refuse for good until restore. Nil where
	// nobody refuses.
	Refuse func(t *testing.T) (restore func())
}

// Factory makes a Road of its own for each case.
type Factory func(t *testing.T) *Road

// patience is how long a case waits for what must happen. It is only ever used
// up by a failure.
const patience = time.Minute

// Run runs the whole suite.
func Run(t *testing.T, f Factory) {
	for _, c := range []struct {
		name string
		run  func(*testing.T, *Road)
	}{
		{"bytes and names", bytesAndNames},
		{"accepted before answered", acceptedBeforeAnswered},
		{"sent again after its outcome was lost", sentAgain},
		{"answer lost on the way", answerLost},
		{"killed between prepare and send", killedBetween},
		{"prepared twice", preparedTwice},
		{"many at a time", manyAtATime},
		{"cancelled", cancelled},
		{"unreachable", unreachable},
		{"refused", refused},
		{"stopped with one in hand", drained},
		{"receiver restarted", receiverRestarted},
		{"wrong settings", wrongSettings},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			c.run(t, f(t))
		})
	}
}

// serve runs a Listener; stop ends it and fails the test if it did not end well.
func serve(t *testing.T, r *Road, sink transport.Sink) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	l := r.Listener(t, sink)
	done := make(chan error, 1)
	go func() { done <- l.Serve(ctx) }()
	stopped := false
	stop = func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		select {
		case err := <-done:
			if err != nil {
				t.Errorf("Serve ended with %v, want nil", err)
			}
		case <-time.After(patience):
			t.Error("Serve did not end")
		}
	}
	t.Cleanup(stop)
	return stop
}

// limited is a context for one case.
func limited(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	return ctx
}

// delivery is something to deliver.
func delivery(id, filename string, content []byte) *transport.Delivery {
	return &transport.Delivery{
		ID: id, Partner: "PARTNER", Subject: "850 " + id,
		Content:   transport.Part{Filename: filename, ContentType: "application/octet-stream", Body: transport.Bytes(content)},
		CreatedAt: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC),
	}
}

// prepare prepares and stores: what comes back is what a restarted gateway
// reads from its store, and shares nothing with the sender.
func prepare(ctx context.Context, t *testing.T, s transport.Sender, d *transport.Delivery) *transport.Prepared {
	t.Helper()
	p, err := s.Prepare(ctx, d)
	if err != nil {
		t.Fatalf("Prepare(%s): %v", d.ID, err)
	}
	return Stored(t, p)
}

// Stored is p after a way through a store: plain data and bytes.
func Stored(t testing.TB, p *transport.Prepared) *transport.Prepared {
	t.Helper()
	wire, err := ReadAll(p.Wire)
	if err != nil {
		t.Fatalf("read Wire: %v", err)
	}
	content, err := ReadAll(p.Content.Body)
	if err != nil {
		t.Fatalf("read Content: %v", err)
	}
	q := *p
	q.Wire, q.Content.Body = nil, nil
	data, err := json.Marshal(q)
	if err != nil {
		t.Fatal(err)
	}
	var back transport.Prepared
	if err := json.Unmarshal(data, &back); err != nil {
		t.Fatal(err)
	}
	back.Content.Body = transport.Bytes(content)
	if p.Wire != nil {
		back.Wire = transport.Bytes(wire)
	}
	if err := transport.Release(p.Wire); err != nil {
		t.Errorf("Release: %v", err)
	}
	return &back
}

// deliver sends until it is delivered, as the gateway would, and fails on
// everything that is not temporary.
func deliver(ctx context.Context, t *testing.T, s transport.Sender, id string, p *transport.Prepared) *transport.Outcome {
	t.Helper()
	for {
		o, err := s.Send(ctx, id, p)
		switch {
		case err == nil && o.Delivered:
			return o
		case err == nil:
			t.Fatalf("Send(%s) = %+v, want delivered", id, o)
		case transport.IsPermanent(err) || ctx.Err() != nil:
			t.Fatalf("Send(%s): %v", id, err)
		}
	}
}

// arrived waits until n have been accepted, and not one more.
func arrived(ctx context.Context, t *testing.T, sink *Sink, n int) []Seen {
	t.Helper()
	if err := sink.Wait(ctx, func() bool { return len(sink.Accepted()) >= n }); err != nil {
		t.Fatalf("%d arrived, want %d: %v", len(sink.Accepted()), n, err)
	}
	got := sink.Accepted()
	if len(got) != n {
		t.Fatalf("%d arrived, want %d", len(got), n)
	}
	return got
}
