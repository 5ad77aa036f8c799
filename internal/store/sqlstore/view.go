package sqlstore

import (
	"context"
	"errors"
	"slices"

	"tradepost/tracking"
)

// Bounds of what a view shows, so that one look at a large thing stays cheap.
const (
	viewLimit    = 1000 // rows of one kind
	relatedLimit = 50   // related documents
	relatedProbe = 500  // newest bearers of one key value that are looked at
)

// DocumentView implements tracking.Reader. Beside the source and the present
// delivery it takes in the earlier deliveries that the document's own events
// name.
func (s *Store) DocumentView(ctx context.Context, id tracking.ID) (*tracking.DocumentView, error) {
	var view *tracking.DocumentView
	err := s.backend.View(ctx, func(ctx context.Context, c Conn) error {
		var err error
		view, err = documentView(ctx, c, id)
		return err
	})
	if err != nil {
		return nil, err
	}
	return view, nil
}

func documentView(ctx context.Context, c Conn, id tracking.ID) (*tracking.DocumentView, error) {
	const what = "view document"
	docs, err := selectAll(ctx, c, what, `select `+documentColumns+` from document d where d.id = ?`, scanDocument, id)
	if err != nil {
		return nil, err
	}
	if len(docs) == 0 {
		return nil, notFound("document", id)
	}
	if err := loadKeys(ctx, c, docs); err != nil {
		return nil, err
	}
	d := docs[0]
	v := &tracking.DocumentView{Document: *d}
	if v.Interchange, err = optional(interchangeByID(ctx, c, d.InterchangeID, "")); err != nil {
		return nil, err
	}
	if v.Group, err = optional(groupByID(ctx, c, d.GroupID, "")); err != nil {
		return nil, err
	}
	if v.Source, err = optional(transmissionByID(ctx, c, d.SourceID, "")); err != nil {
		return nil, err
	}
	if v.Delivery, err = optional(transmissionByID(ctx, c, d.DeliveryID, "")); err != nil {
		return nil, err
	}
	transmissions, err := transmissionsOf(ctx, c, d, v.Interchange)
	if err != nil {
		return nil, err
	}
	if v.Receipts, err = receiptsOf(ctx, c, transmissions); err != nil {
		return nil, err
	}
	if v.Events, err = eventsOf(ctx, c, d, transmissions); err != nil {
		return nil, err
	}
	v.Acknowledgements, err = selectAll(ctx, c, what, `select `+acknowledgementColumns+` from acknowledgement a where a.id in (
		select id from acknowledgement where document_id = ? and document_id <> 0
		union select id from acknowledgement where carrier_id = ? and carrier_id <> 0
		union select id from acknowledgement where group_id = ? and group_id <> 0 and document_id = 0
		union select id from acknowledgement where interchange_id = ? and interchange_id <> 0 and group_id = 0 and document_id = 0)
		order by a.id limit ?`, scanAcknowledgement, d.ID, d.ID, d.GroupID, d.InterchangeID, viewLimit)
	if err != nil {
		return nil, err
	}
	v.Issues, err = selectAll(ctx, c, what, `select `+issueColumns+` from issue s where s.document_id = ? and s.document_id <> 0 order by s.id limit ?`, scanIssue, d.ID, viewLimit)
	if err != nil {
		return nil, err
	}
	if v.Related, err = related(ctx, c, d); err != nil {
		return nil, err
	}
	fill(&v.Acknowledgements)
	fill(&v.Issues)
	return v, nil
}

// optional takes what an id of zero, or of something that retention removed,
// does not find as nothing.
func optional[T any](v *T, err error) (*T, error) {
	if errors.Is(err, tracking.ErrNotFound) {
		return nil, nil
	}
	return v, err
}

// fill makes an empty list one that JSON writes as [].
func fill[T any](list *[]T) {
	if *list == nil {
		*list = []T{}
	}
}

// transmissionsOf collects the transmissions that belong to a document's life,
// oldest first.
func transmissionsOf(ctx context.Context, c Conn, d *tracking.Document, i *tracking.Interchange) ([]tracking.ID, error) {
	ids, err := selectAll(ctx, c, "transmissions of document", `select distinct t.id from event e join transmission t on t.id = e.transmission_id
		where e.document_id = ? and e.document_id <> 0 and t.direction = 'outbound' limit ?`, scanID, d.ID, viewLimit)
	if err != nil {
		return nil, err
	}
	ids = append(ids, d.SourceID, d.DeliveryID)
	if i != nil {
		ids = append(ids, i.TransmissionID)
	}
	slices.Sort(ids)
	ids = slices.Compact(ids)
	if len(ids) > 0 && ids[0] == 0 {
		ids = ids[1:]
	}
	return ids, nil
}

func receiptsOf(ctx context.Context, c Conn, transmissions []tracking.ID) ([]tracking.Receipt, error) {
	receipts := []tracking.Receipt{}
	if len(transmissions) == 0 {
		return receipts, nil
	}
	args := anyOf(transmissions)
	rows, err := selectAll(ctx, c, "receipts", `select `+receiptColumns+` from receipt r where r.transmission_id in (`+list(len(args))+`) order by r.id limit ?`,
		scanReceipt, append(args, viewLimit)...)
	for _, r := range rows {
		receipts = append(receipts, *r)
	}
	return receipts, err
}

