package api_test

import (
	"bufio"
	"context"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"tradepost/internal/api"
	"tradepost/internal/console/sample"
	"tradepost/tracking"
)

func TestEventsAreListedAfterAnID(t *testing.T) {
	t.Parallel()
	s := sample.Day()
	base := start(t, s)
	var list struct {
		Events []tracking.Event `json:"events"`
		Next   tracking.ID      `json:"next"`
	}
	seen, after := 0, ""
	for {
		read(t, base+"/api/v1/events?limit=100&after="+after, &list)
		if len(list.Events) == 0 {
			break
		}
		seen += len(list.Events)
		after = list.Next.String()
	}
	if seen != len(s.EventList) || list.Next.String() != after {
		t.Errorf("%d events read, %d there", seen, len(s.EventList))
	}
}

// follow opens the stream and returns a function that waits for the next event.
func follow(t *testing.T, url, last string) func() (id, data string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	t.Cleanup(cancel)
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	if last != "" {
		r.Header.Set("Last-Event-ID", last)
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = resp.Body.Close() })
	if resp.StatusCode != 200 || resp.Header.Get("Content-Type") != "text/event-stream" {
		t.Fatalf("the stream answers %d %s", resp.StatusCode, resp.Header.Get("Content-Type"))
	}
	lines := bufio.NewScanner(resp.Body)
	return func() (id, data string) {
		for lines.Scan() {
			line := lines.Text()
			if v, ok := strings.CutPrefix(line, "id: "); ok {
				id = v
			} else if v, ok := strings.CutPrefix(line, "data: "); ok {
				data = v
			} else if line == "" && id != "" {
				return id, data
			}
		}
		return "", ""
	}
}

func TestTheStreamFollowsAndResumes(t *testing.T) {
	t.Parallel()
	s := sample.Day()
	base := start(t, s)
	at := sample.Now()
	event := func(n int) tracking.Event {
		return tracking.Event{ID: tracking.FirstIDAt(at.Add(time.Duration(n) * 100 * time.Millisecond)), At: at, Kind: tracking.EventReceived, Text: "event\n" + strconv.Itoa(n)}
	}
	next := follow(t, base+"/api/v1/events/stream", "")
	s.Append(event(1))
	id, data := next()
	var e tracking.Event
	if err := json.Unmarshal([]byte(data), &e); err != nil || id != event(1).ID.String() || e.Text != "event\n1" {
		t.Fatalf("the first event is %s %s, %v", id, data, err)
	}
	// One that was committed late has an older id than one already given.
	s.Append(event(3))
	if id, _ := next(); id != event(3).ID.String() {
		t.Errorf("got %s, want event 3", id)
	}
	s.Append(event(2))
	if id, _ := next(); id != event(2).ID.String() {
		t.Errorf("got %s, want the late event 2", id)
	}

	// A browser that comes back names the last one it saw; what follows is not lost.
	again := follow(t, base+"/api/v1/events/stream", event(2).ID.String())
	want := event(3).ID.String()
	for id, _ := again(); id != want; id, _ = again() {
		if id == "" {
			t.Fatal("event 3 did not come after resuming behind event 2")
		}
	}
	param := follow(t, base+"/api/v1/events/stream?after="+event(2).ID.String(), "")
	for id, _ := param(); id != want; id, _ = param() {
		if id == "" {
			t.Fatal("event 3 did not come after event 2")
		}
	}
}

func TestStreamsAreFewAndEndAtTheStop(t *testing.T) {
	t.Parallel()
	s, stop := sample.Day(), make(chan struct{})
	base := start(t, s, func(c *api.Config) { c.Streams, c.Stop = 1, stop })
	next := follow(t, base+"/api/v1/events/stream", "")
	refused(t, base+"/api/v1/events/stream", 503, "1 event streams are open")
	close(stop)
	if id, data := next(); id != "" {
		t.Errorf("after the stop came %s %s", id, data)
	}
}
