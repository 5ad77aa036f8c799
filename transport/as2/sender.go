package as2

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"regexp"
	"slices"
	"sync"
	"time"

	"tradepost/as2"
	"tradepost/transport"
)

// Sender posts transmissions to one partner, and the receipts we owe it. It is
// safe for concurrent use.
type Sender struct {
	e        *Endpoint
	conn     transport.Connection
	set      Settings
	client   *as2.Client      // to the URL of the settings
	own      as2.ClientConfig // what client was made from
	stranger as2.ClientConfig // for other hosts
	hosts    receiptHosts
}

var (
	_ transport.Sender        = (*Sender)(nil)
	_ transport.ReceiptSender = (*Sender)(nil)
	_ transport.Listener      = (*Listener)(nil)
)

// Sender makes the Sender of a connection. Errors are *transport.SettingsError.
func (e *Endpoint) Sender(conn transport.Connection) (*Sender, error) {
	set, err := ParseSettings(conn)
	if err != nil {
		return nil, err
	}
	own, err := e.clientConfig(conn, set, false)
	if err != nil {
		return nil, err
	}
	strange, err := e.clientConfig(conn, set, true)
	if err != nil {
		return nil, err
	}
	return &Sender{
		e: e, conn: conn, set: set, client: as2.NewClient(own), own: own, stranger: strange, hosts: newReceiptHosts(set),
	}, nil
}

// Close closes idle connections.
func (s *Sender) Close() error {
	s.client.CloseIdle()
	return nil
}

// plainID is a delivery id that can stand in a Message-ID as it is.
var plainID = regexp.MustCompile(`^[0-9A-Za-z_-]{1,100}$`)

// deliveryMessageID is the Message-ID of a delivery: the same for the same id.
func deliveryMessageID(id, host string) string {
	if !plainID.MatchString(id) {
		sum := sha256.Sum256([]byte(id))
		id = "x" + hex.EncodeToString(sum[:])
	}
	return "<" + id + "@" + host + ">"
}

// Prepare builds the transmission: signed, encrypted and compressed by the
// relation's terms, under a Message-ID made of the delivery's id. Errors are
// temporary where the relation could not be looked up or the disk failed, and
// permanent where the terms cannot be kept.
func (s *Sender) Prepare(ctx context.Context, d *transport.Delivery) (*transport.Prepared, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	rel, err := s.relation(ctx)
	if err != nil {
		return nil, err
	}
	if d.Content.Body == nil {
		return nil, transport.Permanent(fmt.Errorf("connection %s: delivery %s has no content", s.conn.Name, d.ID))
	}
	cfg, t := s.e.cfg, rel.Terms
	made := d.CreatedAt
	if made.IsZero() {
		made = cfg.Now()
	}
	content := localBody{body: d.Content.Body}
	name := d.Content.Filename
	if t.NoFileName {
		name = ""
	}
	out, err := as2.Build(ctx, rel.Relation, as2.Payload{
		ContentType: d.Content.ContentType, Filename: name, Size: d.Content.Body.Size(), Open: content.open,
	}, as2.Options{
		MessageID: deliveryMessageID(d.ID, cfg.Host), Now: made, Rand: cfg.Rand, Subject: d.Subject,
		Sign: t.Sign, PSS: t.PSS, Encrypt: t.Encrypt, OAEP: t.OAEP, EncryptToSelf: t.EncryptToSelf, Compress: t.Compress, DER: t.DER,
		Receipt: s.ask(t), Product: cfg.Product, Features: s.e.features(),
		Spool: s.e.spool(), Deflaters: &s.e.deflaters,
	})
	if err != nil {
		return nil, s.buildError(ctx, content.failure(), err)
	}
	for name, value := range s.set.Headers {
		out.Header.Set(name, value)
	}
	if s.set.Restart && out.Size >= restartFrom {
		id, err := as2.NewTransferID(cfg.Rand)
		if err != nil {
			return nil, s.buildError(ctx, nil, err)
		}
		out.Header.Set("ETag", id)
	}
	p := &transport.Prepared{
		MessageID: out.MessageID, Headers: headerFields(out.Header), Wire: builtBody{out}, Content: d.Content,
		WantReceipt: out.Request.Wanted(),
		Evidence: transport.Evidence{
			Remote: s.set.URL, Headers: headerFields(out.Header), From: out.From, To: out.To,
			Signed: out.Signed, Encrypted: out.Encrypted, Compressed: t.Compress != as2.NoCompression,
			Digest: string(t.Sign), Cipher: string(t.Encrypt), MICs: allMICs(out.MICs, out.BareMICs),
		},
	}
	for _, d := range append([]as2.Digest{t.Sign}, append(out.Request.Digests, as2.SHA256)...) {
		if out.MICs[d] != "" {
			p.Evidence.MIC, p.Evidence.MICAlg = out.MICs[d], string(d)
			break
		}
	}
	if out.Signed {
		p.Evidence.Signer = certificate(rel.Station.Keys[0].Certificate)
	}
	if out.Encrypted {
		p.Evidence.Recipient = certificate(rel.Relation.Partner.Encrypt)
	}
	return p, nil
}

