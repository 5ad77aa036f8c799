package as2

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// This file is the sending end of AS2 Restart (draft-harding-as2-restart-07).
// A transmission carries an ETag, the same in all its attempts. Whoever wants to
// go on with a broken one asks with HEAD how much of it has arrived, and posts
// the rest under a Content-Range.

// NewTransferID makes the ETag of a transmission that may be taken up again:
// nobody else can guess it.
func NewTransferID(random io.Reader) (string, error) {
	if random == nil {
		random = rand.Reader
	}
	b := make([]byte, 16)
	if _, err := io.ReadFull(random, b); err != nil {
		return "", fmt.Errorf("as2: transfer id: %w", err)
	}
	return `"` + hex.EncodeToString(b) + `"`, nil
}

// Restart says how long PostRestartable goes on by itself.
type Restart struct {
	// Attempts is how many connections in a row may fail without bringing the
	// transfer on; 5 by default.
	Attempts int
	// Pause is the wait before the next connection; it doubles from one that
	// brought nothing to the next, up to 30 s. 1 s by default.
	Pause time.Duration
}

// maxRestarts bounds the connections of one PostRestartable, progress or not.
const maxRestarts = 200

// PostRestartable is Post for a partner that understands AS2 Restart. out must
// carry an ETag (NewTransferID), which may be from an earlier call: what arrived
// then is not sent again. When the connection breaks, it goes on from where the
// partner says that it is, and gives up with a *PostError only when that leads
// nowhere.
//
// Do not use it with a partner that is not known to understand: an answer to
// HEAD that means something else would be taken for a part that arrived.
func (c *Client) PostRestartable(ctx context.Context, url string, out *Outgoing, r Restart) (*Response, error) {
	if out.Header.Get("ETag") == "" {
		return nil, &PostError{Err: errors.New("as2: a transmission without ETag cannot be taken up again")}
	}
	if r.Attempts <= 0 {
		r.Attempts = 5
	}
	if r.Pause <= 0 {
		r.Pause = time.Second
	}
	t := &transfer{c: c, url: url, out: out}
	pause, failed := r.Pause, 0
	for n := 0; ; n++ {
		before := t.held
		resp, err := t.attempt(ctx)
		var pe *PostError
		if err == nil || !errors.As(err, &pe) || !t.again(pe) || ctx.Err() != nil || n == maxRestarts {
			return resp, err
		}
		if t.held > before {
			pause, failed = r.Pause, 0
		} else if failed++; failed >= r.Attempts {
			return nil, err
		}
		if werr := wait(ctx, pause); werr != nil {
			return nil, err
		}
		pause = min(2*pause, 30*time.Second)
	}
}

