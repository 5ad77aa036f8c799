package mapping

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// column is one column of a sheet: a value of the document, or of the items of
// its rows.
type column struct {
	title string
	path  []*Field // from the document, or from an item of the rows
	row   bool
}

// columns lays a form out as a sheet: every value that stands in no list, and
// every value of the list that makes the rows. The text says why a form has no
// sheet.
func (f *Form) columns() ([]column, string) {
	if f.Sheet == nil {
		return nil, "form " + f.Name + " has no csv: section, which says how a document lies in rows"
	}
	var out []column
	var add func(o *Object, path []*Field, row bool, depth int)
	add = func(o *Object, path []*Field, row bool, depth int) {
		for _, field := range o.Fields {
			at := append(slices.Clone(path), field)
			switch {
			case field.Kind.isScalar():
				out = append(out, column{title: title(at, row, f.Sheet), path: at, row: row})
			case field.Kind == Group && depth < 8:
				add(field.Object, at, row, depth+1)
			}
		}
	}
	add(f.Root, nil, false, 0)
	if f.Sheet.Rows != "" {
		rows := f.Root.field(f.Sheet.Rows)
		if rows.Object == nil {
			out = append(out, column{title: rows.Name, row: true})
		} else {
			add(rows.Object, nil, true, 0)
		}
	}
	return out, ""
}

func title(path []*Field, row bool, s *Sheet) string {
	last := path[len(path)-1]
	if last.Header != "" {
		return last.Header
	}
	var names fieldPath
	if row {
		names = append(names, s.Rows)
	}
	for _, f := range path {
		names = append(names, f.Name)
	}
	return names.String()
}

// rows returns the document as rows of a sheet, and the lists that have no
// columns and stay behind.
func (d *formDoc) rows(columns []column) ([][]string, []Fault) {
	var left []Fault
	d.listsBeside(0, d.form.Sheet.Rows, &left)
	var rowsField *Field
	items := []int32{-1}
	if d.form.Sheet.Rows != "" {
		rowsField = d.form.Root.field(d.form.Sheet.Rows)
		s := d.slots[int32(rowsField.index)] //nolint:gosec // a form has few fields
		if id, ok := s.object(); ok {
			items = items[:0]
			for ; id >= 0; id = d.objects[id].next {
				items = append(items, id)
				if rowsField.Object != nil {
					d.listsBeside(id, "", &left)
				}
			}
		}
	}
	out := make([][]string, 0, len(items))
	for _, item := range items {
		row := make([]string, len(columns))
		for i, c := range columns {
			at := int32(0)
			if c.row {
				at = item
			}
			if at < 0 {
				continue
			}
			row[i] = d.cell(at, c.path)
		}
		out = append(out, row)
	}
	return out, left
}

func (d *formDoc) cell(id int32, path []*Field) string {
	at := d.objects[id].base
	for i, f := range path {
		at = d.objects[id].base + int32(f.index) //nolint:gosec // a form has few fields
		if i < len(path)-1 {
			var ok bool
			if id, ok = d.slots[at].object(); !ok {
				return ""
			}
		}
	}
	s := d.slots[at]
	return string(d.text[s.from:s.to])
}

// listsBeside finds lists that a sheet has no columns for.
func (d *formDoc) listsBeside(id int32, rows string, left *[]Fault) {
	o := d.objects[id]
	for i, f := range o.shape.Fields {
		s := d.slots[o.base+int32(i)] //nolint:gosec // a form has few fields
		child, ok := s.object()
		switch {
		case f.Kind.isScalar() || !ok || len(*left) >= maxProblems:
		case f.Kind == Group:
			d.listsBeside(child, "", left)
		case f.Name != rows:
			*left = append(*left, Fault{Text: "CSV has no columns for a list beside the one that makes the rows", Target: d.path(id, f)})
		}
	}
}

// csvSource reads documents of a form from a sheet: rows behind each other
// with the same key are one document.
type csvSource struct {
	in      *csv.Reader
	doc     *formDoc
	columns []column
	order   []int // column of the form for each of the file, -1 for none
	key     []int // columns of the file that make the key
	ahead   []string
	aheadAt int64
	done    bool
	limit   int
	lines   *limitedLines
}

func newCSVSource(r io.Reader, most int, doc *formDoc) (*csvSource, error) {
	columns, bad := doc.form.columns()
	if bad != "" {
		return nil, errors.New(bad)
	}
	b := bufio.NewReader(r)
	if mark, _ := b.Peek(3); string(mark) == "\xef\xbb\xbf" {
		if _, err := b.Discard(3); err != nil {
			return nil, err
		}
	}
	lines := &limitedLines{r: b, most: most}
	s := &csvSource{in: csv.NewReader(lines), lines: lines, doc: doc, columns: columns, limit: most}
	if s.in.Comma = doc.form.Sheet.Separator; s.in.Comma == 0 {
		s.in.Comma = separator(b)
	}
	heading, err := s.in.Read()
	if errors.Is(err, io.EOF) {
		return nil, errors.New("the input is empty")
	}
	if err != nil {
		return nil, fmt.Errorf("reading CSV: %w", err)
	}
	titles := make([]string, len(columns))
	for i, c := range columns {
		titles[i] = c.title
	}
	for _, h := range heading {
		i := slices.Index(titles, strings.TrimSpace(h))
		if i < 0 {
			return nil, fmt.Errorf("the sheet of form %s has no column %q; %s", doc.form.Name, clip(h), choose(h, titles))
		}
		if slices.Contains(s.order, i) {
			return nil, fmt.Errorf("column %q stands twice", clip(h))
		}
		s.order = append(s.order, i)
	}
	for _, name := range doc.form.Sheet.Key {
		at := -1
		for file, i := range s.order {
			if c := columns[i]; !c.row && len(c.path) == 1 && c.path[0].Name == name {
				at = file
			}
		}
		if at < 0 {
			return nil, fmt.Errorf("column %q is missing: it tells one document from the next", name)
		}
		s.key = append(s.key, at)
	}
	return s, nil
}

