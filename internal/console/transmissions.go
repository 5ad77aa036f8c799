package console

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"tradepost/internal/api"
	"tradepost/tracking"
)

// Transmissions is the list of transmissions.
type Transmissions struct {
	Form     Filter
	Rows     []TransmissionLine
	Problem  string
	Older    string
	Newest   string
	Filtered bool
}

// TransmissionLine is a transmission in a list.
type TransmissionLine struct {
	tracking.Transmission
	Link      string
	Out       bool
	State     Chip
	Connector string
	Name      string // Message-ID or file name
	House     bool   // it stays inside our house: the connection is to no partner
}

func (c *Console) transmissions(r *http.Request) (*view, error) {
	ctx, now, v := r.Context(), c.cfg.Now(), r.URL.Query()
	q, err := api.ParseTransmissions(v, now, c.cfg.Location)
	var wrong *api.ParamError
	if err != nil && !errors.As(err, &wrong) {
		return nil, err
	}
	if target := c.byID(r, q.Text); target != "" {
		return nil, redirect(target)
	}
	t := Transmissions{}
	house, err := c.house(ctx)
	if err != nil {
		return nil, err
	}
	if q.Limit == 0 {
		q.Limit = pageRows
	}
	if wrong == nil {
		page, err := c.cfg.Data.Transmissions(ctx, q)
		var query *tracking.QueryError
		switch {
		case errors.As(err, &query):
			t.Problem = query.Error()
		case err != nil:
			return nil, err
		default:
			for i := range page.Transmissions {
				t.Rows = append(t.Rows, transmissionLine(&page.Transmissions[i], house))
			}
			if page.Next != 0 {
				t.Older = link("/transmissions", v, "before", page.Next.String())
			}
		}
	} else {
		t.Problem = wrong.Error()
	}
	if v.Get("before") != "" {
		t.Newest = link("/transmissions", v, "before", "")
	}
	if t.Form, err = c.transmissionForm(r, v); err != nil {
		return nil, err
	}
	t.Filtered = len(t.Form.Active) > 0
	return &view{template: "transmissions", title: "Transmissions", section: "transmissions", body: t}, nil
}

// house names the connections to our own back office.
func (c *Console) house(ctx context.Context) (map[string]bool, error) {
	d, err := c.cfg.Directory(ctx)
	if err != nil {
		return nil, err
	}
	own := map[string]bool{}
	for i := range d.Connections {
		if d.Connections[i].Partner == "" {
			own[d.Connections[i].Name] = true
		}
	}
	return own, nil
}

func transmissionLine(t *tracking.Transmission, house map[string]bool) TransmissionLine {
	l := TransmissionLine{
		Transmission: *t, Link: "/transmissions/" + t.ID.String(), Out: t.Direction == tracking.Outbound,
		State: transmissionChip(t.State), Connector: connectorName(t.Connector), Name: t.MessageID, House: house[t.Connection],
	}
	if l.Name == "" {
		l.Name = t.Filename
	}
	return l
}

func (c *Console) transmissionForm(r *http.Request, v url.Values) (Filter, error) {
	f := Filter{Action: "/transmissions", Hint: "Message-ID, file name or id", Query: v.Get("q"), ClearLink: "/transmissions"}
	f.Selects = []Select{
		selectOf("direction", "Direction", v.Get("direction"), "", "Any", "inbound", "To us", "outbound", "From us"),
		selectOf("connector", "Connector", v.Get("connector"), "", "Any", "as2", "AS2", "directory", "Folder"),
		selectOf("state", "State", strings.Join(v["state"], ","), "", "Any", "refused,failed", "Needs somebody", "received", "Received", "processed", "Processed",
			"duplicate", "Duplicate", "prepared", "On its way", "delivered", "Delivered", "refused", "Refused", "failed", "Failed"),
	}
	if err := c.commonForm(r, v, &f); err != nil {
		return f, err
	}
	for _, name := range []string{"q", "partner", "direction", "connector", "state", "since", "until"} {
		f.activate(v, name)
	}
	return f, nil
}

