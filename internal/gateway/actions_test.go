package gateway_test

import (
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"slices"
	"strings"
	"testing"

	"tradepost/internal/gateway"
	"tradepost/processes/queue"
	"tradepost/tracking"
)

// signIn returns a client with a session at the house's console.
func (h *house) signIn(user string) *http.Client {
	h.t.Helper()
	link, err := gateway.LoginLink(h.t.Context(), h.open(), h.config().Directory.Station().Name, user, options())
	if err != nil {
		h.t.Fatal(err)
	}
	u, err := url.Parse(link)
	if err != nil {
		h.t.Fatal(err)
	}
	jar, err := cookiejar.New(nil)
	if err != nil {
		h.t.Fatal(err)
	}
	c := &http.Client{Jar: jar}
	h.answer(c, "/login", u.Query())
	return c
}

// answer sends a form of the console.
func (h *house) answer(c *http.Client, path string, form url.Values) {
	h.t.Helper()
	resp, err := c.PostForm("http://"+h.admin+path, form)
	if err != nil {
		h.t.Fatal(err)
	}
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		h.t.Fatalf("%s ends with %s", path, resp.Status)
	}
}

// TestWhatPeopleAskInTheConsoleIsDone: a document is carried again, one that was
// found invalid is released, and a lane stands still and goes on.
func TestWhatPeopleAskInTheConsoleIsDone(t *testing.T) {
	t.Parallel()
	buyer, supplier := newHouses(t)
	buyer.file("keys/admin.token", "program "+strings.Repeat("0", 32)+"\n")
	buyer.serve()
	supplier.serve()
	anna := buyer.signIn("anna")
	store := buyer.open()
	outbound := tracking.DocumentQuery{Direction: tracking.Outbound, Type: "850"}
	events := func(id tracking.ID, kind tracking.EventKind) []tracking.Event {
		list, err := store.Events(t.Context(), 0, 1000)
		if err != nil {
			t.Fatal(err)
		}
		return slices.DeleteFunc(list, func(e tracking.Event) bool { return e.Kind != kind || e.DocumentID != id })
	}

	buyer.drop("order.edi", order("4500088001"))
	sent := buyer.await(outbound, accepted)
	buyer.answer(anna, "/documents/"+sent.ID.String()+"/resend", url.Values{"comment": {"they lost it"}})
	buyer.await(outbound, func(d tracking.DocumentRow) bool {
		return d.State == tracking.DocumentDelivered && d.DeliveryID != sent.DeliveryID
	})
	if e := events(sent.ID, tracking.EventResent); len(e) != 1 || e[0].Actor != "anna" || !strings.HasSuffix(e[0].Text, ": they lost it") {
		t.Errorf("the history of the resend: %+v", e)
	}

	// The token of a program changes nothing.
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+buyer.admin+"/documents/"+sent.ID.String()+"/resend", strings.NewReader("comment=x"))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Authorization", "Bearer "+strings.Repeat("0", 32))
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusConflict || len(events(sent.ID, tracking.EventResent)) != 1 {
		t.Errorf("a program's token: %s, and it was resent %d times", resp.Status, len(events(sent.ID, tracking.EventResent)))
	}

	buyer.drop("faulty.edi", strings.Replace(order("4500088002"), "**20261121~", "**20261399~", 1))
	held := buyer.await(outbound, func(d tracking.DocumentRow) bool { return d.State == tracking.DocumentInvalid })
	buyer.answer(anna, "/documents/"+held.ID.String()+"/release", url.Values{"comment": {"agreed by telephone"}})
	buyer.await(outbound, func(d tracking.DocumentRow) bool {
		return d.ID == held.ID && d.State == tracking.DocumentDelivered
	})
	if e := events(held.ID, tracking.EventReprocessed); len(e) != 1 || e[0].Actor != "anna" || e[0].Text != "released: agreed by telephone" {
		t.Errorf("the history of the release: %+v", e)
	}

	const name = "deliver/wire"
	lane := func() queue.Lane {
		lanes, err := store.Lanes(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if i := slices.IndexFunc(lanes, func(l queue.Lane) bool { return l.Name == name }); i >= 0 {
			return lanes[i]
		}
		return queue.Lane{}
	}
	if err := store.PauseLane(t.Context(), name, true); err != nil { // only lanes that have work or are paused have a page
		t.Fatal(err)
	}
	buyer.drop("third.edi", order("4500088003"))
	waiting := buyer.await(outbound, func(d tracking.DocumentRow) bool {
		return d.ID != held.ID && d.State == tracking.DocumentReady && lane().Waiting > 0
	})
	path := "/queue/resume?lane=" + url.QueryEscape(name)
	buyer.answer(anna, strings.Replace(path, "resume", "pause", 1), nil)
	if !lane().Paused {
		t.Error("the lane is not paused")
	}
	buyer.answer(anna, path, url.Values{"comment": {"they are back"}})
	buyer.await(outbound, func(d tracking.DocumentRow) bool { return d.ID == waiting.ID && accepted(d) })
	for kind, text := range map[tracking.EventKind]string{
		tracking.EventLanePaused: "lane " + name + " paused", tracking.EventLaneResumed: "lane " + name + " resumed: they are back",
	} {
		if e := events(0, kind); len(e) != 1 || e[0].Actor != "anna" || e[0].Text != text {
			t.Errorf("the record of the lane: %+v", e)
		}
	}
}