// separator finds what stands between the cells of a heading: spreadsheets write
// semicolons where the decimal mark is a comma.
func separator(b *bufio.Reader) rune {
	heading, _ := b.Peek(b.Size())
	if at := bytes.IndexAny(heading, "\r\n"); at >= 0 {
		heading = heading[:at]
	}
	best, most := ',', bytes.Count(heading, []byte{','})
	for _, c := range ";\t" {
		if n := bytes.Count(heading, []byte(string(c))); n > most {
			best, most = c, n
		}
	}
	return best
}

// limitedLines bounds what one row may take.
type limitedLines struct {
	r    io.Reader
	most int
	n    int
}

func (l *limitedLines) Read(b []byte) (int, error) {
	if l.n > l.most {
		return 0, fmt.Errorf("%w: a row has more than %d bytes", errTooLong, l.most)
	}
	n, err := l.r.Read(b)
	l.n += n
	return n, err
}

// row reads the next row.
func (s *csvSource) row() ([]string, error) {
	s.lines.n = 0
	s.aheadAt = s.in.InputOffset()
	row, err := s.in.Read()
	if err == nil || errors.Is(err, io.EOF) {
		return row, err
	}
	return nil, fmt.Errorf("reading CSV: %w", err)
}

func (s *csvSource) sameKey(a, b []string) bool {
	for _, k := range s.key {
		if a[k] != b[k] && b[k] != "" {
			return false
		}
	}
	return len(s.key) > 0
}

// next reads the next document into doc; io.EOF behind the last one.
func (s *csvSource) next() ([]Fault, error) {
	s.doc.reset(s.doc.form)
	if s.ahead == nil && !s.done {
		row, err := s.row()
		if err != nil {
			return nil, err
		}
		s.ahead = row
	}
	if s.ahead == nil {
		return nil, io.EOF
	}
	in := inputFaults{doc: s.doc}
	s.doc.base = s.aheadAt
	first := s.ahead
	for {
		s.fill(&in, s.ahead, s.aheadAt)
		if s.doc.size() > s.limit {
			return nil, errTooLong
		}
		row, err := s.row()
		if errors.Is(err, io.EOF) {
			s.ahead, s.done = nil, true
			break
		}
		if err != nil {
			return nil, err
		}
		s.ahead = row
		if !s.sameKey(first, row) {
			break
		}
	}
	in.required(0)
	return in.list, nil
}

// fill takes one row into the document.
func (s *csvSource) fill(in *inputFaults, row []string, offset int64) {
	d, item := s.doc, int32(-1)
	for file, i := range s.order {
		c, v := s.columns[i], row[file]
		if v == "" {
			continue
		}
		id := int32(0)
		if c.row {
			if item < 0 {
				item = s.item()
			}
			id = item
		}
		if len(c.path) == 0 {
			rows := d.form.Root.field(d.form.Sheet.Rows)
			in.scalar(id, d.objects[id].base, rows, rows.Of, []byte(v), offset)
			continue
		}
		f := c.path[len(c.path)-1]
		for _, group := range c.path[:len(c.path)-1] {
			at := d.objects[id].base + int32(group.index) //nolint:gosec // a form has few fields
			child, ok := d.slots[at].object()
			if !ok {
				child = d.newObject(group.Object, id, group)
				d.slots[at] = slot{from: uint32(child + 1), to: uint32(child + 1)} //nolint:gosec // positive
			}
			id = child
		}
		at := d.objects[id].base + int32(f.index) //nolint:gosec // a form has few fields
		have := d.slots[at]
		in.scalar(id, at, f, f.Kind, []byte(v), offset)
		if now := d.slots[at]; have.to > 0 && now.from != have.from {
			if string(d.text[have.from:have.to]) != string(d.text[now.from:now.to]) {
				in.add(id, f, offset, fmt.Sprintf("is %q in this row and %q in one before of the same document", clip(v), clip(d.text[have.from:have.to])))
			}
			d.text, d.slots[at] = d.text[:now.from], have
		}
	}
}

// item adds an item to the list that makes the rows.
func (s *csvSource) item() int32 {
	f := s.doc.form.Root.field(s.doc.form.Sheet.Rows)
	at := int32(f.index) //nolint:gosec // a form has few fields
	return s.doc.append(at, f.Object, 0, f)
}
