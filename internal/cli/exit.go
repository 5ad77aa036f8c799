package cli

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"

	"tradepost/internal/config"
	"tradepost/partners"
	"tradepost/tracking"

	"github.com/spf13/cobra"
)

// Exit codes, the same for every command.
const (
	ExitOK          = 0
	ExitFailed      = 1
	ExitUsage       = 2   // the command line is wrong
	ExitInvalid     = 3   // a document is invalid
	ExitRefused     = 4   // a negative receipt or acknowledgement, or one that proves nothing
	ExitNotFound    = 5   // what was asked for does not exist
	ExitUnreachable = 6   // the other side cannot be reached
	ExitConfig      = 7   // the configuration is invalid
	ExitInterrupted = 130 // by a signal, before the work was done
)

// ExitError is an error with the exit code it leads to. Err may be nil when
// the command has already printed everything there is to say.
type ExitError struct {
	Code int
	Err  error
}

func (e *ExitError) Error() string {
	if e.Err == nil {
		return fmt.Sprintf("exit code %d", e.Code)
	}
	return e.Err.Error()
}

func (e *ExitError) Unwrap() error { return e.Err }

// exit makes an ExitError with a sentence.
func exit(code int, format string, args ...any) error {
	return &ExitError{Code: code, Err: fmt.Errorf(format, args...)}
}

// usage makes an error about how cmd was called.
func usage(cmd *cobra.Command, err error) error {
	var already *ExitError
	if errors.As(err, &already) {
		return err
	}
	return exit(ExitUsage, "%w\nsee `%s --help`", err, cmd.CommandPath())
}

// exitCode finds the code of an error.
func exitCode(ctx context.Context, err error) int {
	var (
		coded    *ExitError
		cfg      *config.Error
		conflict *partners.ConflictError
		missing  *partners.NotFoundError
		dial     *net.OpError
	)
	switch {
	case err == nil:
		return ExitOK
	case errors.As(err, &coded):
		return coded.Code
	case ctx.Err() != nil && errors.Is(err, context.Canceled):
		return ExitInterrupted
	case errors.As(err, &cfg), errors.As(err, &conflict):
		return ExitConfig
	case errors.As(err, &missing), errors.Is(err, tracking.ErrNotFound):
		return ExitNotFound
	case errors.As(err, &dial) && dial.Op == "dial":
		return ExitUnreachable
	}
	return ExitFailed
}

// report prints the error of a command and returns its exit code.
func (e *Env) report(ctx context.Context, err error) int {
	code := exitCode(ctx, err)
	var coded *ExitError
	switch {
	case err == nil, errors.As(err, &coded) && coded.Err == nil:
	case code == ExitInterrupted:
		e.say("tradepost: interrupted")
	default:
		e.say("tradepost: %s", strings.TrimRight(err.Error(), "\n"))
	}
	return code
}
