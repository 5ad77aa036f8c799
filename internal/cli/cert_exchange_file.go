package cli

import (
	"bytes"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"tradepost/as2"
	"tradepost/certs"
	"tradepost/certs/cem"

	"github.com/spf13/cobra"
)

// writeEntity writes a message as header lines, an empty line and the body.
func (e *Env) writeEntity(name string, m *cem.Entity) error {
	return e.writeOutput(name, func(w io.Writer) error {
		if _, err := fmt.Fprintf(w, "MIME-Version: 1.0\r\nContent-Type: %s\r\n\r\n", m.ContentType); err != nil {
			return err
		}
		_, err := w.Write(m.Body)
		return err
	})
}

// readEntity reads a message: with its header lines, or the XML alone.
func (e *Env) readEntity(name string) (*cem.Message, error) {
	f, err := openInput(e.Stdin, name)
	if err != nil {
		return nil, err
	}
	data, err := readSmall(f, name)
	if err != nil {
		return nil, err
	}
	contentType, body := cem.MediaType, data
	if !bytes.HasPrefix(bytes.TrimSpace(data), []byte("<")) {
		header, rest, err := as2.ReadStored(bytes.NewReader(data), as2.Limits{})
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		if body, err = io.ReadAll(rest); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		contentType = header.Get("Content-Type")
	}
	m, err := cem.Parse(contentType, body)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return m, nil
}

func newExchangeRequestCommand(env *Env) *cobra.Command {
	var (
		r             cem.Request
		files, usages []string
		by, url, out  string
	)
	cmd := &cobra.Command{
		Use:   "request",
		Short: "Write a request that offers certificates, to a file",
		Example: `  tradepost cert exchange request --from BUYER --certificate next.crt \
      --response-url https://edi.buyer.example/as2 --respond-by 2027-01-15 --out request.mime`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if r.From == "" || len(files) == 0 || url == "" {
				return usage(cmd, errors.New("--from, --certificate and --response-url are needed"))
			}
			respondBy, err := (&dates{goLive: by}).use()
			if err != nil {
				return usage(cmd, fmt.Errorf("--respond-by %s: write a date such as 2027-01-15, or one with time and zone", by))
			}
			var list []cem.Usage
			for _, u := range usages {
				switch cem.Usage(u) {
				case cem.DigitalSignature, cem.KeyEncipherment, cem.TLSServer, cem.TLSClient:
					list = append(list, cem.Usage(u))
				default:
					return usage(cmd, fmt.Errorf("--usage %s: write digitalSignature, keyEncipherment, tlsServer or tlsClient", u))
				}
			}
			for _, f := range files {
				b, err := env.readBundle(f, &password{})
				if err != nil {
					return err
				}
				ends := certs.EndEntities(b.certificates)
				for _, c := range ends {
					r.Trust = append(r.Trust, cem.TrustRequest{Usages: list, RespondBy: respondBy.GoLive, ResponseURL: url, Certificate: c, Chain: without(b.certificates, ends)})
				}
			}
			if r.Originated = env.Now(); r.ID == "" {
				if r.ID, err = cem.NewID(env.Random); err != nil {
					return err
				}
			}
			m, err := r.Encode(env.Random)
			if err != nil {
				return err
			}
			return env.writeEntity(out, m)
		},
	}
	f := cmd.Flags()
	f.StringVar(&r.From, "from", "", "AS2 `ID` of who offers; required")
	f.StringSliceVar(&files, "certificate", nil, "`FILES` of certificates; required")
	f.StringSliceVar(&usages, "usage", []string{string(cem.DigitalSignature), string(cem.KeyEncipherment)}, "what they are for: digitalSignature, keyEncipherment, tlsServer, tlsClient")
	f.StringVar(&by, "respond-by", "", "`DATE` until which an answer is wanted")
	f.StringVar(&url, "response-url", "", "`URL` the answer is to be posted to; required")
	f.StringVar(&r.ID, "id", "", "`ID` of the exchange (default: a new one)")
	f.StringVar(&out, "out", "-", "write to `FILE` instead of standard output")
	return cmd
}

// without are the certificates of a list that are not among some.
func without(list, some []*x509.Certificate) []*x509.Certificate {
	var out []*x509.Certificate
	for _, c := range list {
		found := false
		for _, s := range some {
			found = found || s.Equal(c)
		}
		if !found {
			out = append(out, c)
		}
	}
	return out
}

func newExchangeRespondCommand(env *Env) *cobra.Command {
	var from, refuse, out string
	cmd := &cobra.Command{
		Use:     "respond REQUEST-FILE|-",
		Short:   "Write the response to a request, to a file",
		Example: `  tradepost cert exchange respond request.mime --from SUPPLIER --out response.mime`,
		Long:    "Accepts every certificate of the request, or refuses all of them with --refuse.",
		Args:    want("REQUEST-FILE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if from == "" {
				return usage(cmd, errors.New("--from is missing: the AS2 id of who answers"))
			}
			m, err := env.readEntity(args[0])
			if err != nil {
				return err
			}
			if m.Request == nil {
				return exit(ExitFailed, "%s is a response, and nobody answers a response", args[0])
			}
			r := &cem.Response{RequestID: m.Request.ID, From: from, Originated: env.Now()}
			for _, t := range m.Request.Trust {
				r.Answers = append(r.Answers, cem.About(t.Certificate, refuse == "", refuse))
			}
			entity, err := r.Encode(env.Random)
			if err != nil {
				return err
			}
			return env.writeEntity(out, entity)
		},
	}
	cmd.Flags().StringVar(&from, "from", "", "AS2 `ID` of who answers; required")
	cmd.Flags().StringVar(&refuse, "refuse", "", "refuse, and say `WHY`")
	cmd.Flags().StringVar(&out, "out", "-", "write to `FILE` instead of standard output")
	return cmd
}

