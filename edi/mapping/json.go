package mapping

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"unicode/utf8"
)

// appendJSON appends a document as a JSON object. Numbers stand as they are,
// with all their digits. Objects without values stay out. With indent it takes
// a line for each field.
func (d *formDoc) appendJSON(dst []byte, indent bool) []byte {
	w := jsonWriter{d: d, out: dst, indent: indent}
	if !w.object(0, 0) {
		w.out = append(w.out, "{}"...)
	}
	return w.out
}

type jsonWriter struct {
	d      *formDoc
	out    []byte
	indent bool
}

func (w *jsonWriter) newline(depth int) {
	if w.indent {
		w.out = append(w.out, '\n')
		for range depth {
			w.out = append(w.out, "  "...)
		}
	}
}

// object writes an object, and nothing when none of its fields has a value.
func (w *jsonWriter) object(id int32, depth int) bool {
	start := len(w.out)
	w.out = append(w.out, '{')
	o := &w.d.objects[id]
	first := true
	for i, f := range o.shape.Fields {
		s := &w.d.slots[o.base+int32(i)] //nolint:gosec // a form has few fields
		if s.to == 0 {
			continue
		}
		mark := len(w.out)
		if !first {
			w.out = append(w.out, ',')
		}
		w.newline(depth + 1)
		w.out = append(w.out, '"')
		w.out = append(w.out, f.Name...)
		w.out = append(w.out, '"', ':')
		if w.indent {
			w.out = append(w.out, ' ')
		}
		if w.field(f, s, depth+1) {
			first = false
		} else {
			w.out = w.out[:mark]
		}
	}
	if first {
		w.out = w.out[:start]
		return false
	}
	w.newline(depth)
	w.out = append(w.out, '}')
	return true
}

func (w *jsonWriter) field(f *Field, s *slot, depth int) bool {
	switch f.Kind {
	case Group:
		id, ok := s.object()
		return ok && w.object(id, depth)
	case List:
		return w.list(f, s, depth)
	}
	return w.scalar(f.Kind, s)
}

func (w *jsonWriter) scalar(k Kind, s *slot) bool {
	if s.to <= s.from {
		return false
	}
	v := w.d.text[s.from:s.to]
	if k.isNumber() || k == Boolean {
		w.out = append(w.out, v...)
		return true
	}
	w.out = appendJSONString(w.out, v)
	return true
}

func (w *jsonWriter) list(f *Field, s *slot, depth int) bool {
	start := len(w.out)
	w.out = append(w.out, '[')
	first := true
	id, ok := s.object()
	for ; ok && id >= 0; id = w.d.objects[id].next {
		mark := len(w.out)
		if !first {
			w.out = append(w.out, ',')
		}
		w.newline(depth + 1)
		var has bool
		if f.Object != nil {
			has = w.object(id, depth+1)
		} else {
			has = w.scalar(f.Of, &w.d.slots[w.d.objects[id].base])
		}
		if has {
			first = false
		} else {
			w.out = w.out[:mark]
		}
	}
	if first {
		w.out = w.out[:start]
		return false
	}
	w.newline(depth)
	w.out = append(w.out, ']')
	return true
}

// appendJSONString appends UTF-8 text in quotes.
func appendJSONString(dst, v []byte) []byte {
	const hex = "0123456789abcdef"
	dst = append(dst, '"')
	from := 0
	for i, b := range v {
		if b >= ' ' && b != '"' && b != '\\' && b != 0x7f {
			continue
		}
		dst = append(dst, v[from:i]...)
		switch b {
		case '"', '\\':
			dst = append(dst, '\\', b)
		case '\n':
			dst = append(dst, '\\', 'n')
		case '\t':
			dst = append(dst, '\\', 't')
		default:
			dst = append(dst, '\\', 'u', '0', '0', hex[b>>4], hex[b&15])
		}
		from = i + 1
	}
	dst = append(dst, v[from:]...)
	return append(dst, '"')
}

// jsonSource reads documents of a form one by one: one object, objects behind
// each other or on lines of their own, or an array of objects.
type jsonSource struct {
	dec   *json.Decoder
	limit *limitedReader
	array bool
	begun bool
	doc   *formDoc
	in    inputFaults
}

// limitedReader ends an input inside of which one document is longer than it
// may be.
type limitedReader struct {
	r    io.Reader
	most int
	left int
}

var errTooLong = errors.New("the document is longer than it may be")

func (l *limitedReader) Read(b []byte) (int, error) {
	if l.left <= 0 {
		return 0, fmt.Errorf("%w: %d bytes", errTooLong, l.most)
	}
	n, err := l.r.Read(b[:min(len(b), l.left)])
	l.left -= n
	return n, err
}

