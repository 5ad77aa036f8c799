package examples

import (
	"context"
	"crypto/x509"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"time"

	"tradepost/as2"
	"tradepost/certs"
)

// Example_as2 sends a signed and encrypted order over HTTP and proves its
// delivery by the signed receipt that comes back.
func Example_as2() {
	ctx := context.Background()
	buyer, supplier := newSide("BUYER"), newSide("SUPPLIER")

	// The supplier's end: receive, keep, and only then answer.
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		received, err := as2.Receive(ctx, r.Header, r.Body, as2.ReceiveOptions{
			Lookup: func(from, to string) (*as2.Relation, error) {
				if from != "BUYER" || to != "SUPPLIER" {
					return nil, as2.ErrUnknownRelation
				}
				return supplier.with(buyer), nil
			},
		})
		if err != nil { // nothing a receipt could answer
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		receipt, err := received.Receipt(as2.ReceiptOptions{MessageID: "<receipt-1@supplier.example>", Now: time.Now()})
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		body, err := received.Payloads[0].Open() // here a gateway stores payload and receipt, and commits
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		document, _ := io.ReadAll(body)
		fmt.Printf("received %d bytes, signed %v, encrypted with %s\n", len(document), received.Signed, received.Cipher)
		for name, values := range receipt.Header {
			w.Header()[name] = values
		}
		_, _ = w.Write(receipt.Body)
	}))
	defer server.Close()

	// The buyer's end.
	out, err := as2.Build(ctx, *buyer.with(supplier), order("ISA*00*..."), as2.Options{
		MessageID: "<order-1@buyer.example>",
		Now:       time.Now(),
		Sign:      as2.SHA256,
		Encrypt:   as2.AES256CBC,
		Receipt:   as2.ReceiptRequest{Mode: as2.SyncReceipt, To: "edi@buyer.example", Signed: true, Digests: []as2.Digest{as2.SHA256}},
	})
	if err != nil {
		log.Fatal(err)
	}
	answer, err := as2.NewClient(as2.ClientConfig{}).Post(ctx, server.URL, out)
	if err != nil {
		log.Fatal(err)
	}
	receipt, err := answer.Receipt()
	if err != nil {
		log.Fatal(err)
	}
	outcome := receipt.Check(out.Sent, []*x509.Certificate{supplier.pair.Certificate})
	fmt.Println("delivered:", outcome.Delivered, "MIC matches:", outcome.MICMatches)
	// Output:
	// received 10 bytes, signed true, encrypted with aes-256-cbc
	// delivered: true MIC matches: true
}

// side is one end of the trade with its key.
type side struct {
	id   string
	pair *certs.Pair
}

func newSide(id string) side {
	pair, err := certs.Generate(certs.Request{CommonName: id, NotBefore: time.Now().Add(-time.Hour)}, nil)
	if err != nil {
		log.Fatal(err)
	}
	return side{id, pair}
}

// with is what a side knows: its own key, and the certificate of the other.
func (s side) with(o side) *as2.Relation {
	return &as2.Relation{
		Station: as2.Station{ID: s.id, Keys: []as2.Key{{Certificate: s.pair.Certificate, Private: s.pair.Key}}},
		Partner: as2.Partner{ID: o.id, Encrypt: o.pair.Certificate, Verify: []*x509.Certificate{o.pair.Certificate}},
	}
}

func order(text string) as2.Payload {
	return as2.Payload{
		ContentType: "application/edi-x12", Filename: "order.edi", Size: int64(len(text)),
		Open: func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(text)), nil },
	}
}
