package as2_test

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"

	"tradepost/as2"
	"tradepost/transport"
	connector "tradepost/transport/as2"
	"tradepost/transport/transporttest"
)

// TestReceiptOnItsOwn goes the whole way: ALICE sends and asks for a receipt
// later, BOB accepts and answers 204, posts the receipt, and ALICE's listener
// brings it to her door, where it proves the delivery.
func TestReceiptOnItsOwn(t *testing.T) {
	t.Parallel()
	terms := usual
	terms.Receipt = as2.AsyncReceipt
	alice, bob := between("ALICE", "BOB", terms), between("BOB", "ALICE", usual)
	atAlice, atBob := transporttest.NewSink(), transporttest.NewSink()
	aliceURL := serve(t, endpoint(t, alice, nil), atAlice, connector.ListenConfig{})
	bobEnd := endpoint(t, bob, nil)
	bobURL := serve(t, bobEnd, atBob, connector.ListenConfig{})
	s := sender(t, endpoint(t, alice, func(c *connector.Config) { c.ReceiptURL = aliceURL }), "to-BOB", bobURL, "")

	ctx := context.Background()
	p := stored(t, s, "D1")
	o, err := s.Send(ctx, "D1", p)
	if err != nil || o.Delivered || !o.Pending || o.Evidence.HTTPStatus != http.StatusNoContent {
		t.Fatalf("%+v, %v", o, err)
	}
	owed := atBob.Accepted()[0].Receipt
	if owed == nil || !owed.Async || owed.AsyncURL != aliceURL || !owed.Positive {
		t.Fatalf("%.300v", owed)
	}
	back := sender(t, bobEnd, "to-ALICE", aliceURL, "")
	must(t, back.SendReceipt(ctx, "our-ALICE", owed))

	seen := atAlice.Seen()
	if len(seen) != 1 {
		t.Fatalf("%d arrivals", len(seen))
	}
	a := seen[0]
	if a.Returned == nil || a.Returned.OriginalMessageID != p.MessageID || a.Partner != "our-BOB" || a.Connection != "to-BOB" || a.Receipt != nil ||
		string(a.WireBytes) != string(owed.Body) || a.Content.Body != nil {
		t.Fatalf("%.300v", a.Arrival)
	}
	o = a.Returned.Check(p)
	if !o.Delivered || !o.Receipt.MICMatches || o.Receipt.Signer.Subject != "CN=BOB" || string(o.Receipt.Body) != string(owed.Body) {
		t.Errorf("%.300v", o)
	}
	// It proves nothing about any other delivery.
	other := stored(t, s, "D2")
	if o := a.Returned.Check(other); o.Delivered || o.Reason == "" {
		t.Errorf("%.300v", o)
	}
	// Sent again before the receipt came: the same receipt is owed again.
	if o, err := s.Send(ctx, "D1", p); err != nil || !o.Pending || len(atBob.Accepted()) != 1 {
		t.Errorf("%+v, %v", o, err)
	}
}

// TestReceiptOfAStranger is kept, proves nothing, and is no way to fill us up.
func TestReceiptOfAStranger(t *testing.T) {
	t.Parallel()
	terms := usual
	terms.Receipt = as2.AsyncReceipt
	atAlice, atMallory := transporttest.NewSink(), transporttest.NewSink()
	aliceURL := serve(t, endpoint(t, between("ALICE", "BOB", terms), nil), atAlice, connector.ListenConfig{})
	p := stored(t, sender(t, endpoint(t, between("ALICE", "BOB", terms), func(c *connector.Config) { c.ReceiptURL = aliceURL }), "to-BOB", "http://bob.example", ""), "D1")

	// Mallory makes a receipt for ALICE's transmission as she would.
	mallory := endpoint(t, between("MALLORY", "ALICE", usual), nil)
	malloryURL := serve(t, mallory, atMallory, connector.ListenConfig{})
	forgery := func(from string) *transport.Receipt {
		sentToHer := stored(t, sender(t, endpoint(t, between("ALICE", "MALLORY", terms), func(c *connector.Config) { c.ReceiptURL = aliceURL }), "to-MALLORY", malloryURL, ""), "D1")
		s := sender(t, endpoint(t, between("ALICE", "MALLORY", terms), nil), "to-MALLORY", malloryURL, "")
		if o, err := s.Send(context.Background(), "D1", sentToHer); err != nil || !o.Pending {
			t.Fatalf("%+v, %v", o, err)
		}
		r := *atMallory.Seen()[0].Receipt
		r.Headers = append([]transport.HeaderField(nil), r.Headers...)
		for i, h := range r.Headers {
			if h.Name == "AS2-From" {
				r.Headers[i].Value = from
			}
		}
		return &r
	}
	s := sender(t, mallory, "to-ALICE", aliceURL, "")
	if err := s.SendReceipt(context.Background(), "our-ALICE", forgery("MALLORY")); !transport.IsPermanent(err) {
		t.Errorf("a stranger's receipt was answered %v", err)
	}
	must(t, s.SendReceipt(context.Background(), "our-ALICE", forgery("BOB")))
	seen := atAlice.Seen()
	if len(seen) != 2 {
		t.Fatalf("%d arrivals", len(seen))
	}
	for i, a := range seen {
		if a.Returned == nil {
			t.Fatalf("%d: %.300v", i, a.Arrival)
		}
		if o := a.Returned.Check(p); o.Delivered || o.Reason == "" {
			t.Errorf("%d proves delivery: %.300v", i, o)
		}
	}
	if seen[0].Partner != "" || seen[1].Partner != "our-BOB" {
		t.Errorf("partners %q, %q", seen[0].Partner, seen[1].Partner)
	}
}

