package api

import (
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"tradepost/tracking"
)

// ParamError tells which parameter is wrong and what it may be.
type ParamError struct {
	Name, Value, Text string
}

func (e *ParamError) Error() string {
	if e.Value == "" {
		return "parameter " + e.Name + " " + e.Text
	}
	return fmt.Sprintf("parameter %s: %q %s", e.Name, e.Value, e.Text)
}

// MaxLimit is the most rows a page can have.
const MaxLimit = 1000

// DocumentParams are the parameters ParseDocuments reads.
func DocumentParams() []string {
	return []string{"q", "partner", "direction", "type", "state", "ack", "control", "key", "since", "until", "before", "limit"}
}

// ParseDocuments reads the filters of a list of documents:
//
//	q          search box: business key, control number, a prefix of one, or an id
//	partner    name of the partner
//	direction  inbound or outbound, seen from the partner
//	type       850
//	state      received, invalid, ready, sending, delivered, settled, failed, troubled (invalid,
//	           failed or rejected: stands alone); several by comma
//	ack        none, awaited, accepted, accepted-with-errors, rejected, overdue; several by comma
//	control    control number of interchange, group or document
//	key        PO=4500012345
//	since      the moment from which, see ParseTime
//	until      the moment before which; a bare date includes that day
//	before     id from the "next" of the page before
//	limit      rows on a page, 1 to 1000
//
// The error is a *ParamError.
func ParseDocuments(v url.Values, now time.Time, zone *time.Location) (tracking.DocumentQuery, error) {
	p := params{v: v, now: now, zone: zone}
	q := tracking.DocumentQuery{
		Text:      p.text("q"),
		Partner:   p.text("partner"),
		Direction: p.direction(),
		Type:      p.text("type"),
		Control:   p.text("control"),
		Since:     p.time("since", false),
		Until:     p.time("until", true),
		Now:       now,
		Before:    p.id("before"),
		Limit:     p.limit(),
	}
	for _, s := range p.words("state", append(documentStates(), "troubled")) {
		if s == "troubled" {
			q.Troubled = true
			continue
		}
		q.States = append(q.States, tracking.DocumentState(s))
	}
	if q.Troubled && len(q.States) > 0 {
		p.fail("state", "", "troubled cannot be combined with others; ask for it alone")
	}
	for _, s := range p.words("ack", ackStates()) {
		if s == "overdue" {
			q.Overdue = true
			continue
		}
		q.Acks = append(q.Acks, tracking.AckState(s))
	}
	if q.Overdue && len(q.Acks) > 0 {
		p.fail("ack", "", "overdue cannot be combined with others; ask for it alone")
	}
	if k := p.text("key"); k != "" {
		name, value, ok := strings.Cut(k, "=")
		if !ok || name == "" || value == "" {
			p.fail("key", k, "is not NAME=VALUE, for example PO=4500012345")
		}
		q.KeyName, q.KeyValue = name, value
	}
	return q, p.err
}

// TransmissionParams are the parameters ParseTransmissions reads.
func TransmissionParams() []string {
	return []string{"q", "partner", "direction", "state", "connector", "since", "until", "before", "limit"}
}

// ParseTransmissions reads the filters of a list of transmissions: q is a
// Message-ID, a file name, a prefix of one, or an id; state is one or several
// of the states of a transmission; connector is "as2" or "directory"; the rest
// is as for ParseDocuments. The error is a *ParamError.
func ParseTransmissions(v url.Values, now time.Time, zone *time.Location) (tracking.TransmissionQuery, error) {
	p := params{v: v, now: now, zone: zone}
	q := tracking.TransmissionQuery{
		Text:      p.text("q"),
		Partner:   p.text("partner"),
		Direction: p.direction(),
		Connector: p.text("connector"),
		Since:     p.time("since", false),
		Until:     p.time("until", true),
		Before:    p.id("before"),
		Limit:     p.limit(),
	}
	for _, s := range p.words("state", transmissionStates()) {
		q.States = append(q.States, tracking.TransmissionState(s))
	}
	return q, p.err
}

