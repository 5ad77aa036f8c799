// Package sample is a station's day in memory: partners, documents, receipts,
// acknowledgements, faults and a queue, all of them invented. Tests of the API
// and of the console read it, and the pictures in the README show it.
package sample

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"tradepost/partners"
	"tradepost/processes"
	"tradepost/processes/queue"
	"tradepost/tracking"
)

// Store answers what a processes.Store answers to people. The zero Store is
// empty; fill it by Day or field by field.
type Store struct {
	mu sync.Mutex // guards EventList, which tests add to while streams read

	TransmissionList []tracking.Transmission
	ReceiptList      []tracking.Receipt
	InterchangeList  []tracking.Interchange
	GroupList        []tracking.Group
	DocumentList     []tracking.Document
	AckList          []tracking.Acknowledgement
	IssueList        []Issues
	EventList        []tracking.Event
	RunList          []processes.RunView
	LaneList         []queue.Lane
	DeadList         []*queue.Job
	Payloads         map[string][]byte // by SHA-256 in hex

	Station      partners.Station
	Partners     []partners.Partner
	Partnerships []partners.Partnership
	Connections  []partners.Connection
	Certificates map[string][]tracking.Certificate // by partner name, "" for the station

	// Err, when set, is what every question gets.
	Err error
}

// Issues are the issues of one document, or of an interchange.
type Issues struct {
	Interchange, Document tracking.ID
	Issues                []tracking.Issue
}

func newestFirst[T any](list []T, id func(*T) tracking.ID) []T {
	out := slices.Clone(list)
	slices.SortFunc(out, func(a, b T) int {
		switch x, y := id(&a), id(&b); {
		case x > y:
			return -1
		case x < y:
			return 1
		}
		return 0
	})
	return out
}

func limit(n int) int {
	if n == 0 {
		return 50
	}
	return min(n, 1000)
}

func hit(text string, values ...string) bool {
	for _, v := range values {
		if v == text || len(text) >= 2 && strings.HasPrefix(v, text) {
			return true
		}
	}
	return false
}

func (s *Store) row(d tracking.Document) tracking.DocumentRow {
	r := tracking.DocumentRow{Document: d}
	if i := find(s.InterchangeList, func(i *tracking.Interchange) bool { return i.ID == d.InterchangeID }); i != nil {
		r.InterchangeControl = i.Control
	}
	if g := find(s.GroupList, func(g *tracking.Group) bool { return g.ID == d.GroupID }); g != nil {
		r.GroupControl = g.Control
	}
	return r
}

func find[T any](list []T, is func(*T) bool) *T {
	for i := range list {
		if is(&list[i]) {
			v := list[i]
			return &v
		}
	}
	return nil
}

func matches(q *tracking.DocumentQuery, r *tracking.DocumentRow) bool {
	values := []string{r.ID.String(), r.Control, r.GroupControl, r.InterchangeControl}
	keyed := q.KeyName == ""
	for _, k := range r.Keys {
		values = append(values, k.Value)
		keyed = keyed || k.Name == q.KeyName && k.Value == q.KeyValue
	}
	return keyed &&
		(q.Text == "" || hit(q.Text, values...)) &&
		(q.Partner == "" || q.Partner == r.Partner) &&
		(q.Direction == "" || q.Direction == r.Direction) &&
		(q.Type == "" || q.Type == r.Type) &&
		(len(q.States) == 0 || slices.Contains(q.States, r.State)) &&
		(len(q.Acks) == 0 || slices.Contains(q.Acks, r.Ack)) &&
		(!q.Overdue || overdue(&r.Document, q.Now)) &&
		(!q.Troubled || troubled(&r.Document)) &&
		(q.Control == "" || slices.Contains(values[1:4], q.Control)) &&
		(q.Since.IsZero() || !r.CreatedAt.Before(q.Since)) &&
		(q.Until.IsZero() || r.CreatedAt.Before(q.Until)) &&
		(q.Before == 0 || r.ID < q.Before)
}

func troubled(d *tracking.Document) bool {
	return d.State == tracking.DocumentInvalid || d.State == tracking.DocumentFailed || d.Ack == tracking.AckRejected
}

func overdue(d *tracking.Document, now time.Time) bool {
	return d.Direction == tracking.Outbound && d.Ack == tracking.AckAwaited && !d.AckDue.IsZero() && d.AckDue.Before(now)
}

// Documents is tracking.Reader.
func (s *Store) Documents(_ context.Context, q tracking.DocumentQuery) (*tracking.DocumentPage, error) {
	if s.Err != nil {
		return nil, s.Err
	}
	page := &tracking.DocumentPage{}
	for _, d := range newestFirst(s.DocumentList, func(d *tracking.Document) tracking.ID { return d.ID }) {
		r := s.row(d)
		if !matches(&q, &r) {
			continue
		}
		if len(page.Documents) == limit(q.Limit) {
			page.Next = page.Documents[len(page.Documents)-1].ID
			break
		}
		page.Documents = append(page.Documents, r)
	}
	return page, nil
}

