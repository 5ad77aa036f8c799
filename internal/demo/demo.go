// Package demo plays a whole trade between two stations on this machine: an
// order, its acknowledgement, a shipment the other way, and an order with a
// fault. Each station is a process of its own that serves one side with the
// same code, configuration and command a company would use; the demonstration
// only puts documents into back-office folders and watches through the API.
package demo

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"time"

	"tradepost/edi"
)

// Options of one demonstration.
type Options struct {
	Dir        string        // where the stations live; "" makes a temporary folder
	Keep       bool          // leave Dir when it ends; implied by a given Dir
	Once       bool          // end when the trade is done, instead of serving the console
	Document   string        // file of a real 850 to trade in place of ours
	JSONL      bool          // one JSON object a line instead of words
	Timeout    time.Duration // for the whole trade; default two minutes
	Executable string        // the tradepost program that serves the stations
	Stdout     io.Writer     // events
	Stderr     io.Writer     // words
	Now        func() time.Time
	// ConsoleLink makes a one-time link to the console of a configuration.
	ConsoleLink func(ctx context.Context, config string) (string, error)
}

// ErrExpectation is returned (wrapped) when something that should have come
// true did not.
var ErrExpectation = errors.New("the demonstration did not go as it should")

type demo struct {
	Options
	printing sync.Mutex
	children sync.WaitGroup
}

// Run plays the demonstration. It returns nil only when every receipt and
// acknowledgement arrived as expected, the rejection included.
func Run(ctx context.Context, o Options) (err error) {
	d := &demo{Options: o}
	if d.Timeout == 0 {
		d.Timeout = 2 * time.Minute
	}
	if d.Dir == "" {
		if d.Dir, err = os.MkdirTemp("", "tradepost-demo-"); err != nil {
			return err
		}
		if !d.Keep {
			defer func() { err = errors.Join(err, os.RemoveAll(d.Dir)) }()
		}
	} else {
		d.Keep = true
		if d.Dir, err = filepath.Abs(d.Dir); err != nil {
			return err
		}
	}
	order, header, err := d.order()
	if err != nil {
		return err
	}
	guide, err := guideFor(order, header != nil)
	if err != nil {
		return fmt.Errorf("%s: %w", d.Document, err)
	}
	buyer, supplier := newSides(d.Dir, header)
	supplier.guide, buyer.guide = guide.text, guide.text
	defer buyer.release()
	defer supplier.release()
	if err := makeStations(d.Dir, d.Now(), buyer, supplier); err != nil {
		return err
	}
	for _, s := range []*side{buyer, supplier} {
		if err := s.readAddresses(); err != nil {
			return err
		}
	}
	trade, err := newTrade(buyer, supplier, order, header, guide.fault)
	if err != nil {
		return err
	}
	if err := trade.order.identify(); err != nil {
		return fmt.Errorf("%s: %w", cmp.Or(d.Document, trade.order.name), err)
	}
	return d.play(ctx, trade)
}

// order returns the good order to trade: ours, or the file asked for with the
// header of its interchange.
func (d *demo) order() ([]byte, *edi.Header, error) {
	if d.Document == "" {
		b, err := files.ReadFile("documents/850-order.edi")
		return b, nil, err
	}
	b, err := os.ReadFile(d.Document)
	if err != nil {
		return nil, nil, err
	}
	h, err := edi.Peek(b)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", d.Document, err)
	}
	if h.Standard != edi.X12 || h.Document.Type != "850" {
		return nil, nil, fmt.Errorf("%s holds a %s %s: the demonstration trades an X12 850", d.Document, h.Standard, h.Document.Type)
	}
	return b, &h, nil
}

// play serves both stations, runs the trade and judges it.
func (d *demo) play(ctx context.Context, t *trade) error {
	serving, stop := context.WithCancel(ctx)
	defer d.children.Wait()
	defer stop()
	buyer, err := d.start(serving, t.buyer)
	if err != nil {
		return err
	}
	supplier, err := d.start(serving, t.supplier)
	if err != nil {
		return err
	}
	following, stopFollowing := context.WithCancel(serving)
	var follower sync.WaitGroup
	follower.Go(func() { d.follow(following, buyer, supplier) })

	began := d.Now()
	trading, cancel := context.WithTimeout(ctx, d.Timeout)
	missing := t.run(trading, buyer, supplier)
	cancel()
	took := d.Now().Sub(began)
	stopFollowing()
	follower.Wait()

	if err := d.conclude(ctx, t, missing, took); err != nil {
		return err
	}
	if d.Once {
		d.keepHint()
		return nil
	}
	return d.stay(ctx)
}

// conclude prints what came true and what did not.
func (d *demo) conclude(ctx context.Context, t *trade, missing error, took time.Duration) error {
	for _, e := range t.expectations {
		if e.met {
			d.say(line{Event: "demo.true", Detail: e.text})
		}
	}
	if missing == nil {
		d.say(line{Event: "demo.done", Detail: fmt.Sprintf("all of it came true in %s", took.Round(time.Millisecond))})
		return nil
	}
	if ctx.Err() != nil {
		d.keepHint()
		return ctx.Err()
	}
	for _, e := range t.expectations {
		if !e.met {
			d.say(line{Event: "demo.missing", Detail: e.text})
		}
	}
	for _, s := range []*side{t.buyer, t.supplier} {
		d.tell("last lines of the %s's log:\n%s\n", s.Name, tail(filepath.Join(s.dir, "serve.log"), 8))
	}
	d.keepHint()
	return fmt.Errorf("%w: %w", ErrExpectation, missing)
}

// stay serves the console until the person is done.
func (d *demo) stay(ctx context.Context) error {
	for _, name := range []string{"buyer", "supplier"} {
		link, err := d.ConsoleLink(ctx, filepath.Join(d.Dir, name, "tradepost.yaml"))
		if err != nil {
			return fmt.Errorf("make a link to the %s's console: %w", name, err)
		}
		d.say(line{Event: "console.ready", From: name, Detail: link})
	}
	d.tell("\nOpen a link above (each works once). Ctrl-C ends the demonstration.\n")
	<-ctx.Done()
	d.keepHint()
	return nil
}

// keepHint tells where the data is and how to serve it again.
func (d *demo) keepHint() {
	if !d.Keep {
		return
	}
	d.tell("\nThe stations are kept in %s. Go on with either of them:\n", d.Dir)
	for _, name := range []string{"buyer", "supplier"} {
		d.tell("  tradepost serve --config %s\n", filepath.Join(d.Dir, name, "tradepost.yaml"))
	}
	d.tell("or with the whole trade: tradepost demo --data %s\n", d.Dir)
}

// tell writes words for a person.
func (d *demo) tell(format string, args ...any) {
	_, _ = fmt.Fprintf(d.Stderr, format, args...) // there is nobody left to tell
}
