// Package cli is the command line: one file a noun. A command reads its flags,
// calls the package that does the work and prints what comes back: data on
// standard output, words on standard error, and an exit code that a script can
// rely on (exit.go).
package cli

import (
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"tradepost/internal/config"
	"tradepost/processes"
	"tradepost/tracking"
)

// Env is the world around a command. Tests give their own.
type Env struct {
	Stdin          io.Reader
	Stdout, Stderr io.Writer
	Now            func() time.Time
	Random         io.Reader
	LookupEnv      func(name string) (string, bool)
	// OpenStore opens the store that a configuration names. A running station
	// may have it open at the same time.
	OpenStore func(ctx context.Context, c *config.Config) (Store, error)
	// OpenArchive opens the payloads of a station, likewise.
	OpenArchive func(c *config.Config) (Archive, error)
	// ConsoleLink makes a one-time link into the console of the station whose
	// store this is: path and query, to be put behind the admin address.
	ConsoleLink func(ctx context.Context, c *config.Config, s Store, user string) (string, error)
}

// Archive is the opened archive of a station.
type Archive interface {
	tracking.Archive
	Close() error
}

// Store is the opened store of a station.
type Store interface {
	processes.Store
	Close() error
}

// Main runs the command line of this process and returns its exit code.
func Main() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	// The first signal asks to finish, the second one ends at once.
	context.AfterFunc(ctx, stop)
	env := &Env{
		Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr,
		Now: time.Now, Random: rand.Reader, LookupEnv: os.LookupEnv,
	}
	env.OpenStore, env.OpenArchive, env.ConsoleLink = openStore(env), openArchive(env), consoleLink(env)
	return Run(ctx, env, os.Args[1:])
}

// Run runs one command line and returns its exit code.
func Run(ctx context.Context, env *Env, args []string) int {
	world := *env
	if env = &world; env.Stdin != nil {
		env.Stdin = untilDone(ctx, env.Stdin)
	}
	root := newRootCommand(env)
	root.SetArgs(args)
	return env.report(ctx, root.ExecuteContext(ctx))
}

// say writes words for a person to standard error.
func (e *Env) say(format string, args ...any) {
	_, _ = fmt.Fprintf(e.Stderr, format+"\n", args...) // there is nobody left to tell
}