// Transmission is the page of one transmission.
type Transmission struct {
	Crossing
	Interchanges []InterchangeLine
	Documents    []DocumentLine
	Issues       []IssueView
	Duplicates   []Fact // id and address
	Original     string // address of the one this is a duplicate of
	Events       []EventLine
	Runs         []RunLine
	Parts        []Download
	House        bool     // it stays inside our house
	Cut          []string // of what not everything is shown: "100 of 2,000 documents"
}

// mostRows bounds each list on the page of a transmission, which may carry
// thousands of documents.
const mostRows = 100

// shorten cuts a list to what the page shows, and notes it.
func shorten[T any](t *Transmission, list []T, what string) []T {
	if len(list) <= mostRows {
		return list
	}
	t.Cut = append(t.Cut, fmt.Sprintf("%d of %s", mostRows, plural(len(list), what, what+"s")))
	return list[:mostRows]
}

// troubledFirst puts documents that need somebody before the others.
func troubledFirst(list []tracking.DocumentRow) []tracking.DocumentRow {
	rank := func(d tracking.DocumentRow) int {
		if d.State == tracking.DocumentInvalid || d.State == tracking.DocumentFailed || d.Ack == tracking.AckRejected {
			return 0
		}
		return 1
	}
	list = slices.Clone(list)
	slices.SortStableFunc(list, func(a, b tracking.DocumentRow) int { return rank(a) - rank(b) })
	return list
}

// InterchangeLine is an interchange inside a transmission.
type InterchangeLine struct {
	tracking.Interchange
	Chip Chip
}

func (c *Console) transmission(r *http.Request) (*view, error) {
	id, err := tracking.ParseID(r.PathValue("id"))
	if err != nil {
		return nil, fmt.Errorf("transmission %q: %w", r.PathValue("id"), tracking.ErrNotFound)
	}
	ctx, now := r.Context(), c.cfg.Now()
	v, err := c.cfg.Data.TransmissionView(ctx, id)
	if err != nil {
		return nil, err
	}
	house, err := c.house(ctx)
	if err != nil {
		return nil, err
	}
	t := Transmission{Crossing: crossing(&v.Transmission, v.Receipts, "", now), House: house[v.Transmission.Connection]}
	for _, i := range shorten(&t, v.Interchanges, "interchange") {
		line := InterchangeLine{i, verdictChip(i.State)}
		if i.State == tracking.VerdictPending && !slices.ContainsFunc(v.Documents, func(d tracking.DocumentRow) bool { return d.InterchangeID == i.ID && d.Ack != tracking.AckNone }) {
			line.Chip = ackChip(&tracking.Document{Ack: tracking.AckNone}, now) // as with an interchange of acknowledgements
		}
		t.Interchanges = append(t.Interchanges, line)
	}
	for _, d := range shorten(&t, troubledFirst(v.Documents), "document") {
		t.Documents = append(t.Documents, documentLine(&d, now))
	}
	for _, i := range shorten(&t, v.Issues, "issue") {
		t.Issues = append(t.Issues, issueView(&i))
	}
	for _, d := range v.Duplicates {
		t.Duplicates = append(t.Duplicates, Fact{d.String(), "/transmissions/" + d.String()})
	}
	if o := v.Transmission.DuplicateOf; o != 0 {
		t.Original = "/transmissions/" + o.String()
	}
	for _, e := range shorten(&t, v.Events, "event") {
		line := eventLine(e)
		if e.DocumentID == 0 {
			line.Link = ""
		}
		t.Events = append(t.Events, line)
	}
	for n, a := range v.Transmission.Attachments {
		t.Parts = append(t.Parts, Download{cut(80, a.Filename), cut(80, a.ContentType) + ", " + size(a.Payload.Size), fmt.Sprintf("%s/attachments/%d", "/api/v1/transmissions/"+id.String(), n+1)})
	}
	runs, err := c.cfg.Runs.Runs(ctx, id, 0)
	if err != nil {
		return nil, err
	}
	t.Runs = runLines(runs)
	return &view{template: "transmission", title: "Transmission " + id.String(), section: "transmissions", body: t}, nil
}
