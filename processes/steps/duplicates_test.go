package steps_test

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"tradepost/partners"
	"tradepost/processes/steps"
	"tradepost/tracking"
)

// TestControlNumbersOverTime: which numbers must be new is agreed with each
// partner, and for how long. Every arrival is an order of its own.
func TestControlNumbersOverTime(t *testing.T) {
	t.Parallel()
	type arrival struct{ isa, gs, st int }
	again := []arrival{{1, 1, 1}, {1, 2, 1}, {2, 1, 1}, {3, 1, 2}, {4, 3, 1}}
	for _, c := range []struct {
		name   string
		policy partners.DuplicatePolicy
		taken  []int // arrivals the back office gets, from 0
	}{
		{"interchanges, which is usual", partners.DuplicatePolicy{}, []int{0, 2, 3, 4}},
		{"none", partners.DuplicatePolicy{AnyInterchange: true}, []int{0, 1, 2, 3, 4}},
		{"groups", partners.DuplicatePolicy{AnyInterchange: true, Groups: true}, []int{0, 1, 4}},
		{"documents of a group", partners.DuplicatePolicy{AnyInterchange: true, Documents: true}, []int{0, 1, 3, 4}},
		{"all", partners.DuplicatePolicy{Groups: true, Documents: true}, []int{0, 4}},
		{"all, for a nanosecond", partners.DuplicatePolicy{Groups: true, Documents: true, Window: time.Nanosecond}, []int{0, 1, 2, 3, 4}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := newRoad(t, func(p *partners.Partnership) { p.Duplicates = c.policy })
			for n, a := range again {
				r.supplier.arrive(fmt.Sprint("k", n), interchange("BUYER", "SUPPLIER", a.isa, "PO", a.gs, []string{orderDocument(fmt.Sprintf("%04d", a.st), fmt.Sprint("ORDER", n), "EA")}))
				r.supplier.quiet()
				time.Sleep(2 * time.Millisecond) // numbers are kept by the millisecond
			}
			var taken []int
			for n := range again {
				if slices.ContainsFunc(r.supplier.house, func(text string) bool { return strings.Contains(text, fmt.Sprint("ORDER", n)) }) {
					taken = append(taken, n)
				}
			}
			if !slices.Equal(taken, c.taken) {
				t.Errorf("the back office has the orders %v, want %v", taken, c.taken)
			}
		})
	}
}

// payload returns the bytes a document was made as.
func (s *station) payload(d tracking.Document) string {
	s.t.Helper()
	f, err := s.archive.Open(s.t.Context(), d.Payload)
	if err != nil {
		s.t.Fatal(err)
	}
	defer f.Close()
	text, err := io.ReadAll(f)
	if err != nil {
		s.t.Fatal(err)
	}
	return string(text)
}

// TestRefusedGroupIsRefusedWhole: what a 997 or TA1 refuses goes nowhere, since
// the sender sends it again.
func TestRefusedGroupIsRefusedWhole(t *testing.T) {
	t.Parallel()
	whole := interchange("BUYER", "SUPPLIER", 70, "PO", 70, []string{orderDocument("0001", "W1", "EA"), orderDocument("0002", "W2", "EA")})
	for name, c := range map[string]struct{ old, new, answer, verdict string }{
		"count of the group":       {"GE*2*70", "GE*3*70", "997", "AK9*R*3*2*0*5~"},
		"count of the interchange": {"IEA*1*", "IEA*2*", "TA1", "*R*021~"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRoad(t)
			r.supplier.arrive("k1", strings.Replace(whole, c.old, c.new, 1))
			answer := r.supplier.await(outbound(c.answer), "delivered", func(v *tracking.DocumentView) bool { return v.Document.State == tracking.DocumentDelivered })
			if text := r.supplier.payload(answer.Document); !strings.Contains(text, c.verdict) {
				t.Errorf("the answer is %q", text)
			}
			r.supplier.quiet()
			if len(r.supplier.house) != 0 {
				t.Errorf("the back office has %q", r.supplier.house)
			}
			page, err := r.supplier.store.Documents(t.Context(), tracking.DocumentQuery{Direction: tracking.Inbound, Type: "850", States: []tracking.DocumentState{tracking.DocumentInvalid}})
			if err != nil || len(page.Documents) != 2 {
				t.Errorf("%d documents invalid, want 2: %v", len(page.Documents), err)
			}
			// Sent again as it should be, it is taken.
			r.supplier.arrive("k2", whole)
			r.supplier.quiet()
			if len(r.supplier.house) != 2 {
				t.Errorf("sent again, the back office has %d orders", len(r.supplier.house))
			}
		})
	}
}

// TestProfileOfThePartner: strict, tolerant, and either with the exceptions
// that were agreed; what is waived is a warning that names its rule.
func TestProfileOfThePartner(t *testing.T) {
	t.Parallel()
	padded := strings.Replace(interchange("BUYER", "SUPPLIER", 80, "PO", 80, []string{orderDocument("0001", "P1", "EA")}), "SE*6*0001", "SE*6*1", 1)
	for name, c := range map[string]struct {
		profile string
		except  []string
		taken   bool
	}{
		"tolerant":                     {"tolerant", nil, true},
		"tolerant, but not of this":    {"tolerant", []string{"leading-zeros"}, false},
		"strict":                       {"strict", nil, false},
		"strict, but not of this":      {"strict", []string{"leading-zeros"}, true},
		"strict, but not of that":      {"strict", []string{"group-type"}, false},
		"tolerant, but not of another": {"tolerant", []string{"group-type"}, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRoad(t, func(p *partners.Partnership) { p.Profile, p.Except = c.profile, c.except })
			r.supplier.arrive("k1", padded)
			state := tracking.DocumentInvalid
			if c.taken {
				state = tracking.DocumentDelivered
			}
			v := r.supplier.await(inbound("850"), string(state), func(v *tracking.DocumentView) bool { return v.Document.State == state })
			if c.taken != (v.Document.Warnings == 1) || c.taken != (v.Document.Errors == 0) {
				t.Errorf("%d errors, %d warnings", v.Document.Errors, v.Document.Warnings)
			}
		})
	}
}

func TestExceptionsMustExist(t *testing.T) {
	t.Parallel()
	id := func(n string) []partners.Identifier { return []partners.Identifier{{Qualifier: "ZZ", ID: n}} }
	d, err := partners.NewDirectory(partners.Station{Name: "us", Identifiers: id("US")}, []partners.Partner{{Name: "them", Identifiers: id("THEM")}},
		[]partners.Partnership{{
			Partner: "them", Connection: "wire", Acknowledge: "997", Profile: "strict", Except: []string{"leading-zeros", "leading-zero"}, AS2: partners.AS2Policy{Receipt: "none"},
			Outbound: []partners.DocumentRule{{Type: "850"}},
		}}, []partners.Connection{{Name: "wire", Connector: "wire", Partner: "them"}})
	if err != nil {
		t.Fatal(err)
	}
	var conflict *partners.ConflictError
	if _, err := steps.LoadGuides(d, ""); !errors.As(err, &conflict) || len(conflict.Problems) != 1 || conflict.Problems[0].Path != "partnerships[0].except[1]" {
		t.Errorf("%v", err)
	}
}