// DocumentView is tracking.Reader.
func (s *Store) DocumentView(_ context.Context, id tracking.ID) (*tracking.DocumentView, error) {
	if s.Err != nil {
		return nil, s.Err
	}
	d := find(s.DocumentList, func(d *tracking.Document) bool { return d.ID == id })
	if d == nil {
		return nil, fmt.Errorf("document %s: %w", id, tracking.ErrNotFound)
	}
	v := &tracking.DocumentView{
		Document:    *d,
		Interchange: find(s.InterchangeList, func(i *tracking.Interchange) bool { return i.ID == d.InterchangeID }),
		Group:       find(s.GroupList, func(g *tracking.Group) bool { return g.ID == d.GroupID }),
		Source:      find(s.TransmissionList, func(t *tracking.Transmission) bool { return t.ID == d.SourceID }),
		Delivery:    find(s.TransmissionList, func(t *tracking.Transmission) bool { return t.ID == d.DeliveryID }),
	}
	for _, r := range s.ReceiptList {
		if r.TransmissionID == d.SourceID || r.TransmissionID == d.DeliveryID {
			v.Receipts = append(v.Receipts, r)
		}
	}
	for _, a := range s.AckList {
		if a.DocumentID == id || a.CarrierID == id ||
			a.DocumentID == 0 && a.GroupID != 0 && a.GroupID == d.GroupID ||
			a.DocumentID == 0 && a.GroupID == 0 && a.InterchangeID != 0 && a.InterchangeID == d.InterchangeID {
			v.Acknowledgements = append(v.Acknowledgements, a)
		}
	}
	for _, i := range s.IssueList {
		if i.Document == id {
			v.Issues = append(v.Issues, i.Issues...)
		}
	}
	for _, o := range newestFirst(s.DocumentList, func(d *tracking.Document) tracking.ID { return d.ID }) {
		if o.ID != id && o.Partner == d.Partner && slices.ContainsFunc(o.Keys, func(k tracking.Key) bool {
			return slices.ContainsFunc(d.Keys, func(mine tracking.Key) bool { return mine.Value == k.Value })
		}) {
			v.Related = append(v.Related, s.row(o))
		}
	}
	for _, e := range s.EventList {
		if e.DocumentID == id || e.InterchangeID != 0 && e.InterchangeID == d.InterchangeID && e.DocumentID == 0 ||
			e.DocumentID == 0 && e.TransmissionID != 0 && (e.TransmissionID == d.SourceID || e.TransmissionID == d.DeliveryID) {
			v.Events = append(v.Events, e)
		}
	}
	slices.SortFunc(v.Events, func(a, b tracking.Event) int { return a.At.Compare(b.At) })
	return v, nil
}

// Transmissions is tracking.Reader.
func (s *Store) Transmissions(_ context.Context, q tracking.TransmissionQuery) (*tracking.TransmissionPage, error) {
	if s.Err != nil {
		return nil, s.Err
	}
	page := &tracking.TransmissionPage{}
	for _, t := range newestFirst(s.TransmissionList, func(t *tracking.Transmission) tracking.ID { return t.ID }) {
		if q.Text != "" && !hit(q.Text, t.ID.String(), t.MessageID, strings.Trim(t.MessageID, "<>"), t.Filename) ||
			q.Partner != "" && q.Partner != t.Partner ||
			q.Direction != "" && q.Direction != t.Direction ||
			q.Connector != "" && q.Connector != t.Connector ||
			len(q.States) > 0 && !slices.Contains(q.States, t.State) ||
			!q.Since.IsZero() && t.CreatedAt.Before(q.Since) ||
			!q.Until.IsZero() && !t.CreatedAt.Before(q.Until) ||
			q.Before != 0 && t.ID >= q.Before {
			continue
		}
		if len(page.Transmissions) == limit(q.Limit) {
			page.Next = page.Transmissions[len(page.Transmissions)-1].ID
			break
		}
		page.Transmissions = append(page.Transmissions, t)
	}
	return page, nil
}

// TransmissionView is tracking.Reader.
func (s *Store) TransmissionView(_ context.Context, id tracking.ID) (*tracking.TransmissionView, error) {
	if s.Err != nil {
		return nil, s.Err
	}
	t := find(s.TransmissionList, func(t *tracking.Transmission) bool { return t.ID == id })
	if t == nil {
		return nil, fmt.Errorf("transmission %s: %w", id, tracking.ErrNotFound)
	}
	v := &tracking.TransmissionView{Transmission: *t}
	for _, r := range s.ReceiptList {
		if r.TransmissionID == id {
			v.Receipts = append(v.Receipts, r)
		}
	}
	for _, i := range s.InterchangeList {
		if i.TransmissionID == id {
			v.Interchanges = append(v.Interchanges, i)
			for _, issues := range s.IssueList {
				if issues.Document == 0 && issues.Interchange == i.ID {
					v.Issues = append(v.Issues, issues.Issues...)
				}
			}
		}
	}
	for _, d := range s.DocumentList {
		if d.SourceID == id || d.DeliveryID == id {
			v.Documents = append(v.Documents, s.row(d))
		}
	}
	for _, o := range s.TransmissionList {
		if o.DuplicateOf == id {
			v.Duplicates = append(v.Duplicates, o.ID)
		}
	}
	for _, e := range s.EventList {
		if e.TransmissionID == id {
			v.Events = append(v.Events, e)
		}
	}
	return v, nil
}

