package steps_test

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"tradepost/processes"
	"tradepost/processes/steps"
	"tradepost/tracking"
	"tradepost/transport"
)

// order is an 850 from the buyer's back office.
func order(po, unit string) string {
	return interchange("BUYER", "SUPPLIER", 7, "PO", 1, []string{orderDocument("0001", po, unit)})
}

func orderDocument(control, po, unit string) string {
	return strings.Join([]string{
		"ST*850*" + control, "BEG*00*SA*" + po + "**20261121", "N1*ST*DC 12*92*0012",
		"PO1*1*144*" + unit + "*4.95**VN*TRV-100", "CTT*1", "SE*6*" + control,
	}, "~\n") + "~\n"
}

func interchange(from, to string, control int, group string, groupControl int, documents []string) string {
	return fmt.Sprintf("ISA*00*          *00*          *ZZ*%-15s*ZZ*%-15s*261121*0915*U*00401*%09d*0*T*>~\n", from, to, control) +
		fmt.Sprintf("GS*%s*%s*%s*20261121*0915*%d*X*004010~\n", group, from, to, groupControl) +
		strings.Join(documents, "") +
		fmt.Sprintf("GE*%d*%d~\nIEA*1*%09d~\n", len(documents), groupControl, control)
}

func outbound(documentType string) tracking.DocumentQuery {
	return tracking.DocumentQuery{Direction: tracking.Outbound, Type: documentType}
}

func inbound(documentType string) tracking.DocumentQuery {
	return tracking.DocumentQuery{Direction: tracking.Inbound, Type: documentType}
}

func TestOrderGoesOutArrivesAndIsAcknowledged(t *testing.T) {
	t.Parallel()
	r := newRoad(t)
	r.buyer.handOut("order.edi", order("4500012345", "EA"))

	sent := r.buyer.await(outbound("850"), "accepted by the partner", func(v *tracking.DocumentView) bool {
		return v.Document.State == tracking.DocumentDelivered && v.Document.Ack == tracking.AckAccepted
	})
	if sent.Interchange == nil || sent.Interchange.Control != "000000001" || sent.Group.Control != "1" {
		t.Errorf("its interchange: %+v", sent.Interchange)
	}
	if sent.Interchange.State != tracking.VerdictAccepted {
		t.Errorf("its interchange is %s", sent.Interchange.State)
	}
	if len(sent.Document.Keys) == 0 || sent.Document.Keys[0] != (tracking.Key{Name: "PO", Value: "4500012345"}) {
		t.Errorf("its keys: %v", sent.Document.Keys)
	}
	got := r.supplier.await(inbound("850"), "in the back office", func(v *tracking.DocumentView) bool {
		return v.Document.State == tracking.DocumentDelivered
	})
	if got.Document.Ack != tracking.AckAccepted {
		t.Errorf("our own acknowledgement stands as %s", got.Document.Ack)
	}
	if len(r.supplier.house) != 1 || !strings.Contains(r.supplier.house[0], "BEG*00*SA*4500012345") || !strings.HasSuffix(r.supplier.house[0], "IEA*1*000000001~\n") {
		t.Errorf("the back office has %q", r.supplier.house)
	}
	// The 997 travels as a document of its own and is not acknowledged itself.
	answer := r.supplier.await(outbound("997"), "delivered", func(v *tracking.DocumentView) bool {
		return v.Document.State == tracking.DocumentDelivered
	})
	if answer.Document.Ack != tracking.AckNone {
		t.Errorf("the 997 waits for an acknowledgement: %s", answer.Document.Ack)
	}
	r.buyer.quiet()
	r.supplier.quiet()
	if page, err := r.buyer.store.Documents(t.Context(), outbound("997")); err != nil || len(page.Documents) != 0 {
		t.Errorf("the 997 was answered by a 997: %v %v", page, err)
	}
}

