package sample

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"tradepost/processes"
	"tradepost/tracking"
)

// builder fills a Store the way the gateway would.
type builder struct {
	*Store
	seq      int64
	controls map[string]int
	us       side
}

// side is a party of the trade.
type side struct {
	name, as2, qualifier, id string
	remote                   string
	edifact                  bool
}

func (b *builder) id(at time.Time) tracking.ID {
	b.seq++
	return tracking.FirstIDAt(at) + tracking.ID(b.seq&(1<<22-1))
}

func (b *builder) put(content string) tracking.Payload {
	sum := sha256.Sum256([]byte(content))
	key := hex.EncodeToString(sum[:])
	b.Payloads[key] = []byte(content)
	return tracking.Payload{SHA256: key, Size: int64(len(content))}
}

func mic(content string) string {
	sum := sha256.Sum256([]byte(content))
	return base64.StdEncoding.EncodeToString(sum[:])
}

func (b *builder) event(at time.Time, kind tracking.EventKind, partner, text string, t, i, d tracking.ID) {
	b.EventList = append(b.EventList, tracking.Event{
		ID: b.id(at), At: at, Kind: kind, Partner: partner, Text: text, TransmissionID: t, InterchangeID: i, DocumentID: d,
	})
}

func (b *builder) next(scope string) int {
	b.controls[scope]++
	return b.controls[scope]
}

// cert makes a certificate's description out of a name.
func cert(cn, org string, from time.Time, years int) tracking.Certificate {
	sum := sha256.Sum256([]byte(cn + org + from.String()))
	return tracking.Certificate{
		Subject: "CN=" + cn + ",O=" + org + ",C=US", Issuer: "CN=" + cn + ",O=" + org + ",C=US",
		Serial: hex.EncodeToString(sum[:8]), SHA256: hex.EncodeToString(sum[:]),
		NotBefore: from, NotAfter: from.AddDate(years, 0, 0),
	}
}

func (b *builder) cert(name string) *tracking.Certificate {
	list := b.Certificates[name]
	if len(list) == 0 {
		return nil
	}
	return &list[0]
}

// text is a document in its envelope.
type text struct {
	content, st, control, gs, gsControl, isaControl, version, standard string
	offset, length                                                     int64
	segments                                                           int
}

// groupType is GS01 of a document type.
func groupType(st string) string {
	return map[string]string{"850": "PO", "855": "PR", "856": "SH", "810": "IN", "997": "FA", "940": "OW", "945": "SW"}[st]
}

// envelope writes one document with ISA, GS and ST, or UNB and UNH.
func (b *builder) envelope(from, to side, at time.Time, st string, body []string) text {
	n := b.next(from.id + to.id)
	if from.edifact || to.edifact {
		return edifact(from, to, at, n, body)
	}
	x := text{
		st: st, control: fmt.Sprintf("%04d", n), gs: groupType(st), gsControl: fmt.Sprint(n),
		isaControl: fmt.Sprintf("%09d", n), version: "004010", standard: "X12", segments: len(body) + 2,
	}
	var w strings.Builder
	fmt.Fprintf(&w, "ISA*00*          *00*          *%s*%-15s*%s*%-15s*%s*%s*U*00401*%s*0*P*>~\n",
		from.qualifier, from.id, to.qualifier, to.id, at.Format("060102"), at.Format("1504"), x.isaControl)
	fmt.Fprintf(&w, "GS*%s*%s*%s*%s*%s*%s*X*004010~\n", x.gs, from.id, to.id, at.Format("20060102"), at.Format("1504"), x.gsControl)
	x.offset = int64(w.Len())
	fmt.Fprintf(&w, "ST*%s*%s~\n", st, x.control)
	for _, s := range body {
		w.WriteString(s + "~\n")
	}
	fmt.Fprintf(&w, "SE*%d*%s~", x.segments, x.control)
	x.length = int64(w.Len()) - x.offset
	fmt.Fprintf(&w, "\nGE*1*%s~\nIEA*1*%s~\n", x.gsControl, x.isaControl)
	x.content = w.String()
	return x
}

func edifact(from, to side, at time.Time, n int, body []string) text {
	x := text{
		st: "ORDERS", control: fmt.Sprint(n), isaControl: fmt.Sprintf("FR%06d", n), version: "D:96A",
		standard: "EDIFACT", segments: len(body) + 2,
	}
	var w strings.Builder
	fmt.Fprintf(&w, "UNA:+.? '\nUNB+UNOC:3+%s:%s+%s:%s+%s:%s+%s'\n", from.id, from.qualifier, to.id, to.qualifier, at.Format("060102"), at.Format("1504"), x.isaControl)
	x.offset = int64(w.Len())
	fmt.Fprintf(&w, "UNH+%s+ORDERS:D:96A:UN:EAN008'\n", x.control)
	for _, s := range body {
		w.WriteString(s + "'\n")
	}
	fmt.Fprintf(&w, "UNT+%d+%s'", x.segments, x.control)
	x.length = int64(w.Len()) - x.offset
	fmt.Fprintf(&w, "\nUNZ+1+%s'\n", x.isaControl)
	x.content = w.String()
	return x
}

