package api

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"tradepost/internal/api/problem"
	"tradepost/tracking"
)

// Settings of event streams.
const (
	// overlap is how far back a stream looks again. Events get their ids before
	// they are committed, so one with an older id can appear after a newer one.
	overlap = 5 * time.Second
	// heartbeat keeps proxies from closing a quiet stream.
	heartbeat = 15 * time.Second
	// batch is how many events are read at once.
	batch = 500
)

// events lists events after an id, oldest first.
func (s *service) events(w http.ResponseWriter, r *http.Request) {
	p := params{v: r.URL.Query(), err: allow(r, "after", "limit")}
	after, limit := p.id("after"), p.limit()
	if p.err != nil {
		s.fail(w, r, p.err)
		return
	}
	if limit == 0 {
		limit = 50
	}
	list, err := s.cfg.Data.Events(r.Context(), after, limit)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	next := after
	if len(list) > 0 {
		next = list[len(list)-1].ID
	}
	s.reply(w, r, map[string]any{"events": orEmpty(list), "next": next})
}

// stream sends events as server-sent events: "id" is the event's id and "data"
// its JSON. It starts after the header Last-Event-ID or the parameter "after",
// or else with what happens from now on. Because an event may be committed
// after one with a newer id, it starts a few seconds before the named one, so
// events of those seconds come a second time; their id tells.
func (s *service) stream(w http.ResponseWriter, r *http.Request) {
	p := params{v: r.URL.Query(), err: allow(r, "after")}
	after := p.id("after")
	if last := r.Header.Get("Last-Event-ID"); last != "" {
		p.v = map[string][]string{"Last-Event-ID": {last}}
		after = p.id("Last-Event-ID")
	}
	if p.err != nil {
		s.fail(w, r, p.err)
		return
	}
	select {
	case s.streams <- struct{}{}:
		defer func() { <-s.streams }()
	default:
		problem.Write(w, problem.Details{
			Status: http.StatusServiceUnavailable, RetryAfter: 10 * time.Second,
			Detail: fmt.Sprintf("%d event streams are open, which is all there may be; close one or try again later", cap(s.streams)),
		})
		return
	}
	if after == 0 {
		after = tracking.FirstIDAt(s.cfg.Now())
	} else {
		after = tracking.FirstIDAt(after.Time().Add(-overlap))
	}
	follow := newFollower(after)
	out := newEventWriter(w)
	// Tell the browser at once that the stream is open, and how soon to come back.
	if err := out.write("retry: 2000\n\n"); err != nil {
		return
	}
	tick := time.NewTicker(s.cfg.Poll)
	defer tick.Stop()
	quiet := time.NewTicker(heartbeat)
	defer quiet.Stop()
	for {
		list, err := follow.next(r.Context(), s.cfg.Data, s.cfg.Now())
		if err != nil {
			if r.Context().Err() == nil {
				s.cfg.Log.ErrorContext(r.Context(), "follow events", "err", err)
			}
			return // the browser comes back with Last-Event-ID
		}
		if err := out.events(list); err != nil {
			return
		}
		if len(list) > 0 {
			continue // there may be more
		}
		select {
		case <-r.Context().Done():
			return
		case <-s.cfg.Stop:
			return
		case <-quiet.C:
			if err := out.write(": still here\n\n"); err != nil {
				return
			}
		case <-tick.C:
		}
	}
}

// follower gives every event once although ids may become visible out of order.
type follower struct {
	from tracking.ID              // everything up to here was given or is of no interest
	sent map[tracking.ID]struct{} // given, and newer than from
}

func newFollower(after tracking.ID) *follower {
	return &follower{from: after, sent: map[tracking.ID]struct{}{}}
}

// next returns the events that became visible since the last call.
func (f *follower) next(ctx context.Context, data tracking.Reader, now time.Time) ([]tracking.Event, error) {
	settled := tracking.FirstIDAt(now.Add(-overlap))
	var fresh []tracking.Event
	at := f.from
	for {
		list, err := data.Events(ctx, at, batch)
		if err != nil {
			return nil, err
		}
		for _, e := range list {
			if _, given := f.sent[e.ID]; !given {
				fresh = append(fresh, e)
				f.sent[e.ID] = struct{}{}
			}
			at = e.ID
		}
		if len(list) < batch || len(fresh) >= batch {
			break
		}
	}
	f.from = max(f.from, min(at, settled)) // nothing older can appear any more
	for id := range f.sent {
		if id <= f.from {
			delete(f.sent, id)
		}
	}
	return fresh, nil
}

// eventWriter writes server-sent events and gives every write a deadline of
// its own, because the server's would end the stream.
type eventWriter struct {
	w       http.ResponseWriter
	control *http.ResponseController
}

func newEventWriter(w http.ResponseWriter) *eventWriter {
	h := w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("X-Accel-Buffering", "no") // nginx would hold the events back
	return &eventWriter{w: w, control: http.NewResponseController(w)}
}

func (e *eventWriter) events(list []tracking.Event) error {
	if len(list) == 0 {
		return nil
	}
	var b strings.Builder
	for i := range list {
		data, err := json.Marshal(&list[i]) // JSON has no line breaks of its own
		if err != nil {
			return fmt.Errorf("write event %s: %w", list[i].ID, err)
		}
		fmt.Fprintf(&b, "id: %s\ndata: %s\n\n", list[i].ID, data)
	}
	return e.write(b.String())
}

func (e *eventWriter) write(s string) error {
	// The deadline is the network's, so it goes by the real clock. A writer
	// that knows no deadlines is no reason to stop.
	_ = e.control.SetWriteDeadline(time.Now().Add(2 * heartbeat))
	if _, err := e.w.Write([]byte(s)); err != nil {
		return err
	}
	return e.control.Flush()
}
