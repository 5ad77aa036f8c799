package mapping

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

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
