package directory

import (
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"tradepost/transport"
)

func TestFinalName(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("ж", 300) + ".edi"
	cases := []struct{ pattern, id, partner, filename, want string }{
		{"{stem}-{id}{ext}", "D1", "ACME", "po.edi", "po-D1.edi"},
		{"{stem}-{id}{ext}", "D1", "ACME", "", "document-D1"},
		{"{stem}-{id}{ext}", "D1", "ACME", "../../etc/passwd", "passwd-D1"},
		{"{stem}-{id}{ext}", "D1", "ACME", `..\..\boot.ini`, "boot-D1.ini"},
		{"{stem}-{id}{ext}", "D1", "ACME", ".bashrc", "bashrc-D1"},
		{"{stem}-{id}{ext}", "D1", "ACME", "po.edi.tmp", "po.edi-D1.tmp.edi"},
		{"{stem}-{id}{ext}", "D1", "ACME", "a\x00b\u202egnp.exe", "a_b_gnp-D1.exe"},
		{"{stem}-{id}{ext}", "D1", "ACME", "\xff\xfe.edi", "_-D1.edi"},
		{"{partner}_{id}.edi", "D1", "../ACME", "po.edi", "ACME_D1.edi"},
		{"{ext}{id}", "D1", "ACME", "po.edi", "ediD1.edi"},
		{"{name}", "D1", "ACME", "po.edi", "po.edi"},
		{"{id}.x12", "a/b", "", "", safeID("a/b") + ".x12"},
		{"{stem}-{id}{ext}", "D1", "ACME", long, strings.Repeat("ж", 108) + "-D1.edi"},
	}
	for _, c := range cases {
		if got := finalName(c.pattern, c.id, c.partner, c.filename); got != c.want {
			t.Errorf("finalName(%q, %q, %q, %.40q) = %q, want %q", c.pattern, c.id, c.partner, c.filename, got, c.want)
		}
	}
}

func TestSafeID(t *testing.T) {
	t.Parallel()
	for _, id := range []string{"01J9ZC8B3W", "a-b_c"} {
		if safeID(id) != id {
			t.Errorf("safeID(%q) = %q", id, safeID(id))
		}
	}
	seen := map[string]string{}
	for _, id := range []string{"", ".", "..", "-x", "a/b", "a\\b", "a b", strings.Repeat("a", 65), strings.Repeat("a", 66)} {
		got := safeID(id)
		if !plainID.MatchString(got) || seen[got] != "" {
			t.Errorf("safeID(%q) = %q", id, got)
		}
		seen[got] = id + "?"
	}
}

func FuzzNames(f *testing.F) {
	f.Add("po.edi", "D1", "ACME")
	f.Add("../../etc/passwd", "../x", "..")
	f.Add(strings.Repeat("ж", 300)+".part", strings.Repeat("i", 90), "\xff")
	f.Fuzz(func(t *testing.T, name, id, partner string) {
		for _, pattern := range []string{"{stem}-{id}{ext}", "{name}", "{partner}{id}{name}{name}", "{ext}.{id}"} {
			got := finalName(pattern, id, partner, name)
			if got == "" || len(got) > maxName || strings.ContainsAny(got, "/\\\x00\n\r") || unfinished(got) ||
				!utf8.ValidString(got) || !filepath.IsLocal(got) || safeName(got, maxName) != got {
				t.Fatalf("%s of %q, %q, %q is %q", pattern, name, id, partner, got)
			}
			if strings.Contains(pattern, "{id}") && !strings.Contains(got, safeID(id)) {
				t.Fatalf("%s of %q, %q, %q is %q without its id", pattern, name, id, partner, got)
			}
		}
		if c := claimName(strings.Repeat("0", 32), name); len(c) > maxName || claimID.FindStringSubmatch(c) == nil {
			t.Fatalf("claimed %q as %q", name, c)
		}
	})
}

func TestSettings(t *testing.T) {
	t.Parallel()
	cases := []struct{ settings, path, msg string }{
		{`{}`, "pickup", "neither"},
		{`{"pickup":"a","deliver":"./a"}`, "deliver", "picked up again"},
		{`{"pickup":"a","settle":"0s"}`, "settle", "half a file"},
		{`{"pickup":"a","poll":"-1s"}`, "poll", "more than"},
		{`{"pickup":"a","poll":5}`, "poll", "in quotes"},
		{`{"pickup":"a","include":["[a"]}`, "include.0", "no pattern"},
		{`{"pickup":"a","exclude":["*","a/b"]}`, "exclude.1", "no pattern"},
		{`{"pickup":"a","exclude":"*"}`, "exclude", "want []string"},
		{`{"deliver":"a","filename":""}`, "filename", "empty"},
		{`{"deliver":"a","filename":"{x}{id}"}`, "filename", "placeholder {x}"},
		{`{"deliver":"a","filename":"../{id}"}`, "filename", "without /"},
		{`{"deliver":"a","filename":"x.edi"}`, "filename", "put {id}"},
		{`{"deliver":"a","filename":"{id}.tmp"}`, "filename", "still being written"},
		{`{"deliver":"a","filename":".{id}"}`, "filename", "dot"},
		{`{"deliver":"a","filename":"{id}:x"}`, "filename", "not allowed"},
	}
	for _, c := range cases {
		_, err := ParseSettings(transport.Connection{Name: "office", Settings: []byte(c.settings)})
		var se *transport.SettingsError
		if !errors.As(err, &se) || se.Path != c.path || !strings.Contains(se.Msg, c.msg) {
			t.Errorf("%s: %v, want %q at %s", c.settings, err, c.msg, c.path)
		}
	}
	for _, good := range []string{`{"pickup":"in"}`, `{"deliver":"out","filename":"{partner}-{id}.edi"}`, `{"pickup":"in","deliver":"out","include":["*.edi"]}`} {
		if _, err := ParseSettings(transport.Connection{Settings: []byte(good)}); err != nil {
			t.Errorf("%s: %v", good, err)
		}
	}
	only := func(s string) transport.Connection { return transport.Connection{Name: "x", Settings: []byte(s)} }
	if _, err := NewSender(only(`{"pickup":"a"}`), Config{}); err == nil || !strings.Contains(err.Error(), "deliver: is not set") {
		t.Errorf("%v", err)
	}
	if _, err := NewListener(only(`{"deliver":"a"}`), nil, Config{}); err == nil || !strings.Contains(err.Error(), "pickup: is not set") {
		t.Errorf("%v", err)
	}
	if _, err := NewSender(only(`{"deliver":"a"}`), Config{}); err == nil || !strings.Contains(err.Error(), "Now and Config.Rand") {
		t.Errorf("%v", err)
	}
}
