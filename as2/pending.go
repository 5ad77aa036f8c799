package as2

import (
	"context"
	"crypto/x509"
	"errors"
	"io"
	"net/http"
	"time"
)

// The functions of this file are being written; it goes with the next commits.

var errPending = errors.New("as2: being written")

type readSignature struct{}

// ErrNoReceipt is returned by Response.Receipt when the answer holds none.
var ErrNoReceipt = errors.New("as2: the answer holds no receipt")

func (d Disposition) String() string { return d.Type }

func receive(context.Context, http.Header, io.Reader, ReceiveOptions) (*Received, error) {
	return nil, errPending
}
func (r *Received) makeReceipt(ReceiptOptions) (*Receipt, error)    { return nil, errPending }
func parseReceipt(http.Header, io.Reader, Limits) (*Receipt, error) { return nil, errPending }
func (r *Receipt) check(Sent, []*x509.Certificate) Outcome          { return Outcome{} }
func build(context.Context, Relation, Payload, Options) (*Outgoing, error) {
	return nil, errPending
}
func newMessageID(time.Time, io.Reader, string) (string, error) { return "", errPending }
func newClient(c ClientConfig) *Client                          { return &Client{cfg: c, http: &http.Client{}} }
func (c *Client) post(context.Context, string, *Outgoing) (*Response, error) {
	return nil, errPending
}
func (c *Client) postReceipt(context.Context, string, *Receipt) (*Response, error) {
	return nil, errPending
}
func (r *Response) receipt() (*Receipt, error) { return nil, errPending }
func readStored(io.Reader, Limits) (http.Header, io.Reader, error) {
	return nil, nil, errPending
}
func writeStored(io.Writer, http.Header, io.Reader) error { return errPending }
