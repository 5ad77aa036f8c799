package sqlstore

import (
	"context"
	"time"

	"tradepost/tracking"
)

// documentColumns lists what scanDocument reads, of table alias d.
const documentColumns = `d.id, d.direction, d.partner, d.standard, d.type, d.version, d.guide, d.interchange_id, d.group_id, d.control,
	d.source_id, d.delivery_id, d.payload_sha256, d.payload_size, d.byte_offset, d.byte_length, d.segments,
	d.state, d.ack, d.ack_due, d.ack_at, d.errors, d.warnings, d.error, d.test, d.created_at, d.updated_at`

// documentFields returns where scanning documentColumns puts them.
func documentFields(d *tracking.Document) []any {
	return []any{
		(*int64)(&d.ID), (*string)(&d.Direction), &d.Partner, &d.Standard, &d.Type, &d.Version, &d.Guide, (*int64)(&d.InterchangeID), (*int64)(&d.GroupID), &d.Control,
		(*int64)(&d.SourceID), (*int64)(&d.DeliveryID), &d.Payload.SHA256, &d.Payload.Size, &d.Offset, &d.Length, &d.Segments,
		(*string)(&d.State), (*string)(&d.Ack),
		asTime{&d.AckDue},
		asTime{&d.AckAt},
		&d.Errors, &d.Warnings, &d.Error, &d.Test,
		asTime{&d.CreatedAt},
		asTime{&d.UpdatedAt},
	}
}

func scanDocument(r Rows) (*tracking.Document, error) {
	d := new(tracking.Document)
	err := r.Scan(documentFields(d)...)
	return d, err
}

// InsertDocument implements tracking.Tx.
func (t *tx) InsertDocument(ctx context.Context, d *tracking.Document) error {
	what := "insert document " + d.ID.String()
	err := t.exec(ctx, what, `insert into document (id, direction, partner, standard, type, version, guide, interchange_id, group_id, control,
		source_id, delivery_id, payload_sha256, payload_size, byte_offset, byte_length, segments,
		state, ack, ack_due, ack_at, errors, warnings, error, test, created_at, updated_at)
		values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		d.ID, d.Direction, d.Partner, d.Standard, indexed(d.Type), d.Version, d.Guide, d.InterchangeID, d.GroupID, indexed(d.Control),
		d.SourceID, d.DeliveryID, d.Payload.SHA256, d.Payload.Size, d.Offset, d.Length, d.Segments,
		d.State, d.Ack, d.AckDue, d.AckAt, d.Errors, d.Warnings, d.Error, d.Test, d.CreatedAt, d.UpdatedAt)
	if err != nil {
		return err
	}
	for i, k := range d.Keys {
		err := t.exec(ctx, what, `insert into document_key (document_id, position, name, value) values (?, ?, ?, ?)`, d.ID, i, indexed(k.Name), indexed(k.Value))
		if err != nil {
			return err
		}
	}
	return nil
}

// UpdateDocument implements tracking.Tx.
func (t *tx) UpdateDocument(ctx context.Context, d *tracking.Document) error {
	const what = "update document"
	err := t.execOne(ctx, what, d.ID, `update document set standard = ?, version = ?, guide = ?,
		payload_sha256 = ?, payload_size = ?, byte_offset = ?, byte_length = ?, segments = ?,
		state = ?, ack = ?, ack_due = ?, ack_at = ?, errors = ?, warnings = ?, error = ?, test = ?, updated_at = ?
		where id = ?`,
		d.Standard, d.Version, d.Guide,
		d.Payload.SHA256, d.Payload.Size, d.Offset, d.Length, d.Segments,
		d.State, d.Ack, d.AckDue, d.AckAt, d.Errors, d.Warnings, d.Error, d.Test, d.UpdatedAt,
		d.ID)
	if err != nil {
		return err
	}
	return t.settle(ctx, what, "document", d.ID, "direction, partner, type, interchange_id, group_id, control, source_id, delivery_id, created_at",
		d.Direction, d.Partner, indexed(d.Type), d.InterchangeID, d.GroupID, indexed(d.Control), d.SourceID, d.DeliveryID, d.CreatedAt)
}

// Document implements tracking.Tx.
func (t *tx) Document(ctx context.Context, id tracking.ID) (*tracking.Document, error) {
	docs, err := t.documents(ctx, "document", `where d.id = ?`, id)
	if err != nil {
		return nil, err
	}
	if len(docs) == 0 {
		return nil, notFound("document", id)
	}
	return docs[0], nil
}

// DocumentsOfGroup implements tracking.Tx.
func (t *tx) DocumentsOfGroup(ctx context.Context, group tracking.ID) ([]*tracking.Document, error) {
	return t.documents(ctx, "documents of group", `where d.group_id = ? and d.group_id <> 0 order by d.id`, group)
}

// DocumentsOfSource implements tracking.Tx.
func (t *tx) DocumentsOfSource(ctx context.Context, transmission tracking.ID) ([]*tracking.Document, error) {
	return t.documents(ctx, "documents of source", `where d.source_id = ? and d.source_id <> 0 order by d.id`, transmission)
}

// DocumentsOfDelivery implements tracking.Tx.
func (t *tx) DocumentsOfDelivery(ctx context.Context, transmission tracking.ID) ([]*tracking.Document, error) {
	return t.documents(ctx, "documents of delivery", `where d.delivery_id = ? and d.delivery_id <> 0 order by d.id`, transmission)
}

// OverdueAcks implements tracking.Tx. AppendEvent keeps the moment of the last
// overdue event in overdue_at, so that a document is raised once for each due
// time; a document that was sent again gets a new one.
func (t *tx) OverdueAcks(ctx context.Context, now time.Time, limit int) ([]*tracking.Document, error) {
	return t.documents(ctx, "overdue acknowledgements", `where d.ack = 'awaited' and d.direction = 'outbound' and d.overdue_at < d.ack_due
		and d.ack_due < ? order by d.ack_due, d.id limit ?`, now, limit)
}

// documents reads and locks documents with their keys.
func (t *tx) documents(ctx context.Context, what, where string, args ...any) ([]*tracking.Document, error) {
	docs, err := selectAll(ctx, t.c, what, `select `+documentColumns+` from document d `+where+t.dialect.Lock, scanDocument, args...)
	if err != nil {
		return nil, err
	}
	return docs, loadKeys(ctx, t.c, docs)
}

// keyBatch bounds the number of documents whose keys one query reads.
const keyBatch = 512

// loadKeys fills the Keys of documents.
func loadKeys(ctx context.Context, c Conn, docs []*tracking.Document) error {
	for len(docs) > 0 {
		batch := docs[:min(len(docs), keyBatch)]
		docs = docs[len(batch):]
		byID := make(map[tracking.ID]*tracking.Document, len(batch))
		ids := make([]tracking.ID, len(batch))
		for i, d := range batch {
			byID[d.ID], ids[i] = d, d.ID
		}
		args := anyOf(ids)
		type row struct {
			document tracking.ID
			key      tracking.Key
		}
		rows, err := selectAll(ctx, c, "document keys", `select document_id, name, value from document_key where document_id in (`+list(len(args))+`) order by document_id, position`,
			func(r Rows) (k row, err error) {
				err = r.Scan((*int64)(&k.document), &k.key.Name, &k.key.Value)
				return k, err
			}, args...)
		if err != nil {
			return err
		}
		for _, k := range rows {
			byID[k.document].Keys = append(byID[k.document].Keys, k.key)
		}
	}
	return nil
}
