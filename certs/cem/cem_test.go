package cem

import (
	"bytes"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"testing"
	"time"

	"tradepost/certs"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

var noon = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

func certificate(t testing.TB, name string) *x509.Certificate {
	t.Helper()
	p, err := certs.Generate(certs.Request{CommonName: name, Organization: "A & B <Ltd>", Type: certs.P256, NotBefore: noon}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return p.Certificate
}

// equal compares messages: certificates by their bytes, numbers by value.
func equal() cmp.Options {
	return cmp.Options{
		cmp.Comparer(func(a, b *x509.Certificate) bool { return a.Equal(b) }),
		cmp.Comparer(func(a, b *big.Int) bool { return a == b || a != nil && b != nil && a.Cmp(b) == 0 }),
		cmpopts.EquateEmpty(),
	}
}

func TestRequestComesBack(t *testing.T) {
	t.Parallel()
	one, two, root := certificate(t, "ONE"), certificate(t, "TWO"), certificate(t, "ROOT")
	want := &Request{
		ID: "exchange <1> & co", From: `BUYER "EDI" & Co`, Originated: noon,
		Trust: []TrustRequest{
			{Usages: []Usage{DigitalSignature, KeyEncipherment}, RespondBy: noon.AddDate(0, 1, 0), ResponseURL: "http://buyer.example/as2?a=1&b=2", Certificate: one, Chain: []*x509.Certificate{root}},
			{Usages: []Usage{TLSServer}, ResponseURL: "http://buyer.example/as2", Certificate: two},
		},
	}
	e, err := want.Encode(nil)
	if err != nil {
		t.Fatal(err)
	}
	if !Is(e.ContentType) {
		t.Errorf("content type %s", e.ContentType)
	}
	m, err := Parse(e.ContentType, e.Body)
	if err != nil {
		t.Fatalf("%v\n%s", err, e.Body)
	}
	if diff := cmp.Diff(want, m.Request, equal()); diff != "" || m.Response != nil {
		t.Errorf("(-want +got):\n%s", diff)
	}
	// Line ends are those of MIME, and no line is too long for it.
	for i, line := range strings.Split(string(e.Body), "\r\n") {
		if strings.ContainsAny(line, "\r\n") || len(line) > 998 {
			t.Errorf("line %d: %q", i+1, line)
		}
	}
}

func TestResponseComesBack(t *testing.T) {
	t.Parallel()
	one, two := certificate(t, "ONE"), certificate(t, "TWO")
	want := &Response{RequestID: "exchange-1", From: "SUPPLIER", Originated: noon, Answers: []Answer{About(one, true, ""), About(two, false, "we <do> not & won't")}}
	e, err := want.Encode(nil)
	if err != nil {
		t.Fatal(err)
	}
	m, err := Parse(e.ContentType, e.Body)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, m.Response, equal()); diff != "" || m.Request != nil {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if !m.Response.Answers[0].Concerns(one) || m.Response.Answers[0].Concerns(two) {
		t.Error("an answer is about another certificate")
	}
}

func TestEncodeRefusesHalfAMessage(t *testing.T) {
	t.Parallel()
	c := certificate(t, "ONE")
	whole := TrustRequest{Usages: []Usage{DigitalSignature}, ResponseURL: "http://x", Certificate: c}
	for name, r := range map[string]*Request{
		"no id": {From: "A", Trust: []TrustRequest{whole}}, "no name": {ID: "1", Trust: []TrustRequest{whole}}, "nothing": {ID: "1", From: "A"},
		"no certificate": {ID: "1", From: "A", Trust: []TrustRequest{{Usages: whole.Usages, ResponseURL: "x"}}},
		"no usage":       {ID: "1", From: "A", Trust: []TrustRequest{{Certificate: c, ResponseURL: "x"}}},
		"no URL":         {ID: "1", From: "A", Trust: []TrustRequest{{Certificate: c, Usages: whole.Usages}}},
	} {
		if _, err := r.Encode(nil); err == nil {
			t.Errorf("%s: it was written", name)
		}
	}
	for name, r := range map[string]*Response{
		"no id": {From: "A", Answers: []Answer{About(c, true, "")}}, "nothing": {RequestID: "1", From: "A"}, "no serial": {RequestID: "1", From: "A", Answers: []Answer{{}}},
	} {
		if _, err := r.Encode(nil); err == nil {
			t.Errorf("%s: it was written", name)
		}
	}
}

// foreign is a request as another product lays it out: tabs, other prefixes,
// CDATA, a schema location, the certificate before the XML and in plain DER,
// a Content-ID that leads nowhere.
func foreign(t testing.TB, c *x509.Certificate) (contentType string, body string) {
	t.Helper()
	return `Multipart/Related; boundary=xx; type="application/EDIINT-cert-exchange+xml"; start="<a@b>"`, fmt.Sprintf(`preamble
--xx
Content-Type: application/pkcs7-mime; smime-type=certs-only
Content-ID: <other@id>
Content-Transfer-Encoding: BASE64

%s
--xx
Content-Type: application/ediint-cert-exchange+xml; charset=UTF-8
Content-ID: <a@b>

<?xml version="1.0" encoding="utf-8"?>
<!-- made elsewhere -->
<x:EDIINTCertificateExchangeRequest xmlns:x="urn:ietf:params:xml:ns:ediintcertificateexchange" xmlns:sig="http://www.w3.org/2000/09/xmldsig#"
	xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:schemaLocation="urn:ietf:params:xml:ns:ediintcertificateexchange ediintcertificateexchange.xsd" requestId=" R-1 ">
	<x:TradingPartnerInfo><x:Name qualifier="AS2"><![CDATA[SUPPLIER]]></x:Name><x:MessageOriginated>2026-11-21T07:00:00-05:00</x:MessageOriginated></x:TradingPartnerInfo>
	<x:TrustRequest>
		<x:CertUsage> keyEncipherment </x:CertUsage>
		<x:RespondByDate>2026-12-24T00:00:00.000</x:RespondByDate>
		<x:ResponseURL>http://supplier.example/as2</x:ResponseURL>
		<x:EndEntity>
			<x:CertificateIdentifier><sig:X509IssuerName>O=whatever, CN=order</sig:X509IssuerName><sig:X509SerialNumber>%s</sig:X509SerialNumber></x:CertificateIdentifier>
			<x:CertificateContentID>nowhere@id</x:CertificateContentID>
		</x:EndEntity>
		<x:TrustChain/>
	</x:TrustRequest>
</x:EDIINTCertificateExchangeRequest>
--xx--
`, base64.StdEncoding.EncodeToString(c.Raw), c.SerialNumber)
}

func TestForeignRequest(t *testing.T) {
	t.Parallel()
	c := certificate(t, "SUPPLIER")
	contentType, body := foreign(t, c)
	for name, text := range map[string]string{"LF": body, "CRLF": strings.ReplaceAll(body, "\n", "\r\n")} {
		m, err := Parse(contentType, []byte(text))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		want := &Request{ID: "R-1", From: "SUPPLIER", Originated: noon, Trust: []TrustRequest{{
			Usages: []Usage{KeyEncipherment}, RespondBy: time.Date(2026, 12, 24, 0, 0, 0, 0, time.UTC), ResponseURL: "http://supplier.example/as2", Certificate: c,
		}}}
		if diff := cmp.Diff(want, m.Request, equal()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	if !Is(contentType) || !Is("application/ediint-cert-exchange+xml") || Is(`multipart/related; type="application/xml"; boundary=x`) || Is("") || Is(";;;") {
		t.Error("messages are not told from others")
	}
}

// TestHostile is about bytes that want to cost or to confuse.
func TestHostile(t *testing.T) {
	t.Parallel()
	c := certificate(t, "SUPPLIER")
	contentType, body := foreign(t, c)
	const mark = `<?xml version="1.0" encoding="utf-8"?>`
	serial := "<sig:X509SerialNumber>" + c.SerialNumber.String() + "<"
	for name, x := range map[string]struct{ contentType, body, want string }{
		"external entity":    {"", strings.Replace(body, mark, `<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>`, 1), "document type"},
		"billion laughs":     {"", strings.Replace(body, mark, `<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]>`, 1), "document type"},
		"unknown entity":     {"", strings.Replace(body, "keyEncipherment", "&e;", 1), "cannot be read"},
		"another encoding":   {"", strings.Replace(body, "utf-8", "UTF-16", 1), "cannot be read"},
		"no UTF-8":           {"", strings.Replace(body, "SUPPLIER", "\xff\xfe", 1), "not UTF-8"},
		"deep":               {"", strings.Replace(body, "<x:TrustChain/>", strings.Repeat("<a>", 20)+strings.Repeat("</a>", 20), 1), "nests more than 12"},
		"many tokens":        {"", strings.Replace(body, "<x:TrustChain/>", strings.Repeat("<a/>", 3000), 1), "tokens"},
		"long":               {"", strings.Replace(body, "<x:TrustChain/>", "<a>"+strings.Repeat("a", 200<<10)+"</a>", 1), "over the limit"},
		"very long":          {"", strings.Repeat("a", 2<<20), "over the limit"},
		"many parts":         {"", strings.Repeat("--xx\n\n\n", 100) + "--xx--\n", "more than 64 parts"},
		"two roots":          {"", strings.Replace(body, "</x:EDIINTCertificateExchangeRequest>", `</x:EDIINTCertificateExchangeRequest><x:a xmlns:x="urn:ietf:params:xml:ns:ediintcertificateexchange"/>`, 1), "two roots"},
		"another root":       {"", strings.ReplaceAll(body, "EDIINTCertificateExchangeRequest", "Other"), "neither a request"},
		"another namespace":  {"", strings.ReplaceAll(body, "ns:ediintcertificateexchange", "ns:other"), "namespace"},
		"unclosed":           {"", strings.Replace(body, "</x:EDIINTCertificateExchangeRequest>", "", 1), "cannot be read"},
		"no id":              {"", strings.Replace(body, ` requestId=" R-1 "`, "", 1), "no requestId"},
		"huge serial":        {"", strings.Replace(body, serial, "<sig:X509SerialNumber>"+strings.Repeat("9", 1000)+"<", 1), "1000 digits"},
		"no serial":          {"", strings.Replace(body, serial, "<sig:X509SerialNumber>x<", 1), `"x" is no serial number`},
		"another serial":     {"", strings.Replace(body, serial, "<sig:X509SerialNumber>1<", 1), "no part holds certificate 1"},
		"no usage":           {"", strings.Replace(body, "<x:CertUsage> keyEncipherment </x:CertUsage>", "", 1), "no usage"},
		"bad date":           {"", strings.Replace(body, "2026-12-24T00:00:00.000", "soon", 1), `"soon" is no time`},
		"no base64":          {"", strings.Replace(body, base64.StdEncoding.EncodeToString(c.Raw), "!!", 1), "no base64"},
		"no certificate":     {"", strings.Replace(body, base64.StdEncoding.EncodeToString(c.Raw), "AAAA", 1), "holds no certificates"},
		"quoted-printable":   {"", strings.Replace(body, "BASE64", "quoted-printable", 1), "transfer encoding"},
		"no XML":             {"", strings.Replace(body, "application/ediint-cert-exchange+xml; charset", "text/xml; charset", 1), "no part is of type"},
		"no boundary":        {"multipart/related", body, "no multipart/related"},
		"no multipart":       {"text/plain", body, "no multipart/related"},
		"no type":            {";", body, "cannot be read"},
		"nothing":            {"", "", "no part is of type"},
		"no trust requests":  {"", strings.ReplaceAll(body, "TrustRequest", "Other"), "offers no certificate"},
		"a response of none": {"", strings.ReplaceAll(strings.ReplaceAll(body, "EDIINTCertificateExchangeRequest", "EDIINTCertificateExchangeResponse"), "TrustRequest", "Other"), "answers nothing"},
		"an unknown status":  {"", strings.NewReplacer("EDIINTCertificateExchangeRequest", "EDIINTCertificateExchangeResponse", "TrustRequest", "TrustResponse", "CertUsage", "CertStatus").Replace(body), "neither Accepted nor Rejected"},
	} {
		if x.contentType == "" {
			x.contentType = contentType
		}
		m, err := Parse(x.contentType, []byte(x.body))
		var syntax *SyntaxError
		if !errors.As(err, &syntax) || !strings.Contains(err.Error(), x.want) {
			t.Errorf("%s: %v, %v; want %q", name, m, err, x.want)
		}
	}
}

// FuzzParse reads any bytes; what can be read can be written and read again.
func FuzzParse(f *testing.F) {
	c := certificate(f, "SUPPLIER")
	contentType, body := foreign(f, c)
	f.Add(contentType, []byte(body))
	r := &Request{ID: "1", From: "A", Originated: noon, Trust: []TrustRequest{{Usages: []Usage{DigitalSignature}, ResponseURL: "http://x", Certificate: c}}}
	e, err := r.Encode(nil)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(e.ContentType, e.Body)
	a := &Response{RequestID: "1", From: "B", Originated: noon, Answers: []Answer{About(c, false, "no")}}
	if e, err = a.Encode(nil); err != nil {
		f.Fatal(err)
	}
	f.Add(e.ContentType, e.Body)
	f.Add(MediaType, []byte(`<EDIINTCertificateExchangeResponse xmlns="`+namespace+`" requestId="1"><TrustResponse><CertStatus>Accepted</CertStatus><CertificateReference><X509SerialNumber>1</X509SerialNumber></CertificateReference></TrustResponse></EDIINTCertificateExchangeResponse>`))
	f.Fuzz(func(t *testing.T, contentType string, body []byte) {
		m, err := Parse(contentType, body)
		if err != nil {
			var syntax *SyntaxError
			if !errors.As(err, &syntax) {
				t.Errorf("%v is no *SyntaxError", err)
			}
			return
		}
		var again *Entity
		switch {
		case m.Request != nil && m.Response == nil:
			if m.Request.From == "" {
				return
			}
			for i := range m.Request.Trust {
				m.Request.Trust[i].ResponseURL += "x"
			}
			again, err = m.Request.Encode(bytes.NewReader(make([]byte, 16)))
		case m.Response != nil && m.Request == nil:
			if m.Response.From == "" {
				return
			}
			again, err = m.Response.Encode(bytes.NewReader(make([]byte, 16)))
		default:
			t.Fatal("neither or both")
		}
		if err != nil {
			t.Fatalf("what was read cannot be written: %v", err)
		}
		if _, err := Parse(again.ContentType, again.Body); err != nil {
			t.Errorf("what was written cannot be read: %v\n%s", err, again.Body)
		}
	})
}
