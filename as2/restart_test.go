package as2

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// restarter is a partner's server that follows a script: what it answers to
// each HEAD and to each POST. Scripts that have run out go on with their last
// word.
type restarter struct {
	heads, posts []func(w http.ResponseWriter, r *http.Request)

	mu    sync.Mutex
	seen  []string // "HEAD", "POST bytes 5-9/10", "POST"
	got   [][]byte // bodies of the posts
	tags  []string
	asked http.Header // of the last HEAD
}

func (s *restarter) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body) // what came of it
	s.mu.Lock()
	s.tags = append(s.tags, r.Header.Get("ETag"))
	script := &s.posts
	if r.Method == http.MethodHead {
		script = &s.heads
		s.seen, s.asked = append(s.seen, "HEAD"), r.Header.Clone()
	} else {
		s.seen = append(s.seen, strings.TrimSpace("POST "+r.Header.Get("Content-Range")))
		s.got = append(s.got, body)
	}
	step := (*script)[0]
	if len(*script) > 1 {
		*script = (*script)[1:]
	}
	s.mu.Unlock()
	step(w, r)
}

// holding answers HEAD with an amount.
func holding(n int) func(http.ResponseWriter, *http.Request) {
	return func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Content-Length", fmt.Sprint(n)) }
}

// saying answers with a status and header lines.
func saying(status int, header ...string) func(http.ResponseWriter, *http.Request) {
	return func(w http.ResponseWriter, _ *http.Request) {
		for i := 0; i < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.WriteHeader(status)
	}
}

// breaking drops the connection without an answer.
func breaking(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }

