package auth

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"
)

// memory is a Store in memory with a clock of its own.
type memory struct {
	mu       sync.Mutex
	now      time.Time
	tokens   map[string]time.Time
	sessions map[string]session
	down     bool
}

type session struct {
	user    string
	expires time.Time
}

func newMemory() *memory {
	return &memory{
		now:    time.Date(2026, 11, 5, 14, 0, 0, 0, time.UTC),
		tokens: map[string]time.Time{}, sessions: map[string]session{},
	}
}

func (m *memory) clock() time.Time {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.now
}

func (m *memory) pass(d time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.now = m.now.Add(d)
}

func (m *memory) err() error {
	if m.down {
		return errors.New("disk full")
	}
	return nil
}

func (m *memory) SaveToken(_ context.Context, hash []byte, kind string, expires time.Time) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.tokens[kind+string(hash)] = expires
	return m.err()
}

func (m *memory) UseToken(_ context.Context, hash []byte, kind string) (bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	expires, ok := m.tokens[kind+string(hash)]
	delete(m.tokens, kind+string(hash))
	return ok && m.now.Before(expires), m.err()
}

func (m *memory) SaveSession(_ context.Context, hash []byte, user string, expires time.Time) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.sessions[string(hash)] = session{user, expires}
	return m.err()
}

func (m *memory) Session(_ context.Context, hash []byte) (string, bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	s, ok := m.sessions[string(hash)]
	if !ok || !m.now.Before(s.expires) {
		return "", false, m.err()
	}
	return s.user, true, m.err()
}

func (m *memory) DeleteSession(_ context.Context, hash []byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.sessions, string(hash))
	return m.err()
}

// plain draws pages as "reason token".
type plain struct{}

func (plain) SignInPage(w http.ResponseWriter, _ *http.Request, p Page) {
	w.WriteHeader(p.Status)
	_, _ = io.WriteString(w, string(p.Reason)+" "+p.Token)
}

const apiToken = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

// station is a guarded handler that answers with the user's name.
type station struct {
	*Auth
	store *memory
	url   string
}

func newStation(t *testing.T) *station {
	t.Helper()
	store := newMemory()
	bearers, err := ReadBearers(strings.NewReader("# for the scheduler\n\nscheduler " + apiToken + "\n"))
	if err != nil {
		t.Fatal(err)
	}
	a, err := New(Config{Store: store, Station: "alice", Pages: plain{}, Bearer: bearers, Now: store.clock})
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(a.Require(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, "hello "+User(r.Context()))
	})))
	t.Cleanup(srv.Close)
	return &station{Auth: a, store: store, url: srv.URL}
}

