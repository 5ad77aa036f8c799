package as2

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"os"
	"path/filepath"
	"sync"
	"time"

	"tradepost/as2"
)

// Connector is the name connections of this package use.
const Connector = "as2"

// Relation is the agreement with one partner as this connector needs it.
type Relation struct {
	as2.Relation
	Partner    string // our name of the partner
	Connection string // the name of the connection with that partner
	Terms      Terms
	// NameUsed tells whether the partner used a file name before, in another
	// transmission than the one with this Message-ID; such names are refused then,
	// with duplicate-filename. Of two that arrive at the same moment the door takes
	// one (transport.Arrival.UniqueNames). nil asks nobody.
	NameUsed func(ctx context.Context, name, messageID string) (bool, error)
}

// Terms is how we send to a partner.
type Terms struct {
	Sign          as2.Digest // "" leaves it unsigned
	PSS           bool       // sign with RSASSA-PSS
	Encrypt       as2.Cipher // "" leaves it in the clear
	OAEP          bool       // RSAES-OAEP for the content key
	EncryptToSelf bool       // so that we can read what we sent
	Compress      as2.Compression
	DER           bool            // definite lengths in place of a stream's BER
	NoFileName    bool            // the name of the content does not travel
	Receipt       as2.ReceiptMode // "" is none
	SignedReceipt bool
	// ReceiptDigests are those of the MIC that is asked for, the best first; none
	// asks for that of Sign.
	ReceiptDigests []as2.Digest
	// MICOptional accepts signed receipts for unsigned content without a MIC.
	MICOptional bool
}

// Relations finds agreements and keys as they are at the moment of the call,
// so that a certificate can change at any time.
type Relations interface {
	// Receiving finds the relation for what came from one AS2 identifier to
	// another. Both are foreign input. as2.ErrUnknownRelation when there is
	// none; any other error is taken for trouble of our own.
	Receiving(ctx context.Context, from, to string) (*Relation, error)
	// Sending finds the relation of a connection.
	Sending(ctx context.Context, connection string) (*Relation, error)
	// StrangerKey is the key that signs negative receipts to unknown partners
	// who addressed the AS2 identifier to; nil leaves them unsigned.
	StrangerKey(ctx context.Context, to string) (*as2.Key, error)
}

// Limits bounds what strangers may cost. A zero field takes its default.
type Limits struct {
	as2.Limits
	Concurrent  int           // requests worked on at a time; 128
	Connections int           // open connections; 1024
	Share       int           // percent of both that one source may take; 50
	HeaderTime  time.Duration // for the header of a request to arrive; 10 s
	Stall       time.Duration // without a byte of the body; 60 s
	Idle        time.Duration // between two requests of a connection; 2 min
	Drain       time.Duration // for requests in hand when stopping; 30 s
	Refusals    int           // refused requests a minute and source before 429; 60
	Sources     int           // sources remembered; 4096

	// Transmissions that broke off and may be gone on with (AS2 Restart).
	Partials     int           // per partner; 16, negative for none
	PartialBytes int64         // of all together; 32 GiB
	PartialAge   time.Duration // how long one is kept; 24 h
}

// withDefaults fills in the zero fields.
func (l Limits) withDefaults() Limits {
	whole := func(v *int, d int) {
		if *v <= 0 {
			*v = d
		}
	}
	while := func(v *time.Duration, d time.Duration) {
		if *v <= 0 {
			*v = d
		}
	}
	if l.Body <= 0 {
		l.Body = 16 << 30
	}
	whole(&l.Concurrent, 128)
	whole(&l.Connections, 1024)
	whole(&l.Share, 50)
	whole(&l.Refusals, 60)
	whole(&l.Sources, 4096)
	if l.Partials == 0 {
		l.Partials = 16
	}
	if l.PartialBytes <= 0 {
		l.PartialBytes = 32 << 30
	}
	while(&l.PartialAge, 24*time.Hour)
	while(&l.HeaderTime, 10*time.Second)
	while(&l.Stall, time.Minute)
	while(&l.Idle, 2*time.Minute)
	while(&l.Drain, 30*time.Second)
	return l
}

