package console_test

import (
	"context"
	"errors"
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"tradepost/internal/console"
	"tradepost/internal/console/sample"
)

func TestFriendlyPagesForTrouble(t *testing.T) {
	t.Parallel()
	s := start(t, sample.Day())
	c := s.signIn(t)
	for _, path := range []string{"/nothing", "/documents/zzz", "/documents/0000000000007", "/documents/0000000000007/raw", "/documents/0000000000007/nothing", "/transmissions/1", "/transmissions/0000000000007"} {
		says(t, path, s.page(t, c, path, 404), "Nothing is here", "Search for the purchase order or control number instead", "Go to Today")
	}
	resp, err := c.Post(s.url+"/documents", "text/plain", nil)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("a POST gets %d", resp.StatusCode)
	}
	if s.log.String() != "" {
		t.Errorf("what is not found is no trouble, but the log says %s", s.log)
	}
	broken := start(t, &sample.Store{Err: errors.New("pg: password wrong")})
	b := broken.signInThough(t)
	for _, path := range []string{"/", "/documents", "/transmissions", "/partners", "/queue", "/status"} {
		page := broken.page(t, b, path, 500)
		says(t, path, page, "Something went wrong here", "Incident")
		silent(t, path, page, "password")
		m := regexp.MustCompile(`Incident <code data-copy>([A-Z2-7]{10})</code>`).FindStringSubmatch(page)
		if m == nil || !strings.Contains(broken.log.String(), m[1]) {
			t.Errorf("%s: the incident %v is not in the log", path, m)
		}
	}
}

// signInThough signs in where the pages behind are broken.
func (s *station) signInThough(t *testing.T) *http.Client {
	t.Helper()
	err := s.Err
	s.Err = nil
	defer func() { s.Err = err }()
	return s.signIn(t)
}

func TestSignInPages(t *testing.T) {
	t.Parallel()
	s := start(t, sample.Day(), func(c *console.Config) { c.SignIn = "Run this and that." })
	anybody := &http.Client{}
	says(t, "without a session", s.page(t, anybody, "/documents", 401), "Please sign in", "Run this and that.")
	page := s.page(t, anybody, "/login?token=%22%3E%3Cscript%3Ealert(1)%3C/script%3E", 200)
	says(t, "a link", page, "Sign in to the console", "It works once")
	if strings.Contains(page, "<script>") || !strings.Contains(page, `value="&#34;&gt;&lt;script&gt;`) {
		t.Error("the token is not escaped")
	}
	resp, err := anybody.PostForm(s.url+"/login", map[string][]string{"token": {"anna~wrong"}})
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if resp.StatusCode != 403 {
		t.Errorf("a wrong link gets %d", resp.StatusCode)
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.url+"/queue?x=1", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Sec-Fetch-Site", "cross-site")
	r.Header.Set("Sec-Fetch-Mode", "navigate")
	resp, err = anybody.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	b := make([]byte, 64<<10)
	n, _ := resp.Body.Read(b)
	if body := string(b[:n]); !strings.Contains(body, `http-equiv="refresh"`) || !strings.Contains(body, `href="/queue?x=1"`) {
		t.Errorf("a visit by a link in a mail gets %s", words(body))
	}
	c := s.signIn(t)
	says(t, "a page", s.page(t, c, "/", 200), "anna", "Sign out")
	resp, err = c.PostForm(s.url+"/logout", nil)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	s.page(t, c, "/", 401)
}

func TestHostileTextsAreShownAndDoNothing(t *testing.T) {
	t.Parallel()
	store, doc, tr := sample.Hostile()
	s := start(t, store)
	c := s.signIn(t)
	paths := []string{"/", "/documents", "/documents?q=" + "%22%3E%3Cscript%3Ealert(1)%3C/script%3E&partner=%3Cb%3E&since=%27%22", "/transmissions", "/transmissions/" + tr.String(), "/partners", "/queue", "/status"}
	for _, tab := range []string{"", "/segments", "/raw", "/evidence", "/history"} {
		paths = append(paths, "/documents/"+doc.String()+tab)
	}
	for _, path := range paths {
		page := s.page(t, c, path, 200)
		if strings.Contains(page, "<script>alert") || strings.Contains(page, "<img src=x") || strings.Contains(page, "onerror=alert(2)>") && !strings.Contains(page, "&lt;img src=x onerror=alert(2)&gt;") {
			t.Errorf("%s: markup of a partner stands in the page", path)
		}
		if regexp.MustCompile(`href="\s*javascript:`).MatchString(page) {
			t.Errorf("%s: a script is a link", path)
		}
		if !utf8.ValidString(page) {
			t.Errorf("%s is not UTF-8", path)
		}
		for _, r := range page {
			if r < ' ' && r != '\n' && r != '\t' || r == 0x7f || r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069 || r == 0x200b || r == 0xfeff {
				t.Errorf("%s: the character %U reaches the browser", path, r)
				break
			}
		}
		if strings.Contains(page, strings.Repeat("W", 2500)) && !strings.HasSuffix(path, "/raw") {
			t.Errorf("%s: a value of 5,000 letters stands there whole", path)
		}
	}
	says(t, "Evidence", s.page(t, c, "/documents/"+doc.String()+"/evidence", 200), "[U+202E]gpj.exe", "␇", "␛[31m")
	if s.log.String() != "" {
		t.Errorf("the log says %s", s.log)
	}
}

func TestPagesHoldNothingThatThePolicyForbids(t *testing.T) {
	t.Parallel()
	s := start(t, sample.Day())
	c := s.signIn(t)
	forbidden := regexp.MustCompile(`(?i)\sstyle=|\son[a-z]+=|<script(?:>| type="module">)|<style|(?:src|href)="(?:https?:)?//|@import`)
	for _, path := range addresses(t, s.Store) {
		resp, err := c.Get(s.url + path)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if !strings.Contains(resp.Header.Get("Content-Security-Policy"), "default-src 'none'") || resp.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("%s: headers %v", path, resp.Header)
		}
		status := 200
		if strings.HasSuffix(path, "0000000000000") {
			status = 404
		}
		if m := forbidden.FindString(s.page(t, c, path, status)); m != "" {
			t.Errorf("%s holds %q", path, m)
		}
	}
}