// as2 makes a transmission with its evidence.
func (b *builder) as2(at time.Time, dir tracking.Direction, p side, content string) tracking.Transmission {
	from, to, signer, recipient := p.as2, b.us.as2, b.cert(p.name), b.cert("")
	host := p.remote
	if dir == tracking.Outbound {
		from, to, signer, recipient = b.us.as2, p.as2, b.cert(""), b.cert(p.name)
	}
	id := b.id(at)
	messageID := fmt.Sprintf("<%s.%d@%s>", strings.ToLower(id.String()), at.Unix()%100000, strings.ToLower(from))
	wire := "0\x80\x06\t*\x86H\x86\xf7\r\x01\x07\x03\xa0\x80" + content + "\x00\x00" // stands for a CMS envelope
	t := tracking.Transmission{
		ID: id, Direction: dir, State: tracking.TransmissionProcessed, Station: b.us.name, Partner: p.name,
		Connection: "as2-" + slug(p.name), Connector: "as2", Key: "as2:" + from + ":" + messageID, MessageID: messageID,
		ContentType: "application/EDI-X12", Subject: "EDI documents", Wire: b.put(wire), Content: b.put(content), Attempts: 1, CreatedAt: at,
		Evidence: tracking.Evidence{
			Remote: host, TLS: "TLS 1.3 TLS_AES_128_GCM_SHA256", From: from, To: to, Signed: true, Encrypted: true, Compressed: true,
			Digest: "sha-256", Cipher: "aes-256-cbc", MIC: mic(content), MICAlg: "sha-256", Signer: signer, Recipient: recipient,
			Headers: []tracking.HeaderField{
				{Name: "AS2-Version", Value: "1.2"},
				{Name: "AS2-From", Value: from},
				{Name: "AS2-To", Value: to},
				{Name: "Message-ID", Value: messageID},
				{Name: "Date", Value: at.Format(time.RFC1123Z)},
				{Name: "Content-Type", Value: "application/pkcs7-mime; smime-type=enveloped-data; name=smime.p7m"},
				{Name: "Content-Length", Value: fmt.Sprint(len(wire))},
				{Name: "Disposition-Notification-To", Value: "edi@" + strings.ToLower(from) + ".example"},
				{Name: "Disposition-Notification-Options", Value: "signed-receipt-protocol=optional, pkcs7-signature; signed-receipt-micalg=optional, sha-256"},
				{Name: "MIME-Version", Value: "1.0"},
			},
		},
	}
	if dir == tracking.Outbound {
		t.State, t.Evidence.HTTPStatus = tracking.TransmissionDelivered, 200
	}
	return t
}

func slug(s string) string { return strings.ToLower(strings.Fields(s)[0]) }

// receipt makes the MDN about t.
func (b *builder) receipt(at time.Time, t *tracking.Transmission, disposition, reason string) tracking.Receipt {
	positive := reason == ""
	r := tracking.Receipt{
		ID: b.id(at), TransmissionID: t.ID, Direction: tracking.Outbound, Disposition: disposition, Positive: positive, Signed: true,
		MIC: t.Evidence.MIC, MICAlg: t.Evidence.MICAlg, MICMatches: positive, Signer: t.Evidence.Recipient, Reason: reason, At: at,
		MessageID: "<mdn-" + strings.ToLower(b.id(at).String()) + "@" + strings.ToLower(t.Evidence.To) + ">",
	}
	if t.Direction == tracking.Outbound {
		r.Direction = tracking.Inbound
	}
	if !positive {
		r.MIC, r.MICAlg = "", ""
	}
	r.Headers = []tracking.HeaderField{
		{Name: "AS2-From", Value: t.Evidence.To},
		{Name: "AS2-To", Value: t.Evidence.From},
		{Name: "Message-ID", Value: r.MessageID},
		{Name: "Content-Type", Value: `multipart/signed; protocol="application/pkcs7-signature"; micalg=sha-256; boundary="b1"`},
	}
	r.Body = b.put("--b1\r\nContent-Type: multipart/report; report-type=disposition-notification; boundary=b2\r\n\r\n--b2\r\n" +
		"Content-Type: message/disposition-notification\r\n\r\nOriginal-Message-ID: " + t.MessageID +
		"\r\nDisposition: " + disposition + "\r\nReceived-Content-MIC: " + r.MIC + ", sha-256\r\n--b2--\r\n--b1--\r\n")
	return r
}

func (b *builder) run(at time.Time, name string, t, d tracking.ID, partner string, state processes.RunState, steps ...processes.StepRecord) {
	r := processes.RunView{Run: processes.Run{
		ID: b.id(at), Process: name, Version: 1, TransmissionID: t, DocumentID: d, Partner: partner, State: state,
		Cursor: len(steps), Attempt: 1, CreatedAt: at, UpdatedAt: at,
	}}
	for _, s := range steps {
		s.ID, s.RunID = b.id(s.StartedAt), r.ID
		r.UpdatedAt, r.Attempt = s.EndedAt, s.Attempt
		if s.Outcome != "done" {
			r.Error = s.Detail
		}
		r.Steps = append(r.Steps, s)
	}
	b.RunList = append(b.RunList, r)
}

func step(name string, at time.Time, took time.Duration) processes.StepRecord {
	return processes.StepRecord{Step: name, Attempt: 1, StartedAt: at, EndedAt: at.Add(took), Outcome: "done"}
}
