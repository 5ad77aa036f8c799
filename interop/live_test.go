package interop

import (
	"context"
	"crypto/x509"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"tradepost/as2"
	"tradepost/certs"
	connector "tradepost/transport/as2"
)

// product is another AS2 product the tests can start.
type product struct {
	name   string
	start  func(t *testing.T, b *bench, agreements []agreement) peer
	sends  dimensions // what of the matrix it is able to send
	atOnce int        // how many it is asked to send at the same time
	more   []variant  // further ways to send that it has settings for
	peer   string     // what our configuration calls it
	// micOptional is our setting for partners whose signed receipts for
	// unsigned content carry no MIC.
	micOptional bool
	// rsaOnly keeps away from it what needs elliptic curves of it.
	rsaOnly bool
	notes   []string // for docs/interop.md
}

func products() []product {
	openAS2 := product{
		name: "OpenAS2", peer: "openas2", sends: everything(), atOnce: 1000, more: openAS2Variants(),
		start: func(t *testing.T, b *bench, agreements []agreement) peer { return startOpenAS2(t, b, agreements) },
		notes: []string{"OpenAS2 4.9.0, which is not in Maven Central and was built from its source, came to the same outcome in November 2026, " +
			"except that it does find its own name with spaces."},
	}
	pyas2 := product{
		name: "pyas2lib", peer: "pyas2", sends: everything(), atOnce: 8, more: pyas2Variants(), micOptional: true, rsaOnly: true,
		start: func(t *testing.T, b *bench, agreements []agreement) peer { return startPyas2(t, b, agreements) },
		notes: []string{
			"Its signed receipts for unsigned content carry no MIC. They count because the agreement says so (`receipt_mic_optional`, or `peer: pyas2`).",
			"It knows RSA alone. It was given no certificate on an elliptic curve: it cannot sign with one, and encrypting to one ends its process with a segmentation fault.",
		},
	}
	pyas2.sends.compress = []as2.Compression{as2.NoCompression, as2.BeforeSigning} // it cannot compress what is signed
	return []product{openAS2, pyas2}
}

// The two directions of an exchange.
const (
	toPeer   = "we send"
	fromPeer = "they send"
)

// trial is one thing to try with a product.
type trial struct {
	product   string
	part      part
	direction string
	title     []string // its row of the table in docs/interop.md
	cell      cell     // of the matrix; else how it is usual
	run       func(ctx context.Context) error
}

// part is a section of docs/interop.md.
type part string

const (
	inMatrix  part = "matrix"
	further   part = "further"
	wrong     part = "wrong"
	inProgram part = "program"
)

func (tr trial) String() string { return strings.Join(tr.title, " / ") }

// party is an agreement with what our station makes of it.
type party struct {
	agreement
	unknown bool // our station has never heard of it
	terms   connector.Terms
	policy  as2.Policy
	mic     as2.MICRule
	tls     map[string]string // our TLS settings, where we post over HTTPS
	pinned  bool              // they are the fingerprint of the server's certificate
}

// newParty agrees on a cell. What comes must be made exactly as agreed, or it
// is refused.
func newParty(name string, c cell, p product) party {
	request := c.request("")
	out := party{
		agreement: agreement{name: name, cell: c},
		terms: connector.Terms{
			Sign: c.sign, Encrypt: c.encrypt, Compress: c.compress, Receipt: request.Mode, SignedReceipt: request.Signed,
			MICOptional: p.micOptional,
		},
		policy: as2.Policy{RequireSigned: c.sign != "", RequireEncrypted: c.encrypt != ""},
	}
	if c.sign != "" {
		out.policy.Digests = []as2.Digest{c.sign}
	}
	if c.encrypt != "" {
		out.policy.Ciphers = []as2.Cipher{c.encrypt}
	}
	return out
}

// usual is how trials outside the matrix are made when they say nothing else.
var usual = cell{sign: as2.SHA256, encrypt: as2.AES256CBC, receipt: syncSigned, content: binaryBytes}

// bench is a product beside our station, ready to trade.
type bench struct {
	product   product
	station   *station // ours, as usual
	curved    *station // the same with an elliptic curve key
	secure    *station // the same over HTTPS
	authority *authority
	peer      peer               // nil until it is started
	keys      map[string]as2.Key // what the peer signs with: "peer", "curved", or "mallory", whom nobody knows
	trials    []trial
	parties   []party
}

// party adds an agreement for a trial.
func (b *bench) party(p party) {
	if p.with == nil {
		p.with = b.station
	}
	if p.key == "" {
		p.key = "peer"
	}
	b.parties = append(b.parties, p)
}

