package cli

import (
	"fmt"
	"strings"
	"time"

	"tradepost/tracking"
)

// page builds the text of one document for a terminal.
type page struct {
	strings.Builder
}

func (p *page) line(format string, args ...any) { p.WriteString(fmt.Sprintf(format, args...) + "\n") }

// fact prints a name and a value that somebody else may have written; empty
// values are left out.
func (p *page) fact(name, value string) {
	if value != "" {
		p.line("  %-12s %s", name, plain(value))
	}
}

// documentText writes everything known of a document for a person.
func (e *Env) documentText(v *tracking.DocumentView) string {
	var p page
	d := v.Document
	way := "from"
	if d.Direction == tracking.Outbound {
		way = "to"
	}
	p.line("%s %s %s %s: %s", plain(d.Type), plain(d.Control), way, plain(d.Partner), d.State)
	p.fact("id", d.ID.String())
	p.fact("keys", keys(tracking.DocumentRow{Document: d}))
	if i := v.Interchange; i != nil {
		p.fact("interchange", fmt.Sprintf("%s %s %s, %s -> %s", i.Standard, i.Version, i.Control, i.Sender, i.Receiver))
	}
	if g := v.Group; g != nil && g.Type != "" {
		p.fact("group", fmt.Sprintf("%s %s, version %s", g.Type, g.Control, g.Version))
	}
	p.fact("guide", d.Guide)
	p.fact("ack", ackText(e, d))
	p.fact("error", d.Error)
	p.line("  %-12s %d segments, %d bytes", "size", d.Segments, d.Length)

	if len(v.Events) > 0 {
		p.line("\nLife cycle")
		start := v.Events[0].At
		for _, ev := range v.Events {
			p.line("  %s  %-10s %-26s %s", e.clock(ev.At), "+"+after(ev.At.Sub(start)), ev.Kind, plain(actorText(ev)))
		}
	}
	if len(v.Issues) > 0 {
		p.line("\nIssues")
		for _, is := range v.Issues {
			p.line("  %s", plain(issueText(is)))
		}
	}
	e.acknowledgementsText(&p, v)
	if v.Source != nil {
		e.transmissionText(&p, "Source", v.Source, v.Receipts)
	}
	if v.Delivery != nil {
		e.transmissionText(&p, "Delivery", v.Delivery, v.Receipts)
	}
	if len(v.Related) > 0 {
		p.line("\nRelated")
		for _, r := range v.Related {
			p.line("  %s  %-8s %-6s %-9s %s", r.ID, r.Direction, plain(r.Type), plain(r.Control), r.State)
		}
	}
	return p.String()
}

// acknowledgementsText writes what was said of the document, an acknowledgement
// a paragraph with all it says, and what the document itself says of others.
func (e *Env) acknowledgementsText(p *page, v *tracking.DocumentView) {
	type carrier struct {
		id        tracking.ID
		kind      string
		direction tracking.Direction
	}
	var order []carrier
	said := map[carrier][]tracking.Acknowledgement{}
	for _, a := range v.Acknowledgements {
		c := carrier{a.CarrierID, a.Type, a.Direction}
		if said[c] == nil {
			order = append(order, c)
		}
		said[c] = append(said[c], a)
	}
	for _, c := range order {
		own := c.id == v.Document.ID
		whose := "the partner's"
		if c.direction == tracking.Outbound {
			whose = "our"
		}
		switch {
		case own:
			p.line("\nWhat it says of others")
		case c.id == 0: // a TA1 stands in no document
			p.line("\nAcknowledgement: %s %s", whose, plain(c.kind))
		default:
			p.line("\nAcknowledgement: %s %s %s", whose, plain(c.kind), c.id)
		}
		for _, a := range said[c] {
			text := fmt.Sprintf("%s (code %s) at %s", a.Status, a.Code, e.clock(a.At))
			switch {
			case a.DocumentID != 0 && own:
				p.fact("document", a.DocumentID.String()+" "+text)
			case a.DocumentID != 0:
				p.fact("document", text)
			case a.GroupID != 0:
				p.fact("its group", text)
			default:
				p.fact("interchange", text)
			}
		}
	}
}