func TestFaultAgainstThePartnersGuideComesBackNamed(t *testing.T) {
	t.Parallel()
	r := newRoad(t)
	r.buyer.handOut("order.edi", order("4500012346", "DZ"))
	sent := r.buyer.await(outbound("850"), "rejected by the partner", func(v *tracking.DocumentView) bool {
		return v.Document.Ack == tracking.AckRejected
	})
	found := false
	for _, i := range sent.Issues {
		found = found || i.Reporter == "partner" && i.Segment == "PO1" && i.Ordinal == 4 && i.Element == 3 && i.Ack == "AK403=7" && i.Value == "DZ"
	}
	if !found {
		t.Errorf("no issue of the partner names PO1 element 3: %+v", sent.Issues)
	}
	if !strings.Contains(sent.Document.Error, `segment 4, PO1, element 3, "DZ"`) {
		t.Errorf("the error does not say where: %q", sent.Document.Error)
	}
	held := r.supplier.await(inbound("850"), "invalid", func(v *tracking.DocumentView) bool {
		return v.Document.State == tracking.DocumentInvalid
	})
	r.supplier.quiet()
	if held.Document.Ack != tracking.AckRejected || len(r.supplier.house) != 0 {
		t.Errorf("acknowledged as %s, back office has %q", held.Document.Ack, r.supplier.house)
	}
}

// One bad document neither hides nor spoils its neighbours.
func TestGoodDocumentsGoOnBesideABadOne(t *testing.T) {
	t.Parallel()
	r := newRoad(t)
	r.supplier.arrive("k1", interchange("BUYER", "SUPPLIER", 40, "PO", 40, []string{
		orderDocument("0001", "A1", "EA"), orderDocument("0002", "A2", "DZ"), orderDocument("0003", "A3", "CA"),
	}))
	r.supplier.await(tracking.DocumentQuery{KeyName: "PO", KeyValue: "A3"}, "delivered", func(v *tracking.DocumentView) bool {
		return v.Document.State == tracking.DocumentDelivered
	})
	r.supplier.quiet()
	if got := strings.Join(r.supplier.house, ""); !strings.Contains(got, "*A1*") || strings.Contains(got, "*A2*") || !strings.Contains(got, "*A3*") {
		t.Errorf("the back office has %q", r.supplier.house)
	}
	bad := r.supplier.await(tracking.DocumentQuery{KeyName: "PO", KeyValue: "A2"}, "invalid", func(v *tracking.DocumentView) bool {
		return v.Document.State == tracking.DocumentInvalid
	})
	if bad.Group.State != tracking.VerdictPartial {
		t.Errorf("its group is %s", bad.Group.State)
	}
}

func TestInvalidDocumentOfOurOwnIsNotSent(t *testing.T) {
	t.Parallel()
	r := newRoad(t)
	r.buyer.handOut("order.edi", strings.Replace(order("1", "EA"), "BEG*00*SA*1**20261121", "BEG*00*SA*1**20261341", 1))
	v := r.buyer.await(outbound("850"), "invalid", func(v *tracking.DocumentView) bool { return v.Document.State == tracking.DocumentInvalid })
	if v.Document.Error == "" || len(v.Issues) == 0 || v.Delivery != nil {
		t.Errorf("error %q, issues %v", v.Document.Error, v.Issues)
	}
	r.buyer.quiet()
	if page, err := r.supplier.store.Transmissions(t.Context(), tracking.TransmissionQuery{}); err != nil || len(page.Transmissions) != 0 {
		t.Errorf("something was sent: %v %v", page, err)
	}
}

