package sample

import (
	"fmt"
	"strings"
	"time"

	"tradepost/processes"
	"tradepost/tracking"
)

// order is what a flow needs to know of a document.
type order struct {
	at     time.Time
	with   side
	st     string
	body   []string
	keys   []tracking.Key
	issues []tracking.Issue // found by us (inbound) or reported by the partner (outbound)
	// ack of an outbound document: what the partner answered.
	ack     tracking.AckState
	ackDue  time.Time
	refused string // outbound: the partner's negative receipt says so
}

func po(n string) []tracking.Key { return []tracking.Key{{Name: "PO", Value: n}} }

// place fills offset, line and value of issues out of the text.
func (x *text) place(issues []tracking.Issue) []tracking.Issue {
	doc := x.content[x.offset : x.offset+x.length]
	term, sep := "~", "*"
	if x.standard == "EDIFACT" {
		term, sep = "'", "+"
	}
	segs := strings.SplitAfter(doc, term)
	for i := range issues {
		at := x.offset
		for n, s := range segs {
			if n+1 == issues[i].Ordinal {
				at += int64(len(s) - len(strings.TrimLeft(s, "\n")))
				parts := strings.Split(strings.Trim(s, "\n"+term), sep)
				if e := issues[i].Element; e > 0 && e < len(parts) {
					at += int64(len(strings.Join(parts[:e], sep)) + 1)
					issues[i].Value = parts[e]
				}
				break
			}
			at += int64(len(s))
		}
		issues[i].Offset = at
		issues[i].Line = 1 + strings.Count(x.content[:at], "\n")
	}
	return issues
}

