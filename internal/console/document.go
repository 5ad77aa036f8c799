package console

import (
	"cmp"
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
	Actions     []Action
	Interchange *tracking.Interchange
	Group       *tracking.Group
	Acks        []AckLink
	MoreAcks    int // not shown
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
	Also  string // what it says beside, of the group
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
	l.head.Actions = c.actions(&v.Document)
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
	h.Acks = ackLinks(d, v.Acknowledgements)
	h.MoreAcks = max(0, len(h.Acks)-mostAcks)
	h.Acks = h.Acks[:len(h.Acks)-h.MoreAcks]
	return h
}

// mostAcks bounds what stands beside a document: a 997 about an interchange of
// thousands judges each of them.
const mostAcks = 20

// ackLinks tells of the acknowledgements of a document, oldest first. One that
// speaks of the document and of its group or interchange is told once.
func ackLinks(d *tracking.Document, list []tracking.Acknowledgement) []AckLink {
	var links []AckLink
	for _, a := range slices.SortedStableFunc(slices.Values(list), func(a, b tracking.Acknowledgement) int {
		return cmp.Or(a.At.Compare(b.At), -cmp.Compare(a.DocumentID, b.DocumentID)) // the document before its group
	}) {
		l := ackLink(d, &a)
		same := slices.IndexFunc(links, func(o AckLink) bool {
			return l.About && o.About && a.CarrierID != 0 && o.CarrierID == a.CarrierID && o.DocumentID != 0 && a.DocumentID == 0
		})
		switch {
		case same < 0:
			links = append(links, l)
		case links[same].Status == a.Status:
			links[same].Text += " and its " + scope(&a)
		default:
			links[same].Also = fmt.Sprintf("its %s: %s", scope(&a), ackWord(a.Status))
		}
	}
	return links
}

// scope says what an acknowledgement speaks of.
func scope(a *tracking.Acknowledgement) string {
	switch {
	case a.DocumentID != 0:
		return "document"
	case a.GroupID != 0:
		return "group"
	}
	return "interchange"
}

// ackLink tells in words how an acknowledgement ties two documents together.
func ackLink(d *tracking.Document, a *tracking.Acknowledgement) AckLink {
	l := AckLink{Acknowledgement: *a, About: a.CarrierID != d.ID}
	l.Chip = ackChip(&tracking.Document{Ack: a.Status}, time.Time{})
	other := a.CarrierID
	if !l.About {
		other = a.DocumentID
	}
	if other != 0 {
		l.Link = "/documents/" + other.String()
	}
	switch {
	case l.About && a.Direction == tracking.Outbound:
		l.Text = "our " + a.Type + " about the " + scope(a)
	case l.About:
		l.Text = "the partner's " + a.Type + " about the " + scope(a)
	default:
		l.Text = "judges the " + scope(a)
	}
	return l
}
