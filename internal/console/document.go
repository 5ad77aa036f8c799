package console

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"time"

	"tradepost/tracking"
)

// Document is the head that all tabs of a document share, with the tab.
type Document struct {
	tracking.DocumentRow
	TypeName    string
	Out         bool
	State       Chip
	AckChip     Chip
	Base        string // address of the page
	Tab         string
	Tabs        []Tab
	Lane        []Stage
	Took        string // from the first to the last stage that is done
	Why         *Why
	Interchange *tracking.Interchange
	Group       *tracking.Group
	Acks        []AckLink
	Related     []DocumentLine
	Payload     bool
	SourceLink  string
	DeliverLink string
	Content     string // address of the document's bytes
	Body        any    // of the tab
}

// Tab is one way to look at a document.
type Tab struct {
	Name, Link string
	Count      int // shown beside the name when above zero
	Bad        bool
	Here       bool
}

// AckLink is a statement about this document, or of this document about others.
type AckLink struct {
	tracking.Acknowledgement
	Chip  Chip
	About bool   // true: the other document judges this one
	Link  string // of the other document, "" where there is none
	Text  string
}

// loaded is a document's view and what belongs to it.
type loaded struct {
	*tracking.DocumentView
	head *Document
	now  time.Time
}

func (c *Console) documentReadable(r *http.Request) (*view, error) {
	return c.documentPage(r, "readable", c.readableTab)
}

// documentTab is the page of a document by the name of its tab.
func (c *Console) documentTab(r *http.Request) (*view, error) {
	switch tab := r.PathValue("tab"); tab {
	case "segments":
		return c.documentPage(r, tab, c.segmentsTab)
	case "raw":
		return c.documentPage(r, tab, c.rawTab)
	case "evidence":
		return c.documentPage(r, tab, c.evidenceTab)
	case "history":
		return c.documentPage(r, tab, c.historyTab)
	default:
		return nil, fmt.Errorf("tab %q: %w", tab, tracking.ErrNotFound)
	}
}

func (c *Console) documentPage(r *http.Request, tab string, body func(context.Context, *loaded) (any, error)) (*view, error) {
	id, err := tracking.ParseID(r.PathValue("id"))
	if err != nil {
		return nil, fmt.Errorf("document %q: %w", r.PathValue("id"), tracking.ErrNotFound)
	}
	ctx, now := r.Context(), c.cfg.Now()
	v, err := c.cfg.Data.DocumentView(ctx, id)
	if err != nil {
		return nil, err
	}
	l := &loaded{DocumentView: v, now: now, head: c.documentHead(v, tab, now)}
	if l.head.Why, err = c.why(ctx, l); err != nil {
		return nil, err
	}
	if l.head.Body, err = body(ctx, l); err != nil {
		return nil, err
	}
	return &view{template: "document-" + tab, title: documentTitle(&v.Document), section: "documents", body: l.head}, nil
}

func (c *Console) documentHead(v *tracking.DocumentView, tab string, now time.Time) *Document {
	d := &v.Document
	h := &Document{
		DocumentRow: tracking.DocumentRow{Document: *d}, TypeName: typeName(d.Type), Out: d.Direction == tracking.Outbound,
		State: documentChip(d.State), AckChip: ackChip(d, now), Base: "/documents/" + d.ID.String(), Tab: tab,
		Interchange: v.Interchange, Group: v.Group, Payload: !d.Payload.None(), Content: "/api/v1/documents/" + d.ID.String() + "/content",
	}
	if v.Interchange != nil {
		h.InterchangeControl = v.Interchange.Control
	}
	if v.Group != nil {
		h.GroupControl = v.Group.Control
	}
	if v.Source != nil {
		h.SourceLink = "/transmissions/" + v.Source.ID.String()
	}
	if v.Delivery != nil {
		h.DeliverLink = "/transmissions/" + v.Delivery.ID.String()
	}
	h.Lane = lane(v, now)
	h.Took = took(h.Lane)
	h.Tabs = []Tab{
		{"Readable", h.Base, 0, false, tab == "readable"},
		{"Segments", h.Base + "/segments", len(v.Issues), d.Errors > 0, tab == "segments"},
		{"Raw", h.Base + "/raw", 0, false, tab == "raw"},
		{"Evidence", h.Base + "/evidence", 0, false, tab == "evidence"},
		{"History", h.Base + "/history", 0, false, tab == "history"},
	}
	for i := range v.Related {
		h.Related = append(h.Related, documentLine(&v.Related[i], now))
	}
	for _, a := range v.Acknowledgements {
		h.Acks = append(h.Acks, ackLink(d, &a))
	}
	slices.SortStableFunc(h.Acks, func(a, b AckLink) int { return a.At.Compare(b.At) })
	return h
}

// ackLink tells in words how an acknowledgement ties two documents together.
func ackLink(d *tracking.Document, a *tracking.Acknowledgement) AckLink {
	l := AckLink{Acknowledgement: *a, About: a.CarrierID != d.ID}
	l.Chip = ackChip(&tracking.Document{Ack: a.Status}, time.Time{})
	scope := "document"
	switch {
	case a.DocumentID != 0:
	case a.GroupID != 0:
		scope = "group"
	default:
		scope = "interchange"
	}
	other := a.CarrierID
	if !l.About {
		other = a.DocumentID
	}
	if other != 0 {
		l.Link = "/documents/" + other.String()
	}
	switch {
	case l.About && a.Direction == tracking.Outbound:
		l.Text = "our " + a.Type + " about the " + scope
	case l.About:
		l.Text = "the partner's " + a.Type + " about the " + scope
	default:
		l.Text = "judges the " + scope
	}
	return l
}
