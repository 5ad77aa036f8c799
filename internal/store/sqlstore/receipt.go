package sqlstore

import (
	"context"

	"tradepost/tracking"
)

// receiptColumns lists what scanReceipt reads, of table alias r.
const receiptColumns = `r.id, r.transmission_id, r.direction, r.message_id, r.disposition, r.positive, r.signed, r.async, r.async_url,
	r.mic, r.mic_alg, r.mic_matches, r.signer, r.headers, r.body_sha256, r.body_size, r.reason, r.at`

func scanReceipt(rows Rows) (*tracking.Receipt, error) {
	r := new(tracking.Receipt)
	err := rows.Scan((*int64)(&r.ID), (*int64)(&r.TransmissionID), (*string)(&r.Direction), &r.MessageID, &r.Disposition, &r.Positive, &r.Signed, &r.Async, &r.AsyncURL,
		&r.MIC, &r.MICAlg, &r.MICMatches, fromJSON{&r.Signer}, fromJSON{&r.Headers}, &r.Body.SHA256, &r.Body.Size, &r.Reason, asTime{&r.At})
	return r, err
}

// InsertReceipt implements tracking.Tx.
func (t *tx) InsertReceipt(ctx context.Context, r *tracking.Receipt) error {
	return t.exec(ctx, "insert receipt "+r.ID.String(), `insert into receipt (id, transmission_id, direction, message_id, disposition, positive, signed, async, async_url,
		mic, mic_alg, mic_matches, signer, headers, body_sha256, body_size, reason, at)
		values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		r.ID, r.TransmissionID, r.Direction, r.MessageID, r.Disposition, r.Positive, r.Signed, r.Async, r.AsyncURL,
		r.MIC, r.MICAlg, r.MICMatches, asJSON{r.Signer}, asJSON{r.Headers}, r.Body.SHA256, r.Body.Size, r.Reason, r.At)
}

// FirstReceipt implements tracking.Tx.
func (t *tx) FirstReceipt(ctx context.Context, transmission tracking.ID) (*tracking.Receipt, error) {
	r, found, err := selectOne(ctx, t.c, "first receipt", `select `+receiptColumns+` from receipt r where r.transmission_id = ? order by r.id limit 1`, scanReceipt, transmission)
	if err == nil && !found {
		return nil, notFound("receipt of transmission", transmission)
	}
	return r, err
}
