package sample

import (
	"strings"
	"time"

	"tradepost/tracking"
)

// Script is what Hostile hides wherever a partner chooses the text.
const Script = `"><script>alert(1)</script><img src=x onerror=alert(2)>'`

// Hostile returns a station whose one partner has put markup, control
// characters, marks that turn the direction of writing, and very long values
// into everything it can choose, and the ids of its document and transmission.
func Hostile() (s *Store, document, transmission tracking.ID) {
	b := newBuilder()
	at := Now().Add(-time.Hour)
	bad := Script + "\u202egpj.exe\u202c\u2066x\u2069\x00\x07\x1b[31m\u200b\ufeff"
	long := strings.Repeat("W", 5000)
	p := side{name: "Evil " + bad, as2: bad, qualifier: "ZZ", id: "EVIL", remote: "javascript:alert(3)"}
	b.agreements(at)
	b.Certificates[p.name] = []tracking.Certificate{cert(bad, long, at, 1)}
	d := b.inbound(order{
		at: at, with: p, st: "850",
		body: []string{"BEG*00*SA*" + Script + "**20261105", "N1*ST*" + long, "MSG*\x00\x1b[2J\xff\xfe\u202e", "PO1*1*" + bad, "CTT*1"},
		keys: []tracking.Key{{Name: bad, Value: long}, {Name: "PO", Value: bad}},
		issues: []tracking.Issue{
			{Severity: "error", Level: "element", Ack: bad, Segment: "BEG", Ordinal: 2, Element: 3, Text: bad},
			{Severity: "error", Level: "segment", Ack: "AK304=1", Segment: bad, Ordinal: 4000, Text: long},
			{Severity: "strange", Level: bad, Segment: "PO1", Ordinal: -3, Element: -9, Text: "x"},
		},
	})
	document, transmission = d.ID, d.SourceID
	n := b.document(document)
	b.DocumentList[n].Error = bad + long
	b.DocumentList[n].Type, b.DocumentList[n].Guide, b.DocumentList[n].Version, b.DocumentList[n].Control = bad, bad, bad, long
	for i := range b.TransmissionList {
		t := &b.TransmissionList[i]
		t.Partner, t.Filename, t.Subject, t.ContentType, t.MessageID, t.Error = p.name, "../../etc/passwd "+bad, bad, bad+"\r\nX: y", bad, bad
		t.Evidence.Headers = append(t.Evidence.Headers, tracking.HeaderField{Name: bad, Value: long}, tracking.HeaderField{Name: "X", Value: "a\r\nSet-Cookie: b"})
		t.Evidence.Response = bad
		t.Attachments = []tracking.Attachment{{Filename: bad, ContentType: bad, Payload: t.Content}}
	}
	for i := range b.ReceiptList {
		b.ReceiptList[i].Disposition, b.ReceiptList[i].Reason = bad, long
	}
	for i := range b.EventList {
		b.EventList[i].Text, b.EventList[i].Actor = bad+long, bad
	}
	for i := range b.InterchangeList {
		b.InterchangeList[i].Control, b.InterchangeList[i].Sender.ID = bad, bad
	}
	return b.Store, document, transmission
}
