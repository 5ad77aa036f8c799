package as2

import (
	"context"
	"crypto/tls"
	"net"
	"net/http"
	"net/url"
	"time"
)

// ClientConfig configures a Client. Its zero value is usable: TLS 1.2 or
// better with the system's roots, no authentication, no proxy.
type ClientConfig struct {
	// TLS is cloned; MinVersion below 1.2 is raised to it.
	TLS *tls.Config
	// Username and Password are sent as basic authentication when Username is
	// not empty.
	Username, Password string
	// Proxy is an HTTP proxy; nil connects directly.
	Proxy *url.URL
	// PublicOnly refuses to connect to loopback, private and other addresses
	// that are not public, whatever name led there. It is for URLs that came
	// from a partner. Behind a Proxy it is the proxy that connects: then the name
	// is looked up here as well, and refused when an address of it is not public;
	// what cannot be looked up here is left to the proxy.
	PublicOnly bool
	// ConnectTimeout bounds dialling and the TLS handshake; 30 s by default.
	ConnectTimeout time.Duration
	// ResponseTimeout bounds the wait for the answer once the request is
	// written; 5 min by default, as the receipt may wait for processing.
	ResponseTimeout time.Duration
	// MaxResponse bounds the bytes of an answer; 1 MiB by default.
	MaxResponse int64
	// Transport replaces the HTTP transport, for tests and tunnels. The fields
	// above that concern the connection are then ignored.
	Transport http.RoundTripper
}

// Client posts transmissions and receipts, by HTTP/2 where a server offers it
// over TLS and by HTTP/1.1 elsewhere. It follows no redirect. It is safe for
// concurrent use.
type Client struct {
	http     *http.Client
	cfg      ClientConfig
	resolver *net.Resolver // of the system
}

// NewClient makes a Client.
func NewClient(c ClientConfig) *Client { return newClient(c) }

// Post sends out to url. A *PostError says whether another attempt with the
// same bytes makes sense; the answer of a 2xx status is in Response.
func (c *Client) Post(ctx context.Context, url string, out *Outgoing) (*Response, error) {
	return c.post(ctx, url, out)
}

// PostReceipt sends an asynchronous receipt. The URL came from the partner:
// the caller has checked it against the partner's profile.
func (c *Client) PostReceipt(ctx context.Context, url string, r *Receipt) (*Response, error) {
	return c.postReceipt(ctx, url, r)
}

// CloseIdle closes idle connections.
func (c *Client) CloseIdle() { c.http.CloseIdleConnections() }

// Response is the answer to a Post.
type Response struct {
	// Status is the HTTP status, 200 to 299.
	Status int
	Header http.Header
	// Body is the whole answer, the exact bytes.
	Body []byte
	// Truncated is set when fewer bytes came than Content-Length announced,
	// which a few peers do; the receipt may still be whole.
	Truncated bool
}

// Receipt parses the answer as a synchronous receipt. ErrNoReceipt means that
// the answer holds none, as is right for an asynchronous one.
func (r *Response) Receipt() (*Receipt, error) { return r.receipt() }

// PostError is a failed attempt.
type PostError struct {
	// Status is the HTTP status, 0 when there was no answer.
	Status int
	// Retry tells whether the same bytes may be sent again later: no answer,
	// 5xx, 408, 429 and 425, and a proxy's 407; not for other 4xx, redirects or
	// a certificate that does not verify (draft rfc4130bis, reliability).
	Retry bool
	// After is the partner's Retry-After, 0 when none.
	After time.Duration
	// Header and Body are the answer, the body clipped to 4 KiB.
	Header http.Header
	Body   []byte
	Err    error
}

// Error describes the failed attempt.
func (e *PostError) Error() string { return e.Err.Error() }

// Unwrap returns the cause.
func (e *PostError) Unwrap() error { return e.Err }