func TestSameControlNumberTwiceIsADuplicate(t *testing.T) {
	t.Parallel()
	r := newRoad(t)
	one := interchange("BUYER", "SUPPLIER", 50, "PO", 50, []string{orderDocument("0001", "B1", "EA")})
	r.supplier.arrive("k1", one)
	r.supplier.await(inbound("850"), "delivered", func(v *tracking.DocumentView) bool { return v.Document.State == tracking.DocumentDelivered })
	second := r.supplier.arrive("k2", one) // another transmission with the same interchange in it
	r.supplier.quiet()
	v := r.supplier.await(tracking.DocumentQuery{KeyName: "PO", KeyValue: "B1", States: []tracking.DocumentState{tracking.DocumentInvalid}}, "refused as a duplicate",
		func(v *tracking.DocumentView) bool { return v.Source.ID.String() == second })
	if !strings.Contains(v.Document.Error, "accepted before") {
		t.Errorf("error %q", v.Document.Error)
	}
	if len(r.supplier.house) != 1 {
		t.Errorf("the back office got it %d times", len(r.supplier.house))
	}
	// It is answered by a TA1 with note 025, and by no second 997.
	ta1 := r.supplier.await(outbound("TA1"), "delivered", func(v *tracking.DocumentView) bool { return v.Document.State == tracking.DocumentDelivered })
	f, err := r.supplier.archive.Open(t.Context(), ta1.Document.Payload)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if sent, err := io.ReadAll(f); err != nil || !strings.Contains(string(sent), "*R*025~") {
		t.Errorf("the TA1 is %q: %v", sent, err)
	}
}

func TestStrangersInterchangeIsKeptAndNotAnswered(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ from, to, want, code string }{
		"unknown sender": {"NOBODY", "SUPPLIER", "NOBODY", "TA105=006"},
		"not for us":     {"BUYER", "SOMEONE", "SOMEONE", "TA105=009"},
		"sides confused": {"SUPPLIER", "BUYER", "does not belong on connection", "TA105=006"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := newRoad(t)
			r.supplier.arrive("k1", interchange(c.from, c.to, 1, "PO", 1, []string{orderDocument("0001", "C1", "EA")}))
			v := r.supplier.await(inbound("850"), "invalid", func(v *tracking.DocumentView) bool { return v.Document.State == tracking.DocumentInvalid })
			if !strings.Contains(v.Document.Error, c.want) {
				t.Errorf("the error does not name what is wrong: %q", v.Document.Error)
			}
			r.supplier.quiet()
			seen, err := r.supplier.store.TransmissionView(t.Context(), v.Source.ID)
			if err != nil || !slices.ContainsFunc(seen.Issues, func(is tracking.Issue) bool { return is.Ack == c.code }) {
				t.Errorf("no issue %s: %+v, %v", c.code, seen, err)
			}
			if page, err := r.supplier.store.Documents(t.Context(), tracking.DocumentQuery{Direction: tracking.Outbound}); err != nil || len(page.Documents) != 0 {
				t.Errorf("the stranger was answered: %v %v", page, err)
			}
		})
	}
}

func TestUnreadableContentIsKeptAndShown(t *testing.T) {
	t.Parallel()
	r := newRoad(t)
	id := r.supplier.arrive("k1", "Dear supplier, please find attached our order.")
	r.supplier.quiet()
	parsed, err := tracking.ParseID(id)
	if err != nil {
		t.Fatal(err)
	}
	v, err := r.supplier.store.TransmissionView(t.Context(), parsed)
	if err != nil {
		t.Fatal(err)
	}
	if v.Transmission.State != tracking.TransmissionFailed || v.Transmission.Error == "" || v.Transmission.Content.None() {
		t.Errorf("the transmission: %+v", v.Transmission)
	}
}

func TestDocumentNobodyAgreedOnFailsWithAHint(t *testing.T) {
	t.Parallel()
	r := newRoad(t)
	invoice := strings.Join([]string{
		"ST*810*0001", "BIG*20261121*INV1**PO1", "IT1*1*10*EA*5", "TDS*5000", "CTT*1", "SE*6*0001",
	}, "~\n") + "~\n"
	r.supplier.arrive("k1", interchange("BUYER", "SUPPLIER", 9, "IN", 9, []string{invoice}))
	v := r.supplier.await(inbound("810"), "failed", func(v *tracking.DocumentView) bool { return v.Document.State == tracking.DocumentFailed })
	if !strings.Contains(v.Document.Error, "nothing was agreed with buyer about inbound documents 810") {
		t.Errorf("error %q", v.Document.Error)
	}
}

