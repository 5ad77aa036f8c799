package freeport

import (
	"net"
	"strconv"
	"testing"
)

// TestReserve: a port is nobody else's before it is released, a server can
// listen on it, stop and listen again, and outgoing connections never have it.
func TestReserve(t *testing.T) {
	t.Parallel()
	p, err := Reserve()
	if err != nil {
		t.Fatal(err)
	}
	_, port, err := net.SplitHostPort(p.Address())
	if err != nil {
		t.Fatal(err)
	}
	if n, err := strconv.Atoi(port); err != nil || n < first || n > last {
		t.Errorf("port %s is not one of %d to %d", port, first, last)
	}
	if again, err := reserve(port); err == nil {
		t.Errorf("%s was handed out twice", again.Address())
	}
	for range 2 {
		l, err := net.Listen("tcp", p.Address())
		if err != nil {
			t.Fatal(err)
		}
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if err := p.Release(); err != nil {
		t.Fatal(err)
	}
	again, err := reserve(port)
	if err != nil {
		t.Fatalf("a released port is not free: %v", err)
	}
	if err := again.Release(); err != nil {
		t.Fatal(err)
	}
}

// TestReserveWhatIsTaken: a port on which a server listens is not handed out,
// and does not stay held by the attempt.
func TestReserveWhatIsTaken(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	if p, err := reserve(port); err == nil {
		t.Errorf("%s was handed out, and a server listens there", p.Address())
	}
	held, err := net.ListenPacket("udp4", "127.0.0.1:"+port)
	if err != nil {
		t.Errorf("the attempt left the port held: %v", err)
	} else if err := held.Close(); err != nil {
		t.Error(err)
	}
}
