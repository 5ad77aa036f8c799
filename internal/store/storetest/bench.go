package storetest

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"

	"tradepost/processes"
	"tradepost/tracking"
)

// accept stores what an order costs at least: transmission, event, document
// with two keys, and job, in one Update.
func accept(ctx context.Context, s Store, n int64) error {
	m := transmission(s, fmt.Sprintf("as2:BUYER:%d", n))
	m.Evidence = tracking.Evidence{Remote: "192.0.2.1", Headers: []tracking.HeaderField{{Name: "AS2-From", Value: "BUYER"}}, MIC: "0123456789abcdef0123456789abcdef"}
	m.Partner = fmt.Sprintf("partner-%d", n%100)
	d := document(s, tracking.Key{Name: "PO", Value: fmt.Sprintf("45%08d", n)}, tracking.Key{Name: "SHIP", Value: fmt.Sprintf("S%08d", n)})
	d.Partner, d.SourceID = m.Partner, m.ID
	e := &tracking.Event{ID: s.IDs().Next(), At: day, Kind: tracking.EventReceived, TransmissionID: m.ID, DocumentID: d.ID, Partner: m.Partner, Text: "received over AS2"}
	j := newJob(s, "process/"+m.Partner)
	return s.Update(ctx, func(ctx context.Context, tx processes.Tx) error {
		if err := tx.InsertTransmission(ctx, m); err != nil {
			return err
		}
		if err := tx.AppendEvent(ctx, e); err != nil {
			return err
		}
		if err := tx.InsertDocument(ctx, d); err != nil {
			return err
		}
		return tx.Enqueue(ctx, j)
	})
}

// BenchmarkAccept measures durable intake with one and with many writers.
func BenchmarkAccept(b *testing.B, open Open) {
	for _, n := range []int{1, 64} {
		b.Run(fmt.Sprintf("writers=%d", n), func(b *testing.B) {
			s := open(b)
			var next atomic.Int64
			b.ResetTimer()
			together(n, func(int) {
				for {
					i := next.Add(1)
					if i > int64(b.N) {
						return
					}
					if err := accept(context.Background(), s, i); err != nil {
						b.Error(err)
						return
					}
				}
			})
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "docs/s")
		})
	}
}

// BenchmarkUpdate measures a step of a document's way: the document is read,
// changed and stored again, with an event.
func BenchmarkUpdate(b *testing.B, s Store) {
	d := document(s)
	insertDocuments(b, s, d)
	for b.Loop() {
		update(b, s, func(ctx context.Context, tx processes.Tx) error {
			got, err := tx.Document(ctx, d.ID)
			if err != nil {
				return err
			}
			got.State, got.Segments = tracking.DocumentReady, got.Segments+1
			if err := tx.UpdateDocument(ctx, got); err != nil {
				return err
			}
			_, err = event(ctx, tx, s, tracking.EventDocValid, 0, 0, d.ID)
			return err
		})
	}
}

// BenchmarkFsync measures what the disk gives: appends of 4 KiB, each made
// durable. Read BenchmarkAccept beside it.
func BenchmarkFsync(b *testing.B) {
	f, err := os.Create(filepath.Join(b.TempDir(), "log"))
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	page := make([]byte, 4096)
	for b.Loop() {
		if _, err := f.Write(page); err != nil {
			b.Fatal(err)
		}
		if err := f.Sync(); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "fsyncs/s")
}

// BenchmarkWork measures the queue: claim and finish of one job a step, in
// many lanes.
func BenchmarkWork(b *testing.B, open Open) {
	s := open(b)
	const lanes = 64
	for i := range b.N {
		j := newJob(s, fmt.Sprintf("lane %d", i%lanes))
		if err := in(s, func(ctx context.Context, tx processes.Tx) error { return tx.Enqueue(ctx, j) }); err != nil {
			b.Fatal(err)
		}
	}
	var done atomic.Int64
	b.ResetTimer()
	together(8, func(w int) {
		for done.Load() < int64(b.N) {
			jobs, err := s.Claim(context.Background(), fmt.Sprintf("w%d", w), 8, long)
			if err != nil {
				b.Error(err)
				return
			}
			together(len(jobs), func(i int) {
				if err := finish(s, jobs[i]); err != nil {
					b.Error(err)
				}
				done.Add(1)
			})
		}
	})
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "jobs/s")
}
