package as2

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"strings"

	"tradepost/as2"
	"tradepost/transport"
)

// receiptHosts are the places a partner may have its receipts posted to.
type receiptHosts struct {
	any     map[string]bool // any port of these hosts
	exact   map[string]bool // host:port
	url     string          // where the partner listens
	own     string          // host:port of url
	private bool            // private addresses are good
}

// newReceiptHosts reads them from the settings. The address the partner
// listens at is always one.
func newReceiptHosts(s Settings) receiptHosts {
	h := receiptHosts{any: map[string]bool{}, exact: map[string]bool{}, url: s.URL, private: s.PrivateNetwork}
	if u, err := url.Parse(s.URL); err == nil {
		h.own = hostPort(u)
		h.exact[h.own] = true
	}
	for _, e := range s.ReceiptHosts {
		e = strings.ToLower(e)
		if host, port, err := net.SplitHostPort(e); err == nil {
			h.exact[net.JoinHostPort(host, port)] = true
		} else {
			h.any[strings.Trim(e, "[]")] = true
		}
	}
	return h
}

// hostPort is where a URL leads, with the port of its scheme.
func hostPort(u *url.URL) string {
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	return net.JoinHostPort(strings.ToLower(u.Hostname()), port)
}

// allowed tells whether receipts may be posted to u, and whether the address
// behind it may be a private one: when the operator wrote down that very
// address, said that the partner is in a private network, or when it is the URL
// that everything for the partner goes to anyway. A name is not enough: the
// partner may have it lead to where it wants.
func (h receiptHosts) allowed(u *url.URL) (ok, private bool) {
	host := strings.ToLower(u.Hostname())
	if !h.exact[hostPort(u)] && !h.any[host] {
		return false, false
	}
	_, err := netip.ParseAddr(host)
	return true, h.private || err == nil || host == "localhost" || u.String() == h.url
}

// SendReceipt posts a receipt to the address the partner asked for, if its
// profile (url, receipt_hosts) has it, and once the request it answers has been
// answered. partner is only for the error.
func (s *Sender) SendReceipt(ctx context.Context, partner string, r *transport.Receipt) error {
	if s.e.exchanges.wait(ctx, r); ctx.Err() != nil {
		return ctx.Err()
	}
	u, err := url.Parse(r.AsyncURL)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || u.User != nil {
		return transport.Permanent(fmt.Errorf("connection %s: %s wants its receipt at %q, which is no http or https address", s.conn.Name, partner, r.AsyncURL))
	}
	ok, private := s.hosts.allowed(u)
	if !ok {
		return transport.Permanent(fmt.Errorf("connection %s: %s wants its receipt at %s, which is not its url's host: add %q to receipt_hosts if it is the partner's",
			s.conn.Name, partner, u.Redacted(), hostPort(u)))
	}
	how := s.stranger
	if hostPort(u) == s.hosts.own {
		how = s.own
		how.Username, how.Password = "", "" // meant for the URL alone
	}
	how.PublicOnly = !private
	client := as2.NewClient(how) // a connection of its own, as RFC 4130 wants
	defer client.CloseIdle()
	_, err = client.PostReceipt(ctx, u.String(), &as2.Receipt{Header: httpHeader(r.Headers), Body: r.Body})
	if err == nil {
		return nil // any 2xx will do
	}
	var inside *as2.PrivateAddressError
	if errors.As(err, &inside) {
		err = fmt.Errorf("%w: set private_network if the partner is in yours", err)
	}
	seen := transport.Evidence{Remote: u.Redacted()}
	var pe *as2.PostError
	if !errors.As(err, &pe) {
		return s.attempt(seen, 0, err)
	}
	seen.HTTPStatus, seen.Response = pe.Status, readable(pe.Body)
	if pe.Retry {
		return s.attempt(seen, pe.After, err)
	}
	return transport.Permanent(s.attempt(seen, 0, err))
}
