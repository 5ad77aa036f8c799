package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"tradepost/internal/config"
	"tradepost/processes"
	"tradepost/processes/queue"
	"tradepost/tracking"

	"github.com/spf13/cobra"
)

func newQueueCommand(env *Env) *cobra.Command {
	return group(&cobra.Command{
		Use:   "queue",
		Short: "See the lanes of work; pause, resume, and retry what was given up",
	}, newQueueListCommand(env),
		newQueuePauseCommand(env, "pause", "Stop taking work from a lane", true),
		newQueuePauseCommand(env, "resume", "Take work from a paused lane again", false),
		newQueueRetryCommand(env))
}

// job is a queue.Job with its id as people read it.
type job struct {
	ID string `json:"id"`
	*queue.Job
}

func jobID(j *queue.Job) string { return tracking.ID(j.ID).String() }

func newQueueListCommand(env *Env) *cobra.Command {
	var (
		st    station
		out   output
		dead  bool
		limit int
	)
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the lanes that have work or are paused, or the dead letters",
		Example: `  tradepost queue list
  tradepost queue list --dead -o json`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := out.check(cmd); err != nil {
				return err
			}
			return st.withStore(cmd, env, func(_ *config.Config, s Store) error {
				if dead {
					return env.listDead(cmd.Context(), s, out.format, limit)
				}
				lanes, err := s.Lanes(cmd.Context())
				if err != nil {
					return fmt.Errorf("list the lanes: %w", err)
				}
				if len(lanes) == 0 && out.format == formTable {
					env.say("no work is waiting")
				}
				return writeList(env.Stdout, out.format, env.laneColumns(), lanes)
			})
		},
	}
	st.flags(env, cmd)
	cmd.Flags().BoolVar(&dead, "dead", false, "list the jobs that were given up, with the reason")
	cmd.Flags().IntVar(&limit, "limit", 50, "at most this `NUMBER` of dead letters")
	out.flag(cmd, listForms()...)
	return cmd
}

func (e *Env) laneColumns() []column[queue.Lane] {
	type lane = queue.Lane
	state := func(l lane) string {
		if l.Paused {
			return "paused"
		}
		return "open"
	}
	head := func(f func(*queue.Job) string) func(lane) string {
		return func(l lane) string {
			if l.Head == nil {
				return ""
			}
			return f(l.Head)
		}
	}
	return []column[lane]{
		{"lane", func(l lane) string { return l.Name }, nil},
		{"state", state, nil},
		{"waiting", func(l lane) string { return strconv.Itoa(l.Waiting) }, nil},
		{"dead", func(l lane) string { return strconv.Itoa(l.Dead) }, nil},
		{"attempt", head(func(j *queue.Job) string { return strconv.Itoa(j.Attempt) }), nil},
		{"next", head(func(j *queue.Job) string { return e.clock(j.RunAt) }), head(func(j *queue.Job) string { return stamp(j.RunAt) })},
		{"error", head(func(j *queue.Job) string { return j.LastError }), nil},
	}
}

func (e *Env) listDead(ctx context.Context, s Store, format string, limit int) error {
	jobs, err := s.DeadJobs(ctx, limit)
	if err != nil {
		return fmt.Errorf("list the dead letters: %w", err)
	}
	rows := make([]job, len(jobs))
	for i, j := range jobs {
		rows[i] = job{jobID(j), j}
	}
	if len(rows) == 0 && format == formTable {
		e.say("there are no dead letters")
	}
	return writeList(e.Stdout, format, []column[job]{
		{"id", func(j job) string { return j.ID }, nil},
		{"lane", func(j job) string { return j.Lane }, nil},
		{"attempt", func(j job) string { return strconv.Itoa(j.Attempt) }, nil},
		{"created", func(j job) string { return e.clock(j.CreatedAt) }, func(j job) string { return stamp(j.CreatedAt) }},
		{"error", func(j job) string { return j.LastError }, nil},
	}, rows)
}

func newQueuePauseCommand(env *Env, verb, short string, paused bool) *cobra.Command {
	var (
		st  station
		ask processes.LaneRequest
	)
	cmd := &cobra.Command{
		Use:     verb + " LANE",
		Short:   short,
		Example: "  tradepost queue " + verb + " deliver/supplier-as2",
		Args:    want("the name of a LANE (`tradepost queue list` prints them)"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return st.withStore(cmd, env, func(cfg *config.Config, s Store) error {
				if err := knownLane(cmd.Context(), cfg, s, args[0]); err != nil {
					return err
				}
				o, err := operations(env, s)
				if err != nil {
					return err
				}
				if err := o.PauseLane(cmd.Context(), args[0], paused, ask); err != nil {
					return fmt.Errorf("%s lane %s: %w", verb, args[0], err)
				}
				env.say("lane %s is %s", args[0], map[bool]string{true: "paused", false: "open"}[paused])
				return nil
			})
		},
	}
	st.flags(env, cmd)
	askFlags(cmd, &ask)
	return cmd
}

// askFlags are who asks something of the queue, and why.
func askFlags(cmd *cobra.Command, r *processes.LaneRequest) {
	cmd.Flags().StringVar(&r.Comment, "comment", "", "`WHY` it is done")
	cmd.Flags().StringVar(&r.Actor, "user", userName(), "`NAME` of who asks")
}

// knownLane refuses a lane that has no work and that no connection of the
// configuration can ever fill.
func knownLane(ctx context.Context, cfg *config.Config, s Store, name string) error {
	var known []string
	for _, c := range cfg.Directory.Connections() {
		known = append(known, "process/"+c.Name, "deliver/"+c.Name)
	}
	lanes, err := s.Lanes(ctx)
	if err != nil {
		return fmt.Errorf("list the lanes: %w", err)
	}
	for _, l := range lanes {
		known = append(known, l.Name)
	}
	if slices.Contains(known, name) {
		return nil
	}
	slices.Sort(known)
	return exit(ExitNotFound, "there is no lane %q: lanes are %s", name, strings.Join(slices.Compact(known), ", "))
}

func newQueueRetryCommand(env *Env) *cobra.Command {
	var (
		st  station
		all bool
		ask processes.LaneRequest
	)
	cmd := &cobra.Command{
		Use:     "retry ID... | --all",
		Short:   "Put dead letters back as the last of their lanes",
		Example: `  tradepost queue retry --all`,
		Args: func(_ *cobra.Command, args []string) error {
			if all == (len(args) > 0) {
				return errors.New("name the IDs of dead letters (`tradepost queue list --dead` prints them), or --all")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			var ids []int64
			for _, a := range args {
				id, err := tracking.ParseID(a)
				if err != nil {
					return &ExitError{Code: ExitNotFound, Err: err}
				}
				ids = append(ids, int64(id))
			}
			return st.withStore(cmd, env, func(_ *config.Config, s Store) error {
				o, err := operations(env, s)
				if err != nil {
					return err
				}
				n, err := o.Retry(cmd.Context(), ids, ask)
				if errors.Is(err, tracking.ErrNotFound) {
					return exit(ExitNotFound, "%w: `tradepost queue list --dead` prints those that are", err)
				}
				if err != nil {
					return fmt.Errorf("retry: %w", err)
				}
				env.say("%d put back", n)
				return nil
			})
		},
	}
	st.flags(env, cmd)
	cmd.Flags().BoolVar(&all, "all", false, "every dead letter, oldest first")
	askFlags(cmd, &ask)
	return cmd
}
