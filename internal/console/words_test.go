package console

import (
	"bytes"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"tradepost/edi/schema"
	"tradepost/tracking"
)

func TestDurationsAreForPeople(t *testing.T) {
	t.Parallel()
	for d, want := range map[time.Duration]string{
		0: "0 ms", 380 * time.Millisecond: "380 ms", 1400 * time.Millisecond: "1.4 s", 59 * time.Second: "59 s", 60 * time.Second: "1 min",
		4*time.Minute + 12*time.Second: "4 min 12 s", 2*time.Hour + 20*time.Minute: "2 h 20 min", 24 * time.Hour: "24 h", 75 * time.Hour: "3 days", -time.Minute: "-1 min",
	} {
		if got := duration(d); got != want {
			t.Errorf("%v is written %q, want %q", d, got, want)
		}
	}
}

func TestNumbersAndSizesAreForPeople(t *testing.T) {
	t.Parallel()
	for n, want := range map[int]string{0: "0", 999: "999", 1000: "1,000", -1234567: "-1,234,567"} {
		if got := number(n); got != want {
			t.Errorf("%d is written %q, want %q", n, got, want)
		}
	}
	for n, want := range map[int64]string{1: "1 byte", 644: "644 bytes", 9999: "9,999 bytes", 384_000: "384 kB", 12_000_000: "12 MB", 40_000_000_000: "40 GB"} {
		if got := size(n); got != want {
			t.Errorf("%d bytes are written %q, want %q", n, got, want)
		}
	}
	if got := cut(5, "äöüäöü"); got != "äöüä… (6 letters)" {
		t.Errorf("cut gives %q", got)
	}
	if got := cut(6, "äöüäöü"); got != "äöüäöü" {
		t.Errorf("cut shortens what fits: %q", got)
	}
	for _, h := range []string{"9a15c739fa785b2b445d", "9A:15:C7:39:FA:78:5B:2B:44:5D"} {
		if got := string(fingerprint(h)); got != "9A:15:C7:39:FA:78:5B:2B:<wbr>44:5D" {
			t.Errorf("the fingerprint %s is written %s", h, got)
		}
	}
	if got := string(fingerprint("<b>")); got != "&lt;B&gt;" {
		t.Errorf("what is no fingerprint is written %s", got)
	}
	for value, want := range map[string]string{"264960": "2649.60", "5": "0.05", "-5": "-0.05", "": "", "1.5": "", "12a": ""} {
		if got := withPoint([]byte(value), 2); got != want {
			t.Errorf("%q of type N2 is %q, want %q", value, got, want)
		}
	}
}

func TestWhatCannotBeSeenIsMadeVisible(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"plain äöü\n\tend": "plain äöü\n\tend", "a\x00b\x1bc\r": "a␀b␛c␍", "x\u202egpj.exe": "x[U+202E]gpj.exe",
		"\u2066\u2069\u200b\ufeff": "[U+2066][U+2069][U+200B][U+FEFF]", "del\x7f": "del␡", "bad\xff\xfe": "bad\ufffd\ufffd", "\u0085": "[U+0085]",
	} {
		if got := string(visible([]byte(in))); got != want {
			t.Errorf("%q becomes %q, want %q", in, got, want)
		}
	}
}

func FuzzVisible(f *testing.F) {
	for _, s := range []string{"", "abc", "\x00\xff\u202e", "\u2028<script>"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		out := visible(b)
		if !utf8.Valid(out) || bytes.ContainsFunc(out, hidden) {
			t.Fatalf("%q becomes %q", b, out)
		}
		if again := visible(out); !bytes.Equal(again, out) {
			t.Fatalf("a second pass changes %q to %q", out, again)
		}
		if bytes.Count(out, []byte("<")) != bytes.Count(b, []byte("<")) {
			t.Fatalf("%q becomes %q: markup appeared or went", b, out)
		}
	})
}

