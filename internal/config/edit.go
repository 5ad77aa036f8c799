package config

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"time"
	"unicode/utf8"

	"tradepost/partners"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"
)

// EditError tells that a configuration could not be changed by itself. Where
// and Lines say what to write by hand.
type EditError struct {
	Where string // "under station, in keys"
	Lines string // "- {certificate: keys/next.crt, key: keys/next.key}"
	Err   error
}

func (e *EditError) Error() string {
	return fmt.Sprintf("the configuration cannot be changed here: %v; write this line %s:\n%s", e.Err, e.Where, e.Lines)
}

func (e *EditError) Unwrap() error { return e.Err }

// AddKey returns the text of the configuration with one more pair of the
// station. Nothing else of it changes, comments and layout included. It is not
// written: see Write.
func (c *Config) AddKey(f partners.KeyFile) ([]byte, error) {
	f.Use = inUTC(f.Use)
	line := fmt.Sprintf("{certificate: %s, key: %s%s}", c.shown(f.Certificate), c.shown(f.Key), written(f.Use))
	want := *c.Directory
	station := want.Station()
	station.Keys = append(station.Keys[:len(station.Keys):len(station.Keys)], f)
	text, err := c.insert("station", "keys", line, func(d *partners.Directory) bool {
		return reflect.DeepEqual(d.Station(), station) && reflect.DeepEqual(d.Partners(), want.Partners())
	})
	if err != nil {
		return nil, &EditError{Where: "in the list keys of the section station", Lines: "    - " + line, Err: err}
	}
	return text, nil
}

// AddCertificate returns the text of the configuration with one more
// certificate of a partner. *partners.NotFoundError when there is no such
// partner.
func (c *Config) AddCertificate(partner string, f partners.CertificateFile) ([]byte, error) {
	if _, err := c.Directory.Partner(partner); err != nil {
		return nil, err
	}
	f.Use = inUTC(f.Use)
	line := fmt.Sprintf("{file: %s%s}", c.shown(f.File), written(f.Use))
	want := c.Directory.Partners()
	at := 0
	for i := range want {
		if want[i].Name == partner {
			at = i
			list := want[i].Certificates
			want[i].Certificates = append(list[:len(list):len(list)], f)
		}
	}
	text, err := c.insert(fmt.Sprintf("partners[%d]", at), "certificates", line, func(d *partners.Directory) bool {
		return reflect.DeepEqual(d.Partners(), want) && reflect.DeepEqual(d.Station(), c.Directory.Station())
	})
	if err != nil {
		return nil, &EditError{Where: "in the list certificates of partner " + partner, Lines: "    - " + line, Err: err}
	}
	return text, nil
}

// Write puts a text in the place of the configuration's file, whole or not at
// all. It refuses when the file has changed since it was read.
func (c *Config) Write(text []byte) error {
	now, err := os.ReadFile(c.File)
	if err != nil {
		return fmt.Errorf("read the configuration again: %w", err)
	}
	if !bytes.Equal(now, c.source.src) {
		return fmt.Errorf("%s was changed by somebody else meanwhile: run the command again", c.named)
	}
	info, err := os.Stat(c.File)
	if err != nil {
		return fmt.Errorf("read the configuration again: %w", err)
	}
	target := c.File
	if real, err := filepath.EvalSymlinks(c.File); err == nil {
		target = real // a link stays a link
	}
	f, err := os.CreateTemp(filepath.Dir(target), ".tradepost-*.yaml")
	if err != nil {
		return fmt.Errorf("write the configuration: %w", err)
	}
	_, err = f.Write(text)
	for _, step := range []func() error{func() error { return f.Chmod(info.Mode().Perm()) }, f.Sync, f.Close} {
		if stepErr := step(); err == nil {
			err = stepErr
		}
	}
	if err == nil {
		err = os.Rename(f.Name(), target)
	}
	if err != nil {
		return fmt.Errorf("write the configuration: %w", errors.Join(err, os.Remove(f.Name())))
	}
	return nil
}

// shown writes a path as it stands in the file: seen from the folder of the
// configuration where it lies below it.
func (c *Config) shown(path string) string {
	if rel, err := filepath.Rel(c.Dir, path); err == nil && filepath.IsLocal(rel) {
		path = filepath.ToSlash(rel)
	}
	if strings.Trim(path, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/._-") == "" && !strings.HasPrefix(path, "-") {
		return path
	}
	quoted, err := quote(path)
	if err != nil {
		return path // not UTF-8: the reading back will say so
	}
	return quoted
}

// inUTC is u as it comes back from a configuration.
func inUTC(u partners.Use) partners.Use {
	u.GoLive, u.Retire = u.GoLive.UTC(), u.Retire.UTC()
	return u
}

// written writes when a certificate is used.
func written(u partners.Use) string {
	var b strings.Builder
	date := func(key string, t time.Time) {
		if t.IsZero() {
			return
		}
		fmt.Fprintf(&b, ", %s: %s", key, moment(t))
	}
	date("go_live", u.GoLive)
	date("retire", u.Retire)
	if len(u.Purposes) > 0 {
		b.WriteString(", purposes: [" + strings.Join(u.Purposes, ", ") + "]")
	}
	return b.String()
}

