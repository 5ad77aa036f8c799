package mapping

import (
	"encoding/csv"
	"errors"
	"io"
	"io/fs"
	"path"
	"slices"
	"strconv"
)

// Table is a cross-reference table: codes of one side and what the other side
// calls them. Where a code occurs twice the first row counts.
type Table struct {
	name    string
	rows    []tableRow
	forward map[string]string
	back    map[string]string
	keep    bool   // what the table does not know goes through as it is
	note    bool   // and is told
	leave   bool   // what the table does not know is not carried, and told
	prefix  string // stands before codes without a row on the to side
	inline  bool
}

type tableRow struct {
	from, to string
	at       position
}

const (
	maxTableBytes = 64 << 20
	maxTableRows  = 1 << 20
)

func (t *Table) add(r tableRow) {
	t.rows = append(t.rows, r)
	if _, ok := t.forward[r.from]; !ok {
		t.forward[r.from] = r.to
	}
	if _, ok := t.back[r.to]; !ok {
		t.back[r.to] = r.from
	}
}

func newTable(name string) *Table {
	return &Table{name: name, forward: map[string]string{}, back: map[string]string{}}
}

// find looks a code up in one direction; known is false for one that goes
// through as it is, or is left. The text says why it cannot be used.
func (t *Table) find(code []byte, w Way) (v string, known bool, bad string) {
	to, other := t.forward, t.back
	if w == Backward {
		to, other = t.back, t.forward
	}
	if v, ok := to[string(code)]; ok {
		return v, true, ""
	}
	switch {
	case t.prefix != "" && w == Forward:
		return t.prefix + string(code), true, ""
	case t.prefix != "" && len(code) > len(t.prefix) && string(code[:len(t.prefix)]) == t.prefix:
		return string(code[len(t.prefix):]), true, ""
	case t.leave || t.prefix != "":
		return "", false, ""
	}
	name := "table " + t.name
	if t.inline {
		name = "the lookup of this line"
	}
	if !t.keep {
		known := slices.Sorted(keysOf(to))
		return "", false, "is not in " + name + "; " + choose(string(code), known)
	}
	// A code of the other side that goes through as it is would come back as
	// something else.
	if v, ok := other[string(code)]; ok && v != string(code) {
		return "", false, "is not in " + name + ", and cannot stay as it is, since " + strconv.Quote(string(code)) + " on the other side means " + strconv.Quote(v)
	}
	return string(code), false, ""
}

// tableReader reads tables with the files they lie in.
type tableReader struct {
	p    *problems
	fsys fs.FS
	dir  string // of the map, in fsys
}

// named reads one entry of tables.
func (r *tableReader) named(name string, n *node) *Table {
	t := newTable(name)
	k := newKeys(n, r.p, "rows", "file", "from", "to", "otherwise", "prefix")
	if t.prefix = k.text("prefix"); t.prefix != "" && n.get("otherwise") != nil {
		r.p.at(n.get("otherwise").at, "", "otherwise and prefix exclude each other: codes without a row get the prefix")
	}
	switch otherwise := k.text("otherwise"); otherwise {
	case "", "refuse":
	case "keep":
		t.keep = true
	case "note":
		t.keep, t.note = true, true
	case "leave":
		t.leave = true
	default:
		r.p.at(n.get("otherwise").at, "", "otherwise is refuse, keep, note or leave, not %q", clip(otherwise))
	}
	rows, file := n.get("rows"), k.located("file")
	switch {
	case rows != nil && file == nil:
		r.rows(t, rows)
	case file != nil && rows == nil:
		r.file(t, *file, k.located("from"), k.located("to"))
	default:
		r.p.at(n.at, "give rows: or file:, the one or the other", "where are the rows of table %s?", name)
	}
	return t
}

