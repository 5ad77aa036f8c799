package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"tradepost/internal/config"
	"tradepost/partners"
	"tradepost/tracking"

	"github.com/spf13/cobra"
)

func newDocumentCommand(env *Env) *cobra.Command {
	return group(&cobra.Command{
		Use:   "document",
		Short: "Find documents and see what became of them",
	}, newDocumentListCommand(env), newDocumentShowCommand(env), newDocumentResendCommand(env), newDocumentReleaseCommand(env))
}

// documentFilter is the flags of `document list`.
type documentFilter struct {
	text, partner, kind, key, control, direction string
	states, acks                                 []string
	overdue, troubled                            bool
	since, until, before                         string
	limit                                        int
}

func newDocumentListCommand(env *Env) *cobra.Command {
	var (
		st  station
		f   documentFilter
		out output
	)
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List documents, newest first",
		Example: `  tradepost document list --partner supplier --type 850 --since 24h
  tradepost document list --key PO=4500012345 -o json
  tradepost document list --state invalid,failed
  tradepost document list --overdue
  tradepost document list --troubled --since 7d`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := out.check(cmd); err != nil {
				return err
			}
			q, err := f.query(env.Now())
			if err != nil {
				return usage(cmd, err)
			}
			return st.withStore(cmd, env, func(cfg *config.Config, s Store) error {
				rows, next, err := listDocuments(cmd.Context(), s, q, f.limit)
				if err != nil {
					return fmt.Errorf("list documents: %w", err)
				}
				if err := writeList(env.Stdout, out.format, env.documentColumns(), rows); err != nil {
					return err
				}
				switch {
				case len(rows) == 0 && f.partner != "" && !slices.ContainsFunc(cfg.Directory.Partners(), func(p partners.Partner) bool { return p.Name == f.partner }):
					env.say("no document matches, and the configuration has no partner %q: partners are %s", f.partner, partnerNames(cfg))
				case len(rows) == 0 && out.format == formTable:
					env.say("no document matches")
				case next != 0:
					env.say("there are more: raise --limit, or go on with --before %s", next)
				}
				return nil
			})
		},
	}
	st.flags(env, cmd)
	fl := cmd.Flags()
	fl.StringVar(&f.text, "search", "", "`TEXT`: an id, or the beginning of a business key or control number")
	fl.StringVar(&f.partner, "partner", "", "only of this `PARTNER`")
	fl.StringVar(&f.kind, "type", "", "only of this `TYPE`: 850")
	fl.StringVar(&f.key, "key", "", "only with this business key: `NAME=VALUE`, such as PO=4500012345")
	fl.StringSliceVar(&f.states, "state", nil, "only in this `STATE`: "+join(tracking.DocumentStates()))
	fl.StringSliceVar(&f.acks, "ack", nil, "only with this acknowledgement `STATE`: "+join(tracking.AckStates()))
	fl.BoolVar(&f.overdue, "overdue", false, "only those whose acknowledgement is overdue")
	fl.BoolVar(&f.troubled, "troubled", false, "only those that need somebody: invalid, failed or rejected")
	fl.StringVar(&f.control, "control", "", "only with this control `NUMBER` (interchange, group or document)")
	fl.StringVar(&f.direction, "direction", "", "only `inbound` or outbound")
	fl.StringVar(&f.since, "since", "", "only since this `TIME`: 24h, 7d, 2026-03-31, \"2026-03-31 14:00\" or RFC 3339")
	fl.StringVar(&f.until, "until", "", "only before this `TIME`")
	fl.StringVar(&f.before, "before", "", "only older than the document with this `ID`, to go on with a list")
	fl.IntVar(&f.limit, "limit", 50, "at most this `NUMBER`; 0 for all")
	out.flag(cmd, listForms()...)
	return cmd
}

// partnerNames lists the partners of a configuration.
func partnerNames(cfg *config.Config) string {
	var names []string
	for _, p := range cfg.Directory.Partners() {
		names = append(names, p.Name)
	}
	if len(names) == 0 {
		return "not there yet"
	}
	return strings.Join(names, ", ")
}

// query makes the store's question of the flags.
func (f *documentFilter) query(now time.Time) (tracking.DocumentQuery, error) {
	q := tracking.DocumentQuery{
		Text: f.text, Partner: f.partner, Type: f.kind, Control: f.control,
		Direction: tracking.Direction(f.direction), Overdue: f.overdue, Troubled: f.troubled, Now: now,
	}
	if f.direction != "" && q.Direction != tracking.Inbound && q.Direction != tracking.Outbound {
		return q, fmt.Errorf("--direction %s: write inbound or outbound", f.direction)
	}
	if f.limit < 0 {
		return q, fmt.Errorf("--limit %d: write a number from 0", f.limit)
	}
	if f.key != "" {
		name, value, ok := strings.Cut(f.key, "=")
		if !ok || name == "" || value == "" {
			return q, fmt.Errorf("--key %s: write NAME=VALUE, such as PO=4500012345", f.key)
		}
		q.KeyName, q.KeyValue = name, value
	}
	for _, s := range f.states {
		if !slices.Contains(tracking.DocumentStates(), tracking.DocumentState(s)) {
			return q, fmt.Errorf("--state %s: write one of %s", s, join(tracking.DocumentStates()))
		}
		q.States = append(q.States, tracking.DocumentState(s))
	}
	for _, s := range f.acks {
		if !slices.Contains(tracking.AckStates(), tracking.AckState(s)) {
			return q, fmt.Errorf("--ack %s: write one of %s", s, join(tracking.AckStates()))
		}
		q.Acks = append(q.Acks, tracking.AckState(s))
	}
	var err error
	if q.Since, err = moment(f.since, now); err != nil {
		return q, fmt.Errorf("--since %w", err)
	}
	if q.Until, err = moment(f.until, now); err != nil {
		return q, fmt.Errorf("--until %w", err)
	}
	if f.before != "" {
		if q.Before, err = tracking.ParseID(f.before); err != nil {
			return q, fmt.Errorf("--before: %w", err)
		}
	}
	return q, nil
}

