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
				a := &answers{env: env, out: bufio.NewWriterSize(env.Stdout, 64<<10), kind: ack.Kind(kind), control: control, groups: &spool{}}
				defer a.close()
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
// documents only what the acknowledgement says is kept, on disk when it is long.
type answers struct {
	env     *Env
	out     *bufio.Writer
	kind    ack.Kind
	control int
	written bool
	// nameless is why interchanges have no answer: nobody to send it to, or
	// nothing to name them by.
	nameless error

	group  *ack.Functional // of the group that is open
	contrl *ack.Contrl     // of an EDIFACT interchange
	groups *spool          // what answers the groups that ended, GS to GE
	ended  int             // how many those are
	rooms  []*spool        // for what is in the making
	taken  int             // how many of rooms are in use
}

// room gives a place for an acknowledgement in the making.
func (a *answers) room() io.ReadWriter {
	if a.taken == len(a.rooms) {
		a.rooms = append(a.rooms, &spool{})
	}
	s := a.rooms[a.taken]
	s.reset()
	a.taken++
	return s
}

func (a *answers) close() {
	a.groups.close()
	for _, s := range a.rooms {
		s.close()
	}
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
		if a.contrl != nil {
			a.contrl.AddGroup(g)
			return nil
		}
		var err error
		if a.group != nil && !g.NoAck {
			err = a.endGroup(a.group)
		}
		a.group, a.taken = nil, 0
		return err
	}
	o.OnInterchange = func(ic *validate.Interchange) error {
		err := a.begin(ic, nil)
		if err == nil && ic.Standard == schema.EDIFACT {
			err = a.edifact(ic)
		} else if err == nil {
			err = a.x12(ic)
		}
		a.group, a.contrl, a.ended, a.taken = nil, nil, 0, 0
		a.groups.reset()
		return err
	}
}

// begin makes what the documents of an interchange and group are added to.
func (a *answers) begin(ic *validate.Interchange, g *validate.Group) error {
	var err error
	switch {
	case ic.Standard == schema.EDIFACT:
		if a.contrl == nil && (a.kind == ack.Auto || a.kind == ack.CONTRL) {
			a.contrl, err = ack.BeginContrl(ic, ack.Options{Room: a.room})
		}
	case g != nil && a.group == nil && a.kind != ack.CONTRL && a.kind != ack.TA1:
		a.group, err = ack.NewFunctional(a.kind, ic, g, ack.Options{Room: a.room})
	}
	if errors.Is(err, ack.ErrNotAcknowledged) {
		return nil
	}
	return err
}

// endGroup writes what answers a group into the room for those of its
// interchange.
func (a *answers) endGroup(f *ack.Functional) error {
	number := a.control + a.ended
	gs, d := f.Envelope.GS, f.Envelope.Delimiters
	gs.Control = strconv.Itoa(number)
	gs.SetTime(a.env.Now())
	gs.Sender, gs.Receiver = cmp.Or(gs.Sender, "UNKNOWN"), cmp.Or(gs.Receiver, "UNKNOWN")
	a.ended++
	w := edi.NewWriter(a.groups, d, edi.WriterOptions{LineEnd: lineEnd(d), Buffer: 1 << 10})
	if err := gs.Write(w); err != nil {
		return err
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if err := f.Write(a.groups, fmt.Sprintf("%04d", number%1000000000)); err != nil {
		return err
	}
	if err := w.WriteRaw([]byte(lineEnd(d))); err != nil {
		return err
	}
	if err := (x12.Trailer{Count: 1, Control: gs.Control}).WriteGE(w); err != nil {
		return err
	}
	return w.Flush()
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
	groups := a.ended
	if a.kind == ack.Auto && !ic.Accepted {
		groups = 0
	}
	if len(out.TA1) == 0 && groups == 0 {
		a.nameless = errors.Join(a.nameless, ack.Answerable(ic))
		return nil
	}
	if groups > 0 {
		out.Body = func(w io.Writer) (int, error) {
			_, err := io.Copy(w, a.groups)
			return groups, err
		}
	}
	out.ISA.Control = strconv.Itoa(a.control)
	out.ISA.SetTime(a.env.Now())
	a.control += max(groups, 1)
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
	out := edifact.Interchange{UNB: c.UNB, Delimiters: c.Delimiters, LineEnd: lineEnd(c.Delimiters)}
	out.Body = func(w io.Writer) (int, error) {
		if err := c.Write(w, "1"); err != nil {
			return 0, err
		}
		_, err := io.WriteString(w, out.LineEnd)
		return 1, err
	}
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