func TestRefusedDeliveryFailsTheDocumentWithTheReason(t *testing.T) {
	t.Parallel()
	r := newRoad(t)
	r.buyer.refuse = &transport.Outcome{Reason: "decryption-failed", Receipt: &transport.Receipt{Disposition: "processed/error: decryption-failed", Body: []byte("no")}}
	r.buyer.handOut("order.edi", order("D1", "EA"))
	v := r.buyer.await(outbound("850"), "failed", func(v *tracking.DocumentView) bool { return v.Document.State == tracking.DocumentFailed })
	if v.Document.Error != "decryption-failed" || v.Delivery.State != tracking.TransmissionRefused || len(v.Receipts) != 1 {
		t.Errorf("error %q, transmission %s, %d receipts", v.Document.Error, v.Delivery.State, len(v.Receipts))
	}
}

func TestAcknowledgementOfSomethingNeverSentIsNoted(t *testing.T) {
	t.Parallel()
	r := newRoad(t)
	r.buyer.arrive("k1", interchange("SUPPLIER", "BUYER", 3, "FA", 3, []string{"ST*997*0001~\nAK1*PO*777~\nAK9*A*1*1*1~\nSE*4*0001~\n"}))
	v := r.buyer.await(inbound("997"), "noted as unmatched", func(v *tracking.DocumentView) bool {
		for _, e := range v.Events {
			if e.Kind == tracking.EventAckUnmatched {
				return true
			}
		}
		return false
	})
	if v.Document.Type != "997" {
		t.Errorf("document %+v", v.Document)
	}
}

// Many partners list no document in their 997 (AK2): the verdict on the group
// is the verdict on all in it.
func TestAcknowledgementWithoutListSettlesTheGroup(t *testing.T) {
	t.Parallel()
	r := newRoad(t)
	r.buyer.handOut("order.edi", order("L1", "EA"))
	v := r.buyer.await(outbound("850"), "accepted by the partner", func(v *tracking.DocumentView) bool { return v.Document.Ack == tracking.AckAccepted })
	r.buyer.arrive("k900", interchange("SUPPLIER", "BUYER", 900, "FA", 900, []string{"ST*997*0001~\nAK1*PO*" + v.Group.Control + "~\nAK9*R*1*1*0~\nSE*4*0001~\n"}))
	r.buyer.await(outbound("850"), "rejected with its group", func(v *tracking.DocumentView) bool { return v.Document.Ack == tracking.AckRejected })
}

// EDIFACT goes the same road; its acknowledgement is the CONTRL.
func TestEDIFACTOrderIsAnsweredByAContrl(t *testing.T) {
	t.Parallel()
	r := newRoad(t)
	r.buyer.handOut("orders.edi", "UNB+UNOA:3+BUYER:ZZ+SUPPLIER:ZZ+261121:0915+77'\nUNH+1+ORDERS:D:96A:UN'\nBGM+220+E1+9'\nDTM+137:20261121:102'\n"+
		"NAD+BY+5412345000013::9'\nLIN+1++4000862141404:EN'\nQTY+21:48'\nUNS+S'\nUNT+8+1'\nUNZ+1+77'\n")
	sent := r.buyer.await(outbound("ORDERS"), "accepted by the partner", func(v *tracking.DocumentView) bool {
		return v.Document.State == tracking.DocumentDelivered && v.Document.Ack == tracking.AckAccepted
	})
	if sent.Interchange == nil || sent.Interchange.Control != "1" || sent.Interchange.State != tracking.VerdictAccepted {
		t.Errorf("its interchange: %+v", sent.Interchange)
	}
	r.supplier.await(inbound("ORDERS"), "in the back office", func(v *tracking.DocumentView) bool {
		return v.Document.State == tracking.DocumentDelivered && v.Document.Ack == tracking.AckAccepted
	})
	if len(r.supplier.house) != 1 || !strings.HasSuffix(r.supplier.house[0], "UNT+8+1'\nUNZ+1+1'\n") {
		t.Errorf("the back office has %q", r.supplier.house)
	}
	r.buyer.await(inbound("CONTRL"), "settled", func(v *tracking.DocumentView) bool { return v.Document.State == tracking.DocumentSettled })
}

// operations are what people of a station do.
func (s *station) operations() *processes.Operations {
	return &processes.Operations{Store: s.store, IDs: s.store.IDs(), Now: time.Now}
}

