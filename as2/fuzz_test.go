package as2

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"net/http"
	"strings"
	"testing"

	"tradepost/as2/cms"
)

// FuzzMultipart splits any bytes. What the parts hold must be found in the
// input in that order, and reading in small steps, by writing, or from memory
// must give the same parts.
func FuzzMultipart(f *testing.F) {
	for _, s := range []string{
		"--b\r\nA: b\r\n\r\nx\r\n--b\r\n\r\ny\r\n--b--\r\n", "--b\n\n--b--", "\r\n--b \r\n--b\r\n", "--b--", "x--b\r\n", "--b\r\n\r\nabc--b--",
	} {
		f.Add([]byte(s), "b", false)
		f.Add([]byte(s), "b", true)
	}
	f.Fuzz(func(t *testing.T, body []byte, boundary string, lenient bool) {
		if boundary == "" || len(boundary) > 200 {
			return
		}
		read := func(src io.Reader) [][]byte {
			m := newMultipart(src, boundary, 50)
			m.lenient = lenient
			var parts [][]byte
			for m.next() == nil {
				p, err := io.ReadAll(m)
				if err != nil {
					t.Fatalf("reading from memory failed: %v", err)
				}
				parts = append(parts, p)
			}
			return parts
		}
		whole := read(bytes.NewReader(body))
		rest := body
		for _, p := range whole {
			i := bytes.Index(rest, p)
			if i < 0 {
				t.Fatalf("part %q is not in the input", p)
			}
			rest = rest[i+len(p):]
		}
		written := func(m *multipartReader) (parts [][]byte) {
			m.lenient = lenient
			for m.next() == nil {
				var p bytes.Buffer
				if _, err := m.WriteTo(&p); err != nil {
					t.Fatalf("writing to memory failed: %v", err)
				}
				parts = append(parts, p.Bytes())
				if cut, ok := m.closedBy(p.Bytes()); ok && !bytes.HasPrefix(p.Bytes(), cut) {
					t.Fatalf("part %q was cut to %q", p.Bytes(), cut)
				}
			}
			return parts
		}
		inMemory := func() (parts [][]byte) {
			m := multipartOf(body, boundary, 50)
			m.lenient = lenient
			for m.next() == nil {
				p, err := m.part()
				if err != nil {
					t.Fatalf("reading from memory failed: %v", err)
				}
				parts = append(parts, p)
			}
			return parts
		}
		for how, parts := range map[string][][]byte{
			"in small steps": read(&trickle{b: body}), "by writing": written(newMultipart(&trickle{b: body}, boundary, 50)), "from memory": inMemory(),
		} {
			if len(parts) != len(whole) {
				t.Fatalf("%d parts %s, %d at once", len(parts), how, len(whole))
			}
			for i := range parts {
				if !bytes.Equal(parts[i], whole[i]) {
					t.Fatalf("part %d differs %s: %q and %q", i, how, parts[i], whole[i])
				}
			}
		}
		m := newMultipart(&trickle{b: body}, boundary, 50)
		m.lenient = lenient
		if m.next() == nil {
			if _, err := m.WriteTo(io.Discard); err == nil && m.endsHere() && len(whole) != 1 {
				t.Fatalf("ends after the first of %d parts", len(whole))
			}
		}
	})
}

// trickle gives a few bytes at a time.
type trickle struct {
	b []byte
	n int
}

func (r *trickle) Read(p []byte) (int, error) {
	if len(r.b) == 0 {
		return 0, io.EOF
	}
	r.n = r.n%3 + 1
	n := copy(p, r.b[:min(r.n, len(r.b))])
	r.b = r.b[n:]
	return n, nil
}

// FuzzHeader reads any bytes as header lines: what was read comes out of what
// is written from it.
func FuzzHeader(f *testing.F) {
	for _, s := range []string{"A: b\r\n\r\n", "A:b\n c\n\nrest", "\r\n", " x", "A\x00: b\n", "a : b\r\nA: c"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		h, err := readHeader(bufio.NewReader(bytes.NewReader(b)), 4096)
		if err != nil {
			return
		}
		if !bytes.HasPrefix(b, h.raw) {
			t.Fatal("raw is not the beginning of the input")
		}
		var again bytes.Buffer
		if err := WriteStored(&again, h.fields, strings.NewReader("")); err != nil {
			t.Fatal(err)
		}
		h2, err := readHeader(bufio.NewReader(&again), 1<<20)
		if err != nil {
			t.Fatalf("cannot read what was written: %v", err)
		}
		for name, values := range h.fields {
			if len(h2.fields[name]) != len(values) {
				t.Fatalf("%s: %q became %q", name, values, h2.fields[name])
			}
		}
		for _, v := range h.fields {
			_ = parseMediaType(v[0])
			_ = parseReceiptRequest(h.fields)
			_ = filename(h.fields)
		}
	})
}

