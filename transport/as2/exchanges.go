package as2

import (
	"bytes"
	"context"
	"sync"
	"time"

	"tradepost/as2"
	"tradepost/transport"
)

// exchanges are the requests in hand whose receipt will be posted later. The
// receipt waits for the answer to its request: products are known that take it
// for nothing when it comes first, and RFC 4130 section 7.2 has it this way
// round.
type exchanges struct {
	mu   sync.Mutex
	open map[string]*exchange
}

// exchange is what requests with one Message-ID have in common.
type exchange struct {
	requests int
	over     chan struct{}
}

func exchangeKey(from, id string) string { return transport.Key(from, id) }

// begin notes a request. end must be called once it is answered.
func (x *exchanges) begin(from, id string) (end func()) {
	key := exchangeKey(from, id)
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.open == nil {
		x.open = map[string]*exchange{}
	}
	e := x.open[key]
	if e == nil {
		e = &exchange{over: make(chan struct{})}
		x.open[key] = e
	}
	e.requests++
	return sync.OnceFunc(func() {
		x.mu.Lock()
		defer x.mu.Unlock()
		if e.requests--; e.requests == 0 {
			delete(x.open, key)
			close(e.over)
		}
	})
}

// exchangePatience is how long a receipt waits at most: whoever begins requests
// under somebody else's Message-ID and never ends them does not keep it.
const exchangePatience = 10 * time.Second

// wait returns when no request is in hand that the receipt r answers, when
// patience or ctx have ended.
func (x *exchanges) wait(ctx context.Context, r *transport.Receipt) {
	x.mu.Lock()
	none := len(x.open) == 0
	x.mu.Unlock()
	if none {
		return
	}
	made, err := as2.ParseReceipt(httpHeader(r.Headers), bytes.NewReader(r.Body), as2.Limits{})
	if err != nil {
		return // it answers nothing that is in hand
	}
	x.mu.Lock()
	e := x.open[exchangeKey(made.To, made.OriginalMessageID)]
	x.mu.Unlock()
	if e == nil {
		return
	}
	patience := time.NewTimer(exchangePatience)
	defer patience.Stop()
	select {
	case <-e.over:
	case <-patience.C:
	case <-ctx.Done():
	}
}