// inbound plays a document from a partner: receipt, check, acknowledgement and,
// if it is good, delivery to the back office.
func (b *builder) inbound(o order) *tracking.Document {
	x := b.envelope(o.with, b.us, o.at, o.st, o.body)
	t := b.as2(o.at, tracking.Inbound, o.with, x.content)
	t.CompletedAt = o.at.Add(900 * time.Millisecond)
	i := tracking.Interchange{
		ID: b.id(o.at), TransmissionID: t.ID, Direction: tracking.Inbound, Partner: o.with.name, Standard: x.standard, Version: "00401",
		Sender: tracking.Identifier{Qualifier: o.with.qualifier, ID: o.with.id}, Receiver: tracking.Identifier{Qualifier: b.us.qualifier, ID: b.us.id},
		Control: x.isaControl, Date: o.at.Truncate(time.Minute), State: tracking.VerdictAccepted, Payload: t.Content, Length: int64(len(x.content)), CreatedAt: o.at,
	}
	g := tracking.Group{ID: b.id(o.at), InterchangeID: i.ID, Type: x.gs, Version: x.version, Control: x.gsControl, State: tracking.VerdictAccepted}
	d := tracking.Document{
		ID: b.id(o.at), Direction: tracking.Inbound, Partner: o.with.name, Standard: x.standard, Type: x.st, Version: x.version,
		Guide: "x12/004010/" + x.st, InterchangeID: i.ID, GroupID: g.ID, Control: x.control, SourceID: t.ID, Payload: t.Content,
		Offset: x.offset, Length: x.length, Segments: x.segments, State: tracking.DocumentDelivered, Ack: tracking.AckAccepted,
		AckAt: o.at.Add(700 * time.Millisecond), Keys: o.keys, CreatedAt: o.at, UpdatedAt: o.at.Add(1400 * time.Millisecond),
	}
	if x.standard == "EDIFACT" {
		d.Guide, i.Version, t.ContentType = "edifact/D96A/ORDERS", "UNOC:3", "application/EDIFACT"
		d.Ack, d.AckAt = tracking.AckNone, time.Time{}
	}
	r := b.receipt(o.at.Add(120*time.Millisecond), &t, "automatic-action/MDN-sent-automatically; processed", "")
	b.ReceiptList = append(b.ReceiptList, r)
	what := fmt.Sprintf("%s %s from %s", x.st, x.control, o.with.name)
	b.event(o.at, tracking.EventReceived, o.with.name, fmt.Sprintf("%s sent %d bytes over AS2, signed and encrypted", o.with.name, t.Content.Size), t.ID, 0, 0)
	b.event(r.At, tracking.EventReceiptSent, o.with.name, "Receipt sent: processed", t.ID, 0, 0)
	b.event(o.at.Add(380*time.Millisecond), tracking.EventDocReceived, o.with.name, what+" taken out of its envelope", t.ID, i.ID, d.ID)

	issues := x.place(o.issues)
	errs := 0
	for _, is := range issues {
		if is.Severity == "error" {
			errs++
		}
	}
	d.Errors, d.Warnings = errs, len(issues)-errs
	if len(issues) > 0 {
		b.IssueList = append(b.IssueList, Issues{Interchange: i.ID, Document: d.ID, Issues: issues})
	}
	steps := []processes.StepRecord{
		step("take apart", o.at.Add(300*time.Millisecond), 90*time.Millisecond),
		step("validate", o.at.Add(400*time.Millisecond), 60*time.Millisecond),
		step("acknowledge", o.at.Add(600*time.Millisecond), 80*time.Millisecond),
	}
	if errs > 0 {
		d.State, d.Ack, i.State, g.State = tracking.DocumentInvalid, tracking.AckRejected, tracking.VerdictRejected, tracking.VerdictRejected
		d.Error = fmt.Sprintf("%d faults against the guide %s; the first: %s", errs, d.Guide, issues[0].Text)
		b.event(o.at.Add(450*time.Millisecond), tracking.EventDocInvalid, o.with.name, fmt.Sprintf("%s is invalid: %d faults", what, errs), 0, i.ID, d.ID)
	} else {
		b.event(o.at.Add(450*time.Millisecond), tracking.EventDocValid, o.with.name, what+" follows its guide", 0, i.ID, d.ID)
	}
	switch {
	case errs > 0:
	case tracking.IsAcknowledgement(o.st): // it has done its work, and goes no further
		d.State, d.Ack, d.AckAt = tracking.DocumentSettled, tracking.AckNone, time.Time{}
	default:
		out := tracking.Transmission{
			ID: b.id(o.at.Add(time.Second)), Direction: tracking.Outbound, State: tracking.TransmissionDelivered, Station: b.us.name,
			Connection: "back-office", Connector: "directory", Filename: fmt.Sprintf("%s-%s.edi", x.st, d.ID), ContentType: "application/EDI-X12",
			Wire: t.Content, Content: t.Content, Attempts: 1, CreatedAt: o.at.Add(time.Second), CompletedAt: o.at.Add(1400 * time.Millisecond),
			Evidence: tracking.Evidence{Remote: "out/orders"},
		}
		d.DeliveryID = out.ID
		b.TransmissionList = append(b.TransmissionList, out)
		b.event(out.CreatedAt, tracking.EventDeliveryReady, o.with.name, what+" is handed to the back office", out.ID, 0, d.ID)
		b.event(out.CompletedAt, tracking.EventDelivered, o.with.name, what+" is in the back office's folder", out.ID, 0, d.ID)
		steps = append(steps, step("deliver", out.CreatedAt, 400*time.Millisecond))
	}
	b.TransmissionList = append(b.TransmissionList, t)
	b.InterchangeList = append(b.InterchangeList, i)
	b.GroupList = append(b.GroupList, g)
	b.DocumentList = append(b.DocumentList, d)
	b.run(o.at.Add(250*time.Millisecond), "inbound", t.ID, d.ID, o.with.name, processes.RunDone, steps...)
	if x.standard == "X12" && o.st != "997" {
		b.acknowledge(o, &d, x)
	}
	return &b.DocumentList[b.document(d.ID)]
}

func (b *builder) document(id tracking.ID) int {
	for n := range b.DocumentList {
		if b.DocumentList[n].ID == id {
			return n
		}
	}
	return -1
}

func ackBody(about text, code string, issues []tracking.Issue) []string {
	body := []string{fmt.Sprintf("AK1*%s*%s", about.gs, about.gsControl), fmt.Sprintf("AK2*%s*%s", about.st, about.control)}
	for _, i := range issues {
		if i.Severity != "error" || i.Ack == "" {
			continue
		}
		name, value, _ := strings.Cut(i.Ack, "=")
		if name == "AK403" {
			body = append(body, fmt.Sprintf("AK3*%s*%d**8", i.Segment, i.Ordinal), fmt.Sprintf("AK4*%d**%s*%s", i.Element, value, i.Value))
		} else {
			body = append(body, fmt.Sprintf("AK3*%s*%d**%s", i.Segment, i.Ordinal, value))
		}
	}
	taken := 1
	if code == "R" {
		taken = 0
	}
	if code == "R" {
		body = append(body, "AK5*R*5")
	} else {
		body = append(body, "AK5*"+code)
	}
	return append(body, fmt.Sprintf("AK9*%s*1*1*%d", code, taken))
}

