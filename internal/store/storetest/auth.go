package storetest

import (
	"bytes"
	"context"
	"sync"
	"testing"
	"time"
)

func testAuth(t *testing.T, s Store) {
	ctx := context.Background()
	hash := func(b byte) []byte { return bytes.Repeat([]byte{b}, 32) }
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	use := func(h []byte, kind string) bool {
		t.Helper()
		ok, err := s.UseToken(ctx, h, kind)
		must(err)
		return ok
	}
	soon, past := time.Now().Add(time.Hour), time.Now().Add(-time.Second)
	must(s.SaveToken(ctx, hash(1), "login", soon))
	must(s.SaveToken(ctx, hash(2), "login", past))
	for _, c := range []struct {
		name string
		hash []byte
		kind string
		want bool
	}{
		{"a token of another kind", hash(1), "invite", false},
		{"an unknown token", hash(9), "login", false},
		{"an expired token", hash(2), "login", false},
		{"a live token", hash(1), "login", true},
		{"a used token", hash(1), "login", false},
	} {
		if got := use(c.hash, c.kind); got != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
	}
	must(s.SaveToken(ctx, hash(3), "login", soon))
	var mu sync.Mutex
	used := 0
	together(writers, func(int) {
		ok, err := s.UseToken(ctx, hash(3), "login")
		mu.Lock()
		defer mu.Unlock()
		if err != nil {
			t.Errorf("UseToken: %v", err)
		}
		if ok {
			used++
		}
	})
	if used != 1 {
		t.Errorf("a token was used %d times", used)
	}

	must(s.SaveSession(ctx, hash(1), "ana", soon))
	must(s.SaveSession(ctx, hash(2), "ben", past))
	session := func(h []byte) string {
		t.Helper()
		user, ok, err := s.Session(ctx, h)
		must(err)
		if ok != (user != "") {
			t.Errorf("Session: %q, %v", user, ok)
		}
		return user
	}
	if got := session(hash(1)); got != "ana" {
		t.Errorf("a live session is %q's", got)
	}
	if got := session(hash(2)) + session(hash(9)); got != "" {
		t.Errorf("an expired or unknown session is %q's", got)
	}
	must(s.DeleteSession(ctx, hash(1)))
	must(s.DeleteSession(ctx, hash(1)))
	if got := session(hash(1)); got != "" {
		t.Errorf("a deleted session is %q's", got)
	}
}
