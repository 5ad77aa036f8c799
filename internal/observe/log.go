// Package observe turns what the gateway does into log lines (log/slog) and
// metrics (Prometheus). Libraries of ours return errors and offer hooks; this
// package is what hangs on the hooks.
package observe

import (
	"fmt"
	"io"
	"log/slog"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"tradepost/processes"

	"github.com/lmittmann/tint"
)

// Format of log lines.
type Format string

// The log formats.
const (
	Text Format = "text" // for a person
	JSON Format = "json" // for a collector
)

// NewLogger writes log lines to w. level is one of debug, info, warn, error.
func NewLogger(w io.Writer, format Format, level string, color bool) (*slog.Logger, error) {
	var l slog.Level
	if level != "" {
		if err := l.UnmarshalText([]byte(level)); err != nil {
			return nil, fmt.Errorf("log level %q: use debug, info, warn or error", level)
		}
	}
	switch format {
	case JSON:
		return slog.New(slog.NewJSONHandler(w, &slog.HandlerOptions{Level: l})), nil
	case Text, "":
		return slog.New(tint.NewTextHandler(w, &tint.Options{Level: l, TimeFormat: time.TimeOnly, NoColor: !color, ReplaceAttr: plainAttr})), nil
	}
	return nil, fmt.Errorf("log format %q: use text or json", format)
}

// plainAttr keeps what others wrote (a Message-ID, a name in a certificate) from
// ending a line of a text log, or from speaking to the terminal it is shown on.
func plainAttr(_ []string, a slog.Attr) slog.Attr {
	switch a.Value.Kind() {
	case slog.KindString:
		a.Value = slog.StringValue(plain(a.Value.String()))
	case slog.KindAny:
		if err, ok := a.Value.Any().(error); ok && err != nil {
			a.Value = slog.StringValue(plain(err.Error()))
		}
	}
	return a
}

// plain writes what cannot be printed as its code: line ends, escape sequences,
// marks that turn the direction of writing, and what is no UTF-8.
func plain(s string) string {
	odd := func(r rune) bool { return r == utf8.RuneError || !unicode.IsPrint(r) }
	if strings.IndexFunc(s, odd) < 0 {
		return s
	}
	var b strings.Builder
	for _, r := range s {
		if odd(r) {
			fmt.Fprintf(&b, `\u%04x`, r)
			continue
		}
		b.WriteRune(r)
	}
	return b.String()
}

// Engine observes a processes.Engine and Monitor in log lines and metrics.
type Engine struct {
	Log     *slog.Logger
	Metrics *Metrics
}

var _ processes.Observer = Engine{}

// StepDone implements processes.Observer.
func (e Engine) StepDone(run *processes.Run, step string, took time.Duration, err error) {
	outcome := "done"
	attrs := []any{"process", run.Process, "step", step, "run", run.ID.String(), "took", took.Round(time.Microsecond)}
	if run.Partner != "" {
		attrs = append(attrs, "partner", run.Partner)
	}
	if run.TransmissionID != 0 {
		attrs = append(attrs, "transmission", run.TransmissionID.String())
	}
	if run.DocumentID != 0 {
		attrs = append(attrs, "document", run.DocumentID.String())
	}
	if err != nil {
		outcome = "failed"
		// The first line says what happened; a panic's stack follows in the step's record.
		first, _, _ := strings.Cut(err.Error(), "\n")
		e.Log.Warn("step failed", append(attrs, "error", first)...)
	} else {
		e.Log.Debug("step done", attrs...)
	}
	e.Metrics.steps.WithLabelValues(run.Process, step, outcome).Observe(took.Seconds())
}

// Trouble implements processes.Observer.
func (e Engine) Trouble(doing string, err error) {
	e.Log.Error("trouble", "doing", doing, "error", err)
	e.Metrics.trouble.Inc()
}