// acknowledge sends our 997 about an inbound document.
func (b *builder) acknowledge(o order, about *tracking.Document, x text) {
	code := "A"
	if about.Ack == tracking.AckRejected {
		code = "R"
	}
	at := o.at.Add(700 * time.Millisecond)
	fa := b.outbound(order{at: at, with: o.with, st: "997", body: ackBody(x, code, o.issues), ack: tracking.AckNone})
	b.judge(tracking.Acknowledgement{Type: "997", Direction: tracking.Outbound, CarrierID: fa.ID, Status: about.Ack, Code: code, At: at}, about)
	word := "accepts"
	if code == "R" {
		word = "rejects"
	}
	b.event(at, tracking.EventAckMade, o.with.name, fmt.Sprintf("997 %s %s %s %s", fa.Control, word, about.Type, about.Control), 0, about.InterchangeID, about.ID)
}

// outbound plays a document to a partner, with the receipt and, where the
// order says so, the partner's acknowledgement.
func (b *builder) outbound(o order) *tracking.Document {
	x := b.envelope(b.us, o.with, o.at, o.st, o.body)
	t := b.as2(o.at.Add(600*time.Millisecond), tracking.Outbound, o.with, x.content)
	t.CompletedAt = o.at.Add(1500 * time.Millisecond)
	i := tracking.Interchange{
		ID: b.id(o.at), TransmissionID: t.ID, Direction: tracking.Outbound, Partner: o.with.name, Standard: x.standard, Version: "00401",
		Sender: tracking.Identifier{Qualifier: b.us.qualifier, ID: b.us.id}, Receiver: tracking.Identifier{Qualifier: o.with.qualifier, ID: o.with.id},
		Control: x.isaControl, Date: o.at.Truncate(time.Minute), State: tracking.VerdictPending, Payload: t.Content, Length: int64(len(x.content)), CreatedAt: o.at,
	}
	g := tracking.Group{ID: b.id(o.at), InterchangeID: i.ID, Type: x.gs, Version: x.version, Control: x.gsControl, State: tracking.VerdictPending}
	d := tracking.Document{
		ID: b.id(o.at), Direction: tracking.Outbound, Partner: o.with.name, Standard: x.standard, Type: x.st, Version: x.version,
		Guide: "x12/004010/" + x.st, InterchangeID: i.ID, GroupID: g.ID, Control: x.control, DeliveryID: t.ID, Payload: t.Content,
		Offset: x.offset, Length: x.length, Segments: x.segments, State: tracking.DocumentDelivered, Ack: o.ack, AckDue: o.ackDue,
		Keys: o.keys, CreatedAt: o.at, UpdatedAt: t.CompletedAt,
	}
	what := fmt.Sprintf("%s %s to %s", x.st, x.control, o.with.name)
	if o.st != "997" {
		src := tracking.Transmission{
			ID: b.id(o.at), Direction: tracking.Inbound, State: tracking.TransmissionProcessed, Station: b.us.name,
			Connection: "back-office", Connector: "directory", Key: "directory:" + d.ID.String(), Filename: "shipment " + x.control + ".edi",
			Wire: t.Content, Content: t.Content, Attempts: 1, CreatedAt: o.at, CompletedAt: o.at.Add(500 * time.Millisecond),
			Evidence: tracking.Evidence{Remote: "in/shipments"},
		}
		d.SourceID = src.ID
		b.TransmissionList = append(b.TransmissionList, src)
		b.event(o.at, tracking.EventReceived, o.with.name, "The back office dropped "+src.Filename, src.ID, 0, 0)
		b.event(o.at.Add(150*time.Millisecond), tracking.EventDocReceived, o.with.name, what+" taken in", src.ID, 0, d.ID)
	}
	b.event(o.at.Add(250*time.Millisecond), tracking.EventDocValid, o.with.name, what+" follows its guide", 0, 0, d.ID)
	b.event(o.at.Add(400*time.Millisecond), tracking.EventDocEnveloped, o.with.name, fmt.Sprintf("%s got interchange %s and group %s", what, x.isaControl, x.gsControl), 0, i.ID, d.ID)
	b.event(t.CreatedAt, tracking.EventDeliveryReady, o.with.name, what+" is signed, encrypted and on its way", t.ID, i.ID, d.ID)

	if o.refused != "" {
		r := b.receipt(t.CompletedAt, &t, "automatic-action/MDN-sent-automatically; processed/error: "+o.refused, "the partner could not use the transmission: "+o.refused)
		t.State, t.Error, d.State, d.Error = tracking.TransmissionRefused, r.Reason, tracking.DocumentFailed, r.Reason
		b.ReceiptList = append(b.ReceiptList, r)
		b.event(r.At, tracking.EventReceiptBad, o.with.name, "Negative receipt: "+o.refused, t.ID, 0, 0)
		b.event(r.At.Add(20*time.Millisecond), tracking.EventDeliveryFailed, o.with.name, what+" was refused and is not delivered", t.ID, i.ID, d.ID)
	} else {
		r := b.receipt(t.CompletedAt, &t, "automatic-action/MDN-sent-automatically; processed", "")
		b.ReceiptList = append(b.ReceiptList, r)
		b.event(r.At, tracking.EventReceiptIn, o.with.name, "Receipt received: processed, the integrity check is equal", t.ID, 0, 0)
		b.event(r.At.Add(20*time.Millisecond), tracking.EventDelivered, o.with.name, what+" is delivered", t.ID, i.ID, d.ID)
	}
	b.TransmissionList = append(b.TransmissionList, t)
	b.InterchangeList = append(b.InterchangeList, i)
	b.GroupList = append(b.GroupList, g)
	b.DocumentList = append(b.DocumentList, d)
	b.run(o.at.Add(50*time.Millisecond), "outbound", t.ID, d.ID, o.with.name, processes.RunDone,
		step("validate", o.at.Add(200*time.Millisecond), 50*time.Millisecond), step("envelope", o.at.Add(350*time.Millisecond), 50*time.Millisecond),
		step("deliver", t.CreatedAt, t.CompletedAt.Sub(t.CreatedAt)))
	switch o.ack {
	case tracking.AckAccepted, tracking.AckRejected, tracking.AckWithErrors:
		b.settle(o, &b.DocumentList[len(b.DocumentList)-1], x)
	case tracking.AckAwaited:
		if !o.ackDue.IsZero() && o.ackDue.Before(Now()) {
			b.event(o.ackDue, tracking.EventAckOverdue, o.with.name, what+" is not acknowledged in time", 0, 0, d.ID)
		}
	}
	return &b.DocumentList[b.document(d.ID)]
}

