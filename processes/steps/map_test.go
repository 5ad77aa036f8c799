package steps_test

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"tradepost/partners"
	"tradepost/processes/steps"
	"tradepost/tracking"
)

// orderMap is the map of a back office that works with a little form of its own.
const orderMap = `map: little-order
title: Orders as our own programs know them
from: {edi: x12/004010/850}
to: {form: {form: little, fields: {number: text!, date: date!, deliver_to: text, lines: {list: "What is ordered", required: true, fields: {quantity: decimal!, unit: text!, article: text!}}}}}
lines:
  number: BEG/3
  date: BEG/5
  deliver_to: "heading/N1[1=ST]/4"
  lines: {each: PO1, fields: {quantity: PO1/2, unit: PO1/3, article: PO1/6..24=VN}}
only-from:
  BEG/1: {const: "00"}
  BEG/2: {const: SA}
  "heading/N1[1=ST]/3": {const: "92", when: has(at), with: {at: deliver_to}}
  CTT/1: {count: lines}
`

// newMappedRoad is a road on which both back offices work with forms: what
// they hand over becomes 850s, and 850s are handed to them as JSON.
func newMappedRoad(t *testing.T) *road {
	t.Helper()
	file := filepath.Join(t.TempDir(), "order.yaml")
	if err := os.WriteFile(file, []byte(orderMap), 0o600); err != nil {
		t.Fatal(err)
	}
	r := &road{t: t}
	r.buyer = newStation(t, "buyer", "supplier", partners.Partnership{Outbound: []partners.DocumentRule{{Type: "850", Map: file, From: "house"}}})
	r.supplier = newStation(t, "supplier", "buyer", partners.Partnership{Inbound: []partners.DocumentRule{{Type: "850", Map: file, Format: "json", Deliver: "house"}}})
	r.buyer.peer, r.supplier.peer = r.supplier, r.buyer
	return r
}

func delivered(v *tracking.DocumentView) bool { return v.Document.State == tracking.DocumentDelivered }

func TestFormGoesOutAsEDIAndComesBackAsForm(t *testing.T) {
	t.Parallel()
	r := newMappedRoad(t)
	const form = `{"number": "4500012345", "date": "2026-11-21", "deliver_to": "0012", "lines": [{"quantity": 144.50, "unit": "EA", "article": "TRV-100"}, {"quantity": 2, "unit": "CA", "article": "TRV-200"}]}`
	r.buyer.handOut("order.json", form)
	sent := r.buyer.await(outbound("850"), "accepted by the partner", func(v *tracking.DocumentView) bool {
		return delivered(v) && v.Document.Ack == tracking.AckAccepted
	})
	if len(sent.Document.Keys) == 0 || sent.Document.Keys[0].Value != "4500012345" || sent.Interchange.Control != "000000001" {
		t.Errorf("what was sent: %+v under %+v", sent.Document, sent.Interchange)
	}
	r.supplier.await(inbound("850"), "in the back office", delivered)
	var got, want any
	if err := json.Unmarshal([]byte(r.supplier.house[0]), &got); err != nil {
		t.Fatalf("%v: %s", err, r.supplier.house[0])
	}
	if err := json.Unmarshal([]byte(form), &want); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, want) || !strings.Contains(r.supplier.house[0], "144.5") {
		t.Errorf("the back office got %s", r.supplier.house[0])
	}
	r.buyer.quiet()
	r.supplier.quiet()
	// The form as it was handed over is kept, and both ways are in the history.
	from, err := r.buyer.store.TransmissionView(t.Context(), sent.Document.SourceID)
	if err != nil {
		t.Fatal(err)
	}
	if from.Transmission.Content == sent.Document.Payload || from.Transmission.State != tracking.TransmissionProcessed {
		t.Errorf("the transmission of the back office: %+v", from.Transmission)
	}
	if text := history(t, r.buyer, tracking.EventDocMapped); !strings.Contains(text, "1 of 1 documents mapped by little-order to 850") {
		t.Errorf("the buyer's history: %q", text)
	}
	if text := history(t, r.supplier, tracking.EventDocMapped); !strings.Contains(text, "mapped by little-order to JSON") {
		t.Errorf("the supplier's history: %q", text)
	}
}

// history joins the texts of a station's events of a kind.
func history(t *testing.T, s *station, kind tracking.EventKind) string {
	t.Helper()
	events, err := s.store.Events(t.Context(), 0, 1000)
	if err != nil {
		t.Fatal(err)
	}
	var texts []string
	for _, e := range events {
		if e.Kind == kind {
			texts = append(texts, e.Text)
		}
	}
	return strings.Join(texts, "\n")
}

func TestEDIOverAConnectionOfFormsStaysAsItIs(t *testing.T) {
	t.Parallel()
	r := newMappedRoad(t)
	r.buyer.handOut("order.edi", order("4500012345", "EA"))
	r.buyer.await(outbound("850"), "accepted", func(v *tracking.DocumentView) bool { return v.Document.Ack == tracking.AckAccepted })
	got := r.supplier.await(inbound("850"), "in the back office", delivered)
	if !strings.Contains(r.supplier.house[0], `"article": "TRV-100"`) {
		t.Errorf("the back office got %s", r.supplier.house[0])
	}
	// What the form has no place for is told: the name of the place goods go to, and the line number.
	if text := history(t, r.supplier, tracking.EventDocMapped); !strings.Contains(text, "values left behind, the first: N102") {
		t.Errorf("document %s: %q", got.Document.ID, text)
	}
}

