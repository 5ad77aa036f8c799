package cli

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"tradepost/as2"
	"tradepost/certs"

	"github.com/spf13/cobra"
)

// sentInfo is what `as2 send -o json` prints.
type sentInfo struct {
	Status       string     `json:"status"` // delivered, refused, unproven, sent (no receipt due yet)
	HTTPStatus   int        `json:"http_status"`
	From         string     `json:"as2_from"`
	To           string     `json:"as2_to"`
	MessageID    string     `json:"message_id"`
	MIC          string     `json:"mic"`
	MICAlgorithm as2.Digest `json:"mic_algorithm"`
	Size         int64      `json:"size"` // of the body sent
	Disposition  string     `json:"disposition"`
	MICMatches   bool       `json:"mic_matches"`
	Signed       bool       `json:"signed"` // the receipt
	Reason       string     `json:"reason"`
	Warnings     []string   `json:"warnings"`
}

// sendFlags are the flags of `as2 send`.
type sendFlags struct {
	to, from, partner               string
	sign, encrypt                   string
	compress, pss, oaep             bool
	receipt, receiptURL             string
	unsignedReceipt                 bool
	contentType, filename, subject  string
	messageID, request, receiptFile string
	ca, user, passwordEnv           string
	timeout                         time.Duration
}

func newAS2SendCommand(env *Env) *cobra.Command {
	var (
		out   output
		id    identity
		flags sendFlags
	)
	cmd := &cobra.Command{
		Use:   "send FILE",
		Short: "Send one file over AS2 and check the receipt",
		Example: `  tradepost as2 send order.edi --to https://edi.supplier.example/as2 --from BUYER --partner SUPPLIER \
      --cert own.crt --key own.key --partner-cert supplier.crt --save-request request.txt`,
		Long: `Signs, encrypts and posts FILE (- reads standard input) to a partner and checks
the receipt in the answer. The exit code is 0 when the receipt proves delivery,
or when none was due yet; 4 when the partner refused or the receipt proves
nothing; 6 when the partner cannot be reached.`,
		Args: want("FILE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := out.check(cmd); err != nil {
				return err
			}
			return flags.run(cmd, env, &id, out.format, args[0])
		},
	}
	out.flag(cmd, formTable, formJSON)
	id.flags(cmd, true)
	f := cmd.Flags()
	f.StringVar(&flags.to, "to", "", "`URL` of the partner")
	f.StringVar(&flags.from, "from", "", "our AS2 `ID`")
	f.StringVar(&flags.partner, "partner", "", "the partner's AS2 `ID`")
	f.StringVar(&flags.sign, "sign", "sha-256", "`DIGEST` of the signature, or none")
	f.StringVar(&flags.encrypt, "encrypt", "aes-256-cbc", "`CIPHER` of the content, or none")
	f.BoolVar(&flags.compress, "compress", false, "compress the content before signing")
	f.BoolVar(&flags.pss, "pss", false, "sign with RSASSA-PSS")
	f.BoolVar(&flags.oaep, "oaep", false, "transport the content key with RSAES-OAEP")
	f.StringVar(&flags.receipt, "receipt", "sync", "receipt to ask for: sync, async or none")
	f.StringVar(&flags.receiptURL, "receipt-url", "", "`URL` an async receipt shall come to")
	f.BoolVar(&flags.unsignedReceipt, "unsigned-receipt", false, "ask for a receipt without a signature")
	f.StringVar(&flags.contentType, "content-type", "", "media `TYPE` of FILE (default by its name)")
	f.StringVar(&flags.filename, "filename", "", "file `NAME` to tell the partner (default that of FILE)")
	f.StringVar(&flags.subject, "subject", "", "`TEXT` of the Subject header")
	f.StringVar(&flags.messageID, "message-id", "", "`ID` with its brackets (default a new one)")
	f.StringVar(&flags.request, "save-request", "", "keep the request in `FILE`, before it is sent")
	f.StringVar(&flags.receiptFile, "save-receipt", "", "keep the answer in `FILE`")
	f.StringVar(&flags.ca, "ca", "", "certificates to trust for https, PEM `FILE` (default the system's)")
	f.StringVar(&flags.user, "user", "", "`NAME` for basic authentication")
	f.StringVar(&flags.passwordEnv, "password-env", "", "environment `VARIABLE` that holds its password")
	f.DurationVar(&flags.timeout, "timeout", 2*time.Minute, "longest wait for the answer")
	return cmd
}