func newJSONSource(r io.Reader, most int, doc *formDoc) *jsonSource {
	l := &limitedReader{r: r, most: most, left: most}
	s := &jsonSource{limit: l, dec: json.NewDecoder(l), doc: doc}
	s.dec.UseNumber()
	return s
}

// next reads the next document into doc; io.EOF behind the last one.
func (s *jsonSource) next() ([]Fault, error) {
	s.limit.left = s.limit.most
	s.doc.reset(s.doc.form)
	s.in = inputFaults{doc: s.doc}
	t, err := s.dec.Token()
	switch {
	case err != nil:
		if errors.Is(err, io.EOF) && !s.begun {
			return nil, s.syntax(errors.New("the input is empty"))
		}
		return nil, s.syntax(err)
	case !s.begun && t == json.Delim('['):
		s.array, s.begun = true, true
		return s.next()
	case s.array && t == json.Delim(']'):
		if t, err = s.dec.Token(); err == nil {
			err = fmt.Errorf("%v follows the array of documents", t)
		}
		if !errors.Is(err, io.EOF) {
			return nil, s.syntax(err)
		}
		return nil, io.EOF
	case t != json.Delim('{'):
		return nil, s.syntax(fmt.Errorf("an object is wanted for a document of form %s, not %v", s.doc.form.Name, t))
	}
	s.begun = true
	s.doc.base = s.dec.InputOffset() - 1
	if err := s.object(0, 0); err != nil {
		return nil, s.syntax(err)
	}
	s.in.required(0)
	return s.in.list, nil
}

func (s *jsonSource) syntax(err error) error {
	if errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return io.EOF
	}
	var bad *json.SyntaxError
	if errors.As(err, &bad) {
		return fmt.Errorf("the input is no JSON at byte %d: %w", bad.Offset, err)
	}
	return fmt.Errorf("reading JSON at byte %d: %w", s.dec.InputOffset(), err)
}

const maxFormDepth = 100

// object reads the fields of an object behind its {.
func (s *jsonSource) object(id int32, depth int) error {
	if depth > maxFormDepth {
		return fmt.Errorf("objects are nested deeper than %d", maxFormDepth)
	}
	for {
		t, err := s.token()
		if err != nil {
			return err
		}
		if t == json.Delim('}') {
			return nil
		}
		name, _ := t.(string)
		f := s.doc.objects[id].shape.field(name)
		if f == nil {
			s.in.unknown(id, name, s.dec.InputOffset())
			if err := s.skip(0); err != nil {
				return err
			}
			continue
		}
		if err := s.field(id, f, depth); err != nil {
			return err
		}
	}
}

// token reads a token that has to be there.
func (s *jsonSource) token() (json.Token, error) {
	t, err := s.dec.Token()
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return t, err
}

// skip passes over one value.
func (s *jsonSource) skip(depth int) error {
	t, err := s.token()
	if err != nil {
		return err
	}
	if t != json.Delim('{') && t != json.Delim('[') {
		return nil
	}
	if depth > maxFormDepth {
		return fmt.Errorf("values are nested deeper than %d", maxFormDepth)
	}
	for s.dec.More() {
		if err := s.skip(depth + 1); err != nil {
			return err
		}
	}
	_, err = s.token()
	return err
}

func (s *jsonSource) field(id int32, f *Field, depth int) error {
	t, err := s.token()
	if err != nil {
		return err
	}
	offset := s.dec.InputOffset()
	at := s.doc.objects[id].base + int32(f.index) //nolint:gosec // a form has few fields
	if sl := &s.doc.slots[at]; sl.to > 0 {
		s.in.add(id, f, offset, "stands twice")
	}
	switch {
	case t == nil:
		return nil
	case f.Kind == Group && t == json.Delim('{'):
		child := s.doc.newObject(f.Object, id, f)
		s.doc.slots[at] = slot{from: uint32(child + 1), to: uint32(child + 1), offset: s.in.offset(offset)} //nolint:gosec // positive
		return s.object(child, depth+1)
	case f.Kind == List && t == json.Delim('['):
		return s.list(id, at, f, depth)
	case t == json.Delim('{') || t == json.Delim('['):
		s.in.tell(at)
		s.in.add(id, f, offset, fmt.Sprintf("is a %s, not %v", f.Kind, t))
		for s.dec.More() {
			if err := s.skip(depth); err != nil {
				return err
			}
		}
		_, err := s.token()
		return err
	case !f.Kind.isScalar():
		s.in.tell(at)
		s.in.add(id, f, offset, fmt.Sprintf("is a %s, not %q", f.Kind, clip(fmt.Sprint(t))))
		return nil
	}
	s.in.scalar(id, at, f, f.Kind, jsonText(t), startOf(t, offset))
	return nil
}