// FuzzDisposition reads any text; what it reads it writes, and reads the same.
func FuzzDisposition(f *testing.F) {
	for _, s := range []string{
		"automatic-action/MDN-sent-automatically; processed", "a;processed/Error:x", "failed/Failure: unsupported format",
		"processed", "; processed/warning: duplicate-document", ";;processed//:error",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		d, err := ParseDisposition(s)
		if err != nil {
			return
		}
		if d.Positive() && strings.Contains(strings.ToLower(s), "error") && d.Severity != SeverityWarning && !strings.Contains(strings.ToLower(d.Action), "error") {
			t.Fatalf("%q reads as success", s)
		}
		again, err := ParseDisposition(d.String())
		if err != nil {
			t.Fatalf("%q, written as %q: %v", s, d, err)
		}
		if again.Positive() != d.Positive() || again.Type != d.Type || again.Severity != d.Severity {
			t.Fatalf("%q: %+v became %+v", s, d, again)
		}
	})
}

// FuzzReceipt reads any receipt and checks it against facts it can match only
// with a valid signature: none can be delivered.
func FuzzReceipt(f *testing.F) {
	out, err := Build(context.Background(), relation("alice", "bob"), payloadOf(order, "", ""), Options{
		MessageID: "<order-1@alice.test>", Now: testNow, Receipt: ReceiptRequest{Mode: SyncReceipt, Signed: true},
	})
	if err != nil {
		f.Fatal(err)
	}
	body := bodyOf(f, out)
	rc, err := receiveAt(f, relation("bob", "alice"), out.Header, body).Receipt(ReceiptOptions{MessageID: "<r@bob.test>", Now: testNow})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(rc.Header.Get("Content-Type"), rc.Body)
	f.Add("multipart/report; boundary=b", []byte("--b\r\nContent-Type: message/disposition-notification\r\n\r\nDisposition: x; processed\r\n--b--"))
	f.Add("message/disposition-notification", []byte("Disposition: x; processed\r\nReceived-Content-MIC: a, sha1\r\n"))
	mallory := testKeys()["mallory"]
	f.Fuzz(func(t *testing.T, contentType string, body []byte) {
		h := http.Header{}
		h.Set("AS2-From", "bob")
		h.Set("AS2-To", "alice")
		h.Set("Content-Type", contentType)
		r, err := ParseReceipt(h, bytes.NewReader(body), Limits{Receipt: 1 << 16})
		if err != nil {
			return
		}
		sent := Sent{From: "alice", To: "bob", MessageID: r.OriginalMessageID, MICs: MICs{SHA256: r.MIC}, Request: ReceiptRequest{Mode: SyncReceipt, Signed: true}}
		if o := r.Check(sent, relation("mallory", "mallory").Partner.Verify); o.Delivered {
			t.Fatalf("delivered without a signature of %v", mallory.Certificate.Subject)
		}
	})
}

// FuzzReceive receives any body under any content type. Nothing but a genuine
// transmission may pass as signed, and every refusal can be answered.
func FuzzReceive(f *testing.F) {
	for _, o := range []Options{
		{}, {Sign: SHA256}, {Compress: AfterSigning}, {Sign: SHA256, Compress: BeforeSigning}, {Encrypt: AES128CBC}, {Sign: SHA1, Encrypt: AES256GCM},
	} {
		o.MessageID, o.Now = "<order-1@alice.test>", testNow
		out, err := Build(context.Background(), relation("alice", "bob"), payloadOf([]byte("ISA*~"), "", "x"), o)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(out.Header.Get("Content-Type"), bodyOf(f, out))
	}
	entity := []byte("Content-Type: multipart/related; boundary=m\r\n\r\n--m\r\n\r\na\r\n--m\r\nContent-Transfer-Encoding: base64\r\n\r\nYQ==\r\n--m--")
	h, body := encryptHand(f, entity, AES256CBC)
	f.Add(h.Get("Content-Type"), body)
	genuine := func(part []byte) bool { return bytes.Contains(part, []byte("ISA*~")) }
	rel := relation("bob", "alice")
	f.Fuzz(func(t *testing.T, contentType string, body []byte) {
		r, err := Receive(context.Background(), baseHeader(contentType), bytes.NewReader(body), ReceiveOptions{
			Lookup: lookup(rel), Limits: Limits{Body: 1 << 20, Payload: 1 << 20, Parts: 20},
		})
		if err != nil || r.Returned != nil {
			return
		}
		defer func() { _ = r.Close() }()
		if r.Failure == nil && r.Signed && !genuine(open(t, r.Payloads[0])) {
			t.Fatalf("accepted as signed: %q", body)
		}
		if _, err := r.Receipt(ReceiptOptions{MessageID: "<r@bob.test>", Now: testNow}); err != nil {
			t.Fatalf("no receipt: %v", err)
		}
	})
}

// FuzzBase64 checks the tolerant decoder against the strict one.
func FuzzBase64(f *testing.F) {
	f.Add([]byte("SVNB"))
	f.Add([]byte("a"))
	f.Fuzz(func(t *testing.T, b []byte) {
		got, err := io.ReadAll(newBase64Reader(&trickle{b: wrapBase64(b)}))
		if err != nil || !bytes.Equal(got, b) {
			t.Fatalf("%q became %q, %v", b, got, err)
		}
		_, _ = io.ReadAll(newBase64Reader(&trickle{b: b})) // must end
		_, _ = cms.Peek(cmsReader(&trickle{b: b}))         // must end
	})
}