// rows reads a mapping of codes, or a list of pairs.
func (r *tableReader) rows(t *Table, n *node) {
	switch n.kind {
	case mappingNode:
		for _, e := range n.entries {
			if e.value.kind != scalarNode {
				r.p.at(e.value.at, "write CODE: word", "a row is a code and a text, not %s", e.value.what())
				continue
			}
			t.add(tableRow{e.key, e.value.text, e.at})
		}
	case sequenceNode:
		for _, i := range n.items {
			if i.kind != sequenceNode || len(i.items) != 2 || i.items[0].kind != scalarNode || i.items[1].kind != scalarNode {
				r.p.at(i.at, "write - [CODE, word]", "a row is a pair of texts")
				continue
			}
			t.add(tableRow{i.items[0].text, i.items[1].text, i.items[0].at})
		}
	default:
		r.p.at(n.at, "write CODE: word lines", "rows are wanted here, not %s", n.what())
	}
	if len(t.rows) == 0 {
		r.p.at(n.at, "", "the table has no rows")
	}
}

// open opens a CSV file beside the map; a name without .csv is a table that
// comes with this package. It returns nil when there is none.
func (r *tableReader) open(name located) fs.File {
	fsys, full := r.fsys, path.Join(r.dir, name.text)
	if path.Ext(name.text) == "" {
		fsys, full = shipped, "shipped/tables/"+name.text+".csv"
		if !slices.Contains(shippedNames("tables", ".csv"), name.text) {
			r.p.at(name.at, choose(name.text, shippedNames("tables", ".csv")), "there is no table %q", clip(name.text))
			return nil
		}
	}
	if fsys == nil || !fs.ValidPath(full) {
		r.p.at(name.at, "name a file beside the map or below it", "the file %q cannot be read from here", clip(name.text))
		return nil
	}
	f, err := fsys.Open(full)
	if err != nil {
		r.p.at(name.at, "", "the file %q cannot be opened: %v", clip(name.text), errors.Unwrap(err))
		return nil
	}
	return f
}

// file reads rows from two columns of a CSV file. A row with one of the two
// empty is for somebody else.
func (r *tableReader) file(t *Table, name located, from, to *located) {
	f := r.open(name)
	if f == nil {
		return
	}
	defer f.Close() //nolint:errcheck // opened for reading
	in := csv.NewReader(io.LimitReader(f, maxTableBytes))
	in.ReuseRecord, in.FieldsPerRecord = true, -1
	var left, right int
	for line := 0; ; line++ {
		row, err := in.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			r.p.at(name.at, "", "the file %q: %v", clip(name.text), err)
			return
		}
		at := position{file: name.text}
		at.line, at.column = in.FieldPos(0)
		if line == 0 {
			var ok bool
			if left, right, ok = r.columns(row, name, from, to); !ok {
				return
			}
			continue
		}
		if left >= len(row) || right >= len(row) {
			r.p.at(at, "", "the row has %d columns", len(row))
			return
		}
		if len(t.rows) == maxTableRows {
			r.p.at(name.at, "", "the file %q has more than %d rows", clip(name.text), maxTableRows)
			return
		}
		if row[left] != "" && row[right] != "" {
			t.add(tableRow{row[left], row[right], at})
		}
	}
	if len(t.rows) == 0 {
		r.p.at(name.at, "", "the file %q has no rows below its heading", clip(name.text))
	}
}

// columns finds the two columns by their headings.
func (r *tableReader) columns(heading []string, name located, from, to *located) (left, right int, ok bool) {
	heading = slices.Clone(heading)
	if len(heading) > 0 && len(heading[0]) > 3 && heading[0][:3] == "\xef\xbb\xbf" {
		heading[0] = heading[0][3:]
	}
	find := func(l *located, standard int) int {
		if l == nil {
			if standard < len(heading) {
				return standard
			}
			r.p.at(name.at, "", "the file %q has %d columns, two are needed", clip(name.text), len(heading))
			return -1
		}
		i := slices.Index(heading, l.text)
		if i < 0 {
			r.p.at(l.at, choose(l.text, heading), "the file %q has no column %q", clip(name.text), clip(l.text))
		}
		return i
	}
	left, right = find(from, 0), find(to, 1)
	return left, right, left >= 0 && right >= 0
}
