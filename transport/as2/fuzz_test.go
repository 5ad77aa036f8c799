package as2_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"io"
	"net/http"
	"testing"
	"time"
	"unicode/utf8"

	connector "tradepost/transport/as2"
	"tradepost/transport/transporttest"
)

// FuzzRequest posts foreign headers and bodies to a listener: whatever comes,
// it answers, it never answers that it is broken, and what it keeps can be
// stored.
func FuzzRequest(f *testing.F) {
	good := build(f, "D1", usual, "ALICE", "BOB")
	f.Add("ALICE", "BOB", "<1@a>", good.header.Get("Content-Type"), "receipts@a", "", "", "", good.body)
	f.Add("ALICE", "BOB", "<1@a>", good.header.Get("Content-Type"), "receipts@a", "", `"tag"`, "", good.body)
	f.Add("ALICE", "BOB", "<1@a>", good.header.Get("Content-Type"), "receipts@a", "", `"tag"`, "bytes 0-2/3", []byte("abc"))
	f.Add("ALICE", "BOB", "<1@a>", "multipart/signed; boundary=x", "a", "http://x/", "", "", []byte("--x\r\n\r\n--x--"))
	f.Add("BOB", "ALICE", "<1@a>", "multipart/report; report-type=disposition-notification; boundary=x", "", "", "", "", []byte("--x\r\nContent-Type: message/disposition-notification\r\n\r\nOriginal-Message-ID: <a>\xff\x00\r\nDisposition: a/b; processed\r\n\r\n--x--"))
	f.Add("\"A:\"", "%", "\xff\xfe", "application/pkcs7-mime", "", "", "\x01", "5-9/10", []byte{0x30, 0x80})
	bob := between("BOB", "ALICE", usual)
	e, err := connector.New(connector.Config{
		Relations: bob, Now: time.Now, Rand: rand.Reader, TempDir: f.TempDir(),
		Limits: connector.Limits{Refusals: 1 << 30}, OnTrouble: func(err error) { panic(err) },
	})
	if err != nil {
		f.Fatal(err)
	}
	sink := transporttest.NewSink()
	l, err := e.Listener(connector.ListenConfig{Address: "127.0.0.1:0"}, sink)
	if err != nil {
		f.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- l.Serve(ctx) }()
	f.Cleanup(func() { cancel(); must(f, <-done) })
	url := "http://" + l.Addr().String() + "/as2"
	client := &http.Client{}
	f.Fuzz(func(t *testing.T, from, to, id, contentType, notify, delivery, etag, span string, body []byte) {
		req, err := http.NewRequest(http.MethodPost, url, bytes.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		for n, v := range map[string]string{
			"As2-From": from, "As2-To": to, "Message-Id": id, "Content-Type": contentType,
			"Disposition-Notification-To": notify, "Receipt-Delivery-Option": delivery, "ETag": etag, "Content-Range": span,
		} {
			if v != "" {
				req.Header.Set(n, v)
			}
		}
		resp, err := client.Do(req)
		if err != nil {
			return // a header that HTTP itself does not let out
		}
		_, err = io.Copy(io.Discard, resp.Body)
		if cerr := resp.Body.Close(); err != nil || cerr != nil || resp.StatusCode >= 500 {
			t.Fatalf("%s, %v, %v", resp.Status, err, cerr)
		}
		if req, err = http.NewRequest(http.MethodHead, url, nil); err != nil {
			t.Fatal(err)
		}
		req.Header = http.Header{"As2-From": {from}, "As2-To": {to}, "Etag": {etag}}
		if resp, err := client.Do(req); err == nil {
			if cerr := resp.Body.Close(); cerr != nil || resp.StatusCode != http.StatusOK || resp.ContentLength < 0 {
				t.Fatalf("HEAD: %s, %d, %v", resp.Status, resp.ContentLength, cerr)
			}
		}
		for _, a := range sink.Take() {
			for _, s := range []string{a.MessageID, a.Subject, a.Refused, a.Evidence.From, a.Evidence.To, a.Content.Filename, a.Content.ContentType} {
				if !utf8.ValidString(s) || bytes.ContainsRune([]byte(s), 0) || len(s) > 1<<16 {
					t.Fatalf("kept %q", s)
				}
			}
			for _, h := range a.Evidence.Headers {
				if !utf8.ValidString(h.Value) {
					t.Fatalf("kept %q", h.Value)
				}
			}
			if a.Refused == "" && a.Returned == nil && a.Key == "" || len(a.Key) > 1000 {
				t.Fatalf("kept under the key %q", a.Key)
			}
			if a.Returned != nil && !utf8.ValidString(a.Returned.OriginalMessageID) {
				t.Fatalf("returned for %q", a.Returned.OriginalMessageID)
			}
		}
	})
}
