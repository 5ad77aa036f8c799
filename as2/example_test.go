package as2_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"io"
	"log"
	"math/big"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	"tradepost/as2"
)

// Example sends a purchase order and proves its delivery. The partner receives
// it and answers with a signed receipt.
func Example() {
	alice, bob := exampleKey("alice"), exampleKey("bob")
	now := time.Date(2026, 11, 21, 9, 30, 0, 0, time.UTC)

	partner := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		rcv, err := as2.Receive(r.Context(), r.Header, r.Body, as2.ReceiveOptions{
			Lookup: func(from, to string) (*as2.Relation, error) {
				if from != "ALICE" || to != "BOB" {
					return nil, as2.ErrUnknownRelation
				}
				return &as2.Relation{
					Station: as2.Station{ID: "BOB", Keys: []as2.Key{bob}},
					Partner: as2.Partner{ID: "ALICE", Verify: []*x509.Certificate{alice.Certificate}},
					Policy:  as2.Policy{RequireSigned: true, RequireEncrypted: true},
				}, nil
			},
		})
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		defer func() { _ = rcv.Close() }()
		fmt.Println("received", rcv.Payloads[0].Filename, "from", rcv.From)

		// Here a station stores what arrived and the receipt, in one
		// transaction, before anybody is told.
		receipt, err := rcv.Receipt(as2.ReceiptOptions{MessageID: "<receipt-1@bob.test>", Now: now})
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		for name, values := range receipt.Header {
			w.Header()[name] = values
		}
		_, _ = w.Write(receipt.Body)
	}))
	defer partner.Close()

	order := "ISA*00*          *00*          *ZZ*ALICE          *ZZ*BOB            *..."
	out, err := as2.Build(context.Background(), as2.Relation{
		Station: as2.Station{ID: "ALICE", Keys: []as2.Key{alice}},
		Partner: as2.Partner{ID: "BOB", Encrypt: bob.Certificate, Verify: []*x509.Certificate{bob.Certificate}},
	}, as2.Payload{
		ContentType: "application/edi-x12", Filename: "order.edi", Size: int64(len(order)),
		Open: func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(order)), nil },
	}, as2.Options{
		MessageID: "<order-1@alice.test>", Now: now,
		Sign: as2.SHA256, Encrypt: as2.AES256CBC, Compress: as2.BeforeSigning,
		Receipt: as2.ReceiptRequest{Mode: as2.SyncReceipt, Signed: true},
	})
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = out.Close() }()

	client := as2.NewClient(as2.ClientConfig{})
	resp, err := client.Post(context.Background(), partner.URL, out)
	if err != nil {
		log.Fatal(err)
	}
	receipt, err := resp.Receipt()
	if err != nil {
		log.Fatal(err)
	}
	outcome := receipt.Check(out.Sent, []*x509.Certificate{bob.Certificate})
	fmt.Println("delivered:", outcome.Delivered)
	fmt.Println(receipt.Disposition)
	// Output:
	// received order.edi from ALICE
	// delivered: true
	// automatic-action/MDN-sent-automatically; processed
}

// ExampleReceipt_Check shows a receipt that proves nothing: a stranger signed
// it.
func ExampleReceipt_Check() {
	alice, stranger := exampleKey("alice"), exampleSigner("stranger")
	rcv, err := as2.Receive(context.Background(), http.Header{
		"As2-From":                         {"ALICE"},
		"As2-To":                           {"BOB"},
		"Message-Id":                       {"<order-1@alice.test>"},
		"Content-Type":                     {"application/edi-x12"},
		"Disposition-Notification-To":      {"alice@alice.test"},
		"Disposition-Notification-Options": {"signed-receipt-protocol=optional, pkcs7-signature; signed-receipt-micalg=optional, sha-256"},
	}, strings.NewReader("ISA*..."), as2.ReceiveOptions{
		Lookup: func(from, to string) (*as2.Relation, error) {
			return &as2.Relation{Station: as2.Station{ID: to, Keys: []as2.Key{stranger}}}, nil
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = rcv.Close() }()
	made, err := rcv.Receipt(as2.ReceiptOptions{MessageID: "<r@x.test>", Now: time.Unix(0, 0)})
	if err != nil {
		log.Fatal(err)
	}

	receipt, err := as2.ParseReceipt(made.Header, strings.NewReader(string(made.Body)), as2.Limits{})
	if err != nil {
		log.Fatal(err)
	}
	outcome := receipt.Check(as2.Sent{
		From: "ALICE", To: "BOB", MessageID: "<order-1@alice.test>", MICs: rcv.MICs, Request: rcv.Request,
	}, []*x509.Certificate{alice.Certificate})
	fmt.Println(outcome.Delivered, outcome.Code, outcome.MICMatches)
	// Output: false bad-signature true
}

// exampleKey makes an RSA key pair; exampleSigner one that only signs.
func exampleKey(name string) as2.Key {
	k, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		log.Fatal(err)
	}
	t := exampleTemplate(name)
	der, err := x509.CreateCertificate(rand.Reader, t, t, k.Public(), k)
	if err != nil {
		log.Fatal(err)
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		log.Fatal(err)
	}
	return as2.Key{Certificate: c, Private: k}
}

func exampleSigner(name string) as2.Key {
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		log.Fatal(err)
	}
	t := exampleTemplate(name)
	der, err := x509.CreateCertificate(rand.Reader, t, t, k.Public(), k)
	if err != nil {
		log.Fatal(err)
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		log.Fatal(err)
	}
	return as2.Key{Certificate: c, Private: k}
}

func exampleTemplate(name string) *x509.Certificate {
	serial, err := rand.Int(rand.Reader, big.NewInt(1<<62))
	if err != nil {
		log.Fatal(err)
	}
	return &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: name},
		NotBefore: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), NotAfter: time.Date(2036, 1, 1, 0, 0, 0, 0, time.UTC),
	}
}
