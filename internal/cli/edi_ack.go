package cli

import (
	"bufio"
	"cmp"
	"errors"
	"fmt"
	"io"
	"runtime"
	"slices"
	"strconv"

	"tradepost/edi"
	"tradepost/edi/ack"
	"tradepost/edi/edifact"
	"tradepost/edi/schema"
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

The exit code is 0 when the acknowledgement could be written, whatever it says, and
3 when it could not: the input is no EDI, or its header does not name the sender,
receiver or control number, which an answer has to repeat.`,
		Example: `  tradepost edi ack order.edi
  tradepost edi ack order.edi --type TA1
  tradepost edi ack - --type 999 --control 1042 < order.edi > answer.edi`,
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
				a := &answers{env: env, out: bufio.NewWriterSize(env.Stdout, 64<<10), kind: ack.Kind(kind), control: control}
				a.hooks(&o)
				o.Stream, o.Workers = true, runtime.GOMAXPROCS(0)
				report, err := validate.Validate(cmd.Context(), in, o)
				if err != nil {
					return err
				}
				if err := a.out.Flush(); err != nil {
					return err
				}
				switch {
				case a.nameless != nil:
					return &ExitError{Code: ExitInvalid, Err: a.nameless}
				case !a.written && report.Unread != nil:
					return &ExitError{Code: ExitInvalid, Err: report.Unread}
				case !a.written:
					env.say("nothing in %s is acknowledged by type %s", args[0], kind)
				}
				return nil
			})
		},
	}
	checks.flags(cmd, true)
	cmd.Flags().StringVar(&kind, "type", string(ack.Auto), "`TYPE` of acknowledgement: auto, 997, 999, TA1 or CONTRL")
	cmd.Flags().IntVar(&control, "control", 1, "`NUMBER` of the first interchange and group that is written; the others count on")
	return cmd
}

// answers writes the acknowledgement of each interchange as it ends. Of its
// documents only what the acknowledgement says is kept.
type answers struct {
	env     *Env
	out     *bufio.Writer
	kind    ack.Kind
	control int
	written bool
	// nameless is why interchanges have no answer: nobody to send it to, or
	// nothing to name them by.
	nameless error

	group  *ack.Functional   // of the group that is open
	groups []*ack.Functional // of those that ended
	contrl *ack.Contrl       // of an EDIFACT interchange
}

// hooks collects what is answered.
func (a *answers) hooks(o *validate.Options) {
	o.OnDocument = func(ic *validate.Interchange, g *validate.Group, d *validate.Document) error {
		if err := a.begin(ic, g); err != nil {
			return err
		}
		if a.group != nil {
			a.group.Add(d)
		}
		if a.contrl != nil {
			a.contrl.Add(d)
		}
		return nil
	}
	o.OnGroup = func(ic *validate.Interchange, g *validate.Group) error {
		if err := a.begin(ic, g); err != nil {
			return err
		}
		if a.group != nil && !g.NoAck {
			a.group.Close()
			a.groups = append(a.groups, a.group)
		}
		if a.group = nil; a.contrl != nil {
			a.contrl.AddGroup(g)
		}
		return nil
	}
	o.OnInterchange = func(ic *validate.Interchange) error {
		err := a.begin(ic, nil)
		if err == nil && ic.Standard == schema.EDIFACT {
			err = a.edifact(ic)
		} else if err == nil {
			err = a.x12(ic)
		}
		a.group, a.groups, a.contrl = nil, nil, nil
		return err
	}
}

// begin makes what the documents of an interchange and group are added to.
func (a *answers) begin(ic *validate.Interchange, g *validate.Group) error {
	var err error
	switch {
	case ic.Standard == schema.EDIFACT:
		if a.contrl == nil && (a.kind == ack.Auto || a.kind == ack.CONTRL) {
			a.contrl, err = ack.BeginContrl(ic, ack.Options{})
		}
	case g != nil && a.group == nil && a.kind != ack.CONTRL && a.kind != ack.TA1:
		a.group, err = ack.NewFunctional(a.kind, ic, g, ack.Options{})
	}
	if errors.Is(err, ack.ErrNotAcknowledged) {
		return nil
	}
	return err
}

// x12 writes the acknowledgement of an X12 interchange.
func (a *answers) x12(ic *validate.Interchange) error {
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
	if a.kind != ack.Auto || ic.Accepted {
		for _, f := range a.groups {
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
		a.nameless = errors.Join(a.nameless, ack.Answerable(ic))
		return nil
	}
	out.ISA.Control = strconv.Itoa(a.control)
	out.ISA.SetTime(a.env.Now())
	a.control = max(number, a.control+1)
	return a.write(ic, out.Write)
}

// edifact writes the CONTRL of an EDIFACT interchange.
func (a *answers) edifact(ic *validate.Interchange) error {
	c := a.contrl
	if c == nil {
		return nil
	}
	if err := c.Close(ic); errors.Is(err, ack.ErrNotAcknowledged) {
		a.nameless = errors.Join(a.nameless, ack.Answerable(ic))
		return nil
	} else if err != nil {
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
	return a.write(ic, out.Write)
}

func (a *answers) write(ic *validate.Interchange, to func(io.Writer) error) error {
	a.written = true
	if err := to(a.out); err != nil {
		return fmt.Errorf("writing the acknowledgement of interchange %s: %w", ic.Control, err)
	}
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
