package config

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"tradepost/partners"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// Retire writes into the configuration that the certificate in a file is not
// used from a moment on: neither accepted nor encrypted to, and when it is the
// station's, neither signed with nor read with. partner is whose it is, "" for
// the station's. Nothing else of the text changes. The moment is cut to the
// second. When the text cannot be changed by itself the error is an *EditError.
func (c *Config) Retire(partner, file string, at time.Time) error {
	at = at.UTC().Truncate(time.Second)
	path, key, i, want, err := c.retired(partner, file, at)
	if err != nil {
		return err
	}
	text, err := c.change(path, func(e *editor, n ast.Node) error {
		if key != "" {
			n = nth(child(n, key), i)
		}
		return e.retire(n, at)
	}, func(d *partners.Directory) bool {
		return reflect.DeepEqual(d.Station(), want.station) && reflect.DeepEqual(d.Partners(), want.partners)
	})
	if err != nil {
		return &EditError{Where: "beside " + c.shown(file) + " under " + path, Lines: "    retire: " + moment(at), Err: err}
	}
	return c.Write(text) // no file has changed: nobody needs the sealing key for this
}

// parties are what a changed directory shall hold.
type parties struct {
	station  partners.Station
	partners []partners.Partner
}

// retired finds where a file is named: entry i of the list under key of the
// section at path, or without a key the section itself. want is the directory
// as it shall be.
func (c *Config) retired(partner, file string, at time.Time) (path, key string, i int, want parties, err error) {
	want = parties{c.Directory.Station(), c.Directory.Partners()}
	if partner == "" {
		if want.station.Certificate == file {
			want.station.Retire = at
			return "station", "", 0, want, nil
		}
		want.station.Keys = slices.Clone(want.station.Keys)
		i = slices.IndexFunc(want.station.Keys, func(f partners.KeyFile) bool { return f.Certificate == file })
		if i < 0 {
			return "", "", 0, want, fmt.Errorf("%s is not among the keys of the station", file)
		}
		want.station.Keys[i].Retire = at
		return "station", "keys", i, want, nil
	}
	n := slices.IndexFunc(want.partners, func(p partners.Partner) bool { return p.Name == partner })
	if n < 0 {
		_, err = c.Directory.Partner(partner)
		return "", "", 0, want, err
	}
	list := slices.Clone(want.partners[n].Certificates)
	i = slices.IndexFunc(list, func(f partners.CertificateFile) bool { return f.File == file })
	if i < 0 {
		return "", "", 0, want, fmt.Errorf("%s is not among the certificates of %s", file, partner)
	}
	list[i].Retire = at
	want.partners[n].Certificates = list
	return fmt.Sprintf("partners[%d]", n), "certificates", i, want, nil
}

// change changes the text at a section and checks that it means what it shall,
// and nothing else has changed by it.
func (c *Config) change(path string, do func(*editor, ast.Node) error, as func(*partners.Directory) bool) ([]byte, error) {
	file, err := parser.ParseBytes(c.source.src, parser.ParseComments)
	if err != nil {
		return nil, err
	}
	node, err := find(file, path)
	if err != nil {
		return nil, err
	}
	e := &editor{lines: strings.SplitAfter(string(c.source.src), "\n")}
	if err := do(e, node); err != nil {
		return nil, err
	}
	text := []byte(strings.Join(e.lines, ""))
	again, err := read(c.named, c.File, text, Overrides{NoFiles: true, Env: c.source.env})
	if err != nil {
		return nil, fmt.Errorf("the result would not be valid: %w", err)
	}
	if !as(again.Directory) || !reflect.DeepEqual(again.Directory.Partnerships(), c.Directory.Partnerships()) ||
		!reflect.DeepEqual(again.Directory.Connections(), c.Directory.Connections()) {
		return nil, errors.New("the result would mean something else")
	}
	return text, nil
}

// moment writes a moment as short as it can be told.
func moment(t time.Time) string {
	layout := time.RFC3339
	if t.Equal(t.Truncate(24 * time.Hour)) {
		layout = time.DateOnly
	}
	return t.UTC().Format(layout)
}

// nth is an entry of a list; a single value stands for a list of one.
func nth(n ast.Node, i int) ast.Node {
	if l, ok := n.(*ast.SequenceNode); ok {
		if i < len(l.Values) {
			return l.Values[i]
		}
		return nil
	}
	return n
}

// retire sets the key retire of an entry, which may be the name of a file alone.
func (e *editor) retire(entry ast.Node, at time.Time) error {
	text := "retire: " + moment(at)
	if s, ok := entry.(*ast.StringNode); ok {
		t := s.GetToken()
		if err := e.put(t, utf8.RuneCountInString(strings.TrimSpace(t.Origin)), ", "+text+"}"); err != nil {
			return err
		}
		return e.put(t, 0, "{file: ")
	}
	all := entries(entry)
	if len(all) == 0 {
		return errShape
	}
	if old := child(entry, "retire"); old != nil {
		return e.replace(old.GetToken(), moment(at))
	}
	if m, ok := entry.(*ast.MappingNode); ok && m.IsFlowStyle {
		return e.put(m.End, 0, ", "+text)
	}
	after := all[len(all)-1]
	for _, x := range all { // beside the files that it is about
		if s, ok := x.Key.(*ast.StringNode); ok && (s.Value == "key" || s.Value == "file") {
			after = x
		}
	}
	column := after.Key.GetToken().Position.Column
	return e.below(lastLine(after.Key.GetToken(), column, false), strings.Repeat(" ", column-1)+text)
}

// replace puts a text in the place of a value that stands on one line.
func (e *editor) replace(t *token.Token, text string) error {
	if t == nil || t.Position.Line > len(e.lines) {
		return errShape
	}
	line := []rune(e.lines[t.Position.Line-1])
	from := t.Position.Column - 1
	to := from + utf8.RuneCountInString(strings.TrimSpace(t.Origin))
	if to > len(line) {
		return errShape
	}
	e.lines[t.Position.Line-1] = string(line[:from]) + text + string(line[to:])
	return nil
}
