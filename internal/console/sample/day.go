package sample

import (
	"encoding/json"
	"fmt"
	"time"

	"tradepost/partners"
	"tradepost/processes"
	"tradepost/processes/queue"
	"tradepost/tracking"
)

// Now is the moment at which Day is looked at.
func Now() time.Time { return time.Date(2026, 11, 5, 14, 32, 10, 0, time.UTC) }

func kestrel() side {
	return side{name: "Kestrel Markets", as2: "KESTREL", qualifier: "01", id: "081940553", remote: "https://as2.kestrel-markets.example:4080/as2"}
}

func bluegate() side {
	return side{name: "Bluegate Stores", as2: "BLUEGATE-EDI", qualifier: "08", id: "6123410007", remote: "https://edi.bluegate.example/as2"}
}

func orchard() side {
	return side{name: "Orchard Packaging", as2: "ORCHARDPACK", qualifier: "12", id: "5035550142", remote: "http://b2b.orchard-packaging.example:8080/"}
}

func juniper() side {
	return side{name: "Juniper Logistics", as2: "JUNIPER-WMS", qualifier: "ZZ", id: "JUNIPERWMS", remote: "https://as2.juniper-logistics.example/in"}
}

func fjord() side {
	return side{name: "Fjord Detalj AS", as2: "FJORD", qualifier: "14", id: "7080000123455", remote: "https://as2.fjord-detalj.example/", edifact: true}
}

// Day returns the station "Alder Creek Foods" on the afternoon of 5 November
// 2026: orders in, despatch advices and invoices out, one order that breaks its
// guide, one despatch advice rejected by the partner, one order refused for its
// encryption, one acknowledgement overdue and one delivery that is tried again.
func Day() *Store {
	b := newBuilder()
	at := func(h, m, s int) time.Time { return time.Date(2026, 11, 5, h, m, s, 0, time.UTC) }
	b.agreements(at(0, 0, 0))
	b.background()

	b.inbound(order{at: at(9, 3, 22), with: kestrel(), st: "850", body: purchaseOrder("4500012345"), keys: po("4500012345")})
	b.outbound(order{
		at: at(11, 41, 5), with: kestrel(), st: "856", body: despatch("4500012345", "SH-88120"),
		keys: append(po("4500012345"), tracking.Key{Name: "Shipment", Value: "SH-88120"}), ack: tracking.AckAccepted, ackDue: at(15, 41, 5),
	})
	b.outbound(order{
		at: at(11, 58, 40), with: kestrel(), st: "810", body: invoice("4500012345", "INV-30951"),
		keys: append(po("4500012345"), tracking.Key{Name: "Invoice", Value: "INV-30951"}), ack: tracking.AckAwaited, ackDue: at(15, 58, 40),
	})
	b.duplicate(at(9, 8, 51))

	b.inbound(order{at: at(13, 17, 48), with: bluegate(), st: "850", body: brokenOrder("BG-77120"), keys: po("BG-77120"), issues: []tracking.Issue{
		{Severity: "error", Level: "element", Ack: "AK403=7", Segment: "BEG", Ordinal: 2, Element: 1, Path: "heading/BEG", Text: "QQ is not a purpose this guide allows: use 00 (original), 01 (cancellation), 05 (replace) or 06 (confirmation)"},
		{Severity: "warning", Level: "element", Segment: "N4", Ordinal: 8, Element: 3, Path: "heading/N1/N4", Text: "the postal code is written with a blank at its end, which was passed over (rule: trailing blanks)"},
		{Severity: "error", Level: "element", Ack: "AK403=6", Segment: "PO1", Ordinal: 9, Element: 2, Path: "detail/PO1", Text: "12O is no number: there is a letter where a digit belongs"},
		{Severity: "error", Level: "element", Ack: "AK403=8", Segment: "DTM", Ordinal: 11, Element: 2, Path: "detail/PO1/DTM", Text: "20261131 is no date: November has 30 days"},
		{Severity: "error", Level: "segment", Ack: "AK304=3", Segment: "CTT", Ordinal: 12, Path: "summary/CTT", Text: "the segment CTT (totals) is missing; this guide asks for it before SE"},
	}})
	b.outbound(order{
		at: at(10, 20, 31), with: bluegate(), st: "856", body: despatch("BG-76980", "SH-88114"), keys: append(po("BG-76980"), tracking.Key{Name: "Shipment", Value: "SH-88114"}),
		ack: tracking.AckRejected, issues: []tracking.Issue{
			{Severity: "error", Level: "element", Ack: "AK403=1", Segment: "N1", Ordinal: 8, Element: 4, Reporter: "partner", Text: "a mandatory element is missing (location code of the ship-to)"},
		},
	})
	b.outbound(order{
		at: at(8, 12, 9), with: bluegate(), st: "810", body: invoice("BG-76911", "INV-30940"),
		keys: append(po("BG-76911"), tracking.Key{Name: "Invoice", Value: "INV-30940"}), ack: tracking.AckAwaited, ackDue: at(12, 12, 9),
	})
	b.outbound(order{at: at(13, 52, 0), with: orchard(), st: "850", body: purchaseOrder("PO-2211"), keys: po("PO-2211"), ack: tracking.AckAwaited, refused: "decryption-failed"})
	b.inbound(order{at: at(12, 30, 15), with: fjord(), body: edifactOrder("ORD-55871"), keys: []tracking.Key{{Name: "PO", Value: "ORD-55871"}}})
	b.waiting(at(14, 21, 3))
	b.arriving(at(14, 32, 8))
	b.unknownSigner(at(6, 44, 30))
	b.dead(at(5, 10, 0))
	return b.Store
}

