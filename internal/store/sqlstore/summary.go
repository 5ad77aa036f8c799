package sqlstore

import (
	"cmp"
	"context"
	"slices"
	"time"

	"tradepost/tracking"
)

// longestSummary bounds the hours of a summary; an earlier since is moved up.
const longestSummary = 366 * 24 * time.Hour

// summaryRow counts the documents of one hour and partner.
type summaryRow struct {
	hour                                                       int64 // since 1970
	partner                                                    string
	inbound, outbound, delivered, invalid, failed, rejected, n int
	last                                                       time.Time
}

// Summary implements tracking.Reader. What came and went, and what went wrong,
// is counted from since to now; what is awaited or overdue is counted whenever
// it began. Hours are whole hours of UTC, from the one of since to the one of
// now.
func (s *Store) Summary(ctx context.Context, since, now time.Time) (*tracking.Summary, error) {
	if since.After(now) {
		return nil, &tracking.QueryError{Field: "since", Problem: "it lies after now"}
	}
	if now.Sub(since) > longestSummary {
		since = now.Add(-longestSummary)
	}
	sum := &tracking.Summary{Since: since, Partners: []tracking.PartnerCount{}}
	first := since.UTC().Truncate(time.Hour)
	for h := first; !h.After(now); h = h.Add(time.Hour) {
		sum.Hours = append(sum.Hours, tracking.HourCount{Hour: h})
	}
	err := s.backend.View(ctx, func(ctx context.Context, c Conn) error {
		if err := countDocuments(ctx, c, sum, first, now); err != nil {
			return err
		}
		if err := countAwaited(ctx, c, sum, now); err != nil {
			return err
		}
		return countTransmissions(ctx, c, sum, now)
	})
	if err != nil {
		return nil, err
	}
	return sum, nil
}

func countDocuments(ctx context.Context, c Conn, sum *tracking.Summary, first, now time.Time) error {
	rows, err := selectAll(ctx, c, "summary of documents", `select d.created_at / 3600000 as hour, d.partner,
		sum(case when d.direction = 'inbound' then 1 else 0 end),
		sum(case when d.direction = 'outbound' then 1 else 0 end),
		sum(case when d.direction = 'outbound' and d.state = 'delivered' then 1 else 0 end),
		sum(case when d.state = 'invalid' then 1 else 0 end),
		sum(case when d.state = 'failed' then 1 else 0 end),
		sum(case when d.direction = 'outbound' and d.ack = 'rejected' then 1 else 0 end),
		sum(case when d.troubled then 1 else 0 end), max(d.created_at)
		from document d where d.created_at >= ? and d.created_at <= ? group by d.created_at / 3600000, d.partner`,
		func(r Rows) (x summaryRow, err error) {
			err = r.Scan(&x.hour, &x.partner, &x.inbound, &x.outbound, &x.delivered, &x.invalid, &x.failed, &x.rejected, &x.n, asTime{&x.last})
			return x, err
		}, sum.Since, now)
	if err != nil {
		return err
	}
	partners := map[string]*tracking.PartnerCount{}
	for _, x := range rows {
		sum.Received += x.inbound
		sum.Sent += x.delivered
		sum.Invalid += x.invalid
		sum.Failed += x.failed
		sum.Rejected += x.rejected
		if at := int(x.hour - first.Unix()/3600); at >= 0 && at < len(sum.Hours) {
			h := &sum.Hours[at]
			h.Inbound += x.inbound
			h.Outbound += x.outbound
			h.Troubled += x.n
		}
		p := partners[x.partner]
		if p == nil {
			p = &tracking.PartnerCount{Partner: x.partner}
			partners[x.partner] = p
		}
		p.Inbound += x.inbound
		p.Outbound += x.outbound
		p.Troubled += x.n
		if x.last.After(p.LastAt) {
			p.LastAt = x.last
		}
	}
	for _, p := range partners {
		sum.Partners = append(sum.Partners, *p)
	}
	slices.SortFunc(sum.Partners, func(a, b tracking.PartnerCount) int {
		return cmp.Or(cmp.Compare(b.Inbound+b.Outbound, a.Inbound+a.Outbound), cmp.Compare(a.Partner, b.Partner))
	})
	return nil
}

func countAwaited(ctx context.Context, c Conn, sum *tracking.Summary, now time.Time) error {
	type counts struct{ awaiting, overdue int }
	x, _, err := selectOne(ctx, c, "summary of acknowledgements", `select count(*), coalesce(sum(case when d.ack_due > 0 and d.ack_due < ? then 1 else 0 end), 0)
		from document d where d.ack = 'awaited' and d.direction = 'outbound'`, func(r Rows) (x counts, err error) {
		err = r.Scan(&x.awaiting, &x.overdue)
		return x, err
	}, now)
	sum.AwaitingAck, sum.Overdue = x.awaiting, x.overdue
	return err
}

func countTransmissions(ctx context.Context, c Conn, sum *tracking.Summary, now time.Time) error {
	type count struct {
		state tracking.TransmissionState
		n     int
	}
	rows, err := selectAll(ctx, c, "summary of transmissions", `select t.state, count(*) from transmission t
		where t.created_at >= ? and t.created_at <= ? and t.state <> 'processed' and t.state <> 'delivered' group by t.state`,
		func(r Rows) (x count, err error) {
			err = r.Scan((*string)(&x.state), &x.n)
			return x, err
		}, sum.Since, now)
	for _, x := range rows {
		switch x.state {
		case tracking.TransmissionRefused, tracking.TransmissionFailed:
			sum.Refused += x.n
		case tracking.TransmissionDuplicate:
			sum.Duplicates += x.n
		}
	}
	return err
}