// known is the certificate our station has of a party.
func (b *bench) known(p party) *x509.Certificate {
	if p.key == "curved" {
		return b.keys["curved"].Certificate
	}
	return b.keys["peer"].Certificate
}

// trial adds a trial.
func (b *bench) trial(in part, direction string, c cell, run func(ctx context.Context) error, title ...string) {
	b.trials = append(b.trials, trial{b.product.name, in, direction, title, c, run})
}

// TestLive trades with the other products, and compares the outcome with
// docs/interop.md.
func TestLive(t *testing.T) {
	if os.Getenv("TRADEPOST_INTEROP") == "" && !*writeReport {
		t.Skip("TRADEPOST_INTEROP is not set: `make interop` starts the other products and trades with them")
	}
	t.Parallel()
	r := &report{}
	t.Run("products", func(t *testing.T) {
		for _, p := range products() {
			t.Run(p.name, func(t *testing.T) {
				t.Parallel()
				trade(t, p, r)
			})
		}
	})
	r.compare(t)
}

// trade starts a product and makes all trials with it.
func trade(t *testing.T, p product, r *report) {
	b := &bench{product: p, authority: newAuthority(t), keys: map[string]as2.Key{
		"peer": newKey(t, "peer", certs.RSA2048), "curved": newKey(t, "curved", certs.P256), "mallory": newKey(t, "mallory", certs.RSA2048),
	}}
	own := newKey(t, "tradepost", certs.RSA2048)
	b.station = newStation(t, stationID, own, nil)
	b.curved = newStation(t, stationID+"-EC", newKey(t, "tradepost on a curve", certs.P256), nil)
	b.secure = newStation(t, stationID+"-TLS", own, b.authority)
	program := newProgram(t, b)
	b.matrix()
	b.further()
	b.overHTTPS()
	b.onCurves()
	b.wrong(t)
	program.trials()
	var agreements []agreement
	for _, p := range b.parties {
		agreements = append(agreements, p.agreement)
	}
	b.peer = p.start(t, b, agreements)
	for _, p := range b.parties {
		if p.pinned {
			p.tls = map[string]string{"pin": certs.Fingerprint(b.authority.issued["peer"])}
		}
		if !p.unknown {
			p.with.know(p, b.peer, b.known(p))
		}
	}
	program.start(b.peer)
	errs := b.run(t.Context())
	var results []result
	for i, tr := range b.trials {
		t.Run(fmt.Sprintf("%s/%s/%s", tr.part, tr.direction, tr), func(t *testing.T) {
			results = append(results, judge(t, tr, errs[i]))
		})
	}
	if len(results) == len(b.trials) && !t.Failed() { // else some were left out
		r.add(chapter{p, b.peer.about(), results})
	}
}

// run makes the trials, many at a time: the product's own speed is the limit.
func (b *bench) run(ctx context.Context) []error {
	ctx, cancel := context.WithTimeout(ctx, 20*time.Minute)
	defer cancel()
	errs := make([]error, len(b.trials))
	var all sync.WaitGroup
	room := map[string]chan struct{}{toPeer: make(chan struct{}, 8), fromPeer: make(chan struct{}, b.product.atOnce)}
	for i, tr := range b.trials {
		all.Go(func() {
			room[tr.direction] <- struct{}{}
			defer func() { <-room[tr.direction] }()
			if tr.direction == toPeer {
				ctx, cancel := context.WithTimeout(ctx, patience)
				defer cancel()
				errs[i] = tr.run(ctx)
				return
			}
			errs[i] = tr.run(ctx)
		})
	}
	all.Wait()
	return errs
}

// result is what became of a trial.
type result struct {
	trial
	deviation *deviation // what the product does otherwise, nil when all is well
}

// anotherRelease tells that a product was brought along, whose deviations may
// be fewer.
func anotherRelease() bool { return os.Getenv("TRADEPOST_OPENAS2") != "" }

// judge says whether a trial went as it should. Where the product is known to
// deviate, it must deviate in just that way.
func judge(t *testing.T, tr trial, err error) result {
	t.Helper()
	d := known(tr)
	switch {
	case d == nil && err != nil:
		t.Error(err)
	case d != nil && err == nil && anotherRelease():
		t.Logf("not a deviation of this release: %s", d.why)
	case d != nil && err == nil:
		t.Errorf("this has become good: take it out of the deviations (%s)", d.why)
	case d != nil && !strings.Contains(err.Error(), d.shows):
		t.Errorf("%v\nwant the known deviation %q", err, d.shows)
	}
	return result{tr, d}
}