// FuzzReading reads arbitrary bytes as documents: whatever they are, the pages
// show every byte of what was read, in order, or say why not.
func FuzzReading(f *testing.F) {
	head := "ISA*00*          *00*          *ZZ*ALICE          *ZZ*BOB            *261105*1200*U*00401*000000001*0*P*>~\n"
	for _, s := range []string{
		"ST*850*0001~\nBEG*00*SA*1**20261105~\nPO1*1*5*EA*1.00~\nSE*4*0001~", "ST*856*1~HL*1**S~HL*2*1*O~HL*9*9*9~SE*5*1~", "ST~~~", "**~", "N1*ST", "\xff\x00*~",
	} {
		f.Add([]byte(head), []byte(s), false)
	}
	f.Add([]byte("UNA:+.? 'UNB+UNOC:3+A+B+261105:1200+1'"), []byte("UNH+1+ORDERS:D:96A:UN'BGM+220+x?'y+9'UNT+3+1'"), true)
	segments := NewSegments(schema.Shipped())
	f.Fuzz(func(t *testing.T, head, body []byte, edifact bool) {
		d := &tracking.Document{Standard: "X12", Type: "850", Version: "004010"}
		if edifact {
			d.Standard, d.Type, d.Version = "EDIFACT", "ORDERS", "D:96A"
		}
		if len(body) > 2 && body[0] == 'S' && bytes.HasPrefix(body, []byte("ST*856")) {
			d.Type = "856"
		}
		r, err := segments.Read(d, head, body, false)
		if err == nil && r == nil {
			t.Fatal("neither a reading nor an error")
		}
		if r == nil {
			return
		}
		for i := range r.Segments {
			s := &r.Segments[i]
			if s.Ordinal != i+1 {
				t.Fatalf("segment %d has the number %d", i+1, s.Ordinal)
			}
			var text strings.Builder
			v := segmentView(s, []tracking.Issue{{Severity: "error", Segment: s.Tag, Ordinal: i + 1, Element: 2}})
			for _, k := range v.line().Tokens {
				text.WriteString(strings.ReplaceAll(k.Text, "\u00a0", ""))
			}
			if want := strings.TrimRight(strings.ReplaceAll(s.Raw, "\u00a0", ""), "\r\n"); text.String() != want {
				t.Fatalf("the line shows %q of %q", text.String(), want)
			}
		}
		pieces(body)
	})
}

func TestRawBytesAreTold(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	for _, p := range pieces([]byte("A~\r\nB\xff\x00ä\u202e")) {
		if p.Mark {
			b.WriteString("[" + p.Text + "]")
		} else {
			b.WriteString(p.Text)
		}
		if p.Line {
			b.WriteString("|")
		}
	}
	if got := b.String(); got != "A~[␍][␊]|B[FF][␀]ä[U+202E]" {
		t.Errorf("got %q", got)
	}
}

func TestEveryStateHasAWordAndADrawing(t *testing.T) {
	t.Parallel()
	a, err := newAssets()
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 11, 5, 14, 0, 0, 0, time.UTC)
	var chips []Chip
	for _, s := range []tracking.DocumentState{"received", "invalid", "ready", "sending", "delivered", "failed", "unheard-of"} {
		chips = append(chips, documentChip(s))
	}
	for _, s := range []tracking.AckState{"none", "awaited", "accepted", "accepted-with-errors", "partially-accepted", "rejected", "unheard-of"} {
		chips = append(chips, ackChip(&tracking.Document{Ack: s}, now))
	}
	for _, s := range []tracking.TransmissionState{"received", "processed", "duplicate", "prepared", "delivered", "refused", "failed", "unheard-of"} {
		chips = append(chips, transmissionChip(s))
	}
	for _, s := range []tracking.Verdict{"pending", "accepted", "partially-accepted", "rejected", "unheard-of"} {
		chips = append(chips, verdictChip(s))
	}
	for _, s := range []string{"done", "retry", "failed", "unheard-of"} {
		chips = append(chips, outcomeChip(s))
	}
	for _, c := range chips {
		if _, err := a.icon(c.Icon); err != nil || c.Word == "" || !strings.Contains("good info wait warn bad mute", c.Tone) {
			t.Errorf("%+v: %v", c, err)
		}
	}
}

func TestExpiryOfCertificates(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 5, 14, 0, 0, 0, time.UTC)
	for want, c := range map[string]tracking.Certificate{
		"Valid":                      {NotBefore: now.AddDate(-1, 0, 0), NotAfter: now.AddDate(1, 0, 0)},
		"Expired":                    {NotBefore: now.AddDate(-1, 0, 0), NotAfter: now},
		"Expires in 1 day":           {NotBefore: now.AddDate(-1, 0, 0), NotAfter: now.AddDate(0, 0, 1)},
		"Valid from 6 November 2026": {NotBefore: now.AddDate(0, 0, 1), NotAfter: now.AddDate(1, 0, 0)},
	} {
		if got := certificateChip(&c, now).Word; got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
