package console

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"tradepost/tracking"
)

// Stage is one station on a document's way.
type Stage struct {
	Name string
	// Is says how it stands: done, told (done, with bad news for the partner),
	// failed, now (being worked on or waited for), late, ahead (not reached yet),
	// stopped (will not be reached).
	Is   string
	Icon string
	At   time.Time
	Gap  string // how long after the stage before it
	Text string
	Link string
}

// Stands says in a word how the stage stands, for those who do not see it.
func (s Stage) Stands() string {
	switch s.Is {
	case "done", "told":
		return "done"
	case "failed":
		return "failed"
	case "now":
		return "waited for"
	case "late":
		return "overdue"
	case "stopped":
		return "will not happen"
	}
	return "still ahead"
}

// lane puts a document's life cycle together out of its view.
func lane(v *tracking.DocumentView, now time.Time) []Stage {
	var stages []Stage
	if v.Document.Direction == tracking.Inbound {
		stages = inboundLane(v)
	} else {
		stages = outboundLane(v, now)
	}
	// What lies behind a failure will not be reached, except that we acknowledge
	// bad documents too; of what is missing the first is the one waited for.
	failed, waited := false, false
	var last time.Time
	for i := range stages {
		s := &stages[i]
		switch {
		case s.Is == "failed":
			failed = true
		case s.Is == "ahead" && failed && (s.Name != "Acknowledged" || v.Document.Direction == tracking.Outbound):
			s.Is, s.Icon = "stopped", "minus"
		case s.Is == "ahead" && !waited && !failed:
			s.Is, waited = "now", true
		case s.Is == "late":
			waited = true
		}
		if !s.At.IsZero() {
			if !last.IsZero() && !s.At.Before(last) {
				s.Gap = "+" + duration(s.At.Sub(last))
			}
			last = s.At
		}
	}
	return stages
}

func inboundLane(v *tracking.DocumentView) []Stage {
	d := &v.Document
	list := []Stage{arrival(v)}
	if r := receiptOf(v, d.SourceID, tracking.Outbound); r != nil {
		list = append(list, receiptStage(r, "Receipt sent"))
	}
	list = append(list, validated(v))
	if d.Ack != tracking.AckNone {
		s := Stage{Name: "Acknowledged", Is: "ahead", Icon: "double-check", Text: "our acknowledgement is to be written"}
		if a := aboutDocument(v); a != nil {
			s.Is, s.At, s.Text, s.Link = "done", a.At, a.Type+": "+ackWord(a.Status), documentLinkOf(a.CarrierID)
			if a.Status == tracking.AckRejected {
				s.Is, s.Icon = "told", "cross"
			}
		} else if !d.AckAt.IsZero() {
			s.Is, s.At, s.Text = "done", d.AckAt, ackWord(d.Ack)
		}
		list = append(list, s)
	}
	if isAck(d.Type) {
		return append(list, settled(v))
	}
	return append(list, handedOver(v, "Delivered", "to the back office"))
}

