package as2

import (
	"context"
	"encoding/binary"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"sync/atomic"
	"testing"
	"time"
)

func TestPublicAddresses(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]bool{
		"8.8.8.8:443": true, "[2606:4700::1111]:443": true, "[::ffff:8.8.8.8]:443": true,
		"127.0.0.1:80": false, "10.1.2.3:80": false, "172.16.0.1:80": false, "192.168.1.1:80": false, "169.254.169.254:80": false,
		"100.64.0.1:80": false, "0.0.0.0:80": false, "[::1]:80": false, "[::]:80": false, "[::ffff:127.0.0.1]:80": false, "[fe80::1]:80": false,
		"[fc00::1]:80": false, "[fd00:ec2::254]:80": false, "224.0.0.1:80": false, "255.255.255.255:80": false, "[64:ff9b::7f00:1]:80": false,
		"[::127.0.0.1]:80": false, "[2002:7f00:1::]:80": false, "[2001:0:7f00:1::]:80": false, "[ff02::1]:80": false, "nonsense": false,
	} {
		if err := refusePrivate(t.Context(), "tcp", address, nil); (err == nil) != want {
			t.Errorf("%s: %v", address, err)
		}
	}
}

// TestNamesThatLeadInside: what counts is the address that is dialled, not the
// one that a name had when somebody looked at it (DNS rebinding).
func TestNamesThatLeadInside(t *testing.T) {
	t.Parallel()
	inside, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = inside.Close() })
	var reached atomic.Int32
	go func() {
		for {
			c, err := inside.Accept()
			if err != nil {
				return
			}
			reached.Add(1)
			_ = c.Close()
		}
	}()
	_, port, err := net.SplitHostPort(inside.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	var asked atomic.Int32
	names := nameServer(t, func() []netip.Addr {
		asked.Add(1)
		return []netip.Addr{netip.MustParseAddr("127.0.0.1"), netip.MustParseAddr("10.255.255.1")}
	})
	d := newDialer(ClientConfig{PublicOnly: true, ConnectTimeout: 20 * time.Second})
	d.Resolver = names
	_, err = d.DialContext(t.Context(), "tcp", "receipts.partner.example:"+port)
	var private *PrivateAddressError
	if !errors.As(err, &private) || reached.Load() != 0 || asked.Load() == 0 {
		t.Errorf("%v; reached %d times, name asked %d times", err, reached.Load(), asked.Load())
	}
	d = newDialer(ClientConfig{ConnectTimeout: 20 * time.Second})
	d.Resolver = names
	c, err := d.DialContext(t.Context(), "tcp", "receipts.partner.example:"+port)
	if err != nil {
		t.Fatalf("where private addresses are good: %v", err)
	}
	_ = c.Close()
}

// TestPublicOnlyThroughAProxy: a proxy in our own network is no private address
// that a partner chose; what it is asked to connect to may be.
func TestPublicOnlyThroughAProxy(t *testing.T) {
	t.Parallel()
	asked := make(chan string, 10)
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked <- r.URL.String()
		w.WriteHeader(http.StatusNoContent)
	}))
	t.Cleanup(proxy.Close)
	through, err := url.Parse(proxy.URL)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		address string
		names   []string // addresses of the name
		refused bool
	}{
		"a public address":                 {"http://8.8.8.8/mdn", nil, false},
		"a private address":                {"http://10.1.2.3/mdn", nil, true},
		"loopback":                         {"http://[::1]:8080/mdn", nil, true},
		"loopback, an IPv4 inside IPv6":    {"http://[::ffff:127.0.0.1]/mdn", nil, true},
		"a name of a public address":       {"http://receipts.partner.example/mdn", []string{"8.8.8.8"}, false},
		"a name that leads inside":         {"http://receipts.partner.example/mdn", []string{"8.8.8.8", "169.254.169.254"}, true},
		"a name that nobody here knows of": {"http://receipts.partner.example/mdn", nil, false},
	} {
		t.Run(name, func(t *testing.T) {
			client := NewClient(ClientConfig{PublicOnly: true, Proxy: through})
			t.Cleanup(client.CloseIdle)
			client.resolver = nameServer(t, func() []netip.Addr {
				var out []netip.Addr
				for _, a := range c.names {
					out = append(out, netip.MustParseAddr(a))
				}
				return out
			})
			_, err := client.PostReceipt(t.Context(), c.address, &Receipt{Header: http.Header{}, Body: []byte("r")})
			var private *PrivateAddressError
			var failed *PostError
			switch {
			case !c.refused && err != nil, c.refused && !errors.As(err, &private), c.refused && (!errors.As(err, &failed) || failed.Retry):
				t.Errorf("%v", err)
			case !c.refused:
				if got := <-asked; got != c.address {
					t.Errorf("asked for %s", got)
				}
			case len(asked) != 0:
				t.Errorf("the proxy was asked for %s", <-asked)
			}
		})
	}
}

// nameServer answers every question for IPv4 addresses (RFC 1035) with what
// answers says, and others with nothing.
func nameServer(t *testing.T, answers func() []netip.Addr) *net.Resolver {
	t.Helper()
	socket, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = socket.Close() })
	go func() {
		buf := make([]byte, 4096)
		for {
			n, from, err := socket.ReadFrom(buf)
			if err != nil {
				return
			}
			end := 12
			for end < n && buf[end] != 0 {
				end += int(buf[end]) + 1
			}
			if end += 5; end > n {
				continue
			}
			question := buf[12:end]
			reply := append([]byte{buf[0], buf[1], 0x81, 0x80, 0, 1, 0, 0, 0, 0, 0, 0}, question...)
			if binary.BigEndian.Uint16(question[len(question)-4:]) == 1 {
				for _, a := range answers() {
					reply[7]++
					reply = append(reply, 0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4)
					reply = append(reply, a.AsSlice()...)
				}
			}
			_, _ = socket.WriteTo(reply, from) // who asks will ask again
		}
	}()
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "udp4", socket.LocalAddr().String())
	}}
}
