package as2

import (
	"context"
	"net/http"

	"tradepost/transport"
)

// Probe asks the server of a connection whether it is there, by HEAD and in the
// way a Sender reaches it: through its proxy, trusting what it trusts, with our
// certificate and password. Of the Config it needs what leads to files and
// variables: Base, Getenv, KeyPair. The body of the answer is closed. Errors are
// *transport.SettingsError, or those of net/http.
func Probe(ctx context.Context, conn transport.Connection, c Config) (*http.Response, error) {
	set, err := ParseSettings(conn)
	if err != nil {
		return nil, err
	}
	e := &Endpoint{cfg: c.withDefaults()}
	cc, err := e.clientConfig(conn, set, false)
	if err != nil {
		return nil, err
	}
	through := &http.Transport{TLSClientConfig: cc.TLS, TLSHandshakeTimeout: cc.ConnectTimeout, ResponseHeaderTimeout: cc.ResponseTimeout, ForceAttemptHTTP2: true}
	if cc.Proxy != nil {
		through.Proxy = http.ProxyURL(cc.Proxy)
	}
	defer through.CloseIdleConnections()
	req, err := http.NewRequestWithContext(ctx, http.MethodHead, set.URL, nil)
	if err != nil {
		return nil, err
	}
	if cc.Username != "" {
		req.SetBasicAuth(cc.Username, cc.Password)
	}
	// A redirect is an answer like any other.
	client := &http.Client{Transport: through, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := client.Do(req)
	if err != nil {
		return nil, err
	}
	return resp, resp.Body.Close()
}