// Events is tracking.Reader.
func (s *Store) Events(_ context.Context, after tracking.ID, n int) ([]tracking.Event, error) {
	if s.Err != nil {
		return nil, s.Err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var list []tracking.Event
	for _, e := range s.EventList {
		if e.ID > after {
			list = append(list, e)
		}
	}
	slices.SortFunc(list, func(a, b tracking.Event) int {
		if a.ID < b.ID {
			return -1
		}
		return 1
	})
	return list[:min(len(list), limit(n))], nil
}

// Append adds an event while others read.
func (s *Store) Append(e tracking.Event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.EventList = append(s.EventList, e)
}

// Summary is tracking.Reader.
func (s *Store) Summary(_ context.Context, since, now time.Time) (*tracking.Summary, error) {
	if s.Err != nil {
		return nil, s.Err
	}
	sum := &tracking.Summary{Since: since}
	first := since.Truncate(time.Hour)
	for h := first; !h.After(now); h = h.Add(time.Hour) {
		sum.Hours = append(sum.Hours, tracking.HourCount{Hour: h})
	}
	by := map[string]*tracking.PartnerCount{}
	for _, d := range s.DocumentList {
		if overdue(&d, now) {
			sum.Overdue++
		}
		if d.CreatedAt.Before(since) {
			continue
		}
		h := &sum.Hours[int(d.CreatedAt.Sub(first)/time.Hour)]
		p := by[d.Partner]
		if p == nil {
			p = &tracking.PartnerCount{Partner: d.Partner}
			by[d.Partner] = p
		}
		if d.CreatedAt.After(p.LastAt) {
			p.LastAt = d.CreatedAt
		}
		if d.Direction == tracking.Inbound {
			sum.Received++
			h.Inbound++
			p.Inbound++
		} else {
			h.Outbound++
			p.Outbound++
			if d.State == tracking.DocumentDelivered {
				sum.Sent++
			}
			if d.Ack == tracking.AckAwaited {
				sum.AwaitingAck++
			}
		}
		troubled := true
		switch {
		case d.State == tracking.DocumentInvalid:
			sum.Invalid++
		case d.State == tracking.DocumentFailed:
			sum.Failed++
		case d.Direction == tracking.Outbound && d.Ack == tracking.AckRejected:
			sum.Rejected++
		default:
			troubled = false
		}
		if troubled {
			h.Troubled++
			p.Troubled++
		}
	}
	for _, t := range s.TransmissionList {
		if t.CreatedAt.Before(since) {
			continue
		}
		switch t.State {
		case tracking.TransmissionRefused, tracking.TransmissionFailed:
			sum.Refused++
		case tracking.TransmissionDuplicate:
			sum.Duplicates++
		}
	}
	for _, p := range by {
		sum.Partners = append(sum.Partners, *p)
	}
	slices.SortFunc(sum.Partners, func(a, b tracking.PartnerCount) int {
		if n := b.Inbound + b.Outbound - a.Inbound - a.Outbound; n != 0 {
			return n
		}
		return strings.Compare(a.Partner, b.Partner)
	})
	return sum, nil
}

// Open is tracking.Archive.
func (s *Store) Open(_ context.Context, p tracking.Payload) (io.ReadCloser, error) {
	b, ok := s.Payloads[p.SHA256]
	if !ok {
		return nil, fmt.Errorf("payload %s: %w", p.SHA256, tracking.ErrNotFound)
	}
	return io.NopCloser(bytes.NewReader(b)), nil
}

// Runs is processes.Store.
func (s *Store) Runs(_ context.Context, transmission, document tracking.ID) ([]processes.RunView, error) {
	if s.Err != nil {
		return nil, s.Err
	}
	var list []processes.RunView
	for _, r := range s.RunList {
		if transmission != 0 && r.TransmissionID == transmission || document != 0 && r.DocumentID == document {
			list = append(list, r)
		}
	}
	return list, nil
}

// Lanes is queue.Store.
func (s *Store) Lanes(context.Context) ([]queue.Lane, error) { return s.LaneList, s.Err }

// DeadJobs is queue.Store.
func (s *Store) DeadJobs(_ context.Context, n int) ([]*queue.Job, error) {
	return s.DeadList[:min(len(s.DeadList), n)], s.Err
}
