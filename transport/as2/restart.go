package as2

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"tradepost/as2"
	"tradepost/transport"
)

// place is where a request puts its body: what is kept of it, and whether it
// goes on with an earlier one.
type place struct {
	kept    *wire
	from    int64    // bytes that an earlier request brought
	size    int64    // of the whole body, -1 when it is not told
	partial *partial // nil when nothing of it is kept for another request
}

// head answers HEAD: how much of a transmission is here. Without the name of
// one that is nothing at all, which RFC 9110 would not have, and certified
// products look for.
func (h *handler) head(r *http.Request) answer {
	out := answer{status: http.StatusOK}
	etag := r.Header.Get("ETag")
	if etag == "" || h.partials == nil {
		return out
	}
	rel, err := h.relation(r)
	switch {
	case errors.Is(err, as2.ErrUnknownRelation):
		return out
	case err != nil:
		h.trouble(r, fmt.Errorf("how much there is of a transmission: %w", err))
		return busy(0)
	}
	held, atWork := h.partials.asked(keyOf(rel, etag))
	if atWork {
		return *stillInHand()
	}
	out.held, out.etag = held, etag
	return out
}

// relation is the one that a request names.
func (h *handler) relation(r *http.Request) (*Relation, error) {
	rel, err := h.e.cfg.Relations.Receiving(r.Context(), as2.ParseID(r.Header.Get("AS2-From")), as2.ParseID(r.Header.Get("AS2-To")))
	if err == nil && rel == nil {
		err = as2.ErrUnknownRelation
	}
	return rel, err
}

// place finds the place of a request's body. Instead of one there may be an
// answer.
func (h *handler) place(r *http.Request) (*place, *answer) {
	etag, span := r.Header.Get("ETag"), r.Header.Get("Content-Range")
	whole := &place{kept: &wire{dir: h.e.cfg.TempDir}, size: r.ContentLength}
	if etag == "" && span == "" {
		return whole, nil
	}
	part, bad := contentRange(r, span)
	switch {
	case bad != nil:
		return nil, bad
	case part != nil && etag == "":
		return nil, &answer{status: http.StatusBadRequest, text: "a part of a transmission needs the ETag of the whole", refused: true}
	case part != nil && part.Size > h.e.cfg.Limits.Body:
		return nil, &answer{status: http.StatusRequestEntityTooLarge, text: fmt.Sprintf("the body is larger than %d bytes", h.e.cfg.Limits.Body)}
	case part != nil && h.partials == nil:
		return nil, outOfRange(0)
	case h.partials == nil:
		return whole, nil
	}
	rel, err := h.relation(r)
	switch {
	case errors.Is(err, as2.ErrUnknownRelation) && part != nil:
		return nil, &answer{status: http.StatusForbidden, text: "refused: " + string(as2.UnknownTradingRelationship), refused: true}
	case errors.Is(err, as2.ErrUnknownRelation):
		return whole, nil // to be refused with a receipt
	case err != nil:
		h.trouble(r, fmt.Errorf("go on with a transmission: %w", err))
		out := busy(retryTrouble)
		return nil, &out
	}
	one, early := h.partials.begin(rel, etag, messageID(r.Header), r.ContentLength, part)
	switch {
	case early != nil && early.again:
		return nil, h.again(r, rel, *early)
	case early != nil || one == nil:
		return whole, early
	}
	p := &place{
		kept: &wire{
			path: h.partials.file(one.key), memory: partialMemory,
			every: partialSync, settled: func(size int64) error { return h.partials.settled(one, size) },
		},
		size: one.Total, partial: one,
	}
	if one.Held > 0 {
		p.from = one.Held
		if err := p.kept.reopen(one.Held); err != nil {
			h.trouble(r, fmt.Errorf("go on with a transmission: %w", err))
			h.partials.lost(one)
			return nil, outOfRange(0)
		}
	}
	return p, nil
}

// again gives an answer once more to who has missed it, and notes that. When what
// was answered is not on record, as after a backup was restored, the
// transmission is asked for again.
func (h *handler) again(r *http.Request, rel *Relation, given answer) *answer {
	a := h.bareArrival(r, nil)
	a.Wire = nil // nothing new
	a.Key = transport.Key(Connector, as2.ParseID(r.Header.Get("AS2-From")), messageID(r.Header))
	a.Partner, a.Connection, a.Again = rel.Partner, rel.Connection, !given.refused
	if given.refused {
		a.Refused = "refused before: the same answer was given again"
	}
	_, err := h.sink.Accept(h.hand, a)
	switch {
	case errors.Is(err, transport.ErrNeverAccepted):
		h.partials.forget(keyOf(rel, r.Header.Get("ETag")))
		return outOfRange(0)
	case err != nil:
		h.trouble(r, fmt.Errorf("note that an answer was given again to %s: %w", rel.Partner, err))
		out := busy(retryTrouble)
		return &out
	}
	return &given
}

// contentRange reads the part that a request says it carries; nil for none. It
// must be the rest of the body, and as long as the request.
func contentRange(r *http.Request, span string) (*as2.ContentRange, *answer) {
	if strings.TrimSpace(span) == "" {
		return nil, nil
	}
	part, err := as2.ParseContentRange(span)
	switch {
	case err != nil:
	case part.Last != part.Size-1:
		err = errors.New("a part must reach to the end of the transmission")
	case r.ContentLength >= 0 && r.ContentLength != part.Last-part.First+1:
		err = fmt.Errorf("Content-Range tells of %d bytes, Content-Length of %d", part.Last-part.First+1, r.ContentLength)
	}
	if err != nil {
		return nil, &answer{status: http.StatusBadRequest, text: err.Error(), refused: true}
	}
	return &part, nil
}

// body is what as2 reads: what an earlier request brought, and then what this
// one brings, which is kept.
func (p *place) body(arriving io.Reader) io.Reader {
	arriving = io.TeeReader(arriving, p.kept)
	if p.from == 0 {
		return arriving
	}
	return io.MultiReader(p.kept.first(p.from), arriving)
}

// whole tells whether all that was announced has come.
func (p *place) whole() bool { return p.size < 0 || p.kept.Size() == p.size }

// end frees the place. What was answered has come to its end; what could not be
// taken, now or whole, is kept for another request.
func (h *handler) end(p *place, a answer) {
	if p.partial != nil {
		if a.status == 0 || a.status >= http.StatusInternalServerError {
			h.partials.broken(p.partial, p.kept)
		} else {
			h.partials.done(p.partial, p.kept, a)
		}
	}
	_ = p.kept.Close() // it was read from
}
