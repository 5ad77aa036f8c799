package cli

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"tradepost/as2"

	"github.com/spf13/cobra"
)

// verifiedInfo is what `as2 verify -o json` prints.
type verifiedInfo struct {
	Delivered         bool            `json:"delivered"`
	Code              as2.OutcomeCode `json:"code"`
	Disposition       string          `json:"disposition"`
	MICMatches        bool            `json:"mic_matches"`
	MIC               string          `json:"mic"`
	MICAlgorithm      as2.Digest      `json:"mic_algorithm"`
	Signed            bool            `json:"signed"`
	OriginalMessageID string          `json:"original_message_id"`
	From              string          `json:"as2_from"`
	To                string          `json:"as2_to"`
	Text              string          `json:"text"`
	Reason            string          `json:"reason"`
	Warnings          []string        `json:"warnings"`
}

// sentFlags tell what the receipt is checked against.
type sentFlags struct{ request, mic, micAlgorithm, messageID string }

func newAS2VerifyCommand(env *Env) *cobra.Command {
	var (
		out  output
		id   identity
		sent sentFlags
	)
	cmd := &cobra.Command{
		Use:   "verify MDN-FILE",
		Short: "Say whether a stored receipt proves delivery",
		Example: `  tradepost as2 verify receipt.txt --request request.txt --partner-cert partner.crt
  tradepost as2 verify receipt.txt --mic 8Xqsd2tj3LD1Rdbd7vUqZzpHILY7gdSQ1AkVD4Bx0ys= --partner-cert partner.crt`,
		Long: `Checks a receipt (MDN) against the request it answers: who signed it, which
transmission it speaks of, what it says, and whether its MIC is that of what was
sent. An encrypted request can be looked into only with a key it was encrypted
to (--cert, --key); otherwise give the MIC that was noted when it was sent. The
exit code is 0 when the receipt proves delivery, 4 when it does not.`,
		Args: want("MDN-FILE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := out.check(cmd); err != nil {
				return err
			}
			info, err := verifyFile(cmd, env, &id, &sent, args[0])
			if err != nil {
				return err
			}
			if err := printVerified(env, out.format, info); err != nil {
				return err
			}
			if !info.Delivered {
				return exit(ExitRefused, "not proven: %s", info.Reason)
			}
			return nil
		},
	}
	out.flag(cmd, formTable, formJSON)
	id.flags(cmd, true)
	cmd.Flags().StringVar(&sent.request, "request", "", "the stored request `FILE` that the receipt answers")
	cmd.Flags().StringVar(&sent.mic, "mic", "", "the MIC of what was sent, `BASE64`, instead of the request")
	cmd.Flags().StringVar(&sent.micAlgorithm, "mic-algorithm", "sha-256", "the `DIGEST` of --mic")
	cmd.Flags().StringVar(&sent.messageID, "message-id", "", "the `ID` of what was sent, to go with --mic (default the one the receipt names)")
	return cmd
}

// verifyFile checks a stored receipt.
func verifyFile(cmd *cobra.Command, env *Env, id *identity, flags *sentFlags, file string) (verifiedInfo, error) {
	partner, err := id.partner()
	if err != nil {
		return verifiedInfo{}, err
	}
	if flags.request == "" && flags.mic == "" {
		return verifiedInfo{}, usage(cmd, errors.New("give --request, or --mic with --mic-algorithm: there is nothing to check the receipt against"))
	}
	f, err := openInput(env.Stdin, file)
	if err != nil {
		return verifiedInfo{}, err
	}
	defer func() { _ = f.Close() }() // only read from
	unreadable := func(err error) (verifiedInfo, error) {
		var malformed *as2.MalformedError
		if !errors.As(err, &malformed) {
			return verifiedInfo{}, fmt.Errorf("%s: %w", file, err)
		}
		return verifiedInfo{Code: "unreadable", Reason: malformed.Err.Error(), Warnings: []string{}}, nil
	}
	header, body, err := as2.ReadStored(f, as2.Limits{})
	if err != nil {
		return unreadable(err)
	}
	rc, err := as2.ParseReceipt(header, body, as2.Limits{})
	if err != nil {
		return unreadable(err)
	}
	sent, err := flags.sent(cmd, env, id, rc)
	if err != nil {
		return verifiedInfo{}, err
	}
	o := rc.Check(sent, partner)
	return verifiedInfo{
		Delivered: o.Delivered, Code: o.Code, Disposition: rc.Disposition.String(),
		MICMatches: o.MICMatches, MIC: rc.MIC, MICAlgorithm: rc.MICDigest,
		Signed: rc.Signed, OriginalMessageID: rc.OriginalMessageID,
		From: rc.From, To: rc.To, Text: rc.Text,
		Reason: o.Reason, Warnings: append([]string{}, o.Warnings...),
	}, nil
}

// sent gathers the facts of what was sent.
func (s *sentFlags) sent(cmd *cobra.Command, env *Env, id *identity, rc *as2.Receipt) (as2.Sent, error) {
	// Without the request there is only its MIC: a signed receipt for the
	// transmission that the receipt itself names.
	facts := as2.Sent{
		From: rc.To, To: rc.From, MessageID: rc.OriginalMessageID, Signed: true,
		Request: as2.ReceiptRequest{Mode: as2.SyncReceipt, Signed: true},
	}
	if s.messageID != "" {
		facts.MessageID = s.messageID
	}
	var noted as2.MICs
	if s.mic != "" {
		d, err := as2.ParseDigest(s.micAlgorithm)
		if err != nil {
			return as2.Sent{}, usage(cmd, fmt.Errorf("--mic-algorithm: %w", err))
		}
		noted = as2.MICs{d: s.mic}
		if !noted.Match(d, s.mic) {
			return as2.Sent{}, usage(cmd, fmt.Errorf("--mic %q is not base64", s.mic))
		}
	}
	if s.request == "" {
		facts.MICs = noted
		return facts, nil
	}
	keys, err := id.own(env)
	if err != nil {
		return as2.Sent{}, err
	}
	f, err := openInput(nil, s.request)
	if err != nil {
		return as2.Sent{}, err
	}
	defer func() { _ = f.Close() }() // only read from
	header, body, err := as2.ReadStored(f, as2.Limits{})
	if err != nil {
		return as2.Sent{}, fmt.Errorf("--request %s: %w", s.request, err)
	}
	recalled, err := as2.Recall(cmd.Context(), header, body, keys, as2.ReceiveOptions{Rand: env.Random})
	switch {
	case err == nil:
		facts = recalled
	case noted != nil:
		facts.MessageID, facts.From, facts.To = header.Get("Message-ID"), as2.ParseID(header.Get("AS2-From")), as2.ParseID(header.Get("AS2-To"))
	default:
		return as2.Sent{}, fmt.Errorf("--request %s: %w; give a key it was encrypted to with --cert and --key, or its MIC with --mic", s.request, err)
	}
	if noted != nil {
		facts.MICs, facts.BareMICs = noted, nil
	}
	return facts, nil
}

// printVerified prints the verdict.
func printVerified(env *Env, format string, info verifiedInfo) error {
	if format == formJSON {
		return writeJSON(env.Stdout, info)
	}
	return writeRows(env.Stdout, []row{
		{"delivered", strconv.FormatBool(info.Delivered)},
		{"disposition", info.Disposition},
		{"mic matches", strconv.FormatBool(info.MICMatches)},
		{"signed", strconv.FormatBool(info.Signed)},
		{"answers", info.OriginalMessageID},
		{"from", info.From},
		{"reason", info.Reason},
		{"warnings", strings.Join(info.Warnings, "; ")},
	})
}