// restartFrom is the size in bytes from which it pays to go on with what broke
// off.
const restartFrom = 1 << 20

// relation looks up the agreement of this connection.
func (s *Sender) relation(ctx context.Context) (*Relation, error) {
	rel, err := s.e.cfg.Relations.Sending(ctx, s.conn.Name)
	if err == nil && rel == nil {
		err = as2.ErrUnknownRelation
	}
	if err != nil {
		return nil, fmt.Errorf("connection %s: look up its partner: %w", s.conn.Name, err)
	}
	return rel, nil
}

// ask is the receipt asked for.
func (s *Sender) ask(t Terms) as2.ReceiptRequest {
	r := as2.ReceiptRequest{Mode: t.Receipt, Signed: t.SignedReceipt, Digests: t.ReceiptDigests, To: "receipts@" + s.e.cfg.Host, MICOptional: t.MICOptional}
	if t.Receipt == as2.AsyncReceipt {
		r.URL = s.e.cfg.ReceiptURL
	}
	return r
}

// buildError tells trouble of the moment from terms that cannot be kept.
func (s *Sender) buildError(ctx context.Context, read, err error) error {
	err = fmt.Errorf("connection %s: %w", s.conn.Name, err)
	var disk *as2.SpoolError
	if ctx.Err() != nil || read != nil || errors.As(err, &disk) {
		return err
	}
	return transport.Permanent(err)
}

// builtBody is the body of a built transmission.
type builtBody struct{ out *as2.Outgoing }

func (b builtBody) Open() (io.ReadCloser, error) { return b.out.Open() }
func (b builtBody) Size() int64                  { return b.out.Size }
func (b builtBody) Close() error                 { return b.out.Close() }

// localBody opens a Body and notes when our own store fails to give its bytes,
// so that it is not taken for a failure of the partner.
type localBody struct {
	body     transport.Body
	progress func() // called at each read, and at the end of the body
	end      func()

	mu      sync.Mutex // net/http reads on after it has answered
	err     error
	resumed []int64 // where a transmission that broke off was gone on with
}

// resume notes that the body is read from somewhere else than its beginning.
func (l *localBody) resume(at int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if at > 0 {
		l.resumed = append(l.resumed, at)
	}
}

// resumes are the places noted.
func (l *localBody) resumes() []int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.resumed)
}

// fail notes the first error.
func (l *localBody) fail(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.err == nil {
		l.err = err
	}
}

// failure is the error noted.
func (l *localBody) failure() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.err
}

func (l *localBody) open() (io.ReadCloser, error) {
	r, err := l.body.Open()
	if err != nil {
		l.fail(err)
		return nil, err
	}
	return &localReader{ReadCloser: r, l: l}, nil
}

type localReader struct {
	io.ReadCloser
	l *localBody
}

// Seek lets a transmission that broke off go on without reading what was sent.
func (r *localReader) Seek(offset int64, whence int) (int64, error) {
	if whence == io.SeekStart {
		r.l.resume(offset)
	}
	if s, ok := r.ReadCloser.(io.Seeker); ok {
		return s.Seek(offset, whence)
	}
	if whence != io.SeekStart {
		return 0, errors.ErrUnsupported
	}
	return io.CopyN(io.Discard, r, offset) // it is at its beginning
}

func (r *localReader) Read(p []byte) (int, error) {
	if r.l.progress != nil {
		r.l.progress()
	}
	n, err := r.ReadCloser.Read(p)
	switch {
	case errors.Is(err, io.EOF):
		if r.l.end != nil {
			r.l.end()
		}
	case err != nil:
		r.l.fail(err)
	}
	return n, err
}

// errStalled is a partner that stopped taking bytes.
var errStalled = errors.New("the partner has stopped taking the transmission, or answering it")