func TestDrummondRestart(t *testing.T) {
	t.Parallel()
	type steps = []func(http.ResponseWriter, *http.Request)
	out := mustBuild(t, order, Options{})
	out.Header.Set("ETag", `"a-transfer"`)
	n := int(out.Size)
	rest := func(from int) string { return fmt.Sprintf("POST bytes %d-%d/%d", from, n-1, n) }
	for name, c := range map[string]struct {
		heads, posts steps
		want         []string
		fails        int // status of the error, -1 for none, 0 for no answer
	}{
		"the first attempt sends all": {steps{holding(0)}, steps{saying(200)}, []string{"HEAD", "POST"}, -1},
		"goes on where it is":         {steps{holding(100)}, steps{saying(200)}, []string{"HEAD", rest(100)}, -1},
		"all is held: the last byte is sent again": {
			steps{holding(n)}, steps{saying(200)}, []string{"HEAD", rest(n - 1)}, -1,
		},
		"breaks off and goes on": {
			steps{holding(0), holding(50), holding(120)},
			steps{breaking, breaking, saying(200)},
			[]string{"HEAD", "POST", "HEAD", rest(50), "HEAD", rest(120)},
			-1,
		},
		"HEAD failure is retried, not start at 0": {
			steps{breaking, holding(77)}, steps{saying(200)}, []string{"HEAD", "HEAD", rest(77)}, -1,
		},
		"500 while the ETag is locked": {
			steps{saying(500), saying(500), holding(10)}, steps{saying(200)}, []string{"HEAD", "HEAD", "HEAD", rest(10)}, -1,
		},
		"HEAD is forbidden: send all":     {steps{saying(405)}, steps{saying(200)}, []string{"HEAD", "POST"}, -1},
		"HEAD finds nothing: send all":    {steps{saying(404)}, steps{saying(200)}, []string{"HEAD", "POST"}, -1},
		"HEAD is unknown there: send all": {steps{saying(501)}, steps{saying(200)}, []string{"HEAD", "POST"}, -1},
		"HEAD tells no length: send all":  {steps{saying(204)}, steps{saying(200)}, []string{"HEAD", "POST"}, -1},
		"HEAD tells more than there is":   {steps{holding(n + 1)}, steps{saying(200)}, []string{"HEAD", "POST"}, -1},
		"HEAD tells of another ETag": {
			steps{saying(200, "Content-Length", "10", "ETag", `"other"`)}, steps{saying(200)}, []string{"HEAD", "POST"}, -1,
		},
		"416 with the valid start": {
			steps{holding(200)}, steps{saying(416, "Content-Range", "bytes */30"), saying(200)}, []string{"HEAD", rest(200), rest(30)}, -1,
		},
		"416 with the start of a range": {
			steps{holding(200)}, steps{saying(416, "Content-Range", "30-99/*"), saying(200)}, []string{"HEAD", rest(200), rest(30)}, -1,
		},
		"416 with start 0":               {steps{holding(200)}, steps{saying(416, "Content-Range", "bytes */0"), saying(200)}, []string{"HEAD", rest(200), "POST"}, -1},
		"416 without a start":            {steps{holding(200)}, steps{saying(416)}, []string{"HEAD", rest(200)}, 416},
		"416 with the same start":        {steps{holding(200)}, steps{saying(416, "Content-Range", "bytes */200")}, []string{"HEAD", rest(200)}, 416},
		"an answer ends the attempts":    {steps{holding(0)}, steps{saying(503)}, []string{"HEAD", "POST"}, 503},
		"a refusal ends the attempts":    {steps{holding(5)}, steps{saying(403)}, []string{"HEAD", rest(5)}, 403},
		"HEAD answers 503":               {steps{saying(503)}, steps{saying(200)}, []string{"HEAD"}, 503},
		"no progress: gives up, for now": {steps{holding(9)}, steps{breaking}, []string{"HEAD", rest(9), "HEAD", rest(9), "HEAD", rest(9), "HEAD", rest(9)}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := &restarter{heads: c.heads, posts: c.posts}
			server := httptest.NewServer(s)
			defer server.Close()
			client := NewClient(ClientConfig{})
			defer client.CloseIdle()
			_, err := client.PostRestartable(t.Context(), server.URL, out, Restart{Attempts: 3, Pause: time.Millisecond})
			var pe *PostError
			switch {
			case c.fails < 0 && err != nil, c.fails >= 0 && (!errors.As(err, &pe) || pe.Status != c.fails || pe.Retry != (c.fails != 403)):
				t.Errorf("failed with %+v", err)
			}
			server.Close() // what it still does is over now
			s.mu.Lock()
			defer s.mu.Unlock()
			if !slices.Equal(s.seen, c.want) {
				t.Errorf("saw %q\nwant %q", s.seen, c.want)
			}
			whole := bodyOf(t, out)
			for _, got := range s.got {
				if !bytes.HasSuffix(whole, got) || len(got) == 0 {
					t.Errorf("a body of %d bytes is not the end of the whole", len(got))
				}
			}
			for _, tag := range s.tags {
				if tag != `"a-transfer"` {
					t.Errorf("ETag %q", tag)
				}
			}
			if s.asked.Get("AS2-From") != "alice" || s.asked.Get("AS2-To") != "bob" {
				t.Errorf("HEAD had %v", s.asked)
			}
		})
	}
	t.Run("without an ETag", func(t *testing.T) {
		t.Parallel()
		_, err := NewClient(ClientConfig{}).PostRestartable(t.Context(), "http://127.0.0.1:1", mustBuild(t, order, Options{}), Restart{})
		var pe *PostError
		if !errors.As(err, &pe) || pe.Retry {
			t.Errorf("got %v", err)
		}
	})
	t.Run("the names are spelt as the drafts do", func(t *testing.T) {
		t.Parallel()
		address, request := rawPartner(t, "HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n", "")
		_, _ = NewClient(ClientConfig{}).PostRestartable(t.Context(), address, out, Restart{Attempts: 1})
		if head := request(); !strings.HasPrefix(head, "HEAD / HTTP/1.1\r\n") || !strings.Contains(head, "\r\nETag: \"a-transfer\"\r\n") || strings.Contains(head, "Content-Type") {
			t.Errorf("%s", head)
		}
	})
}

func TestNewTransferID(t *testing.T) {
	t.Parallel()
	a, err := NewTransferID(nil)
	if err != nil {
		t.Fatal(err)
	}
	b, err := NewTransferID(bytes.NewReader(make([]byte, 16)))
	if err != nil || a == b || len(a) != 34 || b != `"00000000000000000000000000000000"` {
		t.Errorf("%q, %q, %v", a, b, err)
	}
	if _, err := NewTransferID(strings.NewReader("short")); err == nil {
		t.Error("made of too little randomness")
	}
}

func FuzzContentRange(f *testing.F) {
	for _, v := range []string{"bytes 0-9/10", "5-9/10", "bytes */10", "bytes 5-9/*", "bytes 9-5/10", "octets 0-1/2", "bytes 0-18446744073709551615/2"} {
		f.Add(v)
	}
	f.Fuzz(func(t *testing.T, v string) {
		if n, ok := validStart(v); ok && n < 0 {
			t.Fatalf("start %d", n)
		}
		r, err := ParseContentRange(v)
		if err != nil {
			return
		}
		if r.First < 0 || r.First > r.Last || r.Last >= r.Size {
			t.Fatalf("%q is read as %+v", v, r)
		}
		if again, err := ParseContentRange(fmt.Sprintf("bytes %d-%d/%d", r.First, r.Last, r.Size)); err != nil || again != r {
			t.Fatalf("%+v comes back as %+v, %v", r, again, err)
		}
	})
}
