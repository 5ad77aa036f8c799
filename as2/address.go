package as2

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"syscall"
)

// PrivateAddressError is a connection refused by ClientConfig.PublicOnly.
type PrivateAddressError struct{ Address string }

// Error names the address.
func (e *PrivateAddressError) Error() string {
	return fmt.Sprintf("as2: address %s is not public, and this connection may only go to public ones", e.Address)
}

// refusePrivate is a net.Dialer control function. It looks at the address that
// is really dialled, so a name that resolves to something else the second time
// gains nothing.
func refusePrivate(_ context.Context, _, address string, _ syscall.RawConn) error {
	ap, err := netip.ParseAddrPort(address)
	if err != nil || !public(ap.Addr()) {
		return &PrivateAddressError{Address: address}
	}
	return nil
}

// publicName refuses a host that somebody else will connect to, when it is an
// address that is not public, or a name of one. A name that is not known here
// may be known there.
func publicName(ctx context.Context, resolver *net.Resolver, host string) error {
	addresses := make([]netip.Addr, 0, 1)
	if a, err := netip.ParseAddr(host); err == nil {
		addresses = append(addresses, a)
	} else if addresses, err = resolver.LookupNetIP(ctx, "ip", host); err != nil {
		return ctx.Err()
	}
	for _, a := range addresses {
		if !public(a) {
			return &PrivateAddressError{Address: a.String()}
		}
	}
	return nil
}

// public tells whether a is a globally routable unicast address.
func public(a netip.Addr) bool {
	a = a.Unmap()
	if !a.IsGlobalUnicast() || a.IsPrivate() || a.IsLoopback() || a.IsLinkLocalUnicast() {
		return false
	}
	for _, p := range []string{
		"0.0.0.0/8", "100.64.0.0/10", "192.0.0.0/24", "192.0.2.0/24", "198.18.0.0/15",
		"192.88.99.0/24", "198.51.100.0/24", "203.0.113.0/24", "240.0.0.0/4",
		"::/96", "64:ff9b::/96", "64:ff9b:1::/48", "100::/64", "2001::/23", "2001:db8::/32", "2002::/16",
	} {
		if netip.MustParsePrefix(p).Contains(a) {
			return false
		}
	}
	return true
}
