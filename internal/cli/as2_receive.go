package cli

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"tradepost/as2"

	"github.com/spf13/cobra"
)

// receivedInfo is what `as2 receive -o json` prints.
type receivedInfo struct {
	Status       string      `json:"status"` // accepted, failed
	Disposition  string      `json:"disposition"`
	From         string      `json:"as2_from"`
	To           string      `json:"as2_to"`
	MessageID    string      `json:"message_id"`
	Subject      string      `json:"subject"`
	Signed       bool        `json:"signed"`
	Encrypted    bool        `json:"encrypted"`
	Compressed   bool        `json:"compressed"`
	Digest       as2.Digest  `json:"digest"`
	Cipher       as2.Cipher  `json:"cipher"`
	MIC          string      `json:"mic"` // what the receipt carries
	MICAlgorithm as2.Digest  `json:"mic_algorithm"`
	Filename     string      `json:"filename"`
	ContentType  string      `json:"content_type"`
	Size         int64       `json:"size"`
	Attachments  int         `json:"attachments"` // payloads in all
	Receipt      receiptWish `json:"receipt"`     // what the sender asks for
	Warnings     []string    `json:"warnings"`
	Error        string      `json:"error"`
}

// receiptWish is a receipt request in short.
type receiptWish struct {
	Mode   as2.ReceiptMode `json:"mode"`
	URL    string          `json:"url,omitempty"`
	Signed bool            `json:"signed"`
}

func newAS2ReceiveCommand(env *Env) *cobra.Command {
	var (
		out          output
		id           identity
		payload, mdn string
		limit        int64
	)
	cmd := &cobra.Command{
		Use:   "receive FILE",
		Short: "Open a stored AS2 request, and write the receipt for it",
		Example: `  tradepost as2 receive request.txt --cert own.crt --key own.key --partner-cert partner.crt \
      --payload order.edi --mdn receipt.txt`,
		Long: `Decrypts, verifies and decompresses a stored AS2 request (header lines, empty
line, body; - reads standard input). It takes any AS2 identifiers. The exit code
is 0 when the transmission is accepted and 4 when it is refused; the receipt
says the same to the partner.`,
		Args: want("FILE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := out.check(cmd); err != nil {
				return err
			}
			r, err := receiveFile(cmd, env, &id, args[0], limit)
			if err != nil {
				return err
			}
			defer func() { _ = r.Close() }() // only frees the spool
			if mdn != "" {
				if err := env.writeReceipt(r, mdn); err != nil {
					return err
				}
			}
			if payload != "" {
				for i, p := range r.Payloads {
					name := payload
					if i > 0 {
						name += "." + strconv.Itoa(i+1)
					}
					if err := env.writeOutput(name, copyPayload(p)); err != nil {
						return err
					}
				}
			}
			info := describeReceived(r)
			if err := printReceived(env, out.format, info); err != nil {
				return err
			}
			if r.Failure != nil {
				return exit(ExitRefused, "refused: %w", r.Failure)
			}
			return nil
		},
	}
	out.flag(cmd, formTable, formJSON)
	id.flags(cmd, true)
	cmd.Flags().StringVar(&payload, "payload", "", "write the payload to `OUT`, and further attachments to OUT.2, OUT.3 ...")
	cmd.Flags().StringVar(&mdn, "mdn", "", "write the receipt to `OUT`, with its header lines")
	cmd.Flags().Int64Var(&limit, "max-size", 0, "largest payload in `BYTES` (default 16 GiB)")
	return cmd
}

