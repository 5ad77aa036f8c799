package config

import (
	"encoding/json"
	"errors"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"tradepost/partners"
	"tradepost/transport"
	transportas2 "tradepost/transport/as2"
	"tradepost/transport/directory"

	"github.com/goccy/go-yaml"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// topLevel stands for the keys of the file that are no section.
const topLevel = "the top"

// setting is one row of docs/configuration.md.
type setting struct{ section, key, fallback string }

// settings reads the rows of the page.
func settings(t *testing.T) []setting {
	t.Helper()
	page, err := os.ReadFile("../../docs/configuration.md")
	if err != nil {
		t.Fatal(err)
	}
	heading, row := regexp.MustCompile("^## `([^`]+)`(?:, connector `([^`]+)`)?"), regexp.MustCompile("^\\| `([a-z0-9_]+)` \\| (?:`([^`]*)`|-|\\*\\*required\\*\\*) \\| .+ \\|$")
	var out []setting
	section := ""
	for _, line := range strings.Split(string(page), "\n") {
		if strings.HasPrefix(line, "## ") {
			section = ""
			if line == "## At the top of the file" {
				section = topLevel
			}
			if m := heading.FindStringSubmatch(line); m != nil {
				section = m[1] + m[2]
			}
			continue
		}
		if section == "" || !strings.HasPrefix(line, "| `") {
			continue
		}
		m := row.FindStringSubmatch(line)
		if m == nil {
			t.Errorf("this row cannot be read: %s", line)
			continue
		}
		out = append(out, setting{section, m[1], m[2]})
	}
	return out
}

// everything is a configuration with an entry in each list.
func everything() map[string]any {
	var out map[string]any
	if err := yaml.Unmarshal([]byte(strings.ReplaceAll(`
station: {name: buyer, as2_id: BUYER, identifiers: ["ZZ:BUYER"], keys: [{certificate: a.crt, key: a.key}]}
secrets: {key_env: PASSWORD}
store: {}
listen: {tls: {certificate: a.crt, key: a.key}}
partners: [{name: supplier, as2_id: SUPPLIER, certificates: [{file: a.crt}]}]
partnerships: [{partner: supplier, connection: wire, inbound: [{document: "856", deliver: house}], outbound: [{document: "850"}], duplicates: {}, as2: {}}]
connections:
  - {name: wire, connector: as2, partner: supplier, url: "http://x/", basic_auth: {user: u, password_env: E}, tls: {}}
  - {name: house, connector: directory, pickup: a}
monitor: {}
limits: {}
logs: {}
`, "\t", "  ")), &out); err != nil {
		panic(err) // it stands above
	}
	return out
}

// inside finds a section of everything.
func inside(t *testing.T, top map[string]any, section string) map[string]any {
	t.Helper()
	at := top
	if section == topLevel {
		return top
	}
	for _, name := range strings.Split(section, ".") {
		name, list := strings.CutSuffix(name, "[]")
		connector := ""
		for _, c := range []string{transportas2.Connector, directory.Connector} {
			if n, ok := strings.CutSuffix(name, "[]"+c); ok {
				name, list, connector = n, true, c
			}
		}
		if !list {
			at, _ = at[name].(map[string]any)
		} else if entries, ok := at[name].([]any); ok {
			at, _ = entries[0].(map[string]any)
			if connector == directory.Connector {
				at, _ = entries[1].(map[string]any)
			}
		}
		if at == nil {
			t.Fatalf("the test has no section %s", section)
		}
	}
	return at
}

// readAll reads a configuration given as a map.
func readAll(t *testing.T, top map[string]any) (*Config, error) {
	t.Helper()
	text, err := json.Marshal(top) // which is YAML as well
	if err != nil {
		t.Fatal(err)
	}
	return read("tradepost.yaml", "/station/tradepost.yaml", text, Overrides{Env: env, NoFiles: true})
}

// known asks the reader which keys a section has: it names them where one is
// unknown.
func known(t *testing.T, section string) []string {
	t.Helper()
	top := everything()
	inside(t, top, section)["qqqqqqqqqq"] = 1
	_, err := readAll(t, top)
	var e *Error
	if !errors.As(err, &e) {
		t.Fatalf("%s: an unknown key is no *Error: %v", section, err)
	}
	for _, p := range e.Problems {
		if keys, ok := strings.CutPrefix(p.Hint, "keys here are "); ok {
			return strings.Split(keys, ", ")
		}
	}
	t.Fatalf("%s: %v", section, err)
	return nil
}

// TestEverySettingIsDocumented holds docs/configuration.md and the reader to
// each other.
func TestEverySettingIsDocumented(t *testing.T) {
	t.Parallel()
	documented := map[string][]string{}
	for _, s := range settings(t) {
		if slices.Contains(documented[s.section], s.key) {
			t.Errorf("%s has two rows for %s", s.section, s.key)
		}
		documented[s.section] = append(documented[s.section], s.key)
	}
	real := map[string][]string{"connections[]": {"name", "connector", "partner"}}
	fields := func(section string, of any) {
		for i := range reflect.TypeOf(of).NumField() {
			real[section] = append(real[section], reflect.TypeOf(of).Field(i).Tag.Get("json"))
		}
	}
	fields("connections[]as2", transportas2.Settings{})
	fields("connections[].basic_auth", transportas2.BasicAuth{})
	fields("connections[].tls", transportas2.TLS{})
	fields("connections[]directory", directory.Settings{})
	for section := range documented {
		if _, ok := real[section]; !ok && section != topLevel {
			real[section] = known(t, section)
		}
	}
	for _, name := range known(t, topLevel) { // a section has a chapter, what is none has a row
		if documented[name] == nil && documented[name+"[]"] == nil {
			real[topLevel] = append(real[topLevel], name)
		}
	}
	for section, keys := range real {
		for _, k := range keys {
			if !slices.Contains(documented[section], k) {
				t.Errorf("docs/configuration.md has no row for %s of %s: say what it is for", k, section)
			}
		}
		for _, k := range documented[section] {
			if !slices.Contains(keys, k) {
				t.Errorf("docs/configuration.md has a row for %s of %s, which is gone", k, section)
			}
		}
	}
}

// TestDefaultsAreAsDocumented writes each default out, and expects that to
// change nothing.
func TestDefaultsAreAsDocumented(t *testing.T) {
	t.Parallel()
	whole := func(top map[string]any) (*Config, []any) {
		c, err := readAll(t, top)
		if err != nil {
			t.Fatal(err)
		}
		parts := []any{c.Directory.Station(), c.Directory.Partners(), c.Directory.Partnerships()}
		for _, x := range c.Directory.Connections() {
			s := transport.Connection{Name: x.Name, Connector: x.Connector, Partner: x.Partner, Settings: x.Settings}
			if x.Connector == directory.Connector {
				d, err := directory.ParseSettings(s)
				if err != nil {
					t.Fatal(err)
				}
				parts = append(parts, d)
				continue
			}
			a, err := transportas2.ParseSettings(s)
			if err != nil {
				t.Fatal(err)
			}
			if a.TLS.MinVersion == "1.2" { // its zero value
				a.TLS.MinVersion = ""
			}
			parts = append(parts, a)
		}
		return c, parts
	}
	want, wantParts := whole(everything())
	plain := cmp.Options{cmpopts.IgnoreFields(Config{}, "Directory"), cmpopts.IgnoreUnexported(Config{}), cmpopts.EquateComparable(partners.Identifier{})}
	n := 0
	for _, s := range settings(t) {
		if s.fallback == "" {
			continue
		}
		n++
		top := everything()
		var value any = s.fallback
		if s.fallback == "true" || s.fallback == "false" {
			value = s.fallback == "true"
		}
		inside(t, top, s.section)[s.key] = value
		got, gotParts := whole(top)
		if diff := cmp.Diff(want, got, plain) + cmp.Diff(wantParts, gotParts); diff != "" {
			t.Errorf("the default of %s of %s is not %s (-default +written out):\n%s", s.key, s.section, s.fallback, diff)
		}
	}
	if n < 30 {
		t.Errorf("only %d defaults were looked at", n)
	}
}
