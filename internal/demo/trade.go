package demo

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"tradepost/edi"
	"tradepost/edi/validate"
	"tradepost/tracking"
)

// trade is the plot: which documents are handed over when, and what must come
// true of them.
type trade struct {
	buyer, supplier *side
	order           document // good, from the buyer
	faulty          document // against the supplier's guide
	shipment        document // from the supplier
	expectations    []*expectation
}

// document is one document the back office hands over.
type document struct {
	name    string
	content []byte
	kind    string
	key     string // "PO=4500012345"
}

// expectation is one thing that must come true.
type expectation struct {
	text string
	met  bool
	// check returns nil when it is true, or what is missing.
	check func(ctx context.Context) error
}

// newTrade reads the documents and the keys of ours. With a real order (h set)
// the faulty order and the shipment carry its addresses. fault is the unit of
// measure that the supplier does not take.
func newTrade(buyer, supplier *side, order []byte, h *edi.Header, fault string) (*trade, error) {
	t := &trade{buyer: buyer, supplier: supplier}
	read := func(name string) ([]byte, error) {
		b, err := files.ReadFile("documents/" + name)
		if err != nil || h == nil {
			return b, err
		}
		return readdress(b, h), nil
	}
	var err error
	if t.faulty.content, err = read("850-order-faulty.edi"); err != nil {
		return nil, err
	}
	t.faulty.content = bytes.ReplaceAll(t.faulty.content, []byte("*"+shippedFault+"*"), []byte("*"+fault+"*"))
	if t.shipment.content, err = read("856-shipment.edi"); err != nil {
		return nil, err
	}
	t.order.content = order
	t.order.name, t.faulty.name, t.shipment.name = "order.edi", "order-faulty.edi", "shipment.edi"
	for _, d := range []*document{&t.faulty, &t.shipment} {
		if err := d.identify(); err != nil {
			return nil, fmt.Errorf("%s: %w", d.name, err)
		}
	}
	return t, nil
}

// readdress puts the addresses of a real interchange into one of ours. Both
// sides of ours are named in the ISA and GS; the fields of the ISA keep their
// width.
func readdress(b []byte, h *edi.Header) []byte {
	for placeholder, id := range map[string]edi.Party{"BUYER": h.Sender, "SUPPLIER": h.Receiver} {
		b = bytes.ReplaceAll(b, fmt.Appendf(nil, "*ZZ*%-15s*", placeholder), fmt.Appendf(nil, "*%-2s*%-15s*", id.Qualifier, id.ID))
	}
	return b
}

// identify finds the type and first business key of a document.
func (d *document) identify() error {
	report, err := validate.Validate(context.Background(), bytes.NewReader(d.content), validate.Options{})
	if err != nil {
		return err
	}
	for _, i := range report.Interchanges {
		for _, g := range i.Groups {
			for _, doc := range g.Documents {
				if len(doc.Keys) > 0 {
					d.kind, d.key = doc.Type, doc.Keys[0].Name+"="+doc.Keys[0].Value
					return nil
				}
			}
		}
	}
	if !report.Accepted {
		return errors.New("no document with a business key (such as a PO number) is in it: `tradepost edi validate` says what is wrong with it")
	}
	return errors.New("no document with a business key (such as a PO number) is in it")
}

// run hands the documents over in their order and waits until everything has
// come true. It goes on where an earlier run on the same data stopped.
func (t *trade) run(ctx context.Context, buyer, supplier *station) error {
	t.expectations = nil
	first := t.expectDelivered(t.order, buyer, supplier)
	second := t.expectDelivered(t.shipment, supplier, buyer)
	third := t.expectRejected(t.faulty, buyer, supplier)
	if err := t.handOver(ctx, t.order, buyer, first); err != nil {
		return err
	}
	if err := t.handOver(ctx, t.shipment, supplier, second); err != nil {
		return err
	}
	return t.handOver(ctx, t.faulty, buyer, third)
}

// handOver puts a document where the back office hands out, unless an earlier
// run did, and waits for what must come true of it.
func (t *trade) handOver(ctx context.Context, d document, from *station, expected []*expectation) error {
	if err := from.handOver(d.name, d.content); err != nil {
		return err
	}
	for _, e := range expected {
		if _, err := retry(ctx, func() (struct{}, error) { return struct{}{}, e.check(ctx) }); err != nil {
			return fmt.Errorf("%s: %w", e.text, err)
		}
		e.met = true
	}
	return nil
}