// exchangeMessage is what `cert exchange read` prints.
type exchangeMessage struct {
	Kind         string        `json:"kind"` // "request", "response"
	ID           string        `json:"id"`
	From         string        `json:"from"`
	Originated   string        `json:"originated,omitempty"`
	Certificates []exchangeRow `json:"certificates"`
}

// exchangeRow is one certificate of a message.
type exchangeRow struct {
	Usages      []cem.Usage         `json:"usages,omitempty"`
	RespondBy   string              `json:"respondBy,omitempty"`
	ResponseURL string              `json:"responseUrl,omitempty"`
	Status      string              `json:"status,omitempty"` // "accepted", "refused"
	Reason      string              `json:"reason,omitempty"`
	Issuer      string              `json:"issuer"`
	Serial      string              `json:"serial"` // hex
	Certificate *certs.Description  `json:"certificate,omitempty"`
	chain       []*x509.Certificate // the certificate first
}

func messageOf(m *cem.Message) exchangeMessage {
	when := func(t time.Time) string { return stamp(t) }
	if r := m.Response; r != nil {
		out := exchangeMessage{Kind: "response", ID: r.RequestID, From: r.From, Originated: when(r.Originated)}
		for _, a := range r.Answers {
			row := exchangeRow{Status: "accepted", Issuer: a.Issuer, Serial: a.Serial.Text(16), Reason: a.Reason}
			if !a.Accepted {
				row.Status = "refused"
			}
			out.Certificates = append(out.Certificates, row)
		}
		return out
	}
	r := m.Request
	out := exchangeMessage{Kind: "request", ID: r.ID, From: r.From, Originated: when(r.Originated)}
	for _, t := range r.Trust {
		d := certs.Describe(t.Certificate)
		out.Certificates = append(out.Certificates, exchangeRow{
			Usages: t.Usages, RespondBy: when(t.RespondBy), ResponseURL: t.ResponseURL, Issuer: d.Issuer, Serial: d.Serial, Certificate: &d,
			chain: append([]*x509.Certificate{t.Certificate}, t.Chain...),
		})
	}
	return out
}

func newExchangeReadCommand(env *Env) *cobra.Command {
	var (
		form output
		out  string
	)
	cmd := &cobra.Command{
		Use:     "read FILE|-",
		Short:   "Say what is in a request or response",
		Example: `  tradepost cert exchange read request.mime --certificates offered.pem`,
		Long: `Reads a message about certificates: header lines, an empty line and the body, as it
lies inside a transmission, or the XML of a response alone. Nothing in it is to
be trusted because it says so: what vouches for it is the signature of the
transmission it came in.`,
		Args: want("FILE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := form.check(cmd); err != nil {
				return err
			}
			m, err := env.readEntity(args[0])
			if err != nil {
				return err
			}
			view := messageOf(m)
			if out != "" {
				if m.Request == nil {
					return exit(ExitFailed, "%s is a response, which brings no certificates", args[0])
				}
				var b bytes.Buffer
				for _, r := range view.Certificates {
					for _, c := range r.chain {
						b.Write(certs.EncodeCertificate(c))
					}
				}
				if err := env.writeOutput(out, writeBytes(b.Bytes())); err != nil {
					return err
				}
			}
			if form.format == formJSON {
				return writeJSON(env.Stdout, view)
			}
			return writeRows(env.Stdout, messageRows(view))
		},
	}
	cmd.Flags().StringVar(&out, "certificates", "", "write the offered certificates to `FILE` (PEM)")
	form.flag(cmd, formTable, formJSON)
	return cmd
}

// messageRows shows a message to a person.
func messageRows(m exchangeMessage) []row {
	rows := []row{{m.Kind, m.ID}, {"from", m.From}, {"made", m.Originated}}
	for _, c := range m.Certificates {
		if c.Certificate == nil {
			rows = append(rows, row{c.Status, fmt.Sprintf("serial %s of %s", c.Serial, c.Issuer)}, row{"reason", c.Reason})
			continue
		}
		words := make([]string, len(c.Usages))
		for i, u := range c.Usages {
			words[i] = string(u)
		}
		rows = append(rows, row{"offers", c.Certificate.Subject}, row{"for", strings.Join(words, ", ")}, row{"respond by", c.RespondBy}, row{"answer to", c.ResponseURL})
		rows = append(rows, descriptionRows(*c.Certificate)[1:]...)
	}
	return rows
}