// wait waits, or tells that ctx has ended.
func wait(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// transfer is one transmission on its way.
type transfer struct {
	c    *Client
	url  string
	out  *Outgoing
	held int64 // what the partner said last
	told bool  // held comes from the answer to a post: HEAD would say no other
}

// again tells whether another connection makes sense now. An answer of the
// partner ends the attempts: what it says is for the caller to judge.
func (t *transfer) again(e *PostError) bool {
	if e.Status == http.StatusRequestedRangeNotSatisfiable {
		start, ok := validStart(e.Header.Get("Content-Range"))
		if ok && start != t.held && start <= t.out.Size {
			t.held, t.told = start, true
			return true
		}
		e.Retry = true // the next HEAD may tell
		return false
	}
	return e.Retry && (e.Status == 0 || errors.Is(e.Err, errLocked))
}

// errLocked is a partner that has not yet noticed the end of the last attempt.
var errLocked = errors.New("the partner is still busy with an earlier attempt")

// attempt asks how far the transfer has come and posts what is missing.
func (t *transfer) attempt(ctx context.Context) (*Response, error) {
	if !t.told {
		held, err := t.ask(ctx)
		if err != nil {
			return nil, err
		}
		t.held = held
	}
	t.told = false
	from := t.held
	if from == t.out.Size && from > 0 {
		from-- // it has everything: the last byte makes it answer
	}
	header := t.out.Header
	if from > 0 {
		header = header.Clone()
		header.Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", from, t.out.Size-1, t.out.Size))
	}
	return t.c.send(ctx, t.url, header, t.out.Size-from, func() (io.ReadCloser, error) { return openAt(t.out.Open, from) })
}

// ask asks with HEAD how much the partner holds. A failure is no answer: to
// begin anew because of it would send everything again.
func (t *transfer) ask(ctx context.Context) (int64, error) {
	asked := http.Header{}
	for _, name := range []string{"ETag", "AS2-From", "AS2-To", "AS2-Version", "Message-ID", "User-Agent"} {
		if v := t.out.Header.Get(name); v != "" {
			asked.Set(name, v)
		}
	}
	req, err := t.c.request(ctx, t.url, asked, 0, func() (io.ReadCloser, error) { return http.NoBody, nil })
	if err != nil {
		return 0, &PostError{Err: err}
	}
	req.Method = http.MethodHead
	resp, err := t.c.http.Do(req)
	if err != nil {
		return 0, &PostError{Retry: retryable(err), Err: fmt.Errorf("as2: ask %s how much of the transmission it holds: %w", req.URL.Redacted(), err)}
	}
	defer func() { _ = resp.Body.Close() }() // there is none
	tag := resp.Header.Get("ETag")
	switch s := resp.StatusCode; {
	case s == http.StatusRequestTimeout, s == http.StatusTooManyRequests, s >= 500 && s != http.StatusNotImplemented:
		e := statusError(resp, nil, req.URL)
		if s == http.StatusInternalServerError {
			e.Err = fmt.Errorf("%w (%w)", e.Err, errLocked)
		}
		return 0, e
	case s != http.StatusOK, resp.ContentLength < 0, resp.ContentLength > t.out.Size, tag != "" && tag != t.out.Header.Get("ETag"):
		return 0, nil
	}
	return resp.ContentLength, nil
}

// validStart reads the start that a 416 names: "bytes */N", or N as the
// beginning of a range.
func validStart(contentRange string) (int64, bool) {
	v := strings.TrimSpace(contentRange)
	if unit, rest, ok := strings.Cut(v, " "); ok && strings.EqualFold(unit, "bytes") {
		v = strings.TrimSpace(rest)
	}
	if whole, ok := strings.CutPrefix(v, "*/"); ok {
		v = whole
	} else if i := strings.IndexAny(v, "-/"); i >= 0 {
		v = v[:i]
	}
	n, err := strconv.ParseInt(v, 10, 64)
	return n, err == nil && n >= 0
}

// openAt opens a body at an offset.
func openAt(open func() (io.ReadCloser, error), at int64) (io.ReadCloser, error) {
	r, err := open()
	if err != nil || at == 0 {
		return r, err
	}
	if s, ok := r.(io.Seeker); ok {
		_, err = s.Seek(at, io.SeekStart)
	} else {
		_, err = io.CopyN(io.Discard, r, at)
	}
	if err != nil {
		_ = r.Close()
		return nil, fmt.Errorf("as2: open body at byte %d: %w", at, err)
	}
	return r, nil
}

// ContentRange is what a request says of the part of the body it carries
// (RFC 9110 section 14.4; AS2 Restart counts the bytes of the HTTP body).
type ContentRange struct {
	First, Last, Size int64
}

// ParseContentRange reads "bytes 100-199/200"; the unit may be missing. The
// range must be one: First <= Last < Size.
func ParseContentRange(v string) (ContentRange, error) {
	wrong := fmt.Errorf("as2: Content-Range %q: want bytes FIRST-LAST/SIZE", clip(v))
	v = strings.TrimSpace(v)
	if unit, rest, ok := strings.Cut(v, " "); ok {
		if !strings.EqualFold(unit, "bytes") {
			return ContentRange{}, wrong
		}
		v = strings.TrimSpace(rest)
	}
	span, size, ok := strings.Cut(v, "/")
	first, last, ok2 := strings.Cut(span, "-")
	if !ok || !ok2 {
		return ContentRange{}, wrong
	}
	var r ContentRange
	for _, f := range []struct {
		into *int64
		text string
	}{{&r.First, first}, {&r.Last, last}, {&r.Size, size}} {
		n, err := strconv.ParseUint(strings.TrimSpace(f.text), 10, 63)
		if err != nil {
			return ContentRange{}, wrong
		}
		*f.into = int64(n) //nolint:gosec // 63 bits
	}
	if r.First > r.Last || r.Last >= r.Size {
		return ContentRange{}, wrong
	}
	return r, nil
}
