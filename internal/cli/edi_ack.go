package cli

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"

	"tradepost/edi"
	"tradepost/edi/ack"
	"tradepost/edi/edifact"
	"tradepost/edi/validate"
	"tradepost/edi/x12"

	"github.com/spf13/cobra"
)

// newEDIAckCommand is `tradepost edi ack`.
func newEDIAckCommand(env *Env) *cobra.Command {
	var checks ediChecks
	var kind string
	var control int
	kinds := []string{string(ack.Auto), string(ack.FA997), string(ack.FA999), string(ack.TA1), string(ack.CONTRL)}
	cmd := &cobra.Command{
		Use:   "ack FILE|-",
		Short: "Write the acknowledgement of a file: TA1, 997, 999 or CONTRL",
		Long: `Validates a file and writes the interchange that acknowledges it. With --type
auto an interchange gets a TA1 when it asks for one or is refused, each group of an
accepted one a 997, or a 999 where its version is one of an implementation guide
(005010X222A1), and EDIFACT a CONTRL. Acknowledgements are never acknowledged.

The exit code is 0 when the acknowledgement could be written, whatever it says.`,
		Args: want("FILE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if !slices.Contains(kinds, kind) {
				return usage(cmd, fmt.Errorf("--type %s is not known: write one of %v", kind, kinds))
			}
			if control < 1 || control > 999999999 {
				return usage(cmd, fmt.Errorf("--control %d: a number from 1 to 999999999", control))
			}
			o, err := checks.options(cmd)
			if err != nil {
				return err
			}
			return withInput(env, args[0], func(in io.Reader) error {
				a := &answers{env: env, kind: ack.Kind(kind), control: control}
				a.hooks(&o)
				report, err := validate.Validate(cmd.Context(), in, o)
				if err != nil {
					return err
				}
				if len(a.out) == 0 && report.Unread != nil {
					return &ExitError{Code: ExitInvalid, Err: report.Unread}
				}
				if len(a.out) == 0 {
					env.say("nothing in %s is acknowledged by type %s", args[0], kind)
				}
				_, err = env.Stdout.Write(a.out)
				return err
			})
		},
	}
	checks.flags(cmd, true)
	cmd.Flags().StringVar(&kind, "type", string(ack.Auto), "`TYPE` of acknowledgement: auto, 997, 999, TA1 or CONTRL")
	cmd.Flags().IntVar(&control, "control", 1, "`NUMBER` of the first interchange and group that is written; the others count on")
	return cmd
}

// answers builds the acknowledgement of each interchange while the input is
// read.
type answers struct {
	env     *Env
	kind    ack.Kind
	control int
	out     []byte
}

// hooks collects what is answered.
func (a *answers) hooks(o *validate.Options) {
	o.OnInterchange = func(ic *validate.Interchange) error {
		err := a.answer(ic)
		ic.Groups = nil // answered
		return err
	}
}

// answer writes the acknowledgement of one interchange.
func (a *answers) answer(ic *validate.Interchange) error {
	if ic.Standard == "EDIFACT" {
		if a.kind != ack.Auto && a.kind != ack.CONTRL {
			return nil
		}
		return a.contrl(ic)
	}
	if a.kind == ack.CONTRL {
		return nil
	}
	answer := ack.Interchange(ic)
	out := x12.Interchange{ISA: answer.Envelope.ISA, Delimiters: answer.Envelope.Delimiters, LineEnd: lineEnd(answer.Envelope.Delimiters)}
	if a.kind == ack.TA1 || a.kind == ack.Auto && ack.WantsTA1(ic) {
		t := answer.TA1
		t.Control = digits(t.Control)
		out.TA1 = append(out.TA1, t)
	}
	number := a.control
	if a.kind != ack.TA1 && (a.kind != ack.Auto || ic.Accepted) {
		for _, g := range ic.Groups {
			f, err := ack.Answer(a.kind, ic, g, ack.Options{})
			if errors.Is(err, ack.ErrNotAcknowledged) {
				continue
			}
			if err != nil {
				return err
			}
			text, err := f.Bytes(fmt.Sprintf("%04d", number%1000000000))
			if err != nil {
				return err
			}
			gs := f.Envelope.GS
			gs.Control = strconv.Itoa(number)
			gs.SetTime(a.env.Now())
			gs.Sender, gs.Receiver = cmp.Or(gs.Sender, "UNKNOWN"), cmp.Or(gs.Receiver, "UNKNOWN")
			out.Groups = append(out.Groups, x12.Group{GS: gs, Documents: []x12.Document{{Bytes: text}}})
			number++
		}
	}
	if len(out.TA1) == 0 && len(out.Groups) == 0 {
		return nil
	}
	out.ISA.Control = strconv.Itoa(a.control)
	out.ISA.SetTime(a.env.Now())
	a.control = max(number, a.control+1)
	var b bytes.Buffer
	if err := out.Write(&b); err != nil {
		return fmt.Errorf("writing the acknowledgement of interchange %s: %w", ic.Control, err)
	}
	a.out = append(a.out, b.Bytes()...)
	return nil
}

// contrl writes the CONTRL of one interchange.
func (a *answers) contrl(ic *validate.Interchange) error {
	c, err := ack.NewContrl(ic, ack.Options{})
	if errors.Is(err, ack.ErrNotAcknowledged) {
		return nil
	}
	if err != nil {
		return err
	}
	text, err := c.Bytes("1")
	if err != nil {
		return err
	}
	out := edifact.Interchange{UNB: c.UNB, Delimiters: c.Delimiters, LineEnd: lineEnd(c.Delimiters), Documents: []edifact.Document{{Bytes: text}}}
	out.UNB.Control = strconv.Itoa(a.control)
	out.UNB.SetTime(a.env.Now())
	a.control++
	var b bytes.Buffer
	if err := out.Write(&b); err != nil {
		return fmt.Errorf("writing the acknowledgement of interchange %s: %w", ic.Control, err)
	}
	a.out = append(a.out, b.Bytes()...)
	return nil
}

// lineEnd puts envelope segments on lines of their own, unless segments end in
// a line end anyway.
func lineEnd(d edi.Delimiters) string {
	if d.Segment == '\n' || d.Segment == '\r' {
		return ""
	}
	return "\n"
}

// digits makes a control number that a TA1 can carry of one that is none.
func digits(s string) string {
	var b []byte
	for i := 0; i < len(s) && len(b) < 9; i++ {
		if s[i] >= '0' && s[i] <= '9' {
			b = append(b, s[i])
		}
	}
	return cmp.Or(string(b), "0")
}
