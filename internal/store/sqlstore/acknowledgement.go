package sqlstore

import (
	"context"

	"tradepost/tracking"
)

// acknowledgementColumns lists what scanAcknowledgement reads, of table alias a.
const acknowledgementColumns = `a.id, a.type, a.direction, a.carrier_id, a.interchange_id, a.group_id, a.document_id, a.status, a.code, a.at`

func scanAcknowledgement(r Rows) (tracking.Acknowledgement, error) {
	var a tracking.Acknowledgement
	err := r.Scan((*int64)(&a.ID), &a.Type, (*string)(&a.Direction), (*int64)(&a.CarrierID), (*int64)(&a.InterchangeID), (*int64)(&a.GroupID), (*int64)(&a.DocumentID),
		(*string)(&a.Status), &a.Code, asTime{&a.At})
	return a, err
}

// InsertAcknowledgement implements tracking.Tx.
func (t *tx) InsertAcknowledgement(ctx context.Context, a *tracking.Acknowledgement) error {
	return t.exec(ctx, "insert acknowledgement "+a.ID.String(),
		`insert into acknowledgement (id, type, direction, carrier_id, interchange_id, group_id, document_id, status, code, at) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		a.ID, a.Type, a.Direction, a.CarrierID, a.InterchangeID, a.GroupID, a.DocumentID, a.Status, a.Code, a.At)
}
