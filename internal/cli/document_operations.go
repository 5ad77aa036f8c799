package cli

import (
	"context"
	"errors"
	"fmt"
	"os/user"

	"tradepost/internal/config"
	"tradepost/processes"
	"tradepost/tracking"

	"github.com/spf13/cobra"
)

// operation is a command that does something to one document.
type operation struct {
	use, short, long, done string
	do                     func(context.Context, *processes.Operations, processes.Request) (tracking.ID, error)
}

func newDocumentResendCommand(env *Env) *cobra.Command {
	return newOperationCommand(env, operation{
		use: "resend", short: "Carry a document again that was carried before",
		long: `Carries the same bytes to the same place again, in a new transmission of its
own. For a delivery that failed, or that the other side lost.`,
		done: "is queued to be carried again",
		do: func(ctx context.Context, o *processes.Operations, r processes.Request) (tracking.ID, error) {
			return o.Resend(ctx, r)
		},
	})
}

func newDocumentReleaseCommand(env *Env) *cobra.Command {
	return newOperationCommand(env, operation{
		use: "release", short: "Let a document go on that stands still",
		long: `Lets a document go on that was found invalid, on your responsibility, or that
could not be routed before the configuration was mended.`,
		done: "goes on",
		do: func(ctx context.Context, o *processes.Operations, r processes.Request) (tracking.ID, error) {
			return o.Release(ctx, r)
		},
	})
}

func newOperationCommand(env *Env, op operation) *cobra.Command {
	var (
		st             station
		actor, comment string
	)
	cmd := &cobra.Command{
		Use:     op.use + " ID",
		Short:   op.short,
		Example: "  tradepost document " + op.use + ` 01ABCDEFGHJKM --comment "agreed by telephone"`,
		Long:    op.long + "\n\nWho asked and why stands in the document's history for good.",
		Args:    want("ID"),
		RunE: func(cmd *cobra.Command, args []string) error {
			id, err := tracking.ParseID(args[0])
			if err != nil {
				return usage(cmd, err)
			}
			if comment == "" {
				return usage(cmd, errors.New("--comment is missing: say why, for whoever reads the history later"))
			}
			return st.withStore(cmd, env, func(_ *config.Config, s Store) error {
				o, err := operations(env, s)
				if err != nil {
					return err
				}
				_, err = op.do(cmd.Context(), o, processes.Request{Document: id, Actor: actor, Comment: comment})
				var refused *processes.RefusedError
				switch {
				case errors.As(err, &refused):
					return exit(ExitFailed, "%w", err)
				case errors.Is(err, tracking.ErrNotFound):
					return exit(ExitNotFound, "there is no document %s: `tradepost document list` shows what there is", id)
				case err != nil:
					return fmt.Errorf("%s document %s: %w", op.use, id, err)
				}
				env.say("document %s %s", id, op.done)
				return nil
			})
		},
	}
	st.flags(env, cmd)
	cmd.Flags().StringVar(&comment, "comment", "", "`WHY` it is done; required")
	cmd.Flags().StringVar(&actor, "user", userName(), "`NAME` of who asks")
	return cmd
}

// operations is what people do to documents and to the queue of a store.
func operations(env *Env, s Store) (*processes.Operations, error) {
	ids, ok := s.(interface{ IDs() *tracking.IDs })
	if !ok {
		return nil, errors.New("this store makes no ids of its own")
	}
	return &processes.Operations{Store: s, IDs: ids.IDs(), Now: env.Now}, nil
}

// userName is who is signed in at this machine.
func userName() string {
	if u, err := user.Current(); err == nil && u.Username != "" {
		return u.Username
	}
	return "operator"
}