// TestWhereReceiptsAreNotPosted: a partner cannot make us post wherever it
// likes.
func TestWhereReceiptsAreNotPosted(t *testing.T) {
	t.Parallel()
	hit := make(chan string, 10)
	local := answering(t, func(_ http.ResponseWriter, r *http.Request) { hit <- r.URL.Path + r.Header.Get("Authorization") })
	e := endpoint(t, between("BOB", "ALICE", usual), func(c *connector.Config) { c.Getenv = func(string) string { return "pw" } })
	port := local[strings.LastIndex(local, ":")+1 : strings.LastIndex(local, "/")]
	auth := `,"basic_auth":{"user":"u","password_env":"PW"}`
	cases := []struct {
		name, url, settings, asked, want string
	}{
		{"its own host and port", local, auth, "http://127.0.0.1:" + port + "/other", "posted"},
		{"its own host, another port", "http://127.0.0.1:1/as2", ``, local, "receipt_hosts"},
		{"another host", "https://alice.example/as2", ``, local, "receipt_hosts"},
		{"a host that is written down", "https://alice.example/as2", `,"receipt_hosts":["127.0.0.1:` + port + `"]`, local, "posted"},
		{"any port of a host", "https://alice.example/as2", `,"receipt_hosts":["127.0.0.1"]` + auth, local, "posted"},
		{"localhost by name", "https://alice.example/as2", `,"receipt_hosts":["localhost"]`, "http://localhost:" + port + "/as2", "posted"},
		{"not http", local, ``, "ftp://127.0.0.1/x", "no http or https"},
		{"with a password", local, ``, "http://a:b@127.0.0.1:" + port + "/", "no http or https"},
		{"nowhere", local, ``, "", "no http or https"},
		{"no address", local, ``, "http://\x7f/", "no http or https"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			s := sender(t, e, "to-ALICE", c.url, c.settings)
			err := s.SendReceipt(context.Background(), "our-ALICE", &transport.Receipt{
				Async: true, AsyncURL: c.asked, Headers: []transport.HeaderField{{Name: "AS2-From", Value: "BOB"}}, Body: []byte("receipt"),
			})
			switch c.want {
			case "posted":
				must(t, err)
				if got := <-hit; strings.Contains(got, "Basic") {
					t.Errorf("the password went along: %s", got)
				}
				return
			default:
				if !transport.IsPermanent(err) || !strings.Contains(err.Error(), c.want) {
					t.Errorf("%v", err)
				}
			}
			select {
			case got := <-hit:
				t.Errorf("posted to %s", got)
			default:
			}
		})
	}
}

func TestReceiptThatCannotBePosted(t *testing.T) {
	t.Parallel()
	e := endpoint(t, between("BOB", "ALICE", usual), nil)
	for status, permanent := range map[int]bool{500: false, 503: false, 408: false, 400: true, 404: true, 301: true} {
		url := answering(t, func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(status)
			_, _ = io.WriteString(w, "no")
		})
		err := sender(t, e, "to-ALICE", url, "").SendReceipt(context.Background(), "our-ALICE", &transport.Receipt{AsyncURL: url, Body: []byte("r")})
		if err == nil || transport.IsPermanent(err) != permanent {
			t.Errorf("%d: %v", status, err)
		}
	}
}

// TestReceiptFollowsNoRedirect: an address that is allowed cannot send us on to
// one that is not.
func TestReceiptFollowsNoRedirect(t *testing.T) {
	t.Parallel()
	hit := make(chan string, 10)
	inside := answering(t, func(_ http.ResponseWriter, r *http.Request) { hit <- r.URL.Path })
	e := endpoint(t, between("BOB", "ALICE", usual), nil)
	for _, status := range []int{301, 302, 303, 307, 308} {
		url := answering(t, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, inside, status) })
		err := sender(t, e, "to-ALICE", url, "").SendReceipt(context.Background(), "our-ALICE", &transport.Receipt{AsyncURL: url, Body: []byte("r")})
		if !transport.IsPermanent(err) {
			t.Errorf("%d: %v", status, err)
		}
		select {
		case got := <-hit:
			t.Errorf("%d: followed to %s", status, got)
		default:
		}
	}
}