func TestStaticFilesMayBeKept(t *testing.T) {
	t.Parallel()
	s := start(t, sample.Day())
	page := s.page(t, &http.Client{}, "/login?token=x", 200)
	names := regexp.MustCompile(`/static/[a-z]+\.[0-9a-f]{12}\.(?:css|svg)`).FindAllString(page, -1)
	if len(names) < 2 {
		t.Fatalf("the page names %v", names)
	}
	for _, n := range names {
		resp, err := http.Get(s.url + n)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if resp.StatusCode != 200 || !strings.Contains(resp.Header.Get("Cache-Control"), "immutable") || resp.Header.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s: %d %v", n, resp.StatusCode, resp.Header)
		}
	}
	for path, want := range map[string]int{"/static/app.css": 404, "/static/..%2fapp.css": 404, "/favicon.ico": 200} {
		resp, err := http.Get(s.url + path)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if resp.StatusCode != want {
			t.Errorf("%s: %d, want %d", path, resp.StatusCode, want)
		}
	}
}

func TestTimesAreTheStations(t *testing.T) {
	t.Parallel()
	zone, err := time.LoadLocation("Europe/Zurich")
	if err != nil {
		t.Skip("left out: this machine has no time zones")
	}
	s := start(t, sample.Day(), func(c *console.Config) { c.Location = zone })
	c := s.signIn(t)
	page := s.page(t, c, "/documents/"+document(t, s.Store, "850", "4500012345").ID.String(), 200)
	says(t, "the page", page, "Received : done 10:03:22.000", "Times in Europe/Zurich")
	if !strings.Contains(page, `title="Thursday, 5 November 2026, 10:03:22.000 CET"`) {
		t.Error("the whole moment is not in the title")
	}
}

func TestNewNamesWhatIsMissing(t *testing.T) {
	t.Parallel()
	if _, err := console.New(console.Config{}); err == nil || !strings.Contains(err.Error(), "Data, Archive, Runs, Queue and Directory") {
		t.Errorf("New without anything: %v", err)
	}
	cfg := config(sample.Day())
	cfg.Directory = func(context.Context) (*console.Directory, error) { return nil, errors.New("x") }
	if _, err := console.New(cfg); err != nil {
		t.Error(err)
	}
}

func TestEveryFileIsUsed(t *testing.T) {
	t.Parallel()
	var all strings.Builder
	read := func(dir, ending string) map[string]string {
		files := map[string]string{}
		list, err := os.ReadDir(dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range list {
			if name, ok := strings.CutSuffix(f.Name(), ending); ok && !strings.HasSuffix(f.Name(), "_test.go") {
				b, err := os.ReadFile(dir + "/" + f.Name())
				if err != nil {
					t.Fatal(err)
				}
				files[name] = string(b)
			}
		}
		return files
	}
	code, pages, shared := read(".", ".go"), read("templates", ".html"), read("templates/shared", ".html")
	for _, files := range []map[string]string{code, pages, shared} {
		for _, text := range files {
			all.WriteString(text)
		}
	}
	text := all.String()
	for name := range pages {
		quoted := `"` + name + `"`
		if tab, ok := strings.CutPrefix(name, "document-"); ok {
			quoted = `"` + tab + `"` // the template of a tab is named after it
		}
		if !strings.Contains(text, quoted) {
			t.Errorf("no page uses templates/%s.html", name)
		}
	}
	for _, files := range []map[string]string{pages, shared} {
		for file, text := range files {
			for _, m := range regexp.MustCompile(`{{define "([^"]+)"`).FindAllStringSubmatch(text, -1) {
				if !strings.Contains(all.String(), `template "`+m[1]+`"`) && m[1] != "layout" && m[1] != "head" {
					t.Errorf("%s.html defines %s, which nothing uses", file, m[1])
				}
			}
		}
	}
	for name := range read("icons", ".svg") {
		if !strings.Contains(text, `"`+name+`"`) {
			t.Errorf("nothing shows the icon %s", name)
		}
	}
	for _, f := range []string{"app.css", "page.js", "live.js", "logo.svg"} {
		if !strings.Contains(text, `asset "`+f+`"`) {
			t.Errorf("no page loads %s", f)
		}
	}
	if list, err := os.ReadDir("static"); err != nil || len(list) != 4 {
		t.Errorf("static/ holds %d files, 4 are known: %v", len(list), err)
	}
}
