// Package doctor looks a station over before and while it runs: one named
// check a file or paragraph, each with what it found and what to do. It
// changes nothing but for probe files that it removes again.
package doctor

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"tradepost/internal/config"
	"tradepost/partners"
	"tradepost/tracking"
)

// Status is the outcome of a check.
type Status string

// Outcomes.
const (
	OK   Status = "ok"
	Warn Status = "warn" // it works, but somebody should know
	Fail Status = "fail" // it does not work
)

// Finding is what one check found.
type Finding struct {
	Check  string `json:"check"`
	Status Status `json:"status"`
	Text   string `json:"text"`
	Advice string `json:"advice,omitempty"`
}

// Store is what the doctor asks of an opened store.
type Store interface {
	tracking.Reader
	tracking.CertificateReader
	Close() error
}

// Doctor is what a look-over needs.
type Doctor struct {
	Config *config.Config
	Now    func() time.Time
	// OpenStore opens the station's store.
	OpenStore func(ctx context.Context) (Store, error)
	// Documents loads the dictionaries of the station and the guides and maps that
	// partnerships name, and lists what is in the folder of dictionaries; nil
	// leaves them alone. What does not fit is a *config.Error.
	Documents func() ([]Text, error)
	// Online also calls the partners.
	Online bool
	// Client asks listeners.
	Client *http.Client
	// Reach asks a partner over a connection, the way a running station would;
	// nil asks its URL with Client.
	Reach func(ctx context.Context, c partners.Connection) (*http.Response, error)

	opened *opening // of this Run
}

// opening is the store as several checks use it: a database that does not answer
// is waited for once.
type opening struct {
	store Store
	err   error
}

// open opens the store, once.
func (d *Doctor) open(ctx context.Context) (Store, error) {
	if d.opened == nil {
		d.opened = &opening{}
		d.opened.store, d.opened.err = d.OpenStore(ctx)
	}
	return d.opened.store, d.opened.err
}

// close closes what open has opened.
func (d *Doctor) close() error {
	o := d.opened
	if d.opened = nil; o == nil || o.err != nil {
		return nil
	}
	return o.store.Close()
}

// check is one named check.
type check struct {
	name string
	run  func(ctx context.Context, r *report)
}

// report collects what a check finds.
type report struct {
	name     string
	findings []Finding
}

func (r *report) add(s Status, advice, format string, args ...any) {
	r.findings = append(r.findings, Finding{Check: r.name, Status: s, Text: fmt.Sprintf(format, args...), Advice: advice})
}

// Run makes every check, in the order in which a person would mend things.
func (d *Doctor) Run(ctx context.Context) []Finding {
	checks := []check{
		{"config", d.config},
		{"documents", d.documents},
		{"keys", d.keys},
		{"certificates", d.certificates},
		{"exchange", d.exchange},
		{"secrets", d.secrets},
		{"algorithms", d.algorithms},
		{"products", d.products},
		{"clock", d.clock},
		{"disk", d.disk},
		{"store", d.store},
		{"folders", d.folders},
		{"ports", d.ports},
	}
	if d.Online {
		checks = append(checks, check{"partners", d.partners})
	}
	defer func() { _ = d.close() }() // the check of the store has told
	var out []Finding
	for _, c := range checks {
		if ctx.Err() != nil {
			break
		}
		r := &report{name: c.name}
		c.run(ctx, r)
		out = append(out, r.findings...)
	}
	return out
}

// Worst returns the gravest status among findings.
func Worst(fs []Finding) Status {
	worst := OK
	for _, f := range fs {
		if f.Status == Fail || f.Status == Warn && worst == OK {
			worst = f.Status
		}
	}
	return worst
}

// config tells what the configuration says; that it holds is known by now.
func (d *Doctor) config(_ context.Context, r *report) {
	dir := d.Config.Directory
	r.add(OK, "", "%s: station %s, %s, %s", d.Config.File, dir.Station().Name,
		count(len(dir.Partners()), "partner"), count(len(dir.Connections()), "connection"))
	if len(dir.Partnerships()) == 0 {
		r.add(Warn, "add a partner, a partnership and a connection: the comments of the file show how", "nothing can be traded yet: there is no partnership")
	}
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
