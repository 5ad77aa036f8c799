package as2

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"testing"
)

// TestRolloverOfOurKey receives what was encrypted to an old and to a new
// certificate of ours, whichever signs, and tells which it was.
func TestRolloverOfOurKey(t *testing.T) {
	t.Parallel()
	private, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	old, next := testKeys()["bob"], certify("bob next", 77, private)
	signer := testKeys()["ec"] // signs, and cannot decrypt
	for _, to := range []Key{old, next} {
		rel := relation("alice", "bob")
		rel.Partner.Encrypt = to.Certificate
		out, err := Build(context.Background(), rel, payloadOf(order, "application/edi-x12", ""), Options{
			MessageID: "<rollover@alice.test>", Now: testNow, Sign: SHA256, Encrypt: AES256CBC,
			Receipt: ReceiptRequest{Mode: SyncReceipt, Signed: true, Digests: []Digest{SHA256}},
		})
		if err != nil {
			t.Fatal(err)
		}
		for _, keys := range [][]Key{{old, next}, {next, old}, {signer, old, next}} {
			ours := relation("bob", "alice")
			ours.Station.Keys = keys
			rcv, err := Receive(context.Background(), out.Header, bytes.NewReader(bodyOf(t, out)), ReceiveOptions{Lookup: lookup(ours)})
			if err != nil {
				t.Fatal(err)
			}
			if rcv.Failure != nil || rcv.Recipient == nil || !rcv.Recipient.Equal(to.Certificate) {
				t.Fatalf("encrypted to %s, first key %s: failure %v, recipient %v", to.Certificate.Subject, keys[0].Certificate.Subject, rcv.Failure, rcv.Recipient)
			}
			receipt, err := rcv.Receipt(ReceiptOptions{Now: testNow, MessageID: "<receipt@bob.test>"})
			if err != nil {
				t.Fatal(err)
			}
			theirs, err := ParseReceipt(receipt.Header, bytes.NewReader(receipt.Body), Limits{})
			if err != nil {
				t.Fatal(err)
			}
			o := theirs.Check(out.Sent, []*x509.Certificate{old.Certificate, next.Certificate, signer.Certificate})
			if !o.Delivered || !o.Signer.Equal(keys[0].Certificate) {
				t.Errorf("the receipt: %+v", o)
			}
			if err := rcv.Close(); err != nil {
				t.Error(err)
			}
		}
	}
}

// TestRecipientOfWhatFailed is not told: it would say something about keys.
func TestRecipientOfWhatFailed(t *testing.T) {
	t.Parallel()
	out := mustBuild(t, order, Options{Sign: SHA256, Encrypt: AES256CBC})
	body := bodyOf(t, out)
	body[len(body)/2] ^= 1
	ours := relation("bob", "alice")
	rcv, err := Receive(context.Background(), out.Header, bytes.NewReader(body), ReceiveOptions{Lookup: lookup(ours)})
	if err != nil {
		t.Fatal(err)
	}
	defer rcv.Close() //nolint:errcheck // a test
	if rcv.Failure == nil || rcv.Recipient != nil {
		t.Errorf("failure %v, a recipient is told: %v", rcv.Failure, rcv.Recipient != nil)
	}
}