func TestOneBadFormLeavesItsNeighboursAlone(t *testing.T) {
	t.Parallel()
	r := newMappedRoad(t)
	r.buyer.handOut("orders.json", `[
		{"number": "A1", "date": "2026-11-21", "lines": [{"quantity": 1, "unit": "EA", "article": "X"}]},
		{"number": "A2", "date": "2026-13-41", "lines": [{"quantity": "many", "unit": "EA", "article": "X"}]},
		{"number": "A3", "date": "2026-11-21", "lines": [{"quantity": 3, "unit": "EA", "article": "X"}]}
	]`)
	accepted := tracking.DocumentQuery{Direction: tracking.Outbound, Type: "850", States: []tracking.DocumentState{tracking.DocumentDelivered}}
	for _, po := range []string{"A1", "A3"} {
		q := accepted
		q.KeyName, q.KeyValue = "PO", po
		r.buyer.await(q, "accepted", func(v *tracking.DocumentView) bool { return v.Document.Ack == tracking.AckAccepted })
	}
	q := tracking.DocumentQuery{Direction: tracking.Outbound, Type: "850", States: []tracking.DocumentState{tracking.DocumentInvalid}}
	bad := r.buyer.await(q, "invalid", func(*tracking.DocumentView) bool { return true })
	if !strings.HasPrefix(bad.Document.Error, "document 2 of orders.json") || len(bad.Issues) != bad.Document.Errors {
		t.Errorf("%q, %d issues", bad.Document.Error, len(bad.Issues))
	}
	places := map[string]string{}
	for _, i := range bad.Issues {
		places[i.Path] += i.Text
		if i.Level != tracking.LevelMap {
			t.Errorf("an issue that is not the map's: %+v", i)
		}
	}
	if !strings.Contains(places["date"], "2026-13-41") || !strings.Contains(places["lines[1].quantity"], "many") {
		t.Errorf("places: %v", places)
	}
	r.buyer.quiet()
}

func TestWhatIsNoFormIsKept(t *testing.T) {
	t.Parallel()
	for name, content := range map[string]string{"torn": `{"number": "A1", "lines": [`, "empty": "[]", "prose": "Dear Sirs"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newMappedRoad(t)
			r.buyer.handOut("order.json", content)
			r.buyer.quiet()
			page, err := r.buyer.store.Transmissions(t.Context(), tracking.TransmissionQuery{})
			if err != nil || len(page.Transmissions) != 1 {
				t.Fatal(page, err)
			}
			if got := page.Transmissions[0]; got.State != tracking.TransmissionFailed || got.Error == "" || got.Content.None() {
				t.Errorf("%+v", got)
			}
			if text := history(t, r.buyer, tracking.EventUnreadable); !strings.Contains(text, "is kept") {
				t.Errorf("history %q", text)
			}
		})
	}
}

func TestFormCannotBeMadeOfADocument(t *testing.T) {
	t.Parallel()
	r := newMappedRoad(t)
	// Good by the guide, but without the article the form requires.
	r.buyer.handOut("order.edi", strings.Replace(order("4500012345", "EA"), "**VN*TRV-100", "**UP*012345678905", 1))
	got := r.supplier.await(inbound("850"), "failed", func(v *tracking.DocumentView) bool { return v.Document.State == tracking.DocumentFailed })
	if !strings.Contains(got.Document.Error, "little-order") || !strings.Contains(got.Document.Error, "article") {
		t.Errorf("the reason: %q", got.Document.Error)
	}
	if got.Document.Ack != tracking.AckAccepted {
		t.Errorf("the partner's document was good, its acknowledgement stands as %s", got.Document.Ack)
	}
}

func TestMapsThatDoNotFitAreToldAtTheStart(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	good := file("good.yaml", orderMap)
	oneWay := file("one-way.yaml", strings.Replace(orderMap, "number: BEG/3", "number: {path: BEG/3, to: 'value + \"!\"'}", 1))
	broken := file("broken.yaml", strings.Replace(orderMap, "BEG/3", "BEG/33", 1))
	for _, c := range []struct {
		name string
		rule partners.DocumentRule
		want string
	}{
		{"not shipped", partners.DocumentRule{Type: "850", Map: "x12/851", From: "house"}, "shipped are"},
		{"another document", partners.DocumentRule{Type: "856", Map: good, From: "house"}, "not for a 856"},
		{"one way only", partners.DocumentRule{Type: "850", Map: oneWay, From: "house"}, "cannot run backward"},
		{"a mistake in it", partners.DocumentRule{Type: "850", Map: broken, From: "house"}, "broken.yaml:6"},
		{"not there", partners.DocumentRule{Type: "850", Map: filepath.Join(dir, "none.yaml"), From: "house"}, "none.yaml"},
	} {
		d, err := partners.NewDirectory(
			partners.Station{Name: "us", Identifiers: []partners.Identifier{{Qualifier: "ZZ", ID: "US"}}},
			[]partners.Partner{{Name: "them", Identifiers: []partners.Identifier{{Qualifier: "ZZ", ID: "THEM"}}}},
			[]partners.Partnership{{Partner: "them", Connection: "wire", Acknowledge: "997", Profile: "tolerant", AS2: partners.AS2Policy{Receipt: "none"}, Outbound: []partners.DocumentRule{c.rule}}},
			[]partners.Connection{{Name: "wire", Connector: "wire", Partner: "them"}, {Name: "house", Connector: "house"}},
		)
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		guides, err := steps.LoadGuides(d, "")
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		_, err = steps.LoadMaps(d, guides)
		var conflict *partners.ConflictError
		if !errors.As(err, &conflict) || conflict.Problems[0].Path != "partnerships[0].outbound[0].map" || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}
