package as2

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"tradepost/as2"
	"tradepost/transport"
)

// handler answers the requests of one Serve.
type handler struct {
	*Listener
	// hand is the life of requests in hand: it outlives the client's patience,
	// and ends when a stopping Serve has waited long enough.
	hand context.Context //nolint:containedctx // lives as long as one Serve
}

// answer is what a request gets.
type answer struct {
	status  int
	text    string                  // a sentence, or nothing
	after   time.Duration           // Retry-After
	headers []transport.HeaderField // of a receipt
	body    []byte                  // of a receipt
	refused bool                    // counts against the source
	again   bool                    // it was given before, to the same transmission
	held    int64                   // to HEAD: how much is here
	etag    string                  // to HEAD: of what
}

// retryTrouble is how long to stay away while something here is broken.
const retryTrouble = time.Minute

// ServeHTTP implements http.Handler.
func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	// The deadline of the last answer must not hit the "100 Continue" of this one.
	_ = http.NewResponseController(w).SetWriteDeadline(time.Time{}) // as in write
	if r.Method == http.MethodPost && r.Header.Get("Receipt-Delivery-Option") != "" {
		// Its receipt may be ready before the answer has left.
		end := h.e.exchanges.begin(as2.ParseID(r.Header.Get("AS2-From")), r.Header.Get("Message-ID"))
		defer end()
		defer func() { _ = http.NewResponseController(w).Flush() }() // else it leaves after end
	}
	defer func() {
		if p := recover(); p != nil {
			h.e.cfg.OnTrouble(fmt.Errorf("as2 listener: request from %s: panic: %v", r.RemoteAddr, p))
			h.write(w, r, answer{status: http.StatusInternalServerError, text: "internal error"})
		}
	}()
	h.write(w, r, h.serve(w, r))
}

// serve judges what can be judged without the body.
func (h *handler) serve(w http.ResponseWriter, r *http.Request) answer {
	switch {
	case r.URL.Path != h.path:
		return answer{status: http.StatusNotFound, text: "nothing is here"}
	case r.Method == http.MethodHead:
		return h.head(r)
	case r.Method == http.MethodGet:
		return answer{status: http.StatusOK, text: "This is an AS2 endpoint (RFC 4130). Post AS2 transmissions here."}
	case r.Method != http.MethodPost:
		w.Header().Set("Allow", "GET, HEAD, POST")
		return answer{status: http.StatusMethodNotAllowed, text: "post AS2 transmissions here"}
	case r.ContentLength > h.e.cfg.Limits.Body:
		return answer{status: http.StatusRequestEntityTooLarge, text: fmt.Sprintf("the body is larger than %d bytes", h.e.cfg.Limits.Body)}
	}
	who := h.source(r)
	if wait := h.limiter.wait(who); wait > 0 {
		return answer{status: http.StatusTooManyRequests, text: "too many requests from here were refused; wait", after: wait}
	}
	leave := h.slots.wait(r.Context(), who, 10*time.Second)
	if leave == nil {
		return busy(5 * time.Second)
	}
	defer leave()
	a := h.receive(w, r)
	if a.refused {
		h.limiter.refused(who)
	}
	return a
}

// busy is the answer to what we cannot take now, and may take later.
func busy(after time.Duration) answer {
	return answer{status: http.StatusServiceUnavailable, text: "cannot take it now; try again", after: after}
}

// receive finds the place of a transmission and takes it.
func (h *handler) receive(w http.ResponseWriter, r *http.Request) (a answer) {
	p, early := h.place(r)
	if early != nil {
		return *early
	}
	defer func() { h.end(p, a) }() // also of a panic, with no answer
	return h.take(w, r, p)
}

// take takes one transmission: receive, make the receipt, commit, answer.
func (h *handler) take(w http.ResponseWriter, r *http.Request, p *place) answer {
	cfg, kept := h.e.cfg, p.kept
	var rel *Relation
	rcv, err := as2.Receive(r.Context(), r.Header, p.body(&patientBody{ResponseWriter: w, r: r, stall: cfg.Limits.Stall}), as2.ReceiveOptions{
		Lookup: func(from, to string) (*as2.Relation, error) {
			found, err := cfg.Relations.Receiving(r.Context(), from, to)
			if err != nil {
				return nil, err
			}
			if found == nil {
				return nil, as2.ErrUnknownRelation
			}
			rel = found
			return &found.Relation, nil
		},
		Spool: h.e.spool(), Limits: cfg.Limits.Limits,
	})
	var malformed *as2.MalformedError
	switch {
	case errors.As(err, &malformed):
		return h.malformed(r, kept, malformed)
	case err != nil:
		if r.Context().Err() == nil { // not simply gone
			h.trouble(r, fmt.Errorf("receive: %w", err))
		}
		return busy(retryTrouble)
	}
	defer rcv.Close() //nolint:errcheck // temporary files
	if !p.whole() {
		return answer{status: http.StatusInternalServerError, text: fmt.Sprintf("the body has %d bytes, %d were announced", kept.Size(), p.size)}
	}
	if rcv.Returned != nil {
		return h.returned(r, rcv.Returned, kept)
	}
	for {
		a, err := h.arrival(r, rcv, rel, kept)
		if err != nil {
			h.trouble(r, fmt.Errorf("make the receipt: %w", err))
			return busy(retryTrouble)
		}
		acc, err := h.sink.Accept(h.hand, a)
		var used *transport.NameUsedError
		switch {
		case errors.As(err, &used) && rcv.Failure == nil: // by another, since it was looked up
			rcv.Fail(as2.DuplicateFilename, used)
		case err != nil:
			h.trouble(r, fmt.Errorf("transmission %s of %s: %w", rcv.MessageID, rcv.From, err))
			return busy(retryTrouble)
		default:
			return reply(a, acc, rcv)
		}
	}
}