func outboundLane(v *tracking.DocumentView, now time.Time) []Stage {
	d := &v.Document
	var list []Stage
	if d.SourceID != 0 {
		list = append(list, arrival(v))
	} else {
		list = append(list, Stage{Name: "Written", Is: "done", Icon: "pen", At: d.CreatedAt, Text: "by the station itself"})
	}
	list = append(list, validated(v))
	env := Stage{Name: "Enveloped", Is: "ahead", Icon: "envelope", Text: "control numbers are not given yet"}
	if e := eventOf(v, tracking.EventDocEnveloped); e != nil {
		env.Is, env.At = "done", e.At
	} else if d.InterchangeID != 0 {
		env.Is = "done"
	}
	if env.Is == "done" {
		env.Text = "with its control numbers"
		if v.Interchange != nil {
			env.Text = "interchange " + cut(20, v.Interchange.Control)
		}
	}
	sent := Stage{Name: "Sent", Is: "ahead", Icon: "send"}
	if t := v.Delivery; t != nil {
		sent.Is, sent.At, sent.Text, sent.Link = "done", t.CreatedAt, connectorName(t.Connector), "/transmissions/"+t.ID.String()
		if t.Attempts > 1 {
			sent.Text += fmt.Sprintf(", attempt %d", t.Attempts)
		}
		if t.State == tracking.TransmissionPrepared {
			sent.Is = "ahead"
			sent.Text = "being sent"
			if t.Attempts > 1 {
				sent.Text = fmt.Sprintf("tried %d times", t.Attempts)
			}
			sent.At = time.Time{}
		}
		if t.State == tracking.TransmissionFailed {
			sent.Is, sent.Icon, sent.Text = "failed", "alert", "gave up"
		}
	}
	list = append(list, env, sent)
	if v.Delivery != nil && v.Delivery.Connector != "as2" {
		list = append(list, handedOver(v, "Delivered", "to "+cut(30, v.Delivery.Connection)))
	} else if r := receiptOf(v, d.DeliveryID, tracking.Inbound); r != nil {
		list = append(list, receiptStage(r, "Receipt"))
	} else {
		list = append(list, Stage{Name: "Receipt", Is: "ahead", Icon: "receipt", Text: "proves delivery"})
	}
	if d.Ack == tracking.AckNone {
		return list
	}
	s := Stage{Name: "Acknowledged", Is: "ahead", Icon: "double-check", At: d.AckAt}
	a := aboutDocument(v)
	switch {
	case a != nil:
		s.Is, s.At, s.Text, s.Link = "done", a.At, a.Type+": "+ackWord(a.Status), documentLinkOf(a.CarrierID)
		if a.Status == tracking.AckRejected {
			s.Is, s.Icon = "failed", "cross"
		}
	case d.Ack != tracking.AckAwaited:
		s.Is, s.Text = "done", ackWord(d.Ack)
	case overdue(d, now):
		s.Is, s.Icon, s.Text = "late", "late", "due "+duration(now.Sub(d.AckDue))+" ago"
	case !d.AckDue.IsZero():
		s.Text = "due in " + duration(d.AckDue.Sub(now))
	}
	return append(list, s)
}

// arrival is how the document came to us.
func arrival(v *tracking.DocumentView) Stage {
	s := Stage{Name: "Received", Is: "done", Icon: "inbox", At: v.Document.CreatedAt}
	if t := v.Source; t != nil {
		s.At, s.Link = t.CreatedAt, "/transmissions/"+t.ID.String()
		s.Text = connectorName(t.Connector) + ", " + size(t.Content.Size)
	}
	return s
}

func validated(v *tracking.DocumentView) Stage {
	d := &v.Document
	s := Stage{Name: "Validated", Is: "ahead", Icon: "check", Text: "not judged yet", Link: "/documents/" + d.ID.String() + "/segments"}
	if e := eventOf(v, tracking.EventDocInvalid); e != nil || d.State == tracking.DocumentInvalid {
		s.Is, s.Icon, s.Text = "failed", "octagon", plural(d.Errors, "fault", "faults")
		if isForm(v) {
			s.Name = "Mapped"
		}
		if e != nil {
			s.At = e.At
		}
		return s
	}
	e := eventOf(v, tracking.EventDocValid)
	if e != nil {
		s.At = e.At
	}
	if e != nil || d.State != tracking.DocumentReceived {
		s.Is, s.Text = "done", "follows its guide"
		if d.Warnings > 0 {
			s.Text = plural(d.Warnings, "warning", "warnings")
		}
	}
	return s
}

// handedOver is the delivery by a connector that gives no receipt.
func handedOver(v *tracking.DocumentView, name, text string) Stage {
	d := &v.Document
	s := Stage{Name: name, Is: "ahead", Icon: "check", Text: text}
	if v.Delivery != nil {
		s.Link = "/transmissions/" + v.Delivery.ID.String()
	}
	switch d.State {
	case tracking.DocumentDelivered:
		s.Is = "done"
		if e := eventOf(v, tracking.EventDelivered); e != nil {
			s.At = e.At
		} else if v.Delivery != nil {
			s.At = v.Delivery.CompletedAt
		}
	case tracking.DocumentFailed:
		s.Is, s.Icon, s.Text = "failed", "alert", "gave up"
	}
	return s
}

