package mapping

import (
	"errors"
	"fmt"
	"io"
)

// jsonSource reads documents of a form one by one: one object, objects behind
// each other or on lines of their own, or an array of objects.
type jsonSource struct {
	in    *jsonTokens
	limit *limitedReader
	array bool
	begun bool
	doc   *formDoc
	found inputFaults
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
	return &jsonSource{limit: l, in: newJSONTokens(l), doc: doc}
}

// next reads the next document into doc; io.EOF behind the last one.
func (s *jsonSource) next() ([]Fault, error) {
	s.limit.left = s.limit.most
	s.doc.reset(s.doc.form)
	s.found = inputFaults{doc: s.doc}
	if !s.begun {
		s.mark()
	}
	k, err := s.in.next()
	if err == nil && !s.begun && k == '[' {
		s.array, s.begun = true, true
		k, err = s.in.next()
	}
	switch {
	case errors.Is(err, io.EOF) && s.begun:
		return nil, io.EOF
	case errors.Is(err, io.EOF):
		return nil, errors.New("the input is empty")
	case err != nil:
		return nil, s.syntax(err)
	case s.array && k == ']':
		if _, err := s.in.next(); err == nil {
			return nil, s.syntax(fmt.Errorf("%w: something follows the array of documents", errNoJSON))
		} else if !errors.Is(err, io.EOF) {
			return nil, s.syntax(err)
		}
		return nil, io.EOF
	case k != '{':
		return nil, s.syntax(fmt.Errorf("an object is wanted for a document of form %s, not %s", s.doc.form.Name, s.shown(k)))
	}
	s.begun = true
	s.doc.base = s.in.offset() - 1
	if err := s.object(0, 0); err != nil {
		return nil, s.syntax(err)
	}
	s.found.required(0)
	return s.found.list, nil
}

// mark passes over a byte order mark.
func (s *jsonSource) mark() {
	if s.in.need(3) && string(s.in.buf[s.in.pos:s.in.pos+3]) == "\xef\xbb\xbf" {
		s.in.pos += 3
	}
}

// shown names a token for a person.
func (s *jsonSource) shown(k jsonKind) string {
	switch {
	case k == jsonText:
		return fmt.Sprintf("%q", clip(s.in.text))
	case k.isScalar() || k == jsonNull:
		return string(clip(s.in.text))
	}
	return string(rune(k))
}

func (s *jsonSource) syntax(err error) error {
	return fmt.Errorf("reading JSON at byte %d: %w", s.in.offset(), err)
}

const maxFormDepth = 100

// object reads the fields of an object behind its {.
func (s *jsonSource) object(id int32, depth int) error {
	if depth > maxFormDepth {
		return fmt.Errorf("objects are nested deeper than %d", maxFormDepth)
	}
	for {
		k, err := s.in.next()
		if err != nil {
			return err
		}
		if k == '}' {
			return nil
		}
		i, ok := s.doc.objects[id].shape.byName[string(s.in.text)]
		if !ok {
			s.found.unknown(id, string(s.in.text), s.in.start)
			if k, err = s.in.next(); err == nil {
				err = s.skip(k)
			}
		} else {
			err = s.field(id, s.doc.objects[id].shape.Fields[i], depth)
		}
		if err != nil {
			return err
		}
	}
}

// skip passes over the rest of a value that begins with a token.
func (s *jsonSource) skip(k jsonKind) error {
	for depth := 0; ; {
		switch k {
		case '{', '[':
			if depth++; depth > maxFormDepth {
				return fmt.Errorf("values are nested deeper than %d", maxFormDepth)
			}
		case '}', ']':
			depth--
		}
		if depth == 0 {
			return nil
		}
		var err error
		if k, err = s.in.next(); err != nil {
			return err
		}
	}
}

func (s *jsonSource) field(id int32, f *Field, depth int) error {
	k, err := s.in.next()
	if err != nil {
		return err
	}
	offset := s.in.start
	if !k.isScalar() {
		offset = s.in.offset() - 1
	}
	at := s.doc.objects[id].base + int32(f.index) //nolint:gosec // a form has few fields
	if sl := &s.doc.slots[at]; sl.to > 0 {
		s.found.add(id, f, offset, "stands twice")
	}
	switch {
	case k == jsonNull:
		return nil
	case f.Kind == Group && k == '{':
		child := s.doc.newObject(f.Object, id, f)
		s.doc.slots[at] = slot{from: uint32(child + 1), to: uint32(child + 1), offset: s.found.offset(offset)} //nolint:gosec // positive
		return s.object(child, depth+1)
	case f.Kind == List && k == '[':
		return s.list(id, at, f, depth)
	case !f.Kind.isScalar() || !k.isScalar():
		s.found.tell(at)
		s.found.add(id, f, offset, fmt.Sprintf("is a %s, not %s", f.Kind, s.shown(k)))
		return s.skip(k)
	}
	s.found.scalar(id, at, f, f.Kind, s.in.text, offset)
	return nil
}

func (s *jsonSource) list(id, at int32, f *Field, depth int) error {
	for {
		k, err := s.in.next()
		if err != nil {
			return err
		}
		switch {
		case k == ']':
			return nil
		case f.Object != nil && k == '{':
			item := s.doc.append(at, f.Object, id, f)
			if err := s.object(item, depth+1); err != nil {
				return err
			}
		case f.Object == nil && k.isScalar():
			item := s.doc.append(at, nil, id, f)
			s.found.scalar(item, s.doc.objects[item].base, f, f.Of, s.in.text, s.in.start)
		default:
			return fmt.Errorf("the items of %s are %s, not %s", s.doc.path(id, f), itemWords(f), s.shown(k))
		}
	}
}

func itemWords(f *Field) string {
	if f.Object != nil {
		return "objects"
	}
	return "values"
}
