package as2_test

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	connector "tradepost/transport/as2"
)

// TestDrummondRestartServer is what the receiving end answers.
func TestDrummondRestartServer(t *testing.T) {
	t.Parallel()
	now := make(chan time.Time, 1)
	now <- time.Now()
	clock := func() time.Time { n := <-now; now <- n; return n }
	b := newBench(t, func(c *connector.Config) { c.Now = clock; c.Limits.Partials = 2; c.Limits.PartialAge = time.Hour }, connector.ListenConfig{})
	b.bob.change(func(r *connector.Relation) { r.Terms = largeTerms })
	address := strings.TrimSuffix(strings.TrimPrefix(b.url, "http://"), "/as2")

	// made makes a transmission of 300 KB with an ETag.
	made := func(id string) request {
		e := endpoint(t, between("ALICE", "BOB", largeTerms), nil)
		p := prepare(t, sender(t, e, "to-BOB", b.url, ""), large(id, 300_000))
		r := request{header: http.Header{}, body: whole(t, p.Wire)}
		for _, f := range p.Headers {
			r.header.Set(f.Name, f.Value)
		}
		r.header.Set("ETag", `"`+id+`"`)
		return r
	}
	// head asks how much there is.
	head := func(r request) (int, int64) {
		t.Helper()
		req, err := http.NewRequest(http.MethodHead, b.url, nil)
		must(t, err)
		for _, n := range []string{"AS2-From", "AS2-To", "ETag"} {
			req.Header.Set(n, r.header.Get(n))
		}
		resp, err := http.DefaultClient.Do(req)
		must(t, err)
		must(t, resp.Body.Close())
		return resp.StatusCode, resp.ContentLength
	}
	// half posts the first n bytes and breaks off. length is announced; 0 posts
	// in chunks, without a size.
	half := func(r request, from, n int, length int) {
		t.Helper()
		conn, err := net.Dial("tcp", address)
		must(t, err)
		var text bytes.Buffer
		text.WriteString("POST /as2 HTTP/1.1\r\nHost: bob\r\n")
		must(t, r.header.Write(&text))
		if length > 0 {
			fmt.Fprintf(&text, "Content-Length: %d\r\n\r\n%s", length, r.body[from:from+n])
		} else {
			fmt.Fprintf(&text, "Transfer-Encoding: chunked\r\n\r\n%x\r\n%s", n+1, r.body[from:from+n])
		}
		_, err = conn.Write(text.Bytes())
		must(t, err)
		must(t, conn.Close())
	}
	// settles waits until the server has noticed that the line broke.
	settles := func(r request, want int64) {
		t.Helper()
		for deadline := time.Now().Add(2 * time.Minute); time.Now().Before(deadline); {
			status, held := head(r)
			if status == http.StatusOK && held == want {
				return
			}
			if status != http.StatusOK && status != http.StatusInternalServerError {
				t.Fatalf("HEAD: %d", status)
			}
			time.Sleep(5 * time.Millisecond) // what it waits for has no other sign
		}
		status, held := head(r)
		t.Fatalf("HEAD: %d, %d bytes held, want %d", status, held, want)
	}
	part := func(r request, from int) request {
		r.header = r.header.Clone()
		r.header.Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", from, len(r.body)-1, len(r.body)))
		r.body = r.body[from:]
		return r
	}

	t.Run("HEAD has Content-Length 0", func(t *testing.T) {
		resp, err := http.Head(b.url)
		must(t, err)
		must(t, resp.Body.Close())
		if resp.StatusCode != http.StatusOK || resp.ContentLength != 0 || resp.Header.Get("Content-Length") != "0" {
			t.Errorf("%s, %v", resp.Status, resp.Header)
		}
	})
	t.Run("nothing is held of what never came", func(t *testing.T) {
		if status, held := head(made("never")); status != http.StatusOK || held != 0 {
			t.Errorf("%d, %d", status, held)
		}
	})
	t.Run("breaks off and is gone on with", func(t *testing.T) {
		r := made("R1")
		half(r, 0, 200_000, len(r.body))
		settles(r, 200_000)
		other := made("R1")
		other.header.Set("AS2-From", "MALLORY")
		if _, held := head(other); held != 0 {
			t.Errorf("another partner sees %d bytes under its own ETag", held)
		}
		if resp, text := b.post(part(r, 200_000)); resp.StatusCode != http.StatusOK || disposition(t, resp, text) != "" {
			t.Errorf("%s: %.200s", resp.Status, text)
		}
		seen := b.sink.Take()
		if len(seen) != 1 || seen[0].Refused != "" || !bytes.Equal(seen[0].WireBytes, r.body) {
			t.Errorf("%d arrivals", len(seen))
		}
		if status, held := head(r); status != http.StatusOK || held != int64(len(r.body)) {
			t.Errorf("afterwards: %d, %d bytes held", status, held)
		}
	})
	t.Run("initial chunked send without sizes", func(t *testing.T) {
		r := made("R2")
		half(r, 0, 150_000, 0)
		settles(r, 150_000)
		if resp, _ := b.post(part(r, 150_000)); resp.StatusCode != http.StatusOK || len(b.sink.Take()) != 1 {
			t.Errorf("%s", resp.Status)
		}
	})
	now <- (<-now).Add(2 * time.Hour) // the answers kept take places
	t.Run("all held: the last byte again", func(t *testing.T) {
		b.sink.FailNext(1, errors.New("the database is away"))
		r := made("R3")
		if resp, _ := b.post(r); resp.StatusCode != http.StatusServiceUnavailable {
			t.Fatalf("%s", resp.Status)
		}
		if status, held := head(r); status != http.StatusOK || held != int64(len(r.body)) {
			t.Fatalf("%d, %d of %d bytes held", status, held, len(r.body))
		}
		if resp, _ := b.post(part(r, len(r.body)-1)); resp.StatusCode != http.StatusOK {
			t.Errorf("%s", resp.Status)
		}
		if seen := b.sink.Take(); len(seen) != 1 || !bytes.Equal(seen[0].WireBytes, r.body) {
			t.Errorf("%d arrivals", len(seen))
		}
	})
	t.Run("416 with the valid start", func(t *testing.T) {
		r := made("R4")
		half(r, 0, 100_000, len(r.body))
		settles(r, 100_000)
		resp, _ := b.post(part(r, 150_000))
		if resp.StatusCode != http.StatusRequestedRangeNotSatisfiable || resp.Header.Get("Content-Range") != "bytes */100000" {
			t.Errorf("%s, %v", resp.Status, resp.Header)
		}
		if resp, _ := b.post(part(r, 80_000)); resp.StatusCode != http.StatusOK { // bytes that are there may come again
			t.Errorf("%s", resp.Status)
		}
		if seen := b.sink.Take(); len(seen) != 1 || !bytes.Equal(seen[0].WireBytes, r.body) {
			t.Errorf("%d arrivals", len(seen))
		}
	})
	now <- (<-now).Add(2 * time.Hour)
	t.Run("500 while the ETag is locked", func(t *testing.T) {
		r := made("R5")
		entered, release := b.sink.Hold()
		answered := make(chan int, 1)
		go func() {
			req, err := http.NewRequest(http.MethodPost, b.url, bytes.NewReader(r.body))
			if err == nil {
				req.Header = r.header
				var resp *http.Response
				if resp, err = http.DefaultClient.Do(req); err == nil {
					err = resp.Body.Close()
					answered <- resp.StatusCode
				}
			}
			if err != nil {
				answered <- 0
			}
		}()
		<-entered
		if status, _ := head(r); status != http.StatusInternalServerError {
			t.Errorf("HEAD: %d", status)
		}
		if resp, _ := b.post(part(r, 10)); resp.StatusCode != http.StatusInternalServerError || resp.Header.Get("Retry-After") == "" {
			t.Errorf("POST: %s", resp.Status)
		}
		release()
		if status := <-answered; status != http.StatusOK || len(b.sink.Take()) != 1 {
			t.Errorf("the first: %d", status)
		}
	})
	t.Run("aged out", func(t *testing.T) {
		r := made("R6")
		half(r, 0, 100_000, len(r.body))
		settles(r, 100_000)
		now <- (<-now).Add(61 * time.Minute)
		if status, held := head(r); status != http.StatusOK || held != 0 {
			t.Errorf("%d, %d bytes held", status, held)
		}
		if resp, _ := b.post(part(r, 100_000)); resp.StatusCode != http.StatusRequestedRangeNotSatisfiable || resp.Header.Get("Content-Range") != "bytes */0" {
			t.Errorf("%s", resp.Status)
		}
		if n := partialFiles(t, b.temp, ""); n != 0 {
			t.Errorf("%d files are left", n)
		}
	})
	t.Run("no more than a partner may have", func(t *testing.T) {
		for i := range 3 {
			r := made(fmt.Sprint("L", i))
			half(r, 0, 100_000, len(r.body))
			if i < 2 {
				settles(r, 100_000)
			}
		}
		r := made("L2")
		if resp, _ := b.post(r); resp.StatusCode != http.StatusOK || len(b.sink.Take()) != 1 { // received as without an ETag
			t.Errorf("%s", resp.Status)
		}
		if n := partialFiles(t, b.temp, ".part"); n != 2 {
			t.Errorf("%d files", n)
		}
		now <- (<-now).Add(2 * time.Hour)
	})
	t.Run("begun anew", func(t *testing.T) {
		r := made("R7")
		half(r, 0, 100_000, len(r.body))
		settles(r, 100_000)
		if resp, _ := b.post(r); resp.StatusCode != http.StatusOK {
			t.Errorf("%s", resp.Status)
		}
		if seen := b.sink.Take(); len(seen) != 1 || !bytes.Equal(seen[0].WireBytes, r.body) {
			t.Errorf("%d arrivals", len(seen))
		}
	})
	t.Run("the name of something else", func(t *testing.T) {
		r, other := made("R8"), made("R9")
		half(r, 0, 100_000, len(r.body))
		settles(r, 100_000)
		other.header.Set("ETag", r.header.Get("ETag"))
		if resp, _ := b.post(part(other, 100_000)); resp.StatusCode != http.StatusRequestedRangeNotSatisfiable || resp.Header.Get("Content-Range") != "bytes */0" {
			t.Errorf("%s", resp.Status)
		}
	})
	now <- (<-now).Add(2 * time.Hour)
	t.Run("a changed part is refused like any other", func(t *testing.T) {
		r := made("R10")
		half(r, 0, 100_000, len(r.body))
		settles(r, 100_000)
		rest := part(r, 100_000)
		rest.body = bytes.Clone(rest.body)
		rest.body[len(rest.body)/2] ^= 1
		if resp, text := b.post(rest); disposition(t, resp, text) == "" {
			t.Errorf("%s: %.200s", resp.Status, text)
		}
		if seen := b.sink.Take(); len(seen) != 1 || seen[0].Refused == "" {
			t.Errorf("%d arrivals", len(seen))
		}
	})
	t.Run("parts that make no sense", func(t *testing.T) {
		r := made("R11")
		for span, status := range map[string]int{
			"bytes 0-9/" + strconv.Itoa(len(r.body)):    http.StatusBadRequest, // not to the end
			"bytes 9-0/10":                              http.StatusBadRequest, // backwards
			"lines 0-9/10":                              http.StatusBadRequest, // not bytes
			"bytes 5-9/10":                              http.StatusBadRequest, // not as long as the body
			"bytes 17179869184-17179869984/17179869985": http.StatusBadRequest,
		} {
			bad := request{header: r.header.Clone(), body: r.body}
			bad.header.Set("Content-Range", span)
			if resp, text := b.post(bad); resp.StatusCode != status {
				t.Errorf("%s: %s %s", span, resp.Status, text)
			}
		}
		nameless := part(r, 10)
		nameless.header.Del("ETag")
		if resp, _ := b.post(nameless); resp.StatusCode != http.StatusBadRequest {
			t.Errorf("without ETag: %s", resp.Status)
		}
		stranger := part(r, 10)
		stranger.header.Set("AS2-From", "MALLORY")
		if resp, _ := b.post(stranger); resp.StatusCode != http.StatusForbidden {
			t.Errorf("of a stranger: %s", resp.Status)
		}
		if n := len(b.sink.Take()); n != 0 {
			t.Errorf("%d arrivals", n)
		}
	})
}

// TestRestartSwitchedOff: an ETag means nothing then, and a part cannot be
// taken.
func TestRestartSwitchedOff(t *testing.T) {
	t.Parallel()
	b := newBench(t, func(c *connector.Config) { c.Limits.Partials = -1 }, connector.ListenConfig{})
	r := build(t, "D1", usual, "ALICE", "BOB")
	r.header.Set("ETag", `"x"`)
	resp, _ := b.post(r)
	if resp.StatusCode != http.StatusOK || strings.Contains(resp.Header.Get("EDIINT-Features"), "AS2-Restart") {
		t.Errorf("%s, %v", resp.Status, resp.Header)
	}
	r.header.Set("Content-Range", fmt.Sprintf("bytes 10-%d/%d", len(r.body)+9, len(r.body)+10))
	if resp, _ := b.post(r); resp.StatusCode != http.StatusRequestedRangeNotSatisfiable || resp.Header.Get("Content-Range") != "bytes */0" {
		t.Errorf("%s", resp.Status)
	}
	if _, err := os.Stat(filepath.Join(b.temp, "partial")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("there is a folder: %v", err)
	}
}