// hopelessError tells that waiting will not help.
type hopelessError struct{ text string }

func (e *hopelessError) Error() string { return e.text }

// retry asks again until there is no error, waiting is hopeless, or ctx ends;
// the last error that is not the end itself says why.
func retry[T any](ctx context.Context, ask func() (T, error)) (T, error) {
	var why error
	for {
		v, err := ask()
		var never *hopelessError
		if err == nil || errors.As(err, &never) {
			return v, err
		}
		if why == nil || ctx.Err() == nil {
			why = err
		}
		select {
		case <-ctx.Done():
			return v, why
		case <-time.After(100 * time.Millisecond):
		}
	}
}

func (t *trade) expect(text string, check func(ctx context.Context) error) *expectation {
	e := &expectation{text: text, check: check}
	t.expectations = append(t.expectations, e)
	return e
}

// expectDelivered is what must come true of a good document.
func (t *trade) expectDelivered(d document, from, to *station) []*expectation {
	return []*expectation{
		t.expect(fmt.Sprintf("the %s's %s (%s) left signed and encrypted, and a signed receipt with the same MIC came back", from.Name, d.kind, d.key), func(ctx context.Context) error {
			return provenDelivery(ctx, from, d, "outbound")
		}),
		t.expect(fmt.Sprintf("the %s's back office has the %s, once and unchanged", to.Name, d.kind), func(ctx context.Context) error {
			return inBackOffice(ctx, to, d)
		}),
		t.expect(fmt.Sprintf("a 997 of the %s, a transmission of its own with its own receipt, accepted the %s", to.Name, d.kind), func(ctx context.Context) error {
			return acknowledged(ctx, from, to, d, tracking.AckAccepted)
		}),
	}
}

// expectRejected is what must come true of the faulty order.
func (t *trade) expectRejected(d document, from, to *station) []*expectation {
	return []*expectation{
		t.expect(fmt.Sprintf("the faulty %s (%s) was delivered too, with its receipt", d.kind, d.key), func(ctx context.Context) error {
			return provenDelivery(ctx, from, d, "outbound")
		}),
		t.expect(fmt.Sprintf("a 997 of the %s rejected it and names the segment and element", to.Name), func(ctx context.Context) error {
			if err := acknowledged(ctx, from, to, d, tracking.AckRejected); err != nil {
				return err
			}
			return faultNamed(ctx, from, d)
		}),
		t.expect(fmt.Sprintf("the faulty %s went no further than the %s's door", d.kind, to.Name), func(ctx context.Context) error {
			return heldAtDoor(ctx, to, d)
		}),
	}
}

// one returns the single document a query selects.
func one(ctx context.Context, st *station, d document, direction string) (*tracking.DocumentView, error) {
	rows, err := st.documents(ctx, url.Values{"direction": {direction}, "type": {d.kind}, "key": {d.key}})
	if err != nil {
		return nil, err
	}
	if len(rows) != 1 {
		return nil, fmt.Errorf("the %s has %d documents %s %s, one is expected", st.Name, len(rows), d.kind, d.key)
	}
	return st.document(ctx, rows[0].ID)
}

func provenDelivery(ctx context.Context, st *station, d document, direction string) error {
	v, err := one(ctx, st, d, direction)
	if err != nil {
		return err
	}
	return provenView(st, v)
}

// provenView checks that a document's delivery is proven by evidence.
func provenView(st *station, v *tracking.DocumentView) error {
	if v.Document.State == tracking.DocumentInvalid {
		return &hopelessError{fmt.Sprintf("the %s's own station does not send it: %s", st.Name, v.Document.Error)}
	}
	if v.Document.State != tracking.DocumentDelivered || v.Delivery == nil {
		return fmt.Errorf("at the %s it is %s: %s", st.Name, v.Document.State, v.Document.Error)
	}
	e := v.Delivery.Evidence
	if !e.Signed || !e.Encrypted || e.MIC == "" {
		return fmt.Errorf("its transmission was not signed and encrypted")
	}
	for _, r := range v.Receipts {
		if r.TransmissionID == v.Delivery.ID && r.Positive && r.Signed && r.MICMatches {
			return nil
		}
	}
	return fmt.Errorf("no signed receipt with the same MIC is recorded")
}

