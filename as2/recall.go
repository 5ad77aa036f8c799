package as2

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
)

// Recall works out the facts of a transmission of our own from its stored
// bytes, for checking a receipt long after the facts were lost. Content that
// is encrypted needs one of keys to be a recipient (see
// Options.EncryptToSelf). Signatures are not checked: the bytes are ours.
func Recall(ctx context.Context, header http.Header, body io.Reader, keys []Key, o ReceiveOptions) (Sent, error) {
	o.Limits = o.Limits.withDefaults()
	r, err := newReceived(header)
	if err != nil {
		return Sent{}, err
	}
	if err := r.requireMessageID(); err != nil {
		return Sent{}, err
	}
	defer func() { _ = r.Close() }()
	src := &requestBody{stop: ctx.Err, r: body, left: o.Limits.Body}
	p := &peeler{
		stop: ctx.Err, o: o, r: r, unverified: true,
		rel: &Relation{Station: Station{ID: r.From, Keys: keys}},
	}
	err = p.peel(entity{header: header, body: bufio.NewReader(src)})
	if src.err != nil {
		return Sent{}, src.err
	}
	if err == nil {
		err = p.late
	}
	var refused *DispositionError
	if errors.As(err, &refused) {
		err = refused.Err
	}
	if err != nil {
		return Sent{}, fmt.Errorf("as2: recall %s: %w", clip(r.MessageID), err)
	}
	return Sent{
		From: r.From, To: r.To, MessageID: r.MessageID,
		Signed: r.Signed, Encrypted: r.Encrypted,
		MICs: r.MICs, BareMICs: p.bare, Request: r.Request,
	}, nil
}