func documentStates() []string {
	return []string{"received", "invalid", "ready", "sending", "delivered", "settled", "failed"}
}

func ackStates() []string {
	return []string{"none", "awaited", "accepted", "accepted-with-errors", "rejected", "overdue"}
}

func transmissionStates() []string {
	return []string{"received", "processed", "duplicate", "prepared", "delivered", "refused", "failed"}
}

// ParseTime reads a moment: RFC 3339 ("2026-11-05T14:03:00Z"), a date with or
// without a time of day in zone ("2026-11-05", "2026-11-05T14:03"), "today",
// or how long before now ("90m", "24h", "7d").
func ParseTime(s string, now time.Time, zone *time.Location) (time.Time, error) {
	for _, layout := range []string{time.RFC3339, "2006-01-02", "2006-01-02T15:04", "2006-01-02T15:04:05"} {
		if t, err := time.ParseInLocation(layout, s, zone); err == nil {
			return t, nil
		}
	}
	if s == "today" {
		y, m, d := now.In(zone).Date()
		return time.Date(y, m, d, 0, 0, 0, 0, zone), nil
	}
	if days, ok := strings.CutSuffix(s, "d"); ok {
		if n, err := strconv.Atoi(days); err == nil && n > 0 && n <= 36500 {
			return now.Add(-time.Duration(n) * 24 * time.Hour), nil
		}
	}
	if d, err := time.ParseDuration(s); err == nil && d > 0 {
		return now.Add(-d), nil
	}
	return time.Time{}, fmt.Errorf("%q is no moment: write 2026-11-05, 2026-11-05T14:03:00Z, today, 24h or 7d", s)
}

// params reads parameters and keeps the first error.
type params struct {
	v    url.Values
	now  time.Time
	zone *time.Location
	err  error
}

func (p *params) fail(name, value, text string) {
	if p.err == nil {
		p.err = &ParamError{Name: name, Value: value, Text: text}
	}
}

// text is the first value that is not empty: a form sends its empty fields too.
func (p *params) text(name string) string {
	s := ""
	for _, v := range p.v[name] {
		if s = strings.TrimSpace(v); s != "" {
			break
		}
	}
	if len(s) > 200 {
		p.fail(name, s[:20]+"...", "is longer than 200 letters")
		return ""
	}
	return s
}

func (p *params) direction() tracking.Direction {
	switch s := p.text("direction"); s {
	case "", "inbound", "outbound":
		return tracking.Direction(s)
	default:
		p.fail("direction", s, "is neither inbound nor outbound")
		return ""
	}
}

// words reads a list given by commas or by repeating the parameter.
func (p *params) words(name string, known []string) []string {
	var list []string
	for _, value := range p.v[name] {
		for s := range strings.SplitSeq(value, ",") {
			s = strings.TrimSpace(s)
			switch {
			case s == "" || slices.Contains(list, s):
			case slices.Contains(known, s):
				list = append(list, s)
			default:
				p.fail(name, s, "is none of "+strings.Join(known, ", "))
			}
		}
	}
	return list
}

func (p *params) time(name string, wholeDay bool) time.Time {
	s := p.text(name)
	if s == "" {
		return time.Time{}
	}
	t, err := ParseTime(s, p.now, p.zone)
	if err != nil {
		p.fail(name, s, "is no moment: write 2026-11-05, 2026-11-05T14:03:00Z, today, 24h or 7d")
	}
	if wholeDay && len(s) == len("2006-01-02") {
		t = t.AddDate(0, 0, 1)
	}
	return t
}

func (p *params) id(name string) tracking.ID {
	s := p.text(name)
	if s == "" {
		return 0
	}
	id, err := tracking.ParseID(s)
	if err != nil {
		p.fail(name, s, "is no id")
	}
	return id
}

func (p *params) limit() int {
	s := p.text("limit")
	if s == "" {
		return 0
	}
	n, err := strconv.Atoi(s)
	if err != nil || n < 1 || n > MaxLimit {
		p.fail("limit", s, "is not a number from 1 to "+strconv.Itoa(MaxLimit))
		return 0
	}
	return n
}