// inBackOffice checks that a document lies exactly once in the folder the
// station delivers to, with its segments unchanged.
func inBackOffice(ctx context.Context, st *station, d document) error {
	v, err := one(ctx, st, d, "inbound")
	if err != nil {
		return err
	}
	if v.Document.State == tracking.DocumentInvalid {
		return &hopelessError{fmt.Sprintf("the %s does not accept it: %s", st.Name, v.Document.Error)}
	}
	if v.Document.State != tracking.DocumentDelivered {
		return fmt.Errorf("at the %s it is %s: %s", st.Name, v.Document.State, v.Document.Error)
	}
	entries, err := os.ReadDir(st.inbox())
	if err != nil {
		return err
	}
	want, err := heart(d.content)
	if err != nil {
		return err
	}
	found := 0
	for _, e := range entries {
		if !e.Type().IsRegular() {
			continue
		}
		b, err := os.ReadFile(filepath.Join(st.inbox(), e.Name()))
		if err != nil {
			return err
		}
		if got, err := heart(b); err == nil && bytes.Equal(got, want) {
			found++
		}
	}
	switch {
	case found == 0:
		return fmt.Errorf("it does not lie in %s", st.inbox())
	case found > 1: // and that will not go away
		return &hopelessError{fmt.Sprintf("it lies %d times in %s", found, st.inbox())}
	}
	return nil
}

// heart returns what may not change on the way: the segments between ST and
// SE of the first document.
func heart(b []byte) ([]byte, error) {
	r := edi.NewBytesReader(b, edi.Options{})
	var out []byte
	inside := false
	for {
		seg, err := r.Next()
		if err != nil {
			return nil, err
		}
		switch {
		case seg.Is("ST"):
			inside = true
		case seg.Is("SE"):
			return out, nil
		case inside:
			out = append(out, seg.Raw...)
		}
	}
}

// acknowledged checks the verdict at the sender, and that the acknowledgement
// travelled on its own and was received for.
func acknowledged(ctx context.Context, from, to *station, d document, want tracking.AckState) error {
	v, err := one(ctx, from, d, "outbound")
	if err != nil {
		return err
	}
	switch got := v.Document.Ack; got {
	case want:
	case tracking.AckAccepted, tracking.AckRejected: // the other verdict
		return &hopelessError{strings.TrimSpace(fmt.Sprintf("the %s has its acknowledgement as %s %s", from.Name, got, v.Document.Error))}
	default:
		return fmt.Errorf("the %s has its acknowledgement as %s", from.Name, v.Document.Ack)
	}
	theirs, err := one(ctx, to, d, "inbound")
	if err != nil {
		return err
	}
	for _, a := range theirs.Acknowledgements {
		if a.Direction != tracking.Outbound || a.CarrierID == 0 {
			continue
		}
		carrier, err := to.document(ctx, a.CarrierID)
		if err != nil {
			return err
		}
		return provenView(to, carrier)
	}
	return fmt.Errorf("the %s has no record of the 997 it sent", to.Name)
}

// faultNamed checks that the partner's acknowledgement says where the fault is.
func faultNamed(ctx context.Context, st *station, d document) error {
	v, err := one(ctx, st, d, "outbound")
	if err != nil {
		return err
	}
	for _, i := range v.Issues {
		if i.Reporter == "partner" && i.Segment == "PO1" && i.Element == 3 {
			return nil
		}
	}
	return fmt.Errorf("the %s has no issue of the partner at PO1 element 3", st.Name)
}

// heldAtDoor checks that a rejected document was not handed on.
func heldAtDoor(ctx context.Context, st *station, d document) error {
	v, err := one(ctx, st, d, "inbound")
	if err != nil {
		return err
	}
	if v.Document.State == tracking.DocumentDelivered || v.Delivery != nil {
		return &hopelessError{fmt.Sprintf("the %s handed it on", st.Name)}
	}
	if v.Document.State != tracking.DocumentInvalid {
		return fmt.Errorf("at the %s it is %s", st.Name, v.Document.State)
	}
	return nil
}
