package config

import (
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestTheCommentsAreRight takes the comment signs off what a new configuration
// shows of a partner: it must be what `init --partner` writes.
func TestTheCommentsAreRight(t *testing.T) {
	t.Parallel()
	n := New{Name: "buyer", AS2ID: "BUYER", Identifier: "ZZ:BUYER", AS2Address: "127.0.0.1:4080", AdminAddress: "127.0.0.1:4081"}
	shown := load(t, n, func(text string) string {
		head, tail, ok := strings.Cut(text, "# --- Who we trade with")
		if !ok {
			t.Fatal("the template has no partners")
		}
		tail, house, ok := strings.Cut(tail, "\n# --- The house")
		if !ok {
			t.Fatal("the template has no end")
		}
		tail = regexp.MustCompile(`(?m)^# (partners:|partnerships:|  )`).ReplaceAllString(tail, "$1")
		tail = regexp.MustCompile(`(?m)^  # (- name:|  )`).ReplaceAllString(tail, "  $1")
		return head + "# --- Who we trade with" + tail + "\n# --- The house" + house
	})
	n.Partner = &NewPartner{
		Name: "supplier", AS2ID: "SUPPLIER", Identifier: "ZZ:SUPPLIER", URL: "http://supplier.example.com:4080/as2",
		Contact: "EDI desk, +1 555 0100", Receive: []string{"855", "856"}, Send: []string{"850"},
	}
	written := load(t, n, func(text string) string { return text })
	contact := cmp.FilterPath(func(p cmp.Path) bool { return p.String() == "Contact" }, cmp.Ignore()) // a comment in a comment
	if diff := cmp.Diff(written.Directory.Partners(), shown.Directory.Partners(), contact); diff != "" {
		t.Errorf("partners (-written +shown):\n%s", diff)
	}
	if diff := cmp.Diff(written.Directory.Partnerships(), shown.Directory.Partnerships()); diff != "" {
		t.Errorf("partnerships (-written +shown):\n%s", diff)
	}
	var names [2][]string
	for i, c := range []*Config{written, shown} {
		for _, x := range c.Directory.Connections() {
			names[i] = append(names[i], x.Name+" "+string(x.Settings))
		}
	}
	if diff := cmp.Diff(names[0], names[1]); diff != "" {
		t.Errorf("connections (-written +shown):\n%s", diff)
	}
	if p := written.Directory.Partnerships()[0].AS2; p.Sign != "sha-256" || !p.Compress || !p.RequireSigned {
		t.Errorf("agreed for AS2: %+v", p)
	}
}

// load reads what a new configuration is written as, changed.
func load(t *testing.T, n New, change func(string) string) *Config {
	t.Helper()
	text, err := n.text()
	if err != nil {
		t.Fatal(err)
	}
	changed := change(string(text))
	c, err := read("tradepost.yaml", "/station/tradepost.yaml", []byte(changed), Overrides{NoFiles: true, Env: anyVariable})
	if err != nil {
		t.Fatalf("%v\n%s", err, changed)
	}
	return c
}
