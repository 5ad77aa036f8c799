package console

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"tradepost/internal/api"
	"tradepost/tracking"
)

// Documents is the list of documents.
type Documents struct {
	Form     Filter
	Rows     []DocumentLine
	Problem  string // a filter that makes no sense
	Older    string // address of the next page, "" at the end
	Newest   string // address of the first page, "" when this is it
	CSV      string
	JSON     string
	Filtered bool
}

// Filter is the form above a list.
type Filter struct {
	Action    string
	Hint      string // in the empty search box
	Query     string
	Since     string // as a date, for the date field
	Relative  string // as it stands in the address where that is no date
	Until     string
	Selects   []Select
	Active    []Active
	Partners  []string
	More      bool // filters beside the search box are set
	ClearLink string
}

// Select is one choice of the form.
type Select struct {
	Name, Label string
	Options     []Option
}

// Option is one answer of a Select.
type Option struct {
	Value, Label string
	Selected     bool
}

// Active is a filter that is set, with the address without it.
type Active struct{ Name, Value, Without string }

// DocumentLine is a document in a list.
type DocumentLine struct {
	tracking.DocumentRow
	Link     string
	TypeName string
	Out      bool
	State    Chip
	AckChip  Chip
	Key      *tracking.Key // the first business key
	More     int           // how many others there are
}

const pageRows = 50

func (c *Console) documents(r *http.Request) (*view, error) {
	ctx, now, v := r.Context(), c.cfg.Now(), r.URL.Query()
	q, err := api.ParseDocuments(v, now, c.cfg.Location)
	var wrong *api.ParamError
	if err != nil && !errors.As(err, &wrong) {
		return nil, err
	}
	if target := c.byID(r, q.Text); target != "" {
		return nil, redirect(target)
	}
	d := Documents{}
	if q.Limit == 0 {
		q.Limit = pageRows
	}
	if wrong == nil {
		page, err := c.cfg.Data.Documents(ctx, q)
		var query *tracking.QueryError
		switch {
		case errors.As(err, &query):
			d.Problem = query.Error()
		case err != nil:
			return nil, err
		default:
			for i := range page.Documents {
				d.Rows = append(d.Rows, documentLine(&page.Documents[i], now))
			}
			if page.Next != 0 {
				d.Older = link("/documents", v, "before", page.Next.String())
			}
		}
	} else {
		d.Problem = wrong.Error()
	}
	if v.Get("before") != "" {
		d.Newest = link("/documents", v, "before", "")
	}
	d.CSV = exportLink(v, "csv")
	d.JSON = exportLink(v, "jsonl")
	if d.Form, err = c.documentForm(r, v); err != nil {
		return nil, err
	}
	d.Filtered = len(d.Form.Active) > 0
	return &view{template: "documents", title: "Documents", section: "documents", body: d}, nil
}

// byID returns the page of what a search text names by its id, "" otherwise.
func (c *Console) byID(r *http.Request, text string) string {
	id, err := tracking.ParseID(strings.TrimSpace(text))
	if err != nil {
		return ""
	}
	if _, err := c.cfg.Data.DocumentView(r.Context(), id); err == nil {
		return "/documents/" + id.String()
	}
	if _, err := c.cfg.Data.TransmissionView(r.Context(), id); err == nil {
		return "/transmissions/" + id.String()
	}
	return ""
}

func documentLine(row *tracking.DocumentRow, now time.Time) DocumentLine {
	l := DocumentLine{
		DocumentRow: *row, Link: "/documents/" + row.ID.String(), TypeName: typeName(row.Type), Out: row.Direction == tracking.Outbound,
		State: documentChip(row.State), AckChip: ackChip(&row.Document, now),
	}
	if len(row.Keys) > 0 {
		l.Key, l.More = &row.Keys[0], len(row.Keys)-1
	}
	return l
}

// link writes an address with one parameter changed; "" takes it away.
func link(path string, v url.Values, name, value string) string {
	next := url.Values{}
	for n, values := range v {
		if n != name && strings.Join(values, "") != "" {
			next[n] = values
		}
	}
	if value != "" {
		next.Set(name, value)
	}
	if len(next) == 0 {
		return path
	}
	return path + "?" + next.Encode()
}