// moment reads a point in time: a duration before now, a date, a date with a
// time in the zone of the machine, or RFC 3339.
func moment(s string, now time.Time) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	if d, err := config.ParseDuration(s); err == nil {
		return now.Add(-d), nil
	}
	for _, layout := range []string{time.RFC3339, time.DateOnly, "2006-01-02 15:04", "2006-01-02T15:04", time.DateTime, "2006-01-02T15:04:05"} {
		if t, err := time.ParseInLocation(layout, s, now.Location()); err == nil {
			return t, nil
		}
	}
	return time.Time{}, fmt.Errorf("%s: write 24h, 7d, 2026-03-31, \"2026-03-31 14:00\" or 2026-03-31T14:00:00Z", s)
}

// listDocuments reads pages until limit documents are there; 0 reads all. next
// is where the list goes on, zero at its end.
func listDocuments(ctx context.Context, s tracking.Reader, q tracking.DocumentQuery, limit int) (rows []tracking.DocumentRow, next tracking.ID, err error) {
	const page = 1000
	for {
		q.Limit = page
		if limit > 0 {
			q.Limit = min(page, limit-len(rows))
		}
		p, err := s.Documents(ctx, q)
		if err != nil {
			return nil, 0, err
		}
		rows = append(rows, p.Documents...)
		if p.Next == 0 || limit > 0 && len(rows) >= limit {
			return rows, p.Next, nil
		}
		q.Before = p.Next
	}
}

// documentColumns are the columns of a list of documents.
func (e *Env) documentColumns() []column[tracking.DocumentRow] {
	type row = tracking.DocumentRow
	return []column[row]{
		{"id", func(d row) string { return d.ID.String() }, nil},
		{"time", func(d row) string { return e.clock(d.CreatedAt) }, func(d row) string { return stamp(d.CreatedAt) }},
		{"direction", func(d row) string { return string(d.Direction) }, nil},
		{"partner", func(d row) string { return d.Partner }, nil},
		{"type", func(d row) string { return d.Type }, nil},
		{"interchange", func(d row) string { return d.InterchangeControl }, nil},
		{"group", func(d row) string { return d.GroupControl }, nil},
		{"control", func(d row) string { return d.Control }, nil},
		{"keys", keys, nil},
		{"state", func(d row) string { return string(d.State) }, nil},
		{"ack", func(d row) string { return string(d.Ack) }, nil},
	}
}

func keys(d tracking.DocumentRow) string {
	words := make([]string, len(d.Keys))
	for i, k := range d.Keys {
		words[i] = k.Name + "=" + k.Value
	}
	return strings.Join(words, " ")
}

func join[S ~string](words []S) string {
	out := make([]string, len(words))
	for i, w := range words {
		out[i] = string(w)
	}
	return strings.Join(out, ", ")
}

func newDocumentShowCommand(env *Env) *cobra.Command {
	var (
		st  station
		out output
	)
	cmd := &cobra.Command{
		Use:   "show ID",
		Short: "Show one document: its life cycle with times, issues and evidence",
		Example: `  tradepost document show 01ABCDEFGHJKM
  tradepost document show 01ABCDEFGHJKM -o json`,
		Args: want("the ID of a document (`tradepost document list` prints them)"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := out.check(cmd); err != nil {
				return err
			}
			id, err := tracking.ParseID(args[0])
			if err != nil {
				return &ExitError{Code: ExitNotFound, Err: err}
			}
			return st.withStore(cmd, env, func(_ *config.Config, s Store) error {
				v, err := s.DocumentView(cmd.Context(), id)
				if errors.Is(err, tracking.ErrNotFound) {
					return exit(ExitNotFound, "there is no document %s: `tradepost document list` prints those that are", id)
				}
				if err != nil {
					return fmt.Errorf("show document %s: %w", id, err)
				}
				if out.format == formJSON {
					return writeJSON(env.Stdout, v)
				}
				_, err = env.Stdout.Write([]byte(env.documentText(v)))
				return err
			})
		},
	}
	st.flags(env, cmd)
	out.flag(cmd, formTable, formJSON)
	return cmd
}
