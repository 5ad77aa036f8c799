package as2

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	"tradepost/as2"
)

var testNow = time.Date(2026, 11, 21, 9, 30, 0, 0, time.UTC)

func testPartials(t *testing.T, temp string) *partials {
	t.Helper()
	c := Config{TempDir: temp, Now: func() time.Time { return testNow }, OnTrouble: func(err error) { t.Error(err) }}
	c.Limits = c.Limits.withDefaults()
	p, err := newPartials(c)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

var testRelation = &Relation{
	Relation: as2.Relation{Station: as2.Station{ID: "BOB"}, Partner: as2.Partner{ID: "ALICE"}}, Partner: "alice",
}

// TestPartialAfterACrash: what had reached the disk is there for the next
// process, what had not is not trusted.
func TestPartialAfterACrash(t *testing.T) {
	t.Parallel()
	temp := t.TempDir()
	p := testPartials(t, temp)
	one, early := p.begin(testRelation, `"x"`, "<1@a>", 1_000_000, nil)
	if one == nil || early != nil {
		t.Fatalf("%+v, %+v", one, early)
	}
	w := &wire{path: p.file(one.key), memory: 1000, every: 100_000, settled: func(n int64) error { return p.settled(one, n) }}
	content := bytes.Repeat([]byte("0123456789"), 100_000)
	for i := range 35 {
		if _, err := w.Write(content[i*10_000 : (i+1)*10_000]); err != nil {
			t.Fatal(err)
		}
	}
	w.syncing.Wait()
	// The process dies here: nothing is ended.
	again := testPartials(t, temp)
	held, busy := again.asked(one.key)
	if held < 300_000 || held > 350_000 || busy {
		t.Fatalf("%d bytes held, busy %v", held, busy)
	}
	two, early := again.begin(testRelation, `"x"`, "<1@a>", -1, &as2.ContentRange{First: held, Last: 999_999, Size: 1_000_000})
	if two == nil || early != nil {
		t.Fatalf("%+v, %+v", two, early)
	}
	v := &wire{path: again.file(two.key)}
	if err := v.reopen(two.Held); err != nil {
		t.Fatal(err)
	}
	if _, err := v.Write(content[held:]); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(again.file(two.key))
	if err != nil || !bytes.Equal(got, content) {
		t.Errorf("%d bytes, %v", len(got), err)
	}
	if err := w.Close(); err != nil {
		t.Error(err)
	}
	if err := v.Close(); err != nil {
		t.Error(err)
	}
}

// TestPartialFolder: what does not fit together is removed.
func TestPartialFolder(t *testing.T) {
	t.Parallel()
	temp := t.TempDir()
	dir := filepath.Join(temp, "partial")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	put := func(name string, content []byte) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	beside := func(p partial) []byte {
		b, err := json.Marshal(p)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	good := partial{Partner: "alice", MessageID: "<1@a>", Held: 5, Total: 9, Touched: testNow.Add(-time.Hour)}
	put("good.part", []byte("12345 and what was not yet settled"))
	put("good.json", beside(good))
	answered := partial{Touched: testNow, Total: 7, Answer: &stored{Status: 200, Body: []byte("receipt")}}
	put("answered.json", beside(answered))
	put("short.part", []byte("123"))
	put("short.json", beside(good))
	put("missing.json", beside(good))
	put("orphan.part", []byte("123"))
	put("broken.json", []byte("{"))
	put("broken.part", []byte("12345"))
	put("good.json.new", []byte("{"))
	old := good
	old.Touched = testNow.Add(-25 * time.Hour)
	put("old.part", []byte("12345"))
	put("old.json", beside(old))

	p := testPartials(t, temp)
	for key, want := range map[string]int64{"good": 5, "answered": 7, "short": 0, "missing": 0, "orphan": 0, "broken": 0, "old": 0} {
		if held, busy := p.asked(key); held != want || busy {
			t.Errorf("%s: %d bytes held, busy %v", key, held, busy)
		}
	}
	left, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range left {
		switch e.Name() {
		case "good.part", "good.json", "good.json.new", "answered.json":
		default:
			t.Errorf("%s is left", e.Name())
		}
	}
	if got := p.held["answered"].Answer.answer(); got.status != 200 || string(got.body) != "receipt" {
		t.Errorf("answer %+v", got)
	}
}

// TestPartialBytes: all together may not be larger than the limit.
func TestPartialBytes(t *testing.T) {
	t.Parallel()
	p := testPartials(t, t.TempDir())
	p.bytes = 1000
	for i, id := range []string{"a", "b"} {
		one, early := p.begin(testRelation, id, "<1@a>", -1, nil)
		if i == 1 {
			if one != nil || early != nil {
				t.Errorf("%+v, %+v", one, early)
			}
			break
		}
		one.Held = 1000
	}
}