func TestResendCarriesTheSameBytesAgain(t *testing.T) {
	t.Parallel()
	r := newRoad(t)
	r.supplier.arrive("k1", interchange("BUYER", "SUPPLIER", 60, "PO", 60, []string{orderDocument("0001", "R1", "EA")}))
	delivered := func(v *tracking.DocumentView) bool { return v.Document.State == tracking.DocumentDelivered }
	v := r.supplier.await(inbound("850"), "delivered", delivered)
	r.supplier.quiet()
	ask := processes.Request{Document: v.Document.ID, Actor: "dana", Comment: "the ERP lost it"}
	if _, err := r.supplier.operations().Release(t.Context(), ask); err == nil {
		t.Error("a document that was carried was released")
	}
	if _, err := r.supplier.operations().Resend(t.Context(), ask); err != nil {
		t.Fatal(err)
	}
	again := r.supplier.await(inbound("850"), "delivered again", func(v2 *tracking.DocumentView) bool {
		return delivered(v2) && v2.Delivery.ID != v.Delivery.ID
	})
	if len(r.supplier.house) != 2 || r.supplier.house[0] != r.supplier.house[1] {
		t.Errorf("the back office has %q", r.supplier.house)
	}
	told := false
	for _, e := range again.Events {
		told = told || e.Kind == tracking.EventResent && e.Actor == "dana" && strings.Contains(e.Text, "the ERP lost it")
	}
	if !told {
		t.Errorf("the history does not say who asked and why: %+v", again.Events)
	}
}

func TestReleaseLetsAnInvalidDocumentGoOn(t *testing.T) {
	t.Parallel()
	r := newRoad(t)
	r.supplier.arrive("k1", interchange("BUYER", "SUPPLIER", 61, "PO", 61, []string{orderDocument("0001", "R2", "DZ")}))
	v := r.supplier.await(inbound("850"), "invalid", func(v *tracking.DocumentView) bool { return v.Document.State == tracking.DocumentInvalid })
	r.supplier.quiet()
	ask := processes.Request{Document: v.Document.ID, Actor: "dana", Comment: "agreed by telephone"}
	if _, err := r.supplier.operations().Resend(t.Context(), ask); err == nil {
		t.Error("a document that was never carried was resent")
	}
	if _, err := r.supplier.operations().Release(t.Context(), ask); err != nil {
		t.Fatal(err)
	}
	r.supplier.await(inbound("850"), "delivered", func(v *tracking.DocumentView) bool { return v.Document.State == tracking.DocumentDelivered })
	if len(r.supplier.house) != 1 {
		t.Errorf("the back office has %q", r.supplier.house)
	}
}

// A station that dies behind the validate step judges the content again when
// it goes on: it must not take its own control number for a duplicate.
func TestJudgementMadeAgainAfterARestartIsTheSame(t *testing.T) {
	t.Parallel()
	r := newRoad(t)
	content := interchange("BUYER", "SUPPLIER", 70, "PO", 70, []string{orderDocument("0001", "J1", "EA")})
	id, err := tracking.ParseID(r.supplier.arrive("k1", content))
	if err != nil {
		t.Fatal(err)
	}
	r.supplier.await(inbound("850"), "delivered", func(v *tracking.DocumentView) bool { return v.Document.State == tracking.DocumentDelivered })
	r.supplier.quiet()
	restarted := &processes.Execution{Run: &processes.Run{ID: r.supplier.store.IDs().Next(), TransmissionID: id}, Memo: map[string]any{}}
	result, err := steps.NewAcknowledge(r.supplier.config).Run(t.Context(), restarted)
	if err != nil {
		t.Fatal(err)
	}
	if result.Detail != "1 acknowledgements made" {
		t.Errorf("made again it says %q", result.Detail)
	}
	err = r.supplier.store.Update(t.Context(), result.Commit)
	if err != nil {
		t.Fatal(err)
	}
	if page, err := r.supplier.store.Documents(t.Context(), outbound("TA1")); err != nil || len(page.Documents) != 0 {
		t.Errorf("its own control number was refused by a TA1: %v %v", page, err)
	}
}