// browser keeps cookies and does not follow redirects.
func browser(t *testing.T) *http.Client {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

func ask(t *testing.T, c *http.Client, r *http.Request) (*http.Response, string) {
	t.Helper()
	resp, err := c.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, string(b)
}

func get(t *testing.T, c *http.Client, url string, header ...string) (*http.Response, string) {
	t.Helper()
	return send(t, c, http.MethodGet, url, nil, header...)
}

func send(t *testing.T, c *http.Client, method, url string, form url.Values, header ...string) (*http.Response, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	return ask(t, c, r)
}

func want(t *testing.T, resp *http.Response, body string, status int, text string) {
	t.Helper()
	if resp.StatusCode != status || !strings.Contains(body, text) {
		t.Fatalf("%s %s: got %d %q, want %d with %q", resp.Request.Method, resp.Request.URL.Path, resp.StatusCode, body, status, text)
	}
}

func link(t *testing.T, s *station) (path string, form url.Values) {
	t.Helper()
	path, err := s.LoginLink(t.Context(), "anna@example.com")
	if err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(path)
	if err != nil {
		t.Fatal(err)
	}
	return path, url.Values{"token": {u.Query().Get("token")}}
}

func TestALinkSignsInOnceAndOnlyByItsButton(t *testing.T) {
	t.Parallel()
	s, b := newStation(t), browser(t)
	path, form := link(t, s)

	resp, body := get(t, b, s.url+"/documents")
	want(t, resp, body, 401, "sign-in")

	for range 3 { // a scanner of links opens it as often as it likes
		resp, body = get(t, b, s.url+path)
		want(t, resp, body, 200, "confirm "+form.Get("token"))
	}
	resp, body = get(t, b, s.url+"/documents")
	want(t, resp, body, 401, "sign-in")

	resp, body = send(t, b, http.MethodPost, s.url+"/login", form)
	want(t, resp, body, 303, "")
	c := resp.Cookies()[0]
	if !c.HttpOnly || c.SameSite != http.SameSiteStrictMode || c.Path != "/" || c.MaxAge != 12*3600 || c.Secure {
		t.Errorf("session cookie over plain HTTP is %s", c)
	}
	resp, body = get(t, b, s.url+"/documents")
	want(t, resp, body, 200, "hello anna@example.com")
	resp, body = get(t, b, s.url+"/login")
	want(t, resp, body, 303, "")

	other := browser(t)
	resp, body = send(t, other, http.MethodPost, s.url+"/login", form)
	want(t, resp, body, 403, "stale")
	resp, body = get(t, other, s.url+"/documents")
	want(t, resp, body, 401, "sign-in")
}

func TestNothingSecretReachesTheStore(t *testing.T) {
	t.Parallel()
	s, b := newStation(t), browser(t)
	_, form := link(t, s)
	_, secret, _ := strings.Cut(form.Get("token"), "~")
	for key := range s.store.tokens {
		if strings.Contains(key, secret) {
			t.Error("the store holds the token itself")
		}
	}
	resp, _ := send(t, b, http.MethodPost, s.url+"/login", form)
	for key := range s.store.sessions {
		if strings.Contains(key, resp.Cookies()[0].Value) {
			t.Error("the store holds the session itself")
		}
	}
	if len(s.store.sessions) != 1 {
		t.Errorf("%d sessions, want 1", len(s.store.sessions))
	}
}

func TestALinkCannotBeTurnedIntoAnotherUsers(t *testing.T) {
	t.Parallel()
	s := newStation(t)
	_, form := link(t, s)
	form.Set("token", strings.Replace(form.Get("token"), "anna@", "root@", 1))
	resp, body := send(t, browser(t), http.MethodPost, s.url+"/login", form)
	want(t, resp, body, 403, "stale")
}

func TestLinksAndSessionsExpire(t *testing.T) {
	t.Parallel()
	s, b := newStation(t), browser(t)
	_, old := link(t, s)
	s.store.pass(15 * time.Minute)
	resp, body := send(t, b, http.MethodPost, s.url+"/login", old)
	want(t, resp, body, 403, "stale")

	_, form := link(t, s)
	send(t, b, http.MethodPost, s.url+"/login", form)
	s.store.pass(12*time.Hour - time.Second)
	resp, body = get(t, b, s.url+"/")
	want(t, resp, body, 200, "hello anna")
	s.store.pass(time.Second)
	resp, body = get(t, b, s.url+"/")
	want(t, resp, body, 401, "sign-in")
}

func TestSignOutEndsTheSessionForEveryCopyOfTheCookie(t *testing.T) {
	t.Parallel()
	s, b := newStation(t), browser(t)
	_, form := link(t, s)
	resp, _ := send(t, b, http.MethodPost, s.url+"/login", form)
	copied := resp.Cookies()[0]
	resp, body := send(t, b, http.MethodPost, s.url+"/logout", nil)
	want(t, resp, body, 200, "signed-out")
	resp, body = get(t, browser(t), s.url+"/", "Cookie", copied.Name+"="+copied.Value)
	want(t, resp, body, 401, "sign-in")
}

func TestBearerTokens(t *testing.T) {
	t.Parallel()
	s, b := newStation(t), browser(t)
	resp, body := get(t, b, s.url+"/api/v1/documents", "Authorization", "Bearer "+apiToken)
	want(t, resp, body, 200, "hello token:scheduler")
	resp, body = get(t, b, s.url+"/api/v1/documents", "Authorization", "bearer  "+apiToken)
	want(t, resp, body, 200, "hello token:scheduler")

	resp, body = get(t, b, s.url+"/api/v1/documents")
	want(t, resp, body, 401, `"detail":"sign in, or send a bearer token`)
	if resp.Header.Get("Content-Type") != "application/problem+json" || resp.Header.Get("WWW-Authenticate") == "" {
		t.Errorf("headers of the 401: %v", resp.Header)
	}
	for _, h := range []string{"Bearer " + apiToken[1:], "Bearer", "Basic " + apiToken, "Bearer " + strings.ToUpper(apiToken)} {
		resp, body = get(t, b, s.url+"/api/v1/documents", "Authorization", h)
		want(t, resp, body, 401, "this bearer token is not")
	}
}

func TestTooManyFailuresMustWait(t *testing.T) {
	t.Parallel()
	s, b := newStation(t), browser(t)
	for range failMax {
		resp, body := send(t, b, http.MethodPost, s.url+"/login", url.Values{"token": {"anna~guess"}})
		want(t, resp, body, 403, "stale")
	}
	_, form := link(t, s)
	resp, body := send(t, b, http.MethodPost, s.url+"/login", form)
	want(t, resp, body, 429, "too-many")
	if resp.Header.Get("Retry-After") != "600" {
		t.Errorf("Retry-After is %q, want 600", resp.Header.Get("Retry-After"))
	}
	resp, body = get(t, b, s.url+"/api/v1/x", "Authorization", "Bearer nonsense")
	want(t, resp, body, 429, "wait 10 minutes")
	resp, body = get(t, b, s.url+"/api/v1/x", "Authorization", "Bearer "+apiToken) // whoever has a good one is not held up
	want(t, resp, body, 200, "hello")

	s.store.pass(failWindow)
	resp, body = send(t, b, http.MethodPost, s.url+"/login", url.Values{"token": {"anna~guess"}})
	want(t, resp, body, 403, "stale")
	_, form = link(t, s)
	resp, body = send(t, b, http.MethodPost, s.url+"/login", form)
	want(t, resp, body, 303, "")
}

func TestTheLimiterForgetsAndStaysSmall(t *testing.T) {
	t.Parallel()
	m := newMemory()
	l := newLimiter(m.clock)
	for i := range failPeers + 500 {
		l.fail(fmtAddr(i))
	}
	if len(l.peers) > failPeers+1 {
		t.Fatalf("%d addresses remembered, want at most %d", len(l.peers), failPeers+1)
	}
	if l.wait("203.0.113.200:1") == 0 {
		t.Error("while the table is full of young failures a new address shares their wait")
	}
	m.pass(failWindow)
	if d := l.wait("203.0.113.200:1"); d != 0 {
		t.Errorf("after the window the wait is %s, want none", d)
	}
	for range failMax { // a host owns its whole /64
		l.fail("[2001:db8::1%eth0]:99")
	}
	if l.wait("[2001:db8::ffff]:1") == 0 || l.wait("[2001:db8:0:1::1]:1") != 0 {
		t.Error("IPv6 addresses are counted by /64")
	}
}

func fmtAddr(i int) string {
	return fmt.Sprintf("10.%d.%d.%d:1000", i>>16&255, i>>8&255, i&255)
}

func TestRequestsFromOtherSitesChangeNothing(t *testing.T) {
	t.Parallel()
	s, b := newStation(t), browser(t)
	_, form := link(t, s)
	for _, h := range [][]string{
		{"Sec-Fetch-Site", "cross-site"},
		{"Sec-Fetch-Site", "same-site"},
		{"Origin", "https://evil.example"},
	} {
		resp, body := send(t, b, http.MethodPost, s.url+"/login", form, h...)
		want(t, resp, body, 403, "foreign")
		resp, body = send(t, b, http.MethodPost, s.url+"/api/v1/x", nil, h...)
		want(t, resp, body, 403, `"detail":"this request came from another site`)
	}
	resp, body := send(t, b, http.MethodPost, s.url+"/login", form, "Sec-Fetch-Site", "same-origin")
	want(t, resp, body, 303, "")
}

func TestALinkInAMailOpensOnceMoreInsteadOfRefusing(t *testing.T) {
	t.Parallel()
	s, b := newStation(t), browser(t)
	resp, body := get(t, b, s.url+"/documents/X?tab=1", "Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "navigate")
	want(t, resp, body, 200, "opening")
	resp, body = get(t, b, s.url+"/documents/X?tab=1", "Sec-Fetch-Site", "same-origin", "Sec-Fetch-Mode", "navigate")
	want(t, resp, body, 401, "sign-in")
	resp, body = get(t, b, s.url+"/documents/X", "Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "no-cors")
	want(t, resp, body, 401, "sign-in")
}

func TestOpenPathsAndHeaders(t *testing.T) {
	t.Parallel()
	s, b := newStation(t), browser(t)
	for path, status := range map[string]int{
		"/livez": 200, "/readyz": 200, "/static/app.css": 200, "/favicon.ico": 200,
		"/static": 401, "/livez/x": 401, "/": 401, "/api/v1/summary": 401, "/login": 401,
	} {
		resp, body := get(t, b, s.url+path)
		want(t, resp, body, status, "")
		csp := resp.Header.Get("Content-Security-Policy")
		for _, part := range []string{"default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'self'"} {
			if !strings.Contains(csp, part) {
				t.Errorf("%s: Content-Security-Policy %q lacks %s", path, csp, part)
			}
		}
		if strings.Contains(csp, "unsafe") || strings.Contains(csp, "http") || strings.Contains(csp, "*") {
			t.Errorf("%s: Content-Security-Policy %q is not strict", path, csp)
		}
		for name, value := range map[string]string{
			"X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY",
			"Referrer-Policy": "same-origin", "Cross-Origin-Opener-Policy": "same-origin",
		} {
			if resp.Header.Get(name) != value {
				t.Errorf("%s: %s is %q, want %q", path, name, resp.Header.Get(name), value)
			}
		}
	}
}

func TestAStoreThatIsDownLetsNobodyIn(t *testing.T) {
	t.Parallel()
	s, b := newStation(t), browser(t)
	_, form := link(t, s)
	send(t, b, http.MethodPost, s.url+"/login", form)
	s.store.mu.Lock()
	s.store.down = true
	s.store.mu.Unlock()
	resp, body := get(t, b, s.url+"/documents")
	want(t, resp, body, 503, "trouble")
	resp, body = send(t, b, http.MethodPost, s.url+"/login", form)
	want(t, resp, body, 503, "trouble")
	resp, body = send(t, b, http.MethodPost, s.url+"/logout", nil)
	want(t, resp, body, 503, "trouble")
	if _, err := s.LoginLink(t.Context(), "anna"); err == nil || !strings.Contains(err.Error(), "disk full") {
		t.Errorf("LoginLink returned %v", err)
	}
}

func TestOverTLSTheCookieIsSecure(t *testing.T) {
	t.Parallel()
	store := newMemory()
	a, err := New(Config{Store: store, Station: "alice", Pages: plain{}, Now: store.clock})
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewTLSServer(a.Require(http.NotFoundHandler()))
	t.Cleanup(srv.Close)
	c := srv.Client()
	c.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	s := &station{Auth: a, store: store, url: srv.URL}
	_, form := link(t, s)
	resp, _ := send(t, c, http.MethodPost, srv.URL+"/login", form)
	if len(resp.Cookies()) != 1 || !resp.Cookies()[0].Secure {
		t.Errorf("cookies over TLS: %v", resp.Cookies())
	}
}

func TestTwoStationsOnOneHostDoNotSignEachOtherOut(t *testing.T) {
	t.Parallel()
	names := map[string]bool{}
	for _, n := range []string{"alice", "bob"} {
		a, err := New(Config{Store: newMemory(), Station: n, Pages: plain{}})
		if err != nil {
			t.Fatal(err)
		}
		names[a.cookie] = true
	}
	if len(names) != 2 {
		t.Errorf("cookie names %v", names)
	}
}

func TestWhatNewAndLoginLinkRefuse(t *testing.T) {
	t.Parallel()
	for missing, cfg := range map[string]Config{
		"Store":   {Station: "a", Pages: plain{}},
		"Pages":   {Station: "a", Store: newMemory()},
		"Station": {Store: newMemory(), Pages: plain{}},
	} {
		if _, err := New(cfg); err == nil || !strings.Contains(err.Error(), missing) {
			t.Errorf("without %s New returned %v", missing, err)
		}
	}
	s := newStation(t)
	for _, user := range []string{"", "a b", "x~y", strings.Repeat("a", 65), "ä"} {
		if _, err := s.LoginLink(t.Context(), user); err == nil {
			t.Errorf("LoginLink took the user name %q", user)
		}
	}
	s.cfg.Random = bytes.NewReader(nil)
	if _, err := s.LoginLink(t.Context(), "anna"); err == nil {
		t.Error("LoginLink made a token without randomness")
	}
}

func TestTokenFiles(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, file, problem string }{
		{"one word", "scheduler\n", "line 1: write a name, a blank and a token"},
		{"short", "# x\nscheduler abc\n", "line 2: the token of scheduler has 3 letters"},
		{"bad name", "a/b " + apiToken, `"a/b" is no name`},
		{"twice", "a " + apiToken + "\na " + apiToken, "line 2: the name a is taken by line 1"},
		{"long line", "a " + strings.Repeat("x", 1<<20), "token file: "},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			_, err := ReadBearers(strings.NewReader(c.file))
			if err == nil || !strings.Contains(err.Error(), c.problem) {
				t.Errorf("got %v, want %q", err, c.problem)
			}
			if err != nil && strings.Contains(err.Error(), apiToken) {
				t.Error("the error shows a token")
			}
		})
	}
	list, err := ReadBearers(strings.NewReader(""))
	if err != nil || len(list) != 0 {
		t.Errorf("an empty file gives %v, %v", list, err)
	}
}

// FuzzLogin posts arbitrary tokens: none may sign in or break anything.
func FuzzLogin(f *testing.F) {
	for _, s := range []string{"", "~", "anna~", "anna~x", "\x00~\xff", strings.Repeat("a", 5000)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, token string) {
		store := newMemory()
		a, err := New(Config{Store: store, Station: "alice", Pages: plain{}, Now: store.clock})
		if err != nil {
			t.Fatal(err)
		}
		w := httptest.NewRecorder()
		r := httptest.NewRequest(http.MethodPost, "/login", strings.NewReader(url.Values{"token": {token}}.Encode()))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		a.Require(http.NotFoundHandler()).ServeHTTP(w, r)
		if w.Code != http.StatusForbidden || len(w.Result().Cookies()) != 0 {
			t.Fatalf("token %q: status %d, cookies %v", token, w.Code, w.Result().Cookies())
		}
	})
}