// settled is the end of an inbound acknowledgement: what it judged knows.
func settled(v *tracking.DocumentView) Stage {
	s := Stage{Name: "Settled", Is: "ahead", Icon: "double-check", Text: "what it judges"}
	var said []tracking.Acknowledgement
	for _, a := range v.Acknowledgements {
		if a.CarrierID == v.Document.ID {
			said = append(said, a)
		}
	}
	// What it says of the whole comes before what it says of the parts; it leads
	// to the document it judges where that is one.
	slices.SortStableFunc(said, func(a, b tracking.Acknowledgement) int { return cmp.Compare(a.DocumentID, b.DocumentID) })
	judged := 0
	for _, a := range said {
		if a.DocumentID != 0 {
			judged++
			s.Link = documentLinkOf(a.DocumentID)
		}
	}
	if judged != 1 {
		s.Link = ""
	}
	switch {
	case len(said) > 0:
		s.Is, s.At, s.Text = "done", said[0].At, ackWord(said[0].Status)
	case v.Document.State == tracking.DocumentSettled || v.Document.State == tracking.DocumentDelivered:
		s.Is, s.Text = "done", "nothing of ours"
		if e := eventOf(v, tracking.EventAckUnmatched); e != nil {
			s.At = e.At
		}
	}
	return s
}

func receiptStage(r *tracking.Receipt, name string) Stage {
	s := Stage{Name: name, Is: "done", Icon: "receipt", At: r.At, Text: "processed"}
	if r.Direction == tracking.Inbound && r.MICMatches {
		s.Text = "integrity equal"
	}
	if !r.Positive {
		s.Is, s.Icon, s.Text = "failed", "octagon", "negative"
	}
	return s
}

// receiptOf is the receipt about a transmission that counts: a positive one
// where there is one, the newest otherwise.
func receiptOf(v *tracking.DocumentView, transmission tracking.ID, direction tracking.Direction) *tracking.Receipt {
	var found *tracking.Receipt
	for i := range v.Receipts {
		r := &v.Receipts[i]
		if transmission != 0 && r.TransmissionID == transmission && r.Direction == direction && (found == nil || !found.Positive) {
			found = r
		}
	}
	return found
}

// aboutDocument is the newest acknowledgement of this document. One of its group
// or interchange stands for it only where none speaks of the document itself.
func aboutDocument(v *tracking.DocumentView) *tracking.Acknowledgement {
	near := func(a *tracking.Acknowledgement) int {
		switch {
		case a.DocumentID != 0:
			return 2
		case a.GroupID != 0:
			return 1
		}
		return 0
	}
	var found *tracking.Acknowledgement
	for i := range v.Acknowledgements {
		a := &v.Acknowledgements[i]
		if a.CarrierID == v.Document.ID || a.Direction == v.Document.Direction {
			continue
		}
		if found == nil || cmp.Or(cmp.Compare(near(a), near(found)), a.At.Compare(found.At)) >= 0 {
			found = a
		}
	}
	return found
}

// eventOf is the last event of a kind that concerns the document.
func eventOf(v *tracking.DocumentView, kind tracking.EventKind) *tracking.Event {
	for i := len(v.Events) - 1; i >= 0; i-- {
		if e := &v.Events[i]; e.Kind == kind && (e.DocumentID == v.Document.ID || e.DocumentID == 0) {
			return e
		}
	}
	return nil
}

// took is the time between the first and the last stage that has one.
func took(stages []Stage) string {
	var first, last time.Time
	for _, s := range stages {
		if s.At.IsZero() {
			continue
		}
		if first.IsZero() {
			first = s.At
		}
		if s.At.After(last) {
			last = s.At
		}
	}
	if first.IsZero() || last.Equal(first) {
		return ""
	}
	return duration(last.Sub(first))
}

func ackWord(s tracking.AckState) string {
	switch s {
	case tracking.AckAccepted:
		return "accepted"
	case tracking.AckWithErrors:
		return "accepted with errors"
	case tracking.AckPartial:
		return "partly accepted"
	case tracking.AckRejected:
		return "rejected"
	case tracking.AckAwaited:
		return "awaited"
	}
	return string(s)
}

func connectorName(s string) string {
	switch s {
	case "as2":
		return "AS2"
	case "directory":
		return "folder"
	case "sftp", "ftp", "https":
		return s
	}
	return cut(20, s)
}

func documentLinkOf(id tracking.ID) string {
	if id == 0 {
		return ""
	}
	return "/documents/" + id.String()
}