// eventsOf reads the life cycle of a document: its own events, and those of
// its interchange and transmissions that are not about another document or
// another interchange.
func eventsOf(ctx context.Context, c Conn, d *tracking.Document, transmissions []tracking.ID) ([]tracking.Event, error) {
	sql := `select id from event where document_id = ? and document_id <> 0
		union select id from event where interchange_id = ? and interchange_id <> 0 and document_id = 0`
	args := []any{d.ID, d.InterchangeID}
	if in := anyOf(transmissions); len(in) > 0 {
		sql += ` union select id from event where transmission_id in (` + list(len(in)) + `) and transmission_id <> 0 and document_id = 0 and interchange_id in (0, ?)`
		args = append(append(args, in...), d.InterchangeID)
	}
	events, err := selectAll(ctx, c, "events of document", `select `+eventColumns+` from event e where e.id in (`+sql+`) order by e.id limit ?`, scanEvent, append(args, viewLimit)...)
	fill(&events)
	return events, err
}

// related finds documents of the same partner that share a business key value,
// newest first.
func related(ctx context.Context, c Conn, d *tracking.Document) ([]tracking.DocumentRow, error) {
	var ids []tracking.ID
	for _, k := range d.Keys {
		if k.Value == "" {
			continue
		}
		found, err := selectAll(ctx, c, "related documents", `select d.id from document d join
			(select document_id from document_key where value = ? order by document_id desc limit ?) k on k.document_id = d.id
			where d.partner = ? and d.id <> ? order by d.id desc limit ?`, scanID, indexed(k.Value), relatedProbe, d.Partner, d.ID, relatedLimit)
		if err != nil {
			return nil, err
		}
		ids = append(ids, found...)
	}
	slices.Sort(ids)
	ids = slices.Compact(ids)
	if len(ids) == 0 {
		return []tracking.DocumentRow{}, nil
	}
	if len(ids) > relatedLimit {
		ids = ids[len(ids)-relatedLimit:]
	}
	args := anyOf(ids)
	return documentRows(ctx, c, "related documents", ` where d.id in (`+list(len(args))+`) order by d.id desc`, args...)
}

// TransmissionView implements tracking.Reader.
func (s *Store) TransmissionView(ctx context.Context, id tracking.ID) (*tracking.TransmissionView, error) {
	var view *tracking.TransmissionView
	err := s.backend.View(ctx, func(ctx context.Context, c Conn) error {
		var err error
		view, err = transmissionView(ctx, c, id)
		return err
	})
	if err != nil {
		return nil, err
	}
	return view, nil
}

func transmissionView(ctx context.Context, c Conn, id tracking.ID) (*tracking.TransmissionView, error) {
	const what = "view transmission"
	t, err := transmissionByID(ctx, c, id, "")
	if err != nil {
		return nil, err
	}
	v := &tracking.TransmissionView{Transmission: *t, Interchanges: []tracking.Interchange{}}
	if v.Receipts, err = receiptsOf(ctx, c, []tracking.ID{id}); err != nil {
		return nil, err
	}
	interchanges, err := selectAll(ctx, c, what, `select `+interchangeColumns+` from interchange i where i.transmission_id = ? and i.transmission_id <> 0 order by i.id limit ?`,
		scanInterchange, id, viewLimit)
	if err != nil {
		return nil, err
	}
	for _, i := range interchanges {
		v.Interchanges = append(v.Interchanges, *i)
	}
	v.Documents, err = documentRows(ctx, c, what, ` where d.id in (select id from document where source_id = ? and source_id <> 0
		union select id from document where delivery_id = ? and delivery_id <> 0) order by d.id limit ?`, id, id, viewLimit)
	if err != nil {
		return nil, err
	}
	v.Issues, err = selectAll(ctx, c, what, `select `+issueColumns+` from issue s join interchange i on i.id = s.interchange_id
		where i.transmission_id = ? and i.transmission_id <> 0 and s.interchange_id <> 0 and s.document_id = 0 order by s.id limit ?`, scanIssue, id, viewLimit)
	if err != nil {
		return nil, err
	}
	v.Duplicates, err = selectAll(ctx, c, what, `select id from transmission where duplicate_of = ? and duplicate_of <> 0 order by id limit ?`, scanID, id, viewLimit)
	if err != nil {
		return nil, err
	}
	v.Events, err = selectAll(ctx, c, what, `select `+eventColumns+` from event e where e.id in (
		select id from event where transmission_id = ? and transmission_id <> 0
		union select x.id from interchange i join event x on x.interchange_id = i.id and x.interchange_id <> 0 and x.document_id = 0
			where i.transmission_id = ? and i.transmission_id <> 0)
		order by e.id limit ?`, scanEvent, id, id, viewLimit)
	fill(&v.Issues)
	fill(&v.Duplicates)
	fill(&v.Events)
	return v, err
}
