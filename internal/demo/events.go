package demo

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"time"

	"tradepost/tracking"
)

// line is one event of the demonstration, in the form of the command line
// contract.
type line struct {
	Time     string `json:"time"`
	Event    string `json:"event"`
	Document string `json:"document"`
	Control  string `json:"control"`
	From     string `json:"from"`
	To       string `json:"to"`
	Detail   string `json:"detail"`
	Station  string `json:"station,omitempty"` // whose record it stands in
}

// backOffice is the connection of a station's own house in its configuration.
const backOffice = "back-office"

// say prints one line, as JSON or for a person.
func (d *demo) say(l line) {
	d.printing.Lock()
	defer d.printing.Unlock()
	if l.Time == "" {
		l.Time = d.Now().UTC().Format(time.RFC3339Nano)
	}
	if d.JSONL {
		_ = json.NewEncoder(d.Stdout).Encode(l) //nolint:errchkjson // a closed pipe ends us soon enough
		return
	}
	clock := l.Time
	if at, err := time.Parse(time.RFC3339Nano, l.Time); err == nil {
		clock = at.Local().Format("15:04:05.000")
	}
	way := l.From
	if l.To != "" {
		way += " → " + l.To
	}
	what := l.Document
	if l.Control != "" {
		what += " " + l.Control
	}
	_, _ = fmt.Fprintf(d.Stdout, "%s  %-20s %-15s %-26s %s\n", clock, way, what, l.Event, l.Detail)
}

// follow prints the events of both stations as they are recorded, until ctx
// ends; then it prints what is still missing and returns.
func (d *demo) follow(ctx context.Context, stations ...*station) {
	cursors := make([]tracking.ID, len(stations))
	for {
		ended := ctx.Err() != nil
		var lines []line
		for i, st := range stations {
			lines = append(lines, d.newLines(context.WithoutCancel(ctx), st, &cursors[i])...)
		}
		slices.SortStableFunc(lines, func(a, b line) int { return compareTimes(a.Time, b.Time) })
		for _, l := range lines {
			d.say(l)
		}
		if ended {
			return
		}
		select {
		case <-ctx.Done():
		case <-time.After(100 * time.Millisecond):
		}
	}
}

func compareTimes(a, b string) int {
	x, _ := time.Parse(time.RFC3339Nano, a)
	y, _ := time.Parse(time.RFC3339Nano, b)
	return x.Compare(y)
}

// newLines returns the events recorded since the cursor. A station that cannot
// be asked just now (it may be starting again) has none.
func (d *demo) newLines(ctx context.Context, st *station, cursor *tracking.ID) []line {
	var page struct {
		Events []tracking.Event `json:"events"`
	}
	query := url.Values{"after": {cursor.String()}, "limit": {strconv.Itoa(200)}}
	if err := st.get(ctx, "/api/v1/events", query, &page); err != nil {
		return nil
	}
	var lines []line
	for _, e := range page.Events {
		l := line{Time: e.At.UTC().Format(time.RFC3339Nano), Event: string(e.Kind), Detail: e.Text, Station: st.Name}
		direction := tracking.Inbound
		if e.DocumentID != 0 {
			v, err := st.document(ctx, e.DocumentID)
			if err != nil {
				return lines // asked again from here
			}
			l.Document, l.Control, direction = v.Document.Type, v.Document.Control, v.Document.Direction
			if v.Interchange != nil {
				l.Control = v.Interchange.Control
			}
		} else if e.TransmissionID != 0 {
			v, err := st.transmission(ctx, e.TransmissionID)
			if err != nil {
				return lines
			}
			direction = v.Transmission.Direction
			if v.Transmission.Connection == backOffice {
				e.Partner = ""
			}
		}
		partner := e.Partner
		if partner == "" {
			partner = "back office"
		}
		l.From, l.To = partner, st.Name
		if direction == tracking.Outbound {
			l.From, l.To = st.Name, partner
		}
		lines = append(lines, l)
		*cursor = e.ID
	}
	return lines
}