// reply is the answer after the commit.
func reply(a *transport.Arrival, acc *transport.Acceptance, rcv *as2.Received) answer {
	receipt := a.Receipt
	if acc.Duplicate && a.Refused == "" {
		receipt = acc.Receipt
	}
	out := answer{status: http.StatusOK, refused: a.Refused != ""}
	switch {
	case receipt != nil && receipt.Async:
		out.status = http.StatusNoContent
	case receipt != nil:
		out.headers, out.body = receipt.Headers, receipt.Body
	case a.Refused != "":
		out.status, out.text = http.StatusForbidden, "refused: "+string(rcv.Disposition.Modifier)
	}
	return out
}

// malformed is the answer where no receipt can say what is wrong. What at
// least names its sender is kept.
func (h *handler) malformed(r *http.Request, kept *wire, m *as2.MalformedError) answer {
	out := answer{status: m.Status, text: m.Err.Error(), refused: true}
	if m.Status == http.StatusRequestEntityTooLarge || r.Header.Get("AS2-From") == "" {
		return out
	}
	a := h.bareArrival(r, kept)
	a.Refused = text(m.Error())
	if _, err := h.sink.Accept(h.hand, a); err != nil {
		h.trouble(r, fmt.Errorf("keep a malformed transmission of %s: %w", a.Evidence.From, err))
		return busy(retryTrouble)
	}
	return out
}

// returned takes a receipt that comes on its own.
func (h *handler) returned(r *http.Request, receipt *as2.Receipt, kept *wire) answer {
	rel, err := h.e.cfg.Relations.Receiving(r.Context(), receipt.From, receipt.To)
	known := err == nil && rel != nil
	if err != nil && !errors.Is(err, as2.ErrUnknownRelation) {
		h.trouble(r, fmt.Errorf("receipt from %s: %w", receipt.From, err))
		return busy(retryTrouble)
	}
	a := h.bareArrival(r, kept)
	a.Returned = &transport.Returned{
		OriginalMessageID: clip(text(receipt.OriginalMessageID)),
		Check: func(*transport.Prepared) *transport.Outcome {
			return &transport.Outcome{Reason: "it is from nobody we know"}
		},
	}
	if known {
		a.Partner, a.Connection = rel.Partner, rel.Connection
		a.Returned.Check = func(p *transport.Prepared) *transport.Outcome {
			o := judge(receipt, sentFacts(p, rel.Terms), rel)
			o.Evidence = transport.Evidence{Remote: a.Evidence.Remote, TLS: a.Evidence.TLS}
			return o
		}
	}
	if _, err := h.sink.Accept(h.hand, a); err != nil {
		h.trouble(r, fmt.Errorf("receipt from %s for %s: %w", receipt.From, receipt.OriginalMessageID, err))
		return busy(retryTrouble)
	}
	if !known {
		return answer{status: http.StatusForbidden, text: "refused: " + string(as2.UnknownTradingRelationship), refused: true}
	}
	return answer{status: http.StatusNoContent}
}

// trouble reports what went wrong on our side of a request.
func (h *handler) trouble(r *http.Request, err error) {
	h.e.cfg.OnTrouble(fmt.Errorf("as2 listener: request from %s: %w", r.RemoteAddr, err))
}

// write sends the answer.
func (h *handler) write(w http.ResponseWriter, r *http.Request, a answer) {
	// A deadline of the socket follows the real clock. Where it cannot be set,
	// the idle time has to do.
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(h.e.cfg.Limits.Stall)) //nolint:forbidigo // see above
	body := a.body
	if a.text != "" {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		w.Header().Set("X-Content-Type-Options", "nosniff")
		body = []byte(a.text + "\n")
	}
	for _, f := range a.headers {
		w.Header()[wireName(f.Name)] = append(w.Header()[wireName(f.Name)], f.Value)
	}
	if a.after > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int((a.after+time.Second-1)/time.Second)))
	}
	switch {
	case r.Method == http.MethodHead && a.status == http.StatusOK:
		w.Header().Set("Content-Length", strconv.FormatInt(a.held, 10))
		if a.etag != "" {
			w.Header()["ETag"] = []string{a.etag}
		}
	case a.status != http.StatusNoContent:
		w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	}
	w.WriteHeader(a.status)
	if r.Method != http.MethodHead {
		_, _ = w.Write(body) // a client that has gone will ask again
	}
}