// run sends one file.
func (s *sendFlags) run(cmd *cobra.Command, env *Env, id *identity, format, file string) error {
	for _, f := range []struct{ name, value string }{{"to", s.to}, {"from", s.from}, {"partner", s.partner}} {
		if f.value == "" {
			return usage(cmd, fmt.Errorf("--%s is missing", f.name))
		}
	}
	rel, err := s.relation(cmd, env, id)
	if err != nil {
		return err
	}
	opts, err := s.options(cmd, env)
	if err != nil {
		return err
	}
	payload, done, err := s.payload(env, file)
	if err != nil {
		return err
	}
	defer done()
	sent, err := as2.Build(cmd.Context(), rel, payload, opts)
	if err != nil {
		return err
	}
	defer func() { _ = sent.Close() }() // only frees the spool
	if s.request != "" {
		if err := s.saveRequest(env, sent); err != nil {
			return err
		}
	}
	client, err := s.client(env)
	if err != nil {
		return err
	}
	defer client.CloseIdle()
	info := sentInfo{
		From: sent.From, To: sent.To, MessageID: sent.MessageID, Size: sent.Size,
		MICAlgorithm: as2.SHA256, Warnings: []string{},
	}
	if opts.Sign != "" {
		info.MICAlgorithm = opts.Sign
	}
	info.MIC = sent.MICs[info.MICAlgorithm]
	failure := s.exchange(cmd.Context(), env, client, sent, rel.Partner.Verify, &info)
	if info.Status == "" {
		return failure
	}
	if err := printSent(env, format, info); err != nil {
		return err
	}
	return failure
}

// exchange posts and judges the answer. Without a status in info the partner
// did not answer properly.
func (s *sendFlags) exchange(ctx context.Context, env *Env, client *as2.Client, sent *as2.Outgoing, verify []*x509.Certificate, info *sentInfo) error {
	resp, err := client.Post(ctx, s.to, sent)
	var failed *as2.PostError
	if errors.As(err, &failed) {
		code := ExitFailed
		if failed.Status == 0 && failed.Retry && ctx.Err() == nil {
			code = ExitUnreachable
		}
		if ctx.Err() != nil {
			code = ExitInterrupted
		}
		return &ExitError{Code: code, Err: err}
	}
	if err != nil {
		return err
	}
	info.HTTPStatus, info.Status = resp.Status, "sent"
	if s.receiptFile != "" {
		err := env.writeOutput(s.receiptFile, func(w io.Writer) error {
			return as2.WriteStored(w, resp.Header, strings.NewReader(string(resp.Body)))
		})
		if err != nil {
			return err
		}
	}
	if sent.Request.Mode != as2.SyncReceipt {
		return nil
	}
	rc, err := resp.Receipt()
	if err != nil {
		info.Status, info.Reason = "unproven", err.Error()
		return exit(ExitRefused, "not proven: %w", err)
	}
	o := rc.Check(sent.Sent, verify)
	info.Disposition, info.MICMatches, info.Signed = rc.Disposition.String(), o.MICMatches, rc.Signed
	info.Reason, info.Warnings = o.Reason, append(info.Warnings, o.Warnings...)
	switch o.Code {
	case as2.OutcomeDelivered:
		info.Status = "delivered"
		return nil
	case as2.OutcomeRefused:
		info.Status = "refused"
		return exit(ExitRefused, "refused: %s", o.Reason)
	default:
		info.Status = "unproven"
		return exit(ExitRefused, "not proven: %s", o.Reason)
	}
}

// relation is what the flags say about the two sides.
func (s *sendFlags) relation(cmd *cobra.Command, env *Env, id *identity) (as2.Relation, error) {
	keys, err := id.own(env)
	if err != nil {
		return as2.Relation{}, err
	}
	partner, err := id.partner()
	if err != nil {
		return as2.Relation{}, err
	}
	rel := as2.Relation{
		Station: as2.Station{ID: s.from, Keys: keys},
		Partner: as2.Partner{ID: s.partner, Verify: partner},
	}
	if len(partner) > 0 {
		rel.Partner.Encrypt = partner[0]
		now := env.Now()
		if now.After(partner[0].NotAfter) {
			env.say("warning: the partner's certificate ended on %s", env.clock(partner[0].NotAfter))
		}
	}
	if !strings.EqualFold(s.sign, "none") && len(keys) == 0 {
		return as2.Relation{}, usage(cmd, errors.New("to sign, give --cert and --key; or give --sign none"))
	}
	if !strings.EqualFold(s.encrypt, "none") && len(partner) == 0 {
		return as2.Relation{}, usage(cmd, errors.New("to encrypt, give --partner-cert; or give --encrypt none"))
	}
	return rel, nil
}

