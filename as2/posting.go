package as2

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// ErrNoReceipt is returned by Response.Receipt when the answer holds none.
var ErrNoReceipt = errors.New("as2: the answer holds no receipt")

// newClient is NewClient.
func newClient(c ClientConfig) *Client {
	if c.ConnectTimeout <= 0 {
		c.ConnectTimeout = 30 * time.Second
	}
	if c.ResponseTimeout <= 0 {
		c.ResponseTimeout = 5 * time.Minute
	}
	if c.MaxResponse <= 0 {
		c.MaxResponse = 1 << 20
	}
	transport := c.Transport
	if transport == nil {
		transport = newTransport(c)
	}
	return &Client{cfg: c, resolver: net.DefaultResolver, http: &http.Client{
		Transport: transport,
		// A redirect is an answer like any other: to follow it would send the
		// document to somebody else.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// newTransport makes the HTTP transport of a client.
func newTransport(c ClientConfig) *http.Transport {
	t := &tls.Config{MinVersion: tls.VersionTLS12}
	if c.TLS != nil {
		t = c.TLS.Clone()
		if t.MinVersion < tls.VersionTLS12 {
			t.MinVersion = tls.VersionTLS12
		}
	}
	transport := &http.Transport{
		DialContext:            newDialer(c).DialContext,
		TLSClientConfig:        t,
		TLSHandshakeTimeout:    c.ConnectTimeout,
		ResponseHeaderTimeout:  c.ResponseTimeout,
		ExpectContinueTimeout:  5 * time.Second,
		IdleConnTimeout:        60 * time.Second,
		MaxIdleConnsPerHost:    4,
		MaxResponseHeaderBytes: 64 << 10,
		DisableCompression:     true,
		ForceAttemptHTTP2:      true, // where TLS offers it; else a dialer of our own forbids it
	}
	if c.Proxy != nil {
		transport.Proxy = http.ProxyURL(c.Proxy)
	}
	return transport
}

// newDialer makes the dialer of a client.
func newDialer(c ClientConfig) *net.Dialer {
	d := &net.Dialer{Timeout: c.ConnectTimeout, KeepAlive: 30 * time.Second}
	if c.PublicOnly && c.Proxy == nil { // a proxy may be anywhere
		d.ControlContext = refusePrivate
	}
	return d
}

// post is Client.Post.
func (c *Client) post(ctx context.Context, target string, out *Outgoing) (*Response, error) {
	return c.send(ctx, target, out.Header, out.Size, out.Open)
}

// postReceipt is Client.PostReceipt.
func (c *Client) postReceipt(ctx context.Context, target string, r *Receipt) (*Response, error) {
	req, err := c.request(ctx, target, r.Header, int64(len(r.Body)), func() (io.ReadCloser, error) {
		return io.NopCloser(bytes.NewReader(r.Body)), nil
	})
	if err != nil {
		return nil, &PostError{Err: err}
	}
	req.Close = true // a connection of its own; OpenAS2 answers twice on it
	return c.do(req)
}

// send posts headers and body and reads the answer.
func (c *Client) send(ctx context.Context, target string, header http.Header, size int64, open func() (io.ReadCloser, error)) (*Response, error) {
	req, err := c.request(ctx, target, header, size, open)
	if err != nil {
		return nil, &PostError{Err: err}
	}
	return c.do(req)
}

// do posts a request and reads the answer.
func (c *Client) do(req *http.Request) (*Response, error) {
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, &PostError{Retry: retryable(err), Err: fmt.Errorf("as2: post to %s: %w", req.URL.Redacted(), err)}
	}
	defer func() { _ = resp.Body.Close() }() // read as far as wanted
	body, err := io.ReadAll(io.LimitReader(resp.Body, c.cfg.MaxResponse+1))
	truncated := errors.Is(err, io.ErrUnexpectedEOF)
	if err != nil && !truncated {
		return nil, &PostError{Status: resp.StatusCode, Retry: true, Header: resp.Header, Err: fmt.Errorf("as2: answer of %s: %w", req.URL.Redacted(), err)}
	}
	if int64(len(body)) > c.cfg.MaxResponse {
		return nil, &PostError{Status: resp.StatusCode, Retry: true, Header: resp.Header, Err: fmt.Errorf("as2: answer of %s is larger than %d bytes", req.URL.Redacted(), c.cfg.MaxResponse)}
	}
	if resp.StatusCode < 200 || resp.StatusCode > 299 {
		e := statusError(resp, body, req.URL)
		if resp.StatusCode == http.StatusProxyAuthRequired && c.cfg.Proxy != nil { // not the partner's word
			e.Retry, e.Err = true, fmt.Errorf("as2: post to %s: the proxy %s wants another user and password: %s", req.URL.Redacted(), c.cfg.Proxy.Host, resp.Status)
		}
		return nil, e
	}
	return &Response{Status: resp.StatusCode, Header: resp.Header, Body: body, Truncated: truncated}, nil
}

// request makes the HTTP request.
func (c *Client) request(ctx context.Context, target string, header http.Header, size int64, open func() (io.ReadCloser, error)) (*http.Request, error) {
	u, err := url.Parse(target)
	if err != nil {
		return nil, fmt.Errorf("as2: address: %w", err)
	}
	if u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return nil, fmt.Errorf("as2: address %s: want http://host/path or https://host/path", u.Redacted())
	}
	if c.cfg.PublicOnly && c.cfg.Proxy != nil {
		if err := publicName(ctx, c.resolver, u.Hostname()); err != nil {
			return nil, err
		}
	}
	body, err := open()
	if err != nil {
		return nil, fmt.Errorf("as2: open body: %w", err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, u.String(), body)
	if err != nil {
		_ = body.Close()
		return nil, fmt.Errorf("as2: request: %w", err)
	}
	// The length is known, so nothing is sent chunked; and an answer of 1.0
	// peers may need the same bytes once more on a fresh connection.
	req.ContentLength, req.GetBody = size, open
	if size == 0 {
		req.Body = http.NoBody
		_ = body.Close()
	}
	for name, values := range header {
		switch name {
		case "Content-Length", "Transfer-Encoding", "Connection", "Host":
			continue
		case "User-Agent": // must keep the name net/http looks for
			req.Header[name] = values
			continue
		}
		req.Header[wireName(name)] = values
	}
	if c.cfg.Username != "" {
		req.SetBasicAuth(c.cfg.Username, c.cfg.Password)
	}
	return req, nil
}

// statusError makes the error of an answer that is not 2xx.
func statusError(resp *http.Response, body []byte, u *url.URL) *PostError {
	e := &PostError{Status: resp.StatusCode, Header: resp.Header, Err: fmt.Errorf("as2: %s answered %s", u.Redacted(), resp.Status)}
	if len(body) > 4<<10 {
		body = body[:4<<10]
	}
	e.Body = body
	switch s := resp.StatusCode; {
	case s == http.StatusRequestTimeout, s == http.StatusTooEarly, s == http.StatusTooManyRequests:
		e.Retry = true
	case s == http.StatusNotImplemented, s == http.StatusHTTPVersionNotSupported:
	case s >= 500:
		e.Retry = true
	}
	if n, err := strconv.Atoi(resp.Header.Get("Retry-After")); err == nil && n > 0 && n <= 7*24*3600 {
		e.After = time.Duration(n) * time.Second
	} else if at, err := http.ParseTime(resp.Header.Get("Retry-After")); err == nil {
		if date, err := http.ParseTime(resp.Header.Get("Date")); err == nil && at.After(date) {
			e.After = at.Sub(date)
		}
	}
	return e
}

// retryable tells whether a failed exchange without an answer may go better
// another time. A certificate that does not verify or an address that is
// refused will not.
func retryable(err error) bool {
	var (
		verification *tls.CertificateVerificationError
		unknown      x509.UnknownAuthorityError
		invalid      x509.CertificateInvalidError
		hostname     x509.HostnameError
		private      *PrivateAddressError
		local        *SpoolError
	)
	switch {
	case errors.As(err, &verification), errors.As(err, &unknown), errors.As(err, &invalid), errors.As(err, &hostname),
		errors.As(err, &private), errors.As(err, &local):
		return false
	}
	return true
}

// receipt is Response.Receipt.
func (r *Response) receipt() (*Receipt, error) {
	if len(bytes.TrimSpace(r.Body)) == 0 {
		return nil, ErrNoReceipt
	}
	switch parseMediaType(r.Header.Get("Content-Type")).full {
	case "multipart/signed", "multipart/report", "message/disposition-notification":
	default:
		if r.Header.Get("AS2-From") == "" {
			return nil, ErrNoReceipt // a page that says thank you
		}
	}
	return parseReceipt(r.Header, bytes.NewReader(r.Body), Limits{})
}