// post posts the bytes of p and tells what was seen on the way.
func (s *Sender) post(ctx context.Context, p *transport.Prepared, terms Terms) (*as2.Response, transport.Evidence, error) {
	seen := transport.Evidence{Remote: s.set.URL}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotConn: func(i httptrace.GotConnInfo) {
		if c, ok := i.Conn.(*tls.Conn); ok {
			state := c.ConnectionState()
			seen.TLS = tlsName(&state)
		}
	}})
	timeout := time.Duration(s.set.Timeout)
	watch := time.AfterFunc(timeout, func() { cancel(errStalled) })
	defer watch.Stop()
	wire := p.Wire
	if wire == nil {
		wire = p.Content.Body
	}
	body := localBody{
		body:     wire,
		progress: func() { watch.Reset(timeout) },
		// The wait for the answer to begin has its own limit, the same. This one
		// is for the last bytes to leave and for an answer that never ends.
		end: func() { watch.Reset(2 * timeout) },
	}
	out := &as2.Outgoing{Sent: sentFacts(p, terms), Header: httpHeader(p.Headers), Size: wire.Size(), Open: body.open}
	post := s.client.Post
	if s.set.Restart && out.Header.Get("ETag") != "" {
		post = func(ctx context.Context, url string, out *as2.Outgoing) (*as2.Response, error) {
			return s.client.PostRestartable(ctx, url, out, as2.Restart{Pause: s.e.cfg.RestartPause})
		}
	}
	resp, err := post(ctx, s.set.URL, out)
	seen.Resumed = body.resumes()
	if err == nil {
		seen.HTTPStatus = resp.Status
		return resp, seen, nil
	}
	var pe *as2.PostError
	if errors.As(err, &pe) {
		seen.HTTPStatus, seen.Response = pe.Status, readable(pe.Body)
	}
	switch {
	case errors.Is(context.Cause(ctx), errStalled):
		err = &as2.PostError{Retry: true, Err: fmt.Errorf("%w: nothing moved in %v", errStalled, timeout)}
	case body.failure() != nil:
		err = &as2.PostError{Retry: true, Err: fmt.Errorf("read what is to be sent: %w", body.failure())}
	}
	return nil, seen, err
}

// Send posts a prepared transmission and judges the answer.
func (s *Sender) Send(ctx context.Context, _ string, p *transport.Prepared) (*transport.Outcome, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if len(p.Headers) == 0 || p.MessageID == "" || p.Wire == nil && p.Content.Body == nil {
		return nil, transport.Permanent(fmt.Errorf("connection %s: what is to be sent has no headers, Message-ID or bytes: prepare the delivery again", s.conn.Name))
	}
	rel, err := s.relation(ctx)
	if err != nil {
		return nil, err
	}
	sent := sentFacts(p, rel.Terms)
	resp, seen, err := s.post(ctx, p, rel.Terms)
	if err != nil {
		return s.failed(seen, err)
	}
	if !sent.Request.Wanted() {
		seen.Response = readable(resp.Body)
		return &transport.Outcome{Delivered: true, Evidence: seen}, nil
	}
	receipt, err := resp.Receipt()
	if errors.Is(err, as2.ErrNoReceipt) && sent.Request.Mode == as2.AsyncReceipt {
		seen.Response = readable(resp.Body)
		return &transport.Outcome{Pending: true, Evidence: seen}, nil
	}
	if err != nil {
		seen.Response = readable(resp.Body)
		return nil, s.attempt(seen, 0, fmt.Errorf("%s answered %d without the receipt that was asked for: %w", s.set.URL, resp.Status, err))
	}
	o := judge(receipt, sent, rel)
	o.Evidence = seen
	return o, nil
}

// judge says what a receipt proves. One that proves nothing is kept with the
// reason, and the delivery is not tried again by itself: the partner has
// answered, and a person has to look at what.
func judge(r *as2.Receipt, sent as2.Sent, rel *Relation) *transport.Outcome {
	o := r.Check(sent, rel.Relation.Partner.Verify)
	return &transport.Outcome{Delivered: o.Delivered, Reason: o.Reason, Receipt: theirReceipt(r, o)}
}

// failed turns a failed post into an outcome or an error, by the rules of
// draft rfc4130bis about what is tried again.
func (s *Sender) failed(seen transport.Evidence, err error) (*transport.Outcome, error) {
	var pe *as2.PostError
	switch {
	case !errors.As(err, &pe):
		return nil, s.attempt(seen, 0, err)
	case pe.Retry:
		return nil, s.attempt(seen, pe.After, err)
	case pe.Status != 0:
		return &transport.Outcome{Reason: fmt.Sprintf("%s answered %d %s", s.set.URL, pe.Status, http.StatusText(pe.Status)), Evidence: seen}, nil
	}
	return nil, transport.Permanent(s.attempt(seen, 0, err))
}

// attempt is err with what was seen.
func (s *Sender) attempt(seen transport.Evidence, after time.Duration, err error) error {
	return &transport.AttemptError{Err: fmt.Errorf("connection %s: %w", s.conn.Name, err), Evidence: seen, RetryAfter: after}
}
