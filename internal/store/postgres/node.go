package postgres

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
)

// A node number is part of every id a process makes, so two processes must not
// have the same one. It is lent by table node for a day at a time. A number
// that was never lent goes first, then the one that was given back longest
// ago, so that clocks that differ a little do no harm.
const (
	nodes      = 1024
	nodeLease  = 24 * time.Hour
	nodeRenew  = time.Hour
	nodeReturn = 10 * time.Minute // not lent again before
)

var errNodeLost = errors.New("another process was given this one's node number, because it did not renew it for a day: restart this process")

// node is what a process was lent.
type node struct {
	number int
	owner  string
	lost   atomic.Bool
}

// usable tells whether ids may still be made.
func (n *node) usable() error {
	if n.lost.Load() {
		return errNodeLost
	}
	return nil
}

// takeNode borrows a number.
func (b *backend) takeNode(ctx context.Context, owner string) error {
	for range 100 {
		number, err := b.tryNode(ctx, owner)
		if err == nil {
			b.node.number, b.node.owner = number, owner
			return nil
		}
		if !errors.Is(err, pgx.ErrNoRows) {
			return fmt.Errorf("take a node number: %w", err)
		}
	}
	return fmt.Errorf("take a node number: all %d are in use by other processes on this database", nodes)
}

// tryNode returns pgx.ErrNoRows when another process was faster, or when every
// number is lent.
func (b *backend) tryNode(ctx context.Context, owner string) (number int, err error) {
	lease := nodeLease.Milliseconds()
	err = b.pool.QueryRow(ctx, `insert into node (number, owner, until)
		select n.next, $1, now_ms() + $2 from (select coalesce(max(number) + 1, 0) as next from node) n where n.next < $3
		on conflict (number) do nothing returning number`, owner, lease, nodes).Scan(&number)
	if !errors.Is(err, pgx.ErrNoRows) {
		return number, err
	}
	var full bool
	if err := b.pool.QueryRow(ctx, `select count(*) >= $1 from node`, nodes).Scan(&full); err != nil || !full {
		return 0, errors.Join(err, pgx.ErrNoRows)
	}
	err = b.pool.QueryRow(ctx, `update node set owner = $1, until = now_ms() + $2
		where number = (select number from node where until < now_ms() order by until, number limit 1 for update skip locked)
		returning number`, owner, lease).Scan(&number)
	return number, err
}

// keepNode renews the number until ctx ends.
func (b *backend) keepNode(ctx context.Context) {
	tick := time.NewTicker(nodeRenew)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			b.renewNode(ctx)
		}
	}
}

// renewNode renews the number. An error is no matter: there is a day for the
// next attempt.
func (b *backend) renewNode(ctx context.Context) {
	tag, err := b.pool.Exec(ctx, `update node set until = now_ms() + $1 where number = $2 and owner = $3`, nodeLease.Milliseconds(), b.node.number, b.node.owner)
	if err == nil && tag.RowsAffected() == 0 {
		b.node.lost.Store(true)
	}
}

// giveNode gives the number back.
func (b *backend) giveNode() error {
	if b.node.owner == "" || b.node.lost.Load() {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	_, err := b.pool.Exec(ctx, `update node set until = now_ms() + $1 where number = $2 and owner = $3`, nodeReturn.Milliseconds(), b.node.number, b.node.owner)
	if err != nil {
		return fmt.Errorf("give the node number back: %w", err)
	}
	return nil
}