func newBuilder() *builder {
	return &builder{
		Store:    &Store{Payloads: map[string][]byte{}, Certificates: map[string][]tracking.Certificate{}},
		controls: map[string]int{},
		us:       side{name: "Alder Creek Foods", as2: "ALDERCREEK", qualifier: "ZZ", id: "ALDERCREEK"},
	}
}

func (b *builder) agreements(today time.Time) {
	b.Station = partners.Station{
		Name: b.us.name, AS2ID: b.us.as2, Identifiers: []partners.Identifier{{Qualifier: b.us.qualifier, ID: b.us.id}},
		Certificate: "keys/station.crt", Key: "keys/station.key",
	}
	b.Certificates[""] = []tracking.Certificate{cert("Alder Creek Foods AS2", "Alder Creek Foods", today.AddDate(-1, -2, 0), 3)}
	expiries := []struct {
		p        side
		from     time.Time
		contact  string
		in, out  []partners.DocumentRule
		ackAfter time.Duration
		receipt  string
	}{
		{kestrel(), today.AddDate(-1, 0, 3), "edi-support@kestrel-markets.example, +1 555 0134", rules("850", "orders"), rules("856", "", "810", ""), 4 * time.Hour, "sync"},
		{bluegate(), today.AddDate(-2, 0, 19), "Dana Whitfield, edi@bluegate.example", rules("850", "orders"), rules("855", "", "856", "", "810", ""), 4 * time.Hour, "sync"},
		{orchard(), today.AddDate(-2, 0, -4), "b2b@orchard-packaging.example", rules("855", "orders", "810", "orders"), rules("850", ""), 24 * time.Hour, "async"},
		{juniper(), today.AddDate(0, -5, 0), "it@juniper-logistics.example", rules("945", "warehouse"), rules("940", ""), 2 * time.Hour, "sync"},
		{fjord(), today.AddDate(0, -1, 0), "", rules("ORDERS", "orders"), nil, 0, "sync"},
	}
	for _, x := range expiries {
		years := 2
		if x.p.name == kestrel().name {
			years = 3
		}
		b.Certificates[x.p.name] = []tracking.Certificate{cert(x.p.as2, x.p.name, x.from, years)}
		if x.p.name == bluegate().name { // rolls over: the next one is there already
			b.Certificates[x.p.name] = append(b.Certificates[x.p.name], cert(x.p.as2+" 2026", x.p.name, today.AddDate(0, 0, 5), 2))
		}
		b.Partners = append(b.Partners, partners.Partner{
			Name: x.p.name, AS2ID: x.p.as2, Identifiers: []partners.Identifier{{Qualifier: x.p.qualifier, ID: x.p.id}},
			Certificates: []partners.CertificateFile{{File: "partners/" + slug(x.p.name) + ".crt"}}, Contact: x.contact,
		})
		ack := "997"
		if x.p.edifact {
			ack = "none"
		}
		b.Partnerships = append(b.Partnerships, partners.Partnership{
			Partner: x.p.name, Inbound: x.in, Outbound: x.out, Connection: "as2-" + slug(x.p.name), Acknowledge: ack, AckWithin: x.ackAfter,
			Profile: "tolerant", AS2: partners.AS2Policy{
				Sign: "sha-256", Encrypt: "aes-256-cbc", Compress: true, Receipt: x.receipt, SignedReceipt: true, RequireSigned: true, RequireEncrypted: true,
			},
		})
		b.Connections = append(b.Connections, partners.Connection{
			Name: "as2-" + slug(x.p.name), Connector: "as2", Partner: x.p.name, Settings: json.RawMessage(fmt.Sprintf(`{"url":%q}`, x.p.remote)),
		})
	}
	b.Connections = append(b.Connections, partners.Connection{Name: "back-office", Connector: "directory", Settings: json.RawMessage(`{"in":"in","out":"out"}`)})
}