// after is how much later something happened: to the millisecond in the first
// minute, to the second from then on.
func after(d time.Duration) string {
	if d < time.Minute {
		return d.Round(time.Millisecond).String()
	}
	return d.Round(time.Second).String()
}

func actorText(ev tracking.Event) string {
	if ev.Actor != "" {
		return ev.Text + " (" + ev.Actor + ")"
	}
	return ev.Text
}

func ackText(e *Env, d tracking.Document) string {
	s := string(d.Ack)
	switch {
	case d.Ack == tracking.AckAwaited && !d.AckDue.IsZero() && d.AckDue.Before(e.Now()):
		s += ", overdue since " + e.clock(d.AckDue)
	case d.Ack == tracking.AckAwaited && !d.AckDue.IsZero():
		s += " by " + e.clock(d.AckDue)
	case !d.AckAt.IsZero():
		s += " at " + e.clock(d.AckAt)
	}
	return s
}

func issueText(is tracking.Issue) string {
	var b strings.Builder
	b.WriteString(is.Severity)
	if is.Ack != "" {
		b.WriteString(" " + is.Ack)
	}
	if is.Segment != "" {
		b.WriteString(" " + is.Segment)
		if is.Element > 0 {
			fmt.Fprintf(&b, "%02d", is.Element)
		}
		if is.Component > 0 {
			fmt.Fprintf(&b, "-%d", is.Component)
		}
	}
	switch {
	case is.Level == tracking.LevelMap && is.Segment == "":
		fmt.Fprintf(&b, " %s (byte %d)", is.Path, is.Offset)
	case is.Offset > 0:
		fmt.Fprintf(&b, " (segment %d, byte %d)", is.Ordinal, is.Offset)
	case is.Ordinal > 0: // a partner counts segments and no bytes
		fmt.Fprintf(&b, " (segment %d)", is.Ordinal)
	}
	if is.Value != "" {
		fmt.Fprintf(&b, " %q", is.Value)
	}
	b.WriteString(": " + is.Text)
	if is.Reporter != "" {
		b.WriteString(" [says the " + is.Reporter + "]")
	}
	return b.String()
}

// transmissionText writes how a transmission crossed the wire and what proves it.
func (e *Env) transmissionText(p *page, title string, t *tracking.Transmission, receipts []tracking.Receipt) {
	p.line("\n%s %s: %s by %s over %s, %s", title, t.ID, t.Direction, plain(t.Connector), plain(t.Connection), t.State)
	p.fact("at", e.clock(t.CreatedAt))
	p.fact("message id", t.MessageID)
	p.fact("filename", t.Filename)
	p.fact("remote", strings.TrimSpace(t.Evidence.Remote+" "+t.Evidence.TLS))
	var how []string
	ev := t.Evidence
	if ev.Signed {
		how = append(how, strings.TrimSpace("signed "+ev.Digest))
	}
	if ev.Compressed {
		how = append(how, "compressed")
	}
	if ev.Encrypted {
		how = append(how, strings.TrimSpace("encrypted "+ev.Cipher))
	}
	p.fact("protection", strings.Join(how, ", "))
	p.fact("mic", strings.TrimSpace(ev.MIC+" "+ev.MICAlg))
	if ev.Signer != nil {
		p.fact("signer", certificateText(ev.Signer))
	}
	p.fact("payload", t.Content.SHA256)
	p.fact("error", t.Error)
	for _, r := range receipts {
		if r.TransmissionID != t.ID {
			continue
		}
		p.line("  receipt (%s) at %s", r.Direction, e.clock(r.At))
		p.fact("  says", r.Disposition)
		if r.MIC != "" {
			match := "differs from what was sent"
			if r.MICMatches {
				match = "matches"
			}
			p.fact("  mic", r.MIC+" "+r.MICAlg+", "+match)
		}
		if r.Signer != nil {
			p.fact("  signer", certificateText(r.Signer))
		}
		p.fact("  reason", r.Reason)
	}
}

func certificateText(c *tracking.Certificate) string {
	return fmt.Sprintf("%s, serial %s, sha256 %s", c.Subject, c.Serial, c.SHA256)
}
