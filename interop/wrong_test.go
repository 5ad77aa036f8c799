package interop

import (
	"bytes"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"tradepost/as2"
)

// middle stands between two parties: it keeps the last request with its
// answer, and can change what goes through.
type middle struct {
	target string
	change func(body []byte) []byte

	mu      sync.Mutex
	request *http.Request
	body    []byte
	answer  []byte
}

// newMiddle serves a middle until the test ends, and returns where it is.
func newMiddle(t *testing.T, target string, change func([]byte) []byte) (m *middle, url string) {
	t.Helper()
	m = &middle{target: target, change: change}
	s := httptest.NewServer(m)
	t.Cleanup(s.Close)
	return m, s.URL + "/as2"
}

// ServeHTTP passes a request on.
func (m *middle) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	if m.change != nil {
		body = m.change(body)
	}
	resp, answer, err := repost(r.Context(), m.target, r.Header, body)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	m.mu.Lock()
	m.request, m.body, m.answer = r, body, answer
	m.mu.Unlock()
	for name, values := range resp.Header {
		w.Header()[name] = values
	}
	w.WriteHeader(resp.StatusCode)
	_, _ = w.Write(answer)
}

// repost posts the bytes of somebody's request.
func repost(ctx context.Context, url string, header http.Header, body []byte) (*http.Response, []byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return nil, nil, err
	}
	req.Header = header.Clone()
	req.Header.Del("Connection")
	req.Header.Del("TE")
	tr := &http.Transport{DisableKeepAlives: true, DisableCompression: true}
	resp, err := tr.RoundTrip(req)
	if err != nil {
		return nil, nil, err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	return resp, answer, err
}

// tamper changes one letter of the order.
func tamper(body []byte) []byte {
	return bytes.Replace(body, []byte("PO1*1*144*EA"), []byte("PO1*1*944*EA"), 1)
}

// wrong adds what must not be taken over.
func (b *bench) wrong(t *testing.T) {
	b.wrongFromUs()
	b.wrongFromThem(t)
}

// wrongFromUs: the peer must refuse, and we must learn of it.
func (b *bench) wrongFromUs() {
	open := cell{sign: as2.SHA256, receipt: syncSigned, content: x12Lines}
	for i, w := range []struct {
		title string
		to    string // an AS2 name that the peer has not
		cell  cell
		do    func(ctx context.Context, name string) (*as2.Outgoing, error)
	}{
		{"signed with another key", "", usual, func(ctx context.Context, name string) (*as2.Outgoing, error) {
			return b.disguised(b.keys["mallory"]).build(ctx, name, contentOf(x12Lines), nil)
		}},
		{"encrypted for another key", "", usual, func(ctx context.Context, name string) (*as2.Outgoing, error) {
			other := *b
			other.peer = somebodyElse{b.peer, b.keys["mallory"]}
			return other.build(ctx, name, contentOf(x12Lines), nil)
		}},
		{"sent to a name that is not there", "NOBODY", usual, func(ctx context.Context, name string) (*as2.Outgoing, error) {
			return b.build(ctx, name, contentOf(x12Lines), nil)
		}},
		{"changed on the way", "", open, func(ctx context.Context, name string) (*as2.Outgoing, error) {
			out, err := b.build(ctx, name, contentOf(x12Lines), func(o *as2.Options) { o.Encrypt = "" })
			if err != nil {
				return nil, err
			}
			built := out.Open
			out.Open = func() (io.ReadCloser, error) {
				r, err := built()
				if err != nil {
					return nil, err
				}
				defer r.Close()
				body, err := io.ReadAll(r)
				return io.NopCloser(bytes.NewReader(tamper(body))), err
			}
			return out, nil
		}},
	} {
		name := w.to
		if name == "" {
			name = fmt.Sprintf("PEER-WRONG-%02d", i+1)
			b.party(newParty(name, w.cell, b.product))
		}
		b.trial(wrong, toPeer, w.cell, func(ctx context.Context) error {
			out, err := w.do(ctx, name)
			if err != nil {
				return err
			}
			defer out.Close()
			r, o, err := b.exchange(ctx, out)
			var refused *as2.PostError
			switch {
			case errors.As(err, &refused) && refused.Status != 0:
				return fmt.Errorf("no receipt, but an HTTP status: %d", refused.Status)
			case err != nil:
				return fmt.Errorf("no receipt: %w", err)
			case o.Delivered:
				return errors.New("the peer has taken it over")
			case w.to != "" && o.Code == as2.OutcomeUnsigned && !r.Disposition.Positive():
				return nil // nobody is there whose key could sign
			case o.Code != as2.OutcomeRefused:
				return fmt.Errorf("the receipt does not count: %s (it says %q)", o.Reason, r.Disposition)
			}
			return nil
		}, w.title)
	}
	name := "PEER-WRONG-TWICE"
	b.party(newParty(name, usual, b.product))
	b.trial(wrong, toPeer, usual, func(ctx context.Context) error {
		g := contentOf(x12Lines)
		out, err := b.build(ctx, name, g, nil)
		if err != nil {
			return err
		}
		defer out.Close()
		for _, time := range []string{"first", "second"} {
			if r, o, err := b.exchange(ctx, out); err != nil {
				return err
			} else if !o.Delivered {
				return fmt.Errorf("the %s answer, %q, does not prove delivery: %s", time, r.Disposition, o.Reason)
			}
		}
		return b.theyHave(ctx, name, g)
	}, "the same twice")
}

