// Package freeport finds ports of this machine for servers whose address others
// must know before they listen: it stands in the configuration of a station or
// of its partner.
//
// The usual way, to listen on port 0 and close again, hands out ports that the
// system gives to the next outgoing connection of anybody. Here a port lies
// below those (RFC 6335, section 6: the dynamic ports; Linux begins at 32768),
// and a UDP socket of the same number keeps it from all others that ask here,
// in this process or another, until it is released.
package freeport

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"strconv"
)

// The ports that are handed out: first to last.
const first, last = 10000, 31999

// tries is how many ports are looked at before giving up.
const tries = 1000

// Port is a TCP port of 127.0.0.1 that nobody listened on when it was reserved,
// and that nobody else gets from this package before it is released.
type Port struct{ held net.PacketConn }

// Reserve finds a port. The error is the last one met when none is to be had.
func Reserve() (*Port, error) {
	var last error
	for range tries {
		p, err := reserve(candidate())
		if err == nil {
			return p, nil
		}
		last = err
	}
	return nil, fmt.Errorf("find a free port: %w", last)
}

// candidate is a port at random, so that two programs seldom ask for the same.
func candidate() string {
	return strconv.Itoa(first + rand.IntN(last-first+1)) //nolint:gosec // nothing secret hangs on a port
}

func reserve(port string) (*Port, error) {
	address := net.JoinHostPort("127.0.0.1", port)
	held, err := net.ListenPacket("udp4", address)
	if err != nil {
		return nil, err
	}
	l, err := net.Listen("tcp4", address)
	if err != nil {
		return nil, errors.Join(err, held.Close())
	}
	if err := l.Close(); err != nil {
		return nil, errors.Join(err, held.Close())
	}
	return &Port{held}, nil
}

// Address is where to listen: "127.0.0.1:23456".
func (p *Port) Address() string { return p.held.LocalAddr().String() }

// Release lets others have the port. A server that listens on it keeps it all
// the same.
func (p *Port) Release() error { return p.held.Close() }
