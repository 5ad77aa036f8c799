package console

import (
	"net/http"
	"time"
)

// StatusPage is the page of the station's machinery.
type StatusPage struct {
	*Status
	Station     StationCard
	Keys        []CertificateView
	Up          string
	Well        bool
	Zone        string
	Now         time.Time
	NoMachinery bool
}

func (c *Console) status(r *http.Request) (*view, error) {
	ctx, now := r.Context(), c.cfg.Now()
	d, err := c.cfg.Directory(ctx)
	if err != nil {
		return nil, err
	}
	p := StatusPage{
		Station: StationCard{Name: d.Station.Name, AS2ID: d.Station.AS2ID, Identifiers: identifiers(d.Station.Identifiers)},
		Keys:    certificates(d.Certificates[""], now), Zone: c.cfg.Location.String(), Now: now, Well: true, Status: &Status{},
	}
	if c.cfg.Status == nil {
		p.NoMachinery = true
		return &view{template: "status", title: "Status", section: "status", body: p}, nil
	}
	if p.Status, err = c.cfg.Status(ctx); err != nil {
		return nil, err
	}
	if !p.Started.IsZero() {
		p.Up = duration(now.Sub(p.Started))
	}
	for _, l := range p.Listeners {
		p.Well = p.Well && l.Problem == ""
	}
	for _, k := range p.Checks {
		p.Well = p.Well && k.OK
	}
	return &view{template: "status", title: "Status", section: "status", body: p}, nil
}
