package as2

import (
	"bytes"
	"crypto/x509"
	"encoding/asn1"
	"fmt"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestRoundTrip sends every order of sign, compress and encrypt, receives it
// and checks the receipt against what was sent.
func TestRoundTrip(t *testing.T) {
	t.Parallel()
	for _, sign := range []Digest{"", SHA1, SHA256, SHA384, SHA512} {
		for _, cipher := range []Cipher{"", AES128CBC, AES192CBC, AES256CBC, AES128GCM, AES256GCM, TripleDES} {
			for _, compress := range []Compression{NoCompression, BeforeSigning, AfterSigning} {
				for _, signed := range []bool{false, true} {
					name := fmt.Sprintf("sign=%s,encrypt=%s,compress=%s,signedReceipt=%v", sign, cipher, compress, signed)
					t.Run(name, func(t *testing.T) {
						t.Parallel()
						checkRoundTrip(t, Options{
							Sign: sign, Encrypt: cipher, Compress: compress,
							Receipt: ReceiptRequest{Mode: SyncReceipt, Signed: signed},
						})
					})
				}
			}
		}
	}
}

// TestRoundTripSchemes covers the rarer ways of signing and of key transport.
// TestDER: what a partner that reads nothing but DER gets. The standard library
// takes it apart, which reads nothing else.
func TestDER(t *testing.T) {
	t.Parallel()
	content := bytes.Repeat(order, 500)
	for name, o := range map[string]Options{
		"encrypted":                     {Encrypt: AES256CBC},
		"signed, encrypted":             {Sign: SHA256, Encrypt: AES128CBC},
		"compressed":                    {Compress: AfterSigning},
		"signed, compressed":            {Sign: SHA256, Compress: AfterSigning},
		"compressed, signed, GCM":       {Sign: SHA384, Encrypt: AES256GCM, Compress: BeforeSigning},
		"signed, compressed, encrypted": {Sign: SHA256, Encrypt: AES192CBC, Compress: AfterSigning},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o.DER, o.Receipt = true, ReceiptRequest{Mode: SyncReceipt, Signed: true}
			o.Spool = Spool{Dir: t.TempDir(), Threshold: 1000}
			out := mustBuild(t, content, o)
			body := bodyOf(t, out)
			var whole asn1.RawValue
			if rest, err := asn1.Unmarshal(body, &whole); err != nil || len(rest) > 0 {
				t.Errorf("not DER: %v, %d octets left", err, len(rest))
			}
			r := receiveAt(t, relation("bob", "alice"), out.Header, body)
			if r.Failure != nil || !bytes.Equal(open(t, r.Payloads[0]), content) {
				t.Fatalf("failure %v", r.Failure)
			}
			rc, err := r.Receipt(ReceiptOptions{MessageID: "<r@bob.test>", Now: testNow})
			if err != nil {
				t.Fatal(err)
			}
			if got := reparse(t, rc).Check(out.Sent, relation("alice", "bob").Partner.Verify); !got.Delivered {
				t.Errorf("outcome %+v", got)
			}
			if left, err := os.ReadDir(o.Spool.Dir); err != nil || len(left) > 0 {
				t.Errorf("left %v, %v", left, err)
			}
		})
	}
}

func TestRoundTripSchemes(t *testing.T) {
	t.Parallel()
	for name, o := range map[string]Options{
		"RSA-PSS":          {Sign: SHA256, PSS: true},
		"RSA-OAEP":         {Encrypt: AES256CBC, OAEP: true},
		"PSS and OAEP GCM": {Sign: SHA512, PSS: true, Encrypt: AES256GCM, OAEP: true},
		"encrypt to self":  {Sign: SHA256, Encrypt: AES128CBC, EncryptToSelf: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o.Receipt = ReceiptRequest{Mode: SyncReceipt, Signed: true}
			checkRoundTrip(t, o)
		})
	}
}

func checkRoundTrip(t *testing.T, o Options) {
	t.Helper()
	out := mustBuild(t, order, o)
	body := bodyOf(t, out)
	if int64(len(body)) != out.Size {
		t.Errorf("Size is %d, the body has %d bytes", out.Size, len(body))
	}
	if again := bodyOf(t, out); !bytes.Equal(body, again) {
		t.Error("a second Open gives other bytes")
	}
	r := receiveAt(t, relation("bob", "alice"), out.Header, body)
	if r.Failure != nil {
		t.Fatalf("refused: %v", r.Failure)
	}
	if r.Signed != (o.Sign != "") || r.Encrypted != (o.Encrypt != "") || r.Compressed != (o.Compress != NoCompression) {
		t.Errorf("signed %v, encrypted %v, compressed %v", r.Signed, r.Encrypted, r.Compressed)
	}
	if r.Digest != o.Sign || r.Cipher != o.Encrypt {
		t.Errorf("digest %q, cipher %q", r.Digest, r.Cipher)
	}
	if len(r.Payloads) != 1 {
		t.Fatalf("%d payloads", len(r.Payloads))
	}
	p := r.Payloads[0]
	if got := open(t, p); !bytes.Equal(got, order) {
		t.Errorf("payload changed: %q", got)
	}
	if p.Filename != "order 1.edi" || p.ContentType != "application/edi-x12" || p.Size != int64(len(order)) {
		t.Errorf("payload is %q %q %d", p.Filename, p.ContentType, p.Size)
	}
	if d := cmp.Diff(out.MICs, r.MICs); d != "" {
		t.Errorf("MICs differ (sent, received):\n%s", d)
	}
	made, err := r.Receipt(ReceiptOptions{MessageID: "<receipt-1@bob.test>", Now: testNow})
	if err != nil {
		t.Fatal(err)
	}
	verify := []*x509.Certificate{testKeys()["bob"].Certificate}
	got := reparse(t, made).Check(out.Sent, verify)
	if !got.Delivered || !got.MICMatches || len(got.Warnings) > 0 {
		t.Errorf("outcome %+v\n%s", got, made.Body)
	}
	if o.Receipt.Signed != made.Signed || made.Signed != (got.Signer != nil) {
		t.Errorf("receipt signed %v, signer %v", made.Signed, got.Signer != nil)
	}
	again, err := r.Receipt(ReceiptOptions{MessageID: "<receipt-1@bob.test>", Now: testNow})
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(made.Body, again.Body) || cmp.Diff(made.Header, again.Header) != "" {
		t.Error("the same inputs give another receipt")
	}
}
