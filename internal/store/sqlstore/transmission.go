package sqlstore

import (
	"context"
	"fmt"

	"tradepost/tracking"
)

// transmissionColumns lists what scanTransmission reads, of table alias t.
const transmissionColumns = `t.id, t.direction, t.state, t.station, t.partner, t.connection, t.connector,
	t.unique_key, t.message_id, t.filename, t.content_type, t.subject,
	t.wire_sha256, t.wire_size, t.content_sha256, t.content_size,
	t.attachments, t.evidence, t.duplicate_of, t.attempts, t.error, t.created_at, t.completed_at`

func scanTransmission(r Rows) (*tracking.Transmission, error) {
	t := new(tracking.Transmission)
	err := r.Scan((*int64)(&t.ID), (*string)(&t.Direction), (*string)(&t.State), &t.Station, &t.Partner, &t.Connection, &t.Connector,
		&t.Key, &t.MessageID, &t.Filename, &t.ContentType, &t.Subject,
		&t.Wire.SHA256, &t.Wire.Size, &t.Content.SHA256, &t.Content.Size,
		fromJSON{&t.Attachments}, fromJSON{&t.Evidence}, (*int64)(&t.DuplicateOf), &t.Attempts, &t.Error,
		asTime{&t.CreatedAt}, asTime{&t.CompletedAt})
	return t, err
}

// attachments is the column form of a list that is mostly empty.
func attachments(list []tracking.Attachment) any {
	if len(list) == 0 {
		return ""
	}
	return asJSON{list}
}

// InsertTransmission implements tracking.Tx. The column accepted is set here
// and never again: what was accepted once stays accepted, however its
// processing ends.
func (t *tx) InsertTransmission(ctx context.Context, m *tracking.Transmission) error {
	what := "insert transmission " + m.ID.String()
	accepted := m.Direction == tracking.Inbound && (m.State == tracking.TransmissionReceived || m.State == tracking.TransmissionProcessed)
	const insert = `insert into transmission (id, direction, state, accepted, station, partner, connection, connector,
		unique_key, message_id, filename, content_type, subject,
		wire_sha256, wire_size, content_sha256, content_size,
		attachments, evidence, duplicate_of, attempts, error, created_at, completed_at)
		values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`
	args := []any{
		m.ID, m.Direction, m.State, accepted, m.Station, m.Partner, m.Connection, m.Connector,
		indexed(m.Key), indexed(m.MessageID), indexed(m.Filename), m.ContentType, m.Subject,
		m.Wire.SHA256, m.Wire.Size, m.Content.SHA256, m.Content.Size,
		attachments(m.Attachments),
		asJSON{m.Evidence},
		m.DuplicateOf, m.Attempts, m.Error, m.CreatedAt, m.CompletedAt,
	}
	if !accepted || m.Key == "" {
		return t.exec(ctx, what, insert, args...)
	}
	_, inserted, err := selectOne(ctx, t.c, what, insert+`
		on conflict (direction, unique_key) where accepted and unique_key <> '' do nothing returning id`, scanID, args...)
	if err != nil || inserted {
		return err
	}
	existing, found, err := selectOne(ctx, t.c, what,
		`select id from transmission where direction = ? and unique_key = ? and accepted and unique_key <> ''`, scanID, m.Direction, indexed(m.Key))
	if err != nil {
		return err
	}
	if !found {
		return fmt.Errorf("%s: the accepted transmission with key %q vanished", what, m.Key)
	}
	return &tracking.DuplicateError{Key: m.Key, Existing: existing}
}

// UpdateTransmission implements tracking.Tx.
func (t *tx) UpdateTransmission(ctx context.Context, m *tracking.Transmission) error {
	const what = "update transmission"
	err := t.execOne(ctx, what, m.ID, `update transmission set state = ?, station = ?, connection = ?, connector = ?, content_type = ?, subject = ?,
		wire_sha256 = ?, wire_size = ?, content_sha256 = ?, content_size = ?,
		attachments = ?, evidence = ?, attempts = ?, error = ?, completed_at = ?
		where id = ?`,
		m.State, m.Station, m.Connection, m.Connector, m.ContentType, m.Subject,
		m.Wire.SHA256, m.Wire.Size, m.Content.SHA256, m.Content.Size,
		attachments(m.Attachments), asJSON{m.Evidence}, m.Attempts, m.Error, m.CompletedAt,
		m.ID)
	if err != nil {
		return err
	}
	return t.settle(ctx, what, "transmission", m.ID, "direction, partner, unique_key, message_id, filename, duplicate_of, created_at",
		m.Direction, m.Partner, indexed(m.Key), indexed(m.MessageID), indexed(m.Filename), m.DuplicateOf, m.CreatedAt)
}

// Transmission implements tracking.Tx.
func (t *tx) Transmission(ctx context.Context, id tracking.ID) (*tracking.Transmission, error) {
	return transmissionByID(ctx, t.c, id, t.dialect.Lock)
}

func transmissionByID(ctx context.Context, c Conn, id tracking.ID, lock string) (*tracking.Transmission, error) {
	m, found, err := selectOne(ctx, c, "transmission", `select `+transmissionColumns+` from transmission t where t.id = ?`+lock, scanTransmission, id)
	if err == nil && !found {
		return nil, notFound("transmission", id)
	}
	return m, err
}

// OpenTransmissions implements tracking.Tx, oldest first.
func (t *tx) OpenTransmissions(ctx context.Context, messageID string) ([]*tracking.Transmission, error) {
	return selectAll(ctx, t.c, "open transmissions", `select `+transmissionColumns+` from transmission t
		where t.message_id = ? and t.message_id <> '' and t.state = 'prepared' and t.direction = 'outbound' order by t.id`+t.dialect.Lock,
		scanTransmission, indexed(messageID))
}
