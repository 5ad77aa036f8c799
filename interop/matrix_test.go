package interop

import (
	"context"
	"errors"
	"fmt"
	"time"

	"tradepost/as2"
	"tradepost/transport"
)

// matrix adds every cell in both directions.
func (b *bench) matrix() {
	for i, c := range everything().cells() {
		name := fmt.Sprintf("PEER-TO-%03d", i+1)
		b.party(newParty(name, c, b.product))
		b.trial(inMatrix, toPeer, c, func(ctx context.Context) error { return b.weSend(ctx, name, c) }, c.values()...)
	}
	for i, c := range b.product.sends.cells() {
		name := fmt.Sprintf("PEER-FROM-%03d", i+1)
		b.party(newParty(name, c, b.product))
		b.trial(inMatrix, fromPeer, c, func(ctx context.Context) error { return b.theySend(ctx, name, c) }, c.values()...)
	}
}

// weSend sends to the peer, and looks whether it has what we sent and whether
// its receipt proves it.
func (b *bench) weSend(ctx context.Context, name string, c cell) error {
	g := contentOf(c.content)
	o, err := b.stationOf(name).send(ctx, name, g)
	if err != nil {
		return fmt.Errorf("not sent: %w", err)
	}
	if err := proven(c, o); err != nil {
		return err
	}
	return b.theyHave(ctx, name, g)
}

// theyHave looks whether the peer has the goods, once.
func (b *bench) theyHave(ctx context.Context, name string, g goods) error {
	got, err := b.peer.received(ctx, name)
	if err != nil {
		return fmt.Errorf("the peer has not got it: %w", err)
	}
	if len(got) != 1 {
		return fmt.Errorf("the peer has taken it %d times", len(got))
	}
	return same(got[0], g.bytes)
}

// proven tells whether the receipt was the one asked for and proves delivery.
func proven(c cell, o *transport.Outcome) error {
	switch r := o.Receipt; {
	case !o.Delivered:
		return errors.New("not delivered: " + o.Reason)
	case c.receipt == noReceipt && r != nil:
		return errors.New("a receipt that nobody asked for")
	case c.receipt == noReceipt:
		return nil
	case r == nil:
		return errors.New("there is no receipt")
	case r.Signed != (c.receipt != syncPlain):
		return fmt.Errorf("the receipt is signed: %v", r.Signed)
	case r.Signed && r.MIC != "" && !r.MICMatches:
		return errors.New("the MIC does not match")
	}
	return nil
}

// theySend has the peer send, and looks whether we have what it sent, as it
// was to be made, and whether our receipt satisfies it.
func (b *bench) theySend(ctx context.Context, name string, c cell) error {
	g := contentOf(c.content)
	a, verdict, err := b.fromThem(ctx, name, g)
	if err != nil {
		return err
	}
	if err := asAgreed(c, a); err != nil {
		return err
	}
	if verdict != nil {
		return verdict
	}
	if a.Content.Filename != g.filename {
		return fmt.Errorf("file name %q", a.Content.Filename)
	}
	return same(a.content, g.bytes)
}

// crlf is what arrives of a text from a product that turns LF into CRLF.
const crlf = "it arrived with CRLF for LF, and is the same otherwise"

// fromThem has the peer send, and returns what came and what the peer makes of
// our answer.
func (b *bench) fromThem(ctx context.Context, name string, g goods) (a arrived, verdict, err error) {
	sent := make(chan error, 1)
	coming, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		err := b.peer.send(ctx, name, g)
		sent <- err
		if err != nil { // if it has not come, it will not
			time.AfterFunc(5*time.Second, cancel)
		}
	}()
	a, err = b.stationOf(name).arrival(coming, name)
	if err != nil && ctx.Err() == nil {
		return a, nil, errors.Join(err, <-sent)
	}
	if err != nil {
		return a, nil, err
	}
	return a, <-sent, nil
}

// asAgreed tells whether what arrived was made as its cell says.
func asAgreed(c cell, a arrived) error {
	v := a.Evidence
	switch {
	case a.Refused != "":
		return errors.New("we refused it: " + a.Refused)
	case v.Digest != string(c.sign) || v.Signed != (c.sign != ""):
		return fmt.Errorf("it is signed with %q", v.Digest)
	case v.Cipher != string(c.encrypt) || v.Encrypted != (c.encrypt != ""):
		return fmt.Errorf("it is encrypted with %q", v.Cipher)
	case v.Compressed != (c.compress != as2.NoCompression):
		return fmt.Errorf("it is compressed: %v", v.Compressed)
	case (a.Receipt != nil) != (c.receipt != noReceipt):
		return fmt.Errorf("a receipt was asked for: %v", a.Receipt != nil)
	case a.Receipt == nil:
		return nil
	case a.Receipt.Signed != (c.receipt != syncPlain) || a.Receipt.Async != (c.receipt == asyncSigned):
		return fmt.Errorf("our receipt is signed: %v, and comes later: %v", a.Receipt.Signed, a.Receipt.Async)
	}
	return nil
}