// judge records what a 997 says: of the group, and of the document in it.
func (b *builder) judge(a tracking.Acknowledgement, about *tracking.Document) {
	a.ID, a.GroupID = b.id(a.At), about.GroupID
	b.AckList = append(b.AckList, a)
	a.ID, a.GroupID, a.DocumentID = b.id(a.At), 0, about.ID
	b.AckList = append(b.AckList, a)
}

// settle plays the partner's 997 about an outbound document.
func (b *builder) settle(o order, d *tracking.Document, x text) {
	id, at := d.ID, o.at.Add(4*time.Minute+12*time.Second)
	issues := x.place(o.issues)
	code, word := "A", "accepts"
	if o.ack == tracking.AckRejected {
		code, word = "R", "rejects"
		d.Error = fmt.Sprintf("%s rejected it in %s; the first fault: %s", o.with.name, "their 997", issues[0].Text)
		d.Errors = len(issues)
		b.IssueList = append(b.IssueList, Issues{Interchange: d.InterchangeID, Document: id, Issues: issues})
	}
	d.AckAt, d.UpdatedAt = at.Add(500*time.Millisecond), at.Add(500*time.Millisecond)
	settled := *d
	fa := b.inbound(order{at: at, with: o.with, st: "997", body: ackBody(x, code, issues)})
	b.judge(tracking.Acknowledgement{Type: "997", Direction: tracking.Inbound, CarrierID: fa.ID, Status: o.ack, Code: code, At: settled.AckAt}, &settled)
	b.event(settled.AckAt, tracking.EventAckIn, o.with.name, fmt.Sprintf("%s %s our %s %s in 997 %s", o.with.name, word, settled.Type, settled.Control, fa.Control), 0, settled.InterchangeID, id)
}
