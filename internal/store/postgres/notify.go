package postgres

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"strconv"
	"time"
)

// NOTIFY makes commits wait for each other, so it is not part of the
// transactions that make work. A goroutine tells of all the work of the last
// moment at once.
const (
	notifyPause = 20 * time.Millisecond
	listenPause = time.Second // before listening again on a new connection
)

// begin starts what runs beside until Close.
func (b *backend) begin(namespace string) {
	ctx, cancel := context.WithCancel(context.Background())
	b.stop = cancel
	b.announce = make(chan struct{}, 1)
	b.announced = make(chan struct{}, 1)
	sum := sha256.Sum256([]byte(namespace))
	channel := "tradepost_" + hex.EncodeToString(sum[:8])
	b.running.Go(func() { b.tell(ctx, channel) })
	b.running.Go(func() { b.listen(ctx, channel) })
	b.running.Go(func() { b.keepNode(ctx) })
}

// Announce implements sqlstore.Backend.
func (b *backend) Announce() { hint(b.announce) }

// Announced implements sqlstore.Backend.
func (b *backend) Announced() <-chan struct{} { return b.announced }

// hint puts a value into a channel that has room for one.
func hint(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// tell passes announcements on. One that is lost costs a second at most.
func (b *backend) tell(ctx context.Context, channel string) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-b.announce:
		}
		_, _ = b.pool.Exec(ctx, `select pg_notify($1, $2)`, channel, strconv.Itoa(b.node.number))
		if sleep(ctx, notifyPause) != nil {
			return
		}
	}
}

// listen waits for the announcements of other processes.
func (b *backend) listen(ctx context.Context, channel string) {
	for ctx.Err() == nil {
		if err := b.listenOnce(ctx, channel); err != nil {
			hint(b.announced) // something may have been missed
			_ = sleep(ctx, listenPause)
		}
	}
}

func (b *backend) listenOnce(ctx context.Context, channel string) error {
	pooled, err := b.pool.Acquire(ctx)
	if err != nil {
		return err
	}
	conn := pooled.Hijack()
	defer func() {
		end, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		_ = conn.Close(end)
	}()
	if _, err := conn.Exec(ctx, "listen "+channel); err != nil { // channel is letters and digits
		return err
	}
	own := strconv.Itoa(b.node.number)
	for {
		n, err := conn.WaitForNotification(ctx)
		if err != nil {
			return err
		}
		if n.Payload != own {
			hint(b.announced)
		}
	}
}