// options is what the flags say about the transmission.
func (s *sendFlags) options(cmd *cobra.Command, env *Env) (as2.Options, error) {
	o := as2.Options{
		MessageID: s.messageID, Now: env.Now(), Rand: env.Random, Subject: s.subject, PSS: s.pss, OAEP: s.oaep,
		Receipt: as2.ReceiptRequest{Mode: as2.ReceiptMode(s.receipt), URL: s.receiptURL, Signed: !s.unsignedReceipt},
	}
	switch o.Receipt.Mode {
	case as2.SyncReceipt, as2.NoReceipt:
	case as2.AsyncReceipt:
		if s.receiptURL == "" {
			return o, usage(cmd, errors.New("--receipt async needs --receipt-url"))
		}
	default:
		return o, usage(cmd, fmt.Errorf("--receipt %s is not known: write sync, async or none", s.receipt))
	}
	if !strings.EqualFold(s.sign, "none") {
		d, err := as2.ParseDigest(s.sign)
		if err != nil {
			return o, usage(cmd, fmt.Errorf("--sign: %w", err))
		}
		if d == as2.MD5 {
			return o, usage(cmd, errors.New("--sign md5: it is read where a partner's agreement says so, and never written"))
		}
		o.Sign = d
	}
	if !strings.EqualFold(s.encrypt, "none") {
		c, err := as2.ParseCipher(s.encrypt)
		if err != nil {
			return o, usage(cmd, fmt.Errorf("--encrypt: %w", err))
		}
		o.Encrypt = c
	}
	if s.compress {
		o.Compress = as2.BeforeSigning
	}
	if o.MessageID == "" {
		id, err := as2.NewMessageID(env.Now(), env.Random, s.from)
		if err != nil {
			return o, err
		}
		o.MessageID = id
	}
	return o, nil
}

// payload is the file to send. done frees it.
func (s *sendFlags) payload(env *Env, file string) (p as2.Payload, done func(), err error) {
	p = as2.Payload{ContentType: s.contentType, Filename: s.filename, Size: -1}
	if p.Filename == "" && file != "-" {
		p.Filename = filepath.Base(file)
	}
	if p.ContentType == "" {
		p.ContentType = contentTypeOf(p.Filename)
	}
	first, err := openInput(env.Stdin, file)
	if err != nil {
		return p, nil, err
	}
	p.Open = func() (io.ReadCloser, error) { return first, nil }
	return p, func() { _ = first.Close() }, nil // closed already when it was read
}

// contentTypeOf names the media type that goes with a file name (RFC 1767 and
// common use).
func contentTypeOf(name string) string {
	switch strings.ToLower(filepath.Ext(name)) {
	case ".x12", ".edi":
		return "application/edi-x12"
	case ".edifact", ".edf":
		return "application/edifact"
	case ".xml":
		return "application/xml"
	case ".json":
		return "application/json"
	case ".csv":
		return "text/csv"
	case ".txt":
		return "text/plain"
	}
	return "application/octet-stream"
}

// saveRequest keeps the finished request.
func (s *sendFlags) saveRequest(env *Env, sent *as2.Outgoing) error {
	return env.writeOutput(s.request, func(w io.Writer) error {
		r, err := sent.Open()
		if err != nil {
			return err
		}
		err = as2.WriteStored(w, sent.Header, r)
		if cerr := r.Close(); err == nil {
			err = cerr
		}
		return err
	})
}

// client is what the flags say about the connection.
func (s *sendFlags) client(env *Env) (*as2.Client, error) {
	c := as2.ClientConfig{Username: s.user, ResponseTimeout: s.timeout}
	if s.passwordEnv != "" {
		password, ok := env.LookupEnv(s.passwordEnv)
		if !ok {
			return nil, exit(ExitUsage, "--password-env %s: the variable is not set", s.passwordEnv)
		}
		c.Password = password
	}
	if s.ca != "" {
		b, err := readInput(s.ca)
		if err != nil {
			return nil, err
		}
		cs, err := certs.ParseCertificates(b)
		if err != nil {
			return nil, fmt.Errorf("--ca %s: %w", s.ca, err)
		}
		pool := x509.NewCertPool()
		for _, cert := range cs {
			pool.AddCert(cert)
		}
		c.TLS = &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
	}
	return as2.NewClient(c), nil
}

// printSent prints what became of the transmission.
func printSent(env *Env, format string, info sentInfo) error {
	if format == formJSON {
		return writeJSON(env.Stdout, info)
	}
	return writeRows(env.Stdout, []row{
		{"status", info.Status},
		{"http status", strconv.Itoa(info.HTTPStatus)},
		{"from", info.From},
		{"to", info.To},
		{"message id", info.MessageID},
		{"mic", info.MIC + ", " + string(info.MICAlgorithm)},
		{"disposition", info.Disposition},
		{"reason", info.Reason},
		{"warnings", strings.Join(info.Warnings, "; ")},
	})
}
