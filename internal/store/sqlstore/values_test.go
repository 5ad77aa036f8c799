package sqlstore

import (
	"fmt"
	"strings"
	"testing"
	"testing/fstest"
	"unicode/utf8"

	"tradepost/tracking"

	"github.com/google/go-cmp/cmp"
)

func TestStorable(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"":               "",
		"ISA*00":         "ISA*00",
		"é 日本 \ufffd":    "é 日本 \ufffd", // a replacement character that was there
		"M\xfcller":      `M\xFCller`,
		"a\x00b":         `a\x00b`,
		"\xff\xfe":       `\xFF\xFE`,
		"\xed\xa0\x80":   `\xED\xA0\x80`, // half of a surrogate pair
		"tab\tline\nend": "tab\tline\nend",
	} {
		if got := storable(in); got != want {
			t.Errorf("storable(%q) = %q, want %q", in, got, want)
		}
	}
}

// FuzzStorable stores whatever a partner sends.
func FuzzStorable(f *testing.F) {
	f.Add("ISA*00*\xe4\x00")
	f.Fuzz(func(t *testing.T, in string) {
		got := storable(in)
		if !utf8.ValidString(got) || strings.ContainsRune(got, 0) {
			t.Errorf("storable(%q) = %q, which not every database takes", in, got)
		}
		if storable(got) != got {
			t.Errorf("storable(%q) = %q, which is changed again", in, got)
		}
		if utf8.ValidString(in) && !strings.ContainsRune(in, 0) && got != in {
			t.Errorf("storable(%q) = %q changes what needs no change", in, got)
		}
	})
}

func TestIndexable(t *testing.T) {
	t.Parallel()
	short, long := strings.Repeat("é", 500), strings.Repeat("é", 501)
	if got := indexable(short); got != short {
		t.Errorf("a text of 1000 bytes became %q", got)
	}
	got := indexable(long)
	if len(got) > indexedLength || !utf8.ValidString(got) || !strings.HasPrefix(got, strings.Repeat("é", 450)+"~") {
		t.Errorf("a text of 1002 bytes became %q", got)
	}
	if indexable(got) != got {
		t.Errorf("%q is changed again", got)
	}
	if odd := indexable("x" + long); !utf8.ValidString(odd) || odd == got {
		t.Errorf("cut within a letter: %q", odd)
	}
}

func TestBindRefusesWhatNoColumnTakes(t *testing.T) {
	t.Parallel()
	for _, arg := range []any{3.14, []string{"a"}, struct{}{}, asJSON{func() {}}} {
		if got, err := bind([]any{arg}); err == nil {
			t.Errorf("bind(%T) = %v", arg, got)
		}
	}
}

func TestAnyOf(t *testing.T) {
	t.Parallel()
	for n, want := range map[int]int{0: 0, 1: 1, 2: 2, 3: 4, 4: 4, 5: 8, 512: 512, 513: 1024} {
		values := make([]tracking.ID, n)
		for i := range values {
			values[i] = tracking.ID(i + 1)
		}
		got := anyOf(values)
		if len(got) != want {
			t.Errorf("%d values make a list of %d, want %d", n, len(got), want)
		}
		for i, v := range got {
			if v != values[min(i, n-1)] {
				t.Errorf("of %d values, argument %d is %v", n, i, v)
			}
		}
		if strings.Count(list(len(got)), "?") != want {
			t.Errorf("list(%d) = %s", want, list(len(got)))
		}
	}
}

func TestControlSpellings(t *testing.T) {
	t.Parallel()
	for typed, want := range map[string][]string{
		"42":         {"42", "000000042"},
		" 42 ":       {"42", "000000042"},
		"000000042":  {"000000042"},
		"1234567890": {"1234567890"},
		"A42":        {"A42"},
	} {
		if diff := cmp.Diff(want, controlSpellings(typed)); diff != "" {
			t.Errorf("controlSpellings(%q) (-want +got):\n%s", typed, diff)
		}
	}
}

func TestLoadMigrations(t *testing.T) {
	t.Parallel()
	file := func(text string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(text)} }
	got, err := LoadMigrations(fstest.MapFS{"0002_b.sql": file("b"), "0001_a.sql": file("a")})
	if err != nil || len(got) != 2 || got[0].Version != 1 || got[0].Name != "a" || got[1].SQL != "b" || got[0].Checksum == got[1].Checksum {
		t.Errorf("LoadMigrations: %+v, %v", got, err)
	}
	for _, names := range [][]string{{"0002_b.sql"}, {"0001_a.sql", "0003_c.sql"}, {"0001_a.sql", "0001_b.sql"}, {"1_a.sql"}, {"0001_A.sql"}, {"0001_a.txt"}} {
		files := fstest.MapFS{}
		for _, n := range names {
			files[n] = file(fmt.Sprint("sql of ", n))
		}
		if got, err := LoadMigrations(files); err == nil {
			t.Errorf("LoadMigrations of %v: %+v", names, got)
		}
	}
}