// disguised is the same bench with a station that has another key.
func (b *bench) disguised(key as2.Key) *bench {
	out := *b
	out.station = &station{key: key}
	return &out
}

// somebodyElse is a peer with another certificate.
type somebodyElse struct {
	peer
	key as2.Key
}

func (s somebodyElse) certificate() *x509.Certificate { return s.key.Certificate }

// wrongFromThem: we must refuse, and the peer must learn of it.
func (b *bench) wrongFromThem(t *testing.T) {
	open := cell{sign: as2.SHA256, receipt: syncSigned, content: x12Lines}
	sealed := usual
	sealed.content = x12Lines
	for _, w := range []struct {
		title, name string
		cell        cell
		change      func(*party)
		want        as2.Modifier
	}{
		{"signed with another key", "PEER-WRONG-KEY", sealed, func(p *party) { p.key = "mallory" }, as2.AuthenticationFailed},
		{"sent from a name we do not know", "PEER-WRONG-NAME", sealed, func(p *party) { p.unknown = true }, as2.UnknownTradingRelationship},
		{"changed on the way", "PEER-WRONG-BYTES", open, func(p *party) {
			_, p.url = newMiddle(t, b.station.url, tamper)
		}, as2.IntegrityCheckFailed},
		{"in the clear, against the agreement", "PEER-WRONG-CLEAR", open, func(p *party) { p.policy.RequireEncrypted = true }, as2.InsufficientMessageSecurity},
		{"with a digest we do not accept from it", "PEER-WRONG-DIGEST", sealed, func(p *party) { p.policy.Digests = []as2.Digest{as2.SHA512} }, as2.InsufficientMessageSecurity},
	} {
		p := newParty(w.name, w.cell, b.product)
		w.change(&p)
		b.party(p)
		b.trial(wrong, fromPeer, w.cell, func(ctx context.Context) error {
			g := contentOf(x12Lines)
			if p.unknown {
				return wantRefusal(b.peer.send(ctx, w.name, g))
			}
			a, verdict, err := b.fromThem(ctx, w.name, g)
			switch {
			case err != nil:
				return err
			case !strings.Contains(a.Refused, string(w.want)):
				return fmt.Errorf("refused with %q", a.Refused)
			case len(a.content) > 0:
				return errors.New("content of something refused came through the door")
			case a.Receipt == nil || a.Receipt.Positive || !strings.HasSuffix(a.Receipt.Disposition, string(w.want)):
				return fmt.Errorf("receipt %+v", a.Receipt)
			}
			return wantRefusal(verdict)
		}, w.title)
	}
	p := newParty("PEER-WRONG-AGAIN", sealed, b.product)
	m, url := newMiddle(t, b.station.url, nil)
	p.url = url
	b.party(p)
	b.trial(wrong, fromPeer, sealed, func(ctx context.Context) error {
		a, verdict, err := b.fromThem(ctx, p.name, contentOf(x12Lines))
		if err != nil || verdict != nil || a.duplicate {
			return fmt.Errorf("the first time: %w, %w", err, verdict)
		}
		m.mu.Lock()
		header, body, first := m.request.Header, m.body, m.answer
		m.mu.Unlock()
		resp, answer, err := repost(ctx, b.station.url, header, body)
		if err != nil {
			return err
		}
		again, err := b.station.arrival(ctx, p.name)
		switch {
		case err != nil:
			return err
		case !again.duplicate:
			return errors.New("it was taken over twice")
		case resp.StatusCode != http.StatusOK || !bytes.Equal(answer, first):
			return fmt.Errorf("the second answer (%s) is another than the first", resp.Status)
		}
		return nil
	}, "the same twice")
}

// wantRefusal turns what the peer says of our negative receipt around: it must
// not be content.
func wantRefusal(verdict error) error {
	if verdict == nil {
		return errors.New("the peer takes our negative receipt for a good one")
	}
	return nil
}