// receiveFile receives a stored request for whoever it is addressed to.
func receiveFile(cmd *cobra.Command, env *Env, id *identity, file string, limit int64) (*as2.Received, error) {
	keys, err := id.own(env)
	if err != nil {
		return nil, err
	}
	partner, err := id.partner()
	if err != nil {
		return nil, err
	}
	f, err := openInput(env.Stdin, file)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // only read from
	header, body, err := as2.ReadStored(f, as2.Limits{})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	r, err := as2.Receive(cmd.Context(), header, body, as2.ReceiveOptions{
		Rand: env.Random,
		Lookup: func(from, to string) (*as2.Relation, error) {
			return &as2.Relation{
				Station: as2.Station{ID: to, Keys: keys},
				Partner: as2.Partner{ID: from, Verify: partner},
				Policy:  as2.Policy{MaxPayload: limit},
			}, nil
		},
	})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	if r.Returned != nil {
		_ = r.Close()
		return nil, exit(ExitFailed, "%s is a receipt, not a document: check it with `tradepost as2 verify`", file)
	}
	return r, nil
}

// writeReceipt makes the receipt of r and writes it to a file.
func (e *Env) writeReceipt(r *as2.Received, name string) error {
	id, err := as2.NewMessageID(e.Now(), e.Random, r.To)
	if err != nil {
		return err
	}
	rc, err := r.Receipt(as2.ReceiptOptions{MessageID: id, Now: e.Now(), Rand: e.Random})
	if err != nil {
		return err
	}
	var b bytes.Buffer
	if err := as2.WriteStored(&b, rc.Header, bytes.NewReader(rc.Body)); err != nil {
		return err
	}
	return e.writeOutput(name, func(w io.Writer) error {
		_, err := w.Write(b.Bytes())
		return err
	})
}

// describeReceived says what there is to say about a reception.
func describeReceived(r *as2.Received) receivedInfo {
	info := receivedInfo{
		Status: "accepted", Disposition: r.Disposition.String(),
		From: r.From, To: r.To, MessageID: r.MessageID, Subject: r.Subject,
		Signed: r.Signed, Encrypted: r.Encrypted, Compressed: r.Compressed,
		Digest: r.Digest, Cipher: r.Cipher,
		Attachments: len(r.Payloads),
		Receipt:     receiptWish{Mode: r.Request.Mode, URL: r.Request.URL, Signed: r.Request.Signed},
		Warnings:    append([]string{}, r.Warnings...),
	}
	if r.Failure != nil {
		info.Status = "failed"
		info.Error = r.Failure.Error()
		var refused *as2.DispositionError
		if errors.As(r.Failure, &refused) && refused.Err != nil {
			info.Error = refused.Err.Error()
		}
		return info
	}
	info.MICAlgorithm = r.ReceiptDigest()
	info.MIC = r.MICs[info.MICAlgorithm]
	if len(r.Payloads) > 0 {
		p := r.Payloads[0]
		info.Filename, info.ContentType, info.Size = p.Filename, p.ContentType, p.Size
	}
	return info
}

// printReceived prints the description.
func printReceived(env *Env, format string, info receivedInfo) error {
	if format == formJSON {
		return writeJSON(env.Stdout, info)
	}
	var layers []string
	for _, l := range []struct {
		on   bool
		name string
	}{
		{info.Encrypted, strings.TrimSpace("encrypted " + string(info.Cipher))},
		{info.Compressed, "compressed"},
		{info.Signed, strings.TrimSpace("signed " + string(info.Digest))},
	} {
		if l.on {
			layers = append(layers, l.name)
		}
	}
	mic := ""
	if info.MIC != "" {
		mic = info.MIC + ", " + string(info.MICAlgorithm)
	}
	size := ""
	if info.Status == "accepted" {
		size = strconv.FormatInt(info.Size, 10) + " bytes"
	}
	return writeRows(env.Stdout, []row{
		{"status", info.Status},
		{"disposition", info.Disposition},
		{"from", info.From},
		{"to", info.To},
		{"message id", info.MessageID},
		{"subject", info.Subject},
		{"security", strings.Join(layers, ", ")},
		{"mic", mic},
		{"file name", info.Filename},
		{"content type", info.ContentType},
		{"size", size},
		{"warnings", strings.Join(info.Warnings, "; ")},
	})
}