// Config is what the connector gets from the gateway.
type Config struct {
	// Relations is required.
	Relations Relations
	// Now and Rand are required.
	Now  func() time.Time
	Rand io.Reader
	// Host is the part behind @ of the Message-IDs we make, for example the
	// station's domain; "as2" when empty.
	Host string
	// Product is written as AS2-Product and Reporting-UA; empty is "tradepost".
	Product string
	// ReceiptURL is where partners post asynchronous receipts to: our own
	// listener as they see it. Needed for partners with asynchronous receipts.
	ReceiptURL string
	// TempDir holds bodies above 1 MiB while they are worked on, and, in a
	// folder of their own, transmissions that broke off. Empty is the system's
	// folder, and nothing can be gone on with then.
	TempDir string
	// RestartPause is how long a Sender waits before it goes on with a
	// transmission that broke off; 1 s, doubling while that does not help.
	RestartPause time.Duration
	// Base is what relative files in settings are relative to.
	Base string
	// Getenv reads the environment variables that settings name; nil is
	// os.Getenv.
	Getenv func(string) string
	// KeyPair reads the two files of a certificate of our own that settings name,
	// at the start and then for each server that asks; nil reads plain PEM files.
	KeyPair func(certificate, key string) (*tls.Certificate, error)
	// Features are EDIINT-Features (RFC 6017) of the program around the
	// connector, such as "CEM".
	Features []string
	Limits   Limits
	// OnTrouble hears of what needs a person and of what the Sink could not
	// take; nil ignores it. It must not block.
	OnTrouble func(error)
}

// Endpoint makes the two ends of the connector for one station.
type Endpoint struct {
	cfg       Config
	deflaters as2.Deflaters
	exchanges exchanges
	partials  func() (*partials, error) // made when something listens
}

// New makes an Endpoint.
func New(c Config) (*Endpoint, error) {
	if c.Relations == nil || c.Now == nil || c.Rand == nil {
		return nil, errors.New("as2 connector: Config.Relations, Config.Now and Config.Rand must be set")
	}
	c = c.withDefaults()
	return &Endpoint{cfg: c, partials: sync.OnceValues(func() (*partials, error) { return newPartials(c) })}, nil
}

// withDefaults fills in what is not set.
func (c Config) withDefaults() Config {
	if c.Getenv == nil {
		c.Getenv = os.Getenv
	}
	if c.OnTrouble == nil {
		c.OnTrouble = func(error) {}
	}
	if c.Host = plainHost(c.Host); c.Host == "" {
		c.Host = "as2"
	}
	if c.KeyPair == nil {
		c.KeyPair = func(certificate, key string) (*tls.Certificate, error) {
			pair, err := tls.LoadX509KeyPair(certificate, key)
			return &pair, err
		}
	}
	c.Limits = c.Limits.withDefaults()
	return c
}

// features are the EDIINT-Features of the connector: a retry is known by its
// Message-ID, and what broke off can be gone on with.
func (e *Endpoint) features() []string {
	out := []string{"AS2-Reliability"}
	if e.cfg.restartable() {
		out = append(out, "AS2-Restart")
	}
	return append(out, e.cfg.Features...)
}

// restartable tells whether there is a place for what breaks off.
func (c Config) restartable() bool { return c.TempDir != "" && c.Limits.Partials >= 0 }

// path is where a file that settings name lies.
func (e *Endpoint) path(name string) string {
	if !filepath.IsAbs(name) {
		name = filepath.Join(e.cfg.Base, name)
	}
	return name
}

// file reads a file that settings name.
func (e *Endpoint) file(name string) ([]byte, error) { return os.ReadFile(e.path(name)) }

func (e *Endpoint) spool() as2.Spool { return as2.Spool{Dir: e.cfg.TempDir} }
