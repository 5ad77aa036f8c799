package sqlstore

import (
	"context"
	"fmt"

	"tradepost/tracking"
)

// interchangeColumns lists what scanInterchange reads, of table alias i.
const interchangeColumns = `i.id, i.transmission_id, i.direction, i.partner, i.standard, i.version,
	i.sender_qualifier, i.sender_id, i.receiver_qualifier, i.receiver_id, i.control, i.dated_at, i.test, i.state,
	i.payload_sha256, i.payload_size, i.byte_offset, i.byte_length, i.created_at`

func scanInterchange(r Rows) (*tracking.Interchange, error) {
	i := new(tracking.Interchange)
	err := r.Scan((*int64)(&i.ID), (*int64)(&i.TransmissionID), (*string)(&i.Direction), &i.Partner, &i.Standard, &i.Version,
		&i.Sender.Qualifier, &i.Sender.ID, &i.Receiver.Qualifier, &i.Receiver.ID, &i.Control, asTime{&i.Date}, &i.Test, (*string)(&i.State),
		&i.Payload.SHA256, &i.Payload.Size, &i.Offset, &i.Length, asTime{&i.CreatedAt})
	return i, err
}

// InsertInterchange implements tracking.Tx.
func (t *tx) InsertInterchange(ctx context.Context, i *tracking.Interchange) error {
	return t.exec(ctx, "insert interchange "+i.ID.String(), `insert into interchange (id, transmission_id, direction, partner, standard, version,
		sender_qualifier, sender_id, receiver_qualifier, receiver_id, control, dated_at, test, state,
		payload_sha256, payload_size, byte_offset, byte_length, created_at)
		values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		i.ID, i.TransmissionID, i.Direction, i.Partner, i.Standard, i.Version,
		i.Sender.Qualifier, i.Sender.ID, i.Receiver.Qualifier, i.Receiver.ID, indexed(i.Control), i.Date, i.Test, i.State,
		i.Payload.SHA256, i.Payload.Size, i.Offset, i.Length, i.CreatedAt)
}

// UpdateInterchange implements tracking.Tx.
func (t *tx) UpdateInterchange(ctx context.Context, i *tracking.Interchange) error {
	const what = "update interchange"
	err := t.execOne(ctx, what, i.ID, `update interchange set direction = ?, standard = ?, version = ?,
		sender_qualifier = ?, sender_id = ?, receiver_qualifier = ?, receiver_id = ?, dated_at = ?, test = ?, state = ?,
		payload_sha256 = ?, payload_size = ?, byte_offset = ?, byte_length = ?, created_at = ?
		where id = ?`,
		i.Direction, i.Standard, i.Version,
		i.Sender.Qualifier, i.Sender.ID, i.Receiver.Qualifier, i.Receiver.ID, i.Date, i.Test, i.State,
		i.Payload.SHA256, i.Payload.Size, i.Offset, i.Length, i.CreatedAt,
		i.ID)
	if err != nil {
		return err
	}
	return t.settle(ctx, what, "interchange", i.ID, "transmission_id, partner, control", i.TransmissionID, i.Partner, indexed(i.Control))
}

// Interchange implements tracking.Tx.
func (t *tx) Interchange(ctx context.Context, id tracking.ID) (*tracking.Interchange, error) {
	return interchangeByID(ctx, t.c, id, t.dialect.Lock)
}

func interchangeByID(ctx context.Context, c Conn, id tracking.ID, lock string) (*tracking.Interchange, error) {
	i, found, err := selectOne(ctx, c, "interchange", `select `+interchangeColumns+` from interchange i where i.id = ?`+lock, scanInterchange, id)
	if err == nil && !found {
		return nil, notFound("interchange", id)
	}
	return i, err
}

// SentInterchange implements tracking.Tx.
func (t *tx) SentInterchange(ctx context.Context, partner, control string) (*tracking.Interchange, error) {
	i, found, err := selectOne(ctx, t.c, "sent interchange", `select `+interchangeColumns+` from interchange i
		where i.control = ? and i.partner = ? and i.direction = ? order by i.id desc limit 1`+t.dialect.Lock,
		scanInterchange, indexed(control), partner, tracking.Outbound)
	if err == nil && !found {
		return nil, fmt.Errorf("interchange %s sent to %s: %w", control, partner, tracking.ErrNotFound)
	}
	return i, err
}

// groupColumns lists what scanGroup reads, of table alias g.
const groupColumns = `g.id, g.interchange_id, g.type, g.version, g.control, g.state`

func scanGroup(r Rows) (*tracking.Group, error) {
	g := new(tracking.Group)
	err := r.Scan((*int64)(&g.ID), (*int64)(&g.InterchangeID), &g.Type, &g.Version, &g.Control, (*string)(&g.State))
	return g, err
}

// InsertGroup implements tracking.Tx. The group's interchange is there already.
func (t *tx) InsertGroup(ctx context.Context, g *tracking.Group) error {
	return t.exec(ctx, "insert group "+g.ID.String(),
		`insert into interchange_group (id, interchange_id, type, version, control, state) values (?, ?, ?, ?, ?, ?)`,
		g.ID, g.InterchangeID, indexed(g.Type), g.Version, indexed(g.Control), g.State)
}

// UpdateGroup implements tracking.Tx.
func (t *tx) UpdateGroup(ctx context.Context, g *tracking.Group) error {
	return t.execOne(ctx, "update group", g.ID,
		`update interchange_group set interchange_id = ?, type = ?, version = ?, control = ?, state = ? where id = ?`,
		g.InterchangeID, indexed(g.Type), g.Version, indexed(g.Control), g.State, g.ID)
}

// Group implements tracking.Tx.
func (t *tx) Group(ctx context.Context, id tracking.ID) (*tracking.Group, error) {
	return groupByID(ctx, t.c, id, t.dialect.Lock)
}

func groupByID(ctx context.Context, c Conn, id tracking.ID, lock string) (*tracking.Group, error) {
	g, found, err := selectOne(ctx, c, "group", `select `+groupColumns+` from interchange_group g where g.id = ?`+lock, scanGroup, id)
	if err == nil && !found {
		return nil, notFound("group", id)
	}
	return g, err
}

// SentGroup implements tracking.Tx.
func (t *tx) SentGroup(ctx context.Context, partner, groupType, control string) (*tracking.Group, error) {
	g, found, err := selectOne(ctx, t.c, "sent group", `select `+groupColumns+` from interchange_group g join interchange i on i.id = g.interchange_id
		where g.control = ? and g.type = ? and i.partner = ? and i.direction = ? order by g.id desc limit 1`+t.lockOf("g"),
		scanGroup, indexed(control), indexed(groupType), partner, tracking.Outbound)
	if err == nil && !found {
		return nil, fmt.Errorf("group %s %s sent to %s: %w", groupType, control, partner, tracking.ErrNotFound)
	}
	return g, err
}

func (t *tx) lockOf(alias string) string {
	if t.dialect.LockOf == "" {
		return ""
	}
	return fmt.Sprintf(t.dialect.LockOf, alias)
}