func rules(pairs ...string) []partners.DocumentRule {
	var list []partners.DocumentRule
	for len(pairs) >= 2 {
		list, pairs = append(list, partners.DocumentRule{Type: pairs[0], Deliver: pairs[1]}), pairs[2:]
	}
	return list
}

// background is the traffic of an ordinary day: more in the morning, all well.
func (b *builder) background() {
	start := time.Date(2026, 11, 4, 15, 0, 0, 0, time.UTC)
	perHour := []int{4, 5, 3, 2, 1, 1, 0, 0, 0, 0, 1, 1, 2, 1, 3, 5, 6, 7, 6, 5, 4, 6, 5, 2}
	sides := []side{kestrel(), bluegate(), kestrel(), juniper(), kestrel(), bluegate()}
	for h, n := range perHour {
		for k := range n {
			seq := h*10 + k
			at := start.Add(time.Duration(h)*time.Hour + time.Duration(k*57/n)*time.Minute + time.Duration(seq%53)*time.Second)
			if !at.Before(Now().Add(-10 * time.Minute)) {
				continue
			}
			p := sides[(h*7+k)%len(sides)]
			number := fmt.Sprintf("45000%05d", 11800+seq)
			switch {
			case p.name == juniper().name:
				b.outbound(order{at: at, with: p, st: "940", body: shippingOrder(number), keys: po(number), ack: tracking.AckAccepted, ackDue: at.Add(2 * time.Hour)})
			case (h+k)%3 == 0:
				b.outbound(order{at: at, with: p, st: "856", body: despatch(number, fmt.Sprintf("SH-%d", 87000+seq)), keys: po(number), ack: tracking.AckAccepted, ackDue: at.Add(4 * time.Hour)})
			default:
				b.inbound(order{at: at, with: p, st: "850", body: purchaseOrder(number), keys: po(number)})
			}
		}
	}
}

// duplicate is Kestrel's order sent once more with the same Message-ID.
func (b *builder) duplicate(at time.Time) {
	first := find(b.TransmissionList, func(t *tracking.Transmission) bool {
		return t.Direction == tracking.Inbound && t.Partner == kestrel().name && t.CreatedAt.Equal(time.Date(2026, 11, 5, 9, 3, 22, 0, time.UTC))
	})
	t := *first
	t.ID, t.State, t.DuplicateOf, t.CreatedAt, t.CompletedAt = b.id(at), tracking.TransmissionDuplicate, first.ID, at, at
	b.TransmissionList = append(b.TransmissionList, t)
	b.event(at, tracking.EventDuplicate, t.Partner, "The same Message-ID again: kept, not processed, answered with the same receipt", t.ID, 0, 0)
}

// waiting is an order to the warehouse whose delivery is tried again.
func (b *builder) waiting(at time.Time) {
	d := b.outbound(order{at: at, with: juniper(), st: "940", body: shippingOrder("4500012391"), keys: po("4500012391"), ack: tracking.AckAwaited, ackDue: at.Add(2 * time.Hour)})
	d.State = tracking.DocumentSending
	// Undo what the good case told: no receipt has come.
	b.ReceiptList = b.ReceiptList[:len(b.ReceiptList)-1]
	b.EventList = b.EventList[:len(b.EventList)-2]
	n := len(b.TransmissionList) - 1
	t := &b.TransmissionList[n]
	t.State, t.CompletedAt, t.Attempts, t.Evidence.HTTPStatus = tracking.TransmissionPrepared, time.Time{}, 3, 0
	reason := "connect to as2.juniper-logistics.example:443: connection refused"
	t.Error = reason
	run := &b.RunList[len(b.RunList)-1]
	run.State, run.Attempt, run.Error = processes.RunWaiting, 3, reason
	run.Steps = run.Steps[:2]
	for k, after := range []time.Duration{0, time.Minute, 4 * time.Minute} {
		from := t.CreatedAt.Add(after)
		run.Steps = append(run.Steps, processes.StepRecord{
			ID: b.id(from), RunID: run.ID, Step: "deliver", Attempt: k + 1,
			StartedAt: from, EndedAt: from.Add(3 * time.Second), Outcome: "retry", Detail: reason,
		})
		b.event(from.Add(3*time.Second), tracking.EventDeliveryRetry, d.Partner, fmt.Sprintf("Attempt %d: %s", k+1, reason), t.ID, 0, d.ID)
		run.UpdatedAt = from.Add(3 * time.Second)
	}
	b.LaneList = append(b.LaneList,
		queue.Lane{Name: "deliver/as2-juniper", Waiting: 4, Head: &queue.Job{
			ID: 71, Lane: "deliver/as2-juniper", Kind: "run", Args: json.RawMessage(`{"run":"` + run.ID.String() + `"}`), State: queue.Ready, Attempt: 3,
			RunAt: Now().Add(4*time.Minute + 20*time.Second), LastError: reason, CreatedAt: at,
		}},
		queue.Lane{Name: "process/Kestrel Markets", Waiting: 1, Head: &queue.Job{
			ID: 93, Lane: "process/Kestrel Markets", Kind: "run", Args: json.RawMessage(`{"run":"0000000000000"}`), State: queue.Claimed, Attempt: 1,
			RunAt: Now().Add(-2 * time.Second), LeaseUntil: Now().Add(28 * time.Second), Owner: "node-1", CreatedAt: Now().Add(-2 * time.Second),
		}},
		queue.Lane{Name: "deliver/as2-orchard", Waiting: 0, Dead: 1},
		queue.Lane{Name: "process/Fjord Detalj AS", Waiting: 2, Paused: true, Head: &queue.Job{
			ID: 88, Lane: "process/Fjord Detalj AS", Kind: "run", Args: json.RawMessage(`{}`), State: queue.Ready, RunAt: Now().Add(-time.Hour), CreatedAt: Now().Add(-time.Hour),
		}},
	)
}