// exportLink is the address of everything the filters select.
func exportLink(v url.Values, format string) string {
	next := url.Values{"format": {format}}
	for _, name := range api.DocumentParams() {
		if s := strings.Join(v[name], ","); s != "" && name != "before" && name != "limit" {
			next.Set(name, s)
		}
	}
	return "/api/v1/documents?" + next.Encode()
}

func (c *Console) documentForm(r *http.Request, v url.Values) (Filter, error) {
	f := Filter{Action: "/documents", Hint: "PO number, control number or id", Query: v.Get("q"), ClearLink: "/documents"}
	state, ack := strings.Join(v["state"], ","), strings.Join(v["ack"], ",")
	f.Selects = []Select{
		selectOf("direction", "Direction", v.Get("direction"), "", "Any", "inbound", "From partner", "outbound", "To partner"),
		selectOf("type", "Type", v.Get("type"), "", "Any", "850", "850 Purchase order", "855", "855 Order response", "856", "856 Ship notice",
			"810", "810 Invoice", "997", "997 Acknowledgement"),
		selectOf("state", "State", state, "", "Any", "troubled", "Needs somebody", "received", "Received", "invalid", "Invalid", "ready", "Ready",
			"sending", "Sending", "delivered", "Delivered", "settled", "Settled", "failed", "Failed"),
		selectOf("ack", "Acknowledgement", ack, "", "Any", "overdue", "Overdue", "awaited", "Awaited", "accepted", "Accepted",
			"accepted-with-errors", "Accepted with errors", "rejected", "Rejected", "none", "None expected"),
	}
	if err := c.commonForm(r, v, &f); err != nil {
		return f, err
	}
	for _, name := range []string{"q", "partner", "direction", "type", "state", "ack", "control", "key", "since", "until"} {
		f.activate(v, name)
	}
	return f, nil
}

// commonForm fills what the forms of all lists share.
func (c *Console) commonForm(r *http.Request, v url.Values, f *Filter) error {
	d, err := c.cfg.Directory(r.Context())
	if err != nil {
		return err
	}
	options := []string{"", "Any"}
	for _, p := range d.Partners {
		options = append(options, p.Name, p.Name)
	}
	f.Selects = slices.Insert(f.Selects, 0, selectOf("partner", "Partner", v.Get("partner"), options...))
	f.Since, f.Relative = dateOr(v["since"])
	f.Until, _ = dateOr(v["until"])
	for _, s := range f.Selects {
		f.More = f.More || !s.Options[0].Selected
	}
	f.More = f.More || f.Since != "" || f.Relative != "" || f.Until != ""
	return nil
}

// dateOr splits what an address says of a moment into a date for a date field,
// or whatever else it is.
func dateOr(values []string) (date, other string) {
	for _, s := range values {
		if _, err := time.Parse("2006-01-02", s); err == nil {
			return s, ""
		}
		if s != "" {
			other = s
		}
	}
	return "", other
}

// selectOf makes a Select out of pairs of value and label. A value that the
// address names but the list does not know is added, so that submitting the
// form does not lose it.
func selectOf(name, label, chosen string, pairs ...string) Select {
	s := Select{Name: name, Label: label}
	known := false
	for i := 0; i+1 < len(pairs); i += 2 {
		s.Options = append(s.Options, Option{pairs[i], pairs[i+1], pairs[i] == chosen})
		known = known || pairs[i] == chosen
	}
	if !known {
		s.Options = append(s.Options, Option{chosen, cut(40, chosen), true})
	}
	return s
}

func (f *Filter) activate(v url.Values, name string) {
	if s := strings.Join(v[name], ", "); strings.Trim(s, ", ") != "" {
		without := url.Values{}
		for n, values := range v {
			if n != "before" {
				without[n] = values
			}
		}
		f.Active = append(f.Active, Active{filterName(name), cut(60, s), link(f.Action, without, name, "")})
	}
}

func filterName(name string) string {
	switch name {
	case "q":
		return "Search"
	case "ack":
		return "Acknowledgement"
	}
	return strings.ToUpper(name[:1]) + name[1:]
}