// insert adds an entry to the list under key of the section at path and checks
// that nothing else has changed by it.
func (c *Config) insert(path, key, line string, as func(*partners.Directory) bool) ([]byte, error) {
	return c.change(path, func(e *editor, n ast.Node) error { return e.add(n, key, line) }, as)
}

// find walks to a section: "station", "partners[2]".
func find(file *ast.File, path string) (ast.Node, error) {
	var node ast.Node
	for _, d := range file.Docs {
		if d.Body != nil && d.Body.Type() != ast.CommentType {
			node = d.Body
			break
		}
	}
	name, index, indexed := strings.Cut(strings.TrimSuffix(path, "]"), "[")
	node = child(node, name)
	if indexed {
		seq, ok := node.(*ast.SequenceNode)
		n := 0
		if _, err := fmt.Sscan(index, &n); err != nil || !ok || n >= len(seq.Values) {
			return nil, fmt.Errorf("%s is not where it was", path)
		}
		node = seq.Values[n]
	}
	if node == nil {
		return nil, fmt.Errorf("%s is not where it was", path)
	}
	return node, nil
}

// entries lists what a mapping holds.
func entries(n ast.Node) []*ast.MappingValueNode {
	switch n := n.(type) {
	case *ast.MappingNode:
		return n.Values
	case *ast.MappingValueNode:
		return []*ast.MappingValueNode{n}
	}
	return nil
}

// child is the value of a key; nil when it is not there.
func child(n ast.Node, key string) ast.Node {
	for _, e := range entries(n) {
		if s, ok := e.Key.(*ast.StringNode); ok && s.Value == key {
			return e.Value
		}
	}
	return nil
}

// editor changes a text at the places that a parser names.
type editor struct{ lines []string }

var errShape = errors.New("it is laid out in a way that is not understood")

// add adds an entry to the list under key of a section.
func (e *editor) add(section ast.Node, key, entry string) error {
	list := child(section, key)
	switch l := list.(type) {
	case nil:
		return e.addKey(section, key, entry)
	case *ast.SequenceNode:
		if l.IsFlowStyle {
			if len(l.Values) > 0 {
				entry = ", " + entry
			}
			return e.put(l.End, 0, entry)
		}
		if len(l.Values) == 0 {
			return errShape
		}
		hyphen := l.Start.Position.Column
		return e.below(lastLine(l.Start, hyphen, true), strings.Repeat(" ", hyphen-1)+"- "+entry)
	case *ast.StringNode: // a single text stands for a list of one
		t := l.GetToken()
		if err := e.put(t, utf8.RuneCountInString(strings.TrimSpace(t.Origin)), ", "+entry+"]"); err != nil {
			return err
		}
		return e.put(t, 0, "[")
	}
	return errShape
}

// addKey adds the list itself, with one entry.
func (e *editor) addKey(section ast.Node, key, entry string) error {
	if m, ok := section.(*ast.MappingNode); ok && m.IsFlowStyle {
		text := key + ": [" + entry + "]"
		if len(m.Values) > 0 {
			text = ", " + text
		}
		return e.put(m.End, 0, text)
	}
	all := entries(section)
	if len(all) == 0 {
		return errShape
	}
	after := all[0]
	for _, x := range all { // beside what it belongs to, else at the end
		if s, ok := x.Key.(*ast.StringNode); ok {
			after = x
			if s.Value == "key" || s.Value == "identifiers" && key == "certificates" {
				break
			}
		}
	}
	column := after.Key.GetToken().Position.Column
	indent := strings.Repeat(" ", column-1)
	return e.below(lastLine(after.Key.GetToken(), column, false), indent+key+":\n"+indent+"  - "+entry)
}

// lastLine is the last line of what begins at t: everything that stands further
// in than column, and for a list of hyphens the further hyphens too.
func lastLine(t *token.Token, column int, list bool) int {
	last, key := t.Position.Line, t
	for x := t.Next; x != nil; x = x.Next {
		hyphen := x.Type == token.SequenceEntryType
		switch {
		case x.Type == token.CommentType:
			continue
		case x.Position.Line == key.Position.Line, x.Position.Column > column:
		case x.Position.Column == column && hyphen && (list || x.Position.Line > key.Position.Line):
		default:
			return last
		}
		last = max(last, x.Position.Line)
	}
	return last
}

// put inserts a text at a token, past letters into it.
func (e *editor) put(t *token.Token, past int, text string) error {
	if t == nil || t.Position.Line > len(e.lines) {
		return errShape
	}
	line := []rune(e.lines[t.Position.Line-1])
	at := t.Position.Column - 1 + past
	if at > len(line) {
		return errShape
	}
	e.lines[t.Position.Line-1] = string(line[:at]) + text + string(line[at:])
	return nil
}

// below inserts lines under a line.
func (e *editor) below(line int, text string) error {
	if line < 1 || line > len(e.lines) {
		return errShape
	}
	end := "\n"
	if strings.HasSuffix(e.lines[line-1], "\r\n") {
		end = "\r\n"
	}
	if !strings.HasSuffix(e.lines[line-1], "\n") { // the last line of the file
		e.lines[line-1] += end
	}
	e.lines[line-1] += strings.ReplaceAll(text, "\n", end) + end
	return nil
}