// startOf is where a scalar token that ends at an offset begins, when no
// escapes stand in it.
func startOf(t json.Token, end int64) int64 {
	n := len(jsonText(t))
	if _, ok := t.(string); ok {
		n++ // the closing quote: the value itself begins behind the opening one
	}
	return end - int64(n)
}

// jsonText is the text of a scalar token: numbers with all their digits.
func jsonText(t json.Token) string {
	switch t := t.(type) {
	case string:
		return t
	case json.Number:
		return string(t)
	}
	return fmt.Sprint(t)
}

func (s *jsonSource) list(id, at int32, f *Field, depth int) error {
	for {
		t, err := s.token()
		if err != nil {
			return err
		}
		offset := s.dec.InputOffset()
		switch {
		case t == json.Delim(']'):
			return nil
		case f.Object != nil && t == json.Delim('{'):
			item := s.doc.append(at, f.Object, id, f)
			if err := s.object(item, depth+1); err != nil {
				return err
			}
		case f.Object == nil && t != json.Delim('{') && t != json.Delim('[') && t != nil:
			item := s.doc.append(at, nil, id, f)
			s.in.scalar(item, s.doc.objects[item].base, f, f.Of, jsonText(t), startOf(t, offset))
		default:
			return fmt.Errorf("the items of %s are %s, not %v", s.doc.path(id, f), itemWords(f), t)
		}
	}
}

func itemWords(f *Field) string {
	if f.Object != nil {
		return "objects"
	}
	return "values"
}

// inputFaults collects what is wrong with a document of a form.
type inputFaults struct {
	doc  *formDoc
	list []Fault
	told map[int32]bool // slots that have a fault
}

// tell notes that a slot has a fault: it is not missing, too.
func (in *inputFaults) tell(at int32) {
	if in.told == nil {
		in.told = map[int32]bool{}
	}
	in.told[at] = true
}

func (in *inputFaults) offset(at int64) uint32 {
	return uint32(max(at-in.doc.base, 0)) //nolint:gosec // below the limit of a document
}

func (in *inputFaults) add(id int32, f *Field, offset int64, text string) {
	if len(in.list) < maxProblems {
		in.list = append(in.list, Fault{Text: text, Source: Location{Path: in.doc.path(id, f), Offset: offset}})
	}
}

func (in *inputFaults) unknown(id int32, name string, offset int64) {
	path := in.doc.path(id, nil)
	if path != "" {
		path += "."
	}
	if len(in.list) < maxProblems {
		in.list = append(in.list, Fault{Text: "form " + in.doc.form.Name + " has no such field; " + choose(name, in.doc.objects[id].shape.names()), Source: Location{Path: clip(path + name), Offset: offset}})
	}
}

// scalar checks a value and puts it into a slot.
func (in *inputFaults) scalar(id, at int32, f *Field, kind Kind, v string, offset int64) {
	d := in.doc
	var bad string
	from := len(d.text)
	switch {
	case v == "":
		return
	case !utf8.ValidString(v):
		bad = "is no UTF-8 text"
	case kind == Text:
		d.text = append(d.text, v...)
	default:
		d.text, bad = kind.check(d.text, []byte(v))
	}
	if bad == "" && f.Kind != List {
		bad = d.fits(f, d.text[from:])
	}
	if bad != "" {
		d.text = d.text[:from]
		in.tell(at)
		if len(in.list) < maxProblems {
			in.list = append(in.list, Fault{Text: fmt.Sprintf("%q %s", clip(v), bad), Source: Location{Path: d.path(id, fieldOf(f)), Offset: offset, Value: clip(v)}})
		}
		return
	}
	d.slots[at] = slot{from: uint32(from), to: uint32(len(d.text)), offset: in.offset(offset)} //nolint:gosec // below the limit of a document
}

// fieldOf leaves out the field of a list, which the path of its item names.
func fieldOf(f *Field) *Field {
	if f.Kind == List {
		return nil
	}
	return f
}

// required reports required fields without a value, in objects that are there.
func (in *inputFaults) required(id int32) {
	o := in.doc.objects[id]
	if o.shape == nil {
		return
	}
	for i, f := range o.shape.Fields {
		s := in.doc.slots[o.base+int32(i)] //nolint:gosec // a form has few fields
		if s.to == 0 {
			if f.Required && !in.told[o.base+int32(i)] { //nolint:gosec // the same
				in.add(id, f, in.doc.base, "is required and missing")
			}
			continue
		}
		if f.Object == nil {
			continue
		}
		first, _ := s.object()
		for item := first; item >= 0; item = in.doc.objects[item].next {
			in.required(item)
		}
	}
}