// arriving is an order that has just come in and is not judged yet.
func (b *builder) arriving(at time.Time) {
	d := b.inbound(order{at: at, with: kestrel(), st: "850", body: purchaseOrder("4500012402"), keys: po("4500012402")})
	id := d.ID
	n := b.document(id)
	keep := b.DocumentList[n]
	keep.State, keep.Ack, keep.AckAt, keep.DeliveryID, keep.UpdatedAt = tracking.DocumentReceived, tracking.AckAwaited, time.Time{}, 0, at.Add(380*time.Millisecond)
	b.DocumentList = b.DocumentList[:n+1]
	b.DocumentList[n] = keep
	b.AckList = b.AckList[:len(b.AckList)-2]
	b.InterchangeList = b.InterchangeList[:len(b.InterchangeList)-1]
	b.GroupList = b.GroupList[:len(b.GroupList)-1]
	b.RunList = b.RunList[:len(b.RunList)-2]
	b.ReceiptList = b.ReceiptList[:len(b.ReceiptList)-1]
	var events []tracking.Event
	for _, e := range b.EventList {
		if e.At.Before(at.Add(400 * time.Millisecond)) {
			events = append(events, e)
		}
	}
	b.EventList = events
	var list []tracking.Transmission
	for _, t := range b.TransmissionList {
		if !t.CreatedAt.After(at) {
			list = append(list, t)
		}
	}
	b.TransmissionList = list
}

// unknownSigner is a transmission whose signature nobody we know has made.
func (b *builder) unknownSigner(at time.Time) {
	t := b.as2(at, tracking.Inbound, orchard(), "what arrived could not be trusted\n")
	stranger := cert("ORCHARDPACK 2026", "Orchard Packaging", at.AddDate(0, 0, -2), 2)
	t.State, t.Error, t.CompletedAt = tracking.TransmissionRefused, "the signature was made with a certificate that is not agreed for Orchard Packaging; ask the partner for its new certificate and add it", at.Add(300*time.Millisecond)
	t.Content, t.Evidence.Signer, t.Evidence.MIC = tracking.Payload{}, &stranger, ""
	r := b.receipt(at.Add(200*time.Millisecond), &t, "automatic-action/MDN-sent-automatically; processed/error: authentication-failed", "authentication-failed")
	b.ReceiptList = append(b.ReceiptList, r)
	b.TransmissionList = append(b.TransmissionList, t)
	b.event(at, tracking.EventRefused, t.Partner, "Refused: "+t.Error, t.ID, 0, 0)
	b.event(r.At, tracking.EventReceiptSent, t.Partner, "Receipt sent: authentication-failed", t.ID, 0, 0)
}

func (b *builder) dead(at time.Time) {
	failed := find(b.DocumentList, func(d *tracking.Document) bool { return d.State == tracking.DocumentFailed })
	run := find(b.RunList, func(r *processes.RunView) bool { return r.DocumentID == failed.ID })
	b.DeadList = append(b.DeadList, &queue.Job{
		ID: 40, Lane: "deliver/as2-orchard", Kind: "run", Args: json.RawMessage(`{"run":"` + run.ID.String() + `"}`), State: queue.Dead, Attempt: 1,
		RunAt: at, LastError: failed.Error, CreatedAt: failed.CreatedAt,
	})
}
