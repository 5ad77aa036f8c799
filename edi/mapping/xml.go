package mapping

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
)

// appendXML appends a document as an XML element with the name of its form:
// an element for each field, one for each item of a list.
func (d *formDoc) appendXML(dst []byte) []byte {
	w := xmlWriter{d: d, out: dst}
	if !w.object(0, d.form.Name, 0) {
		w.out = append(w.out, '<')
		w.out = append(w.out, d.form.Name...)
		w.out = append(w.out, "/>\n"...)
	}
	return w.out
}

type xmlWriter struct {
	d   *formDoc
	out []byte
}

func (w *xmlWriter) indent(depth int) {
	for range depth {
		w.out = append(w.out, "  "...)
	}
}

func (w *xmlWriter) tag(name string, end bool) {
	w.out = append(w.out, '<')
	if end {
		w.out = append(w.out, '/')
	}
	w.out = append(w.out, name...)
	w.out = append(w.out, '>')
}

func (w *xmlWriter) object(id int32, name string, depth int) bool {
	start := len(w.out)
	w.indent(depth)
	w.tag(name, false)
	w.out = append(w.out, '\n')
	empty := true
	o := &w.d.objects[id]
	for i, f := range o.shape.Fields {
		s := &w.d.slots[o.base+int32(i)] //nolint:gosec // a form has few fields
		if s.to == 0 {
			continue
		}
		if f.Kind.isScalar() {
			empty = !w.scalar(s, f.Name, depth+1) && empty
			continue
		}
		id, ok := s.object()
		for ; ok && id >= 0; id = w.d.objects[id].next {
			if f.Object != nil {
				empty = !w.object(id, f.Name, depth+1) && empty
			} else {
				empty = !w.scalar(&w.d.slots[w.d.objects[id].base], f.Name, depth+1) && empty
			}
		}
	}
	if empty {
		w.out = w.out[:start]
		return false
	}
	w.indent(depth)
	w.tag(name, true)
	w.out = append(w.out, '\n')
	return true
}

func (w *xmlWriter) scalar(s *slot, name string, depth int) bool {
	if s.to <= s.from {
		return false
	}
	w.indent(depth)
	w.tag(name, false)
	for _, r := range string(w.d.text[s.from:s.to]) {
		switch {
		case r == '<':
			w.out = append(w.out, "&lt;"...)
		case r == '>':
			w.out = append(w.out, "&gt;"...)
		case r == '&':
			w.out = append(w.out, "&amp;"...)
		case r == '\r' || r == '\n' || r == '\t':
			w.out = fmt.Appendf(w.out, "&#x%X;", r)
		case r < ' ' || r == 0xFFFE || r == 0xFFFF:
			w.out = append(w.out, "\uFFFD"...) // XML 1.0 has no place for it
		default:
			w.out = append(w.out, string(r)...)
		}
	}
	w.tag(name, true)
	w.out = append(w.out, '\n')
	return true
}

// xmlSource reads documents of a form one by one: the element of the form
// alone, or any number of them inside of one other element.
type xmlSource struct {
	dec   *xml.Decoder
	limit *limitedReader
	depth int
	begun bool
	doc   *formDoc
	in    inputFaults
}

func newXMLSource(r io.Reader, most int, doc *formDoc) *xmlSource {
	l := &limitedReader{r: r, most: most, left: most}
	s := &xmlSource{limit: l, dec: xml.NewDecoder(xmlBytes(l)), doc: doc}
	s.dec.CharsetReader = xmlCharset
	return s
}

// next reads the next document into doc; io.EOF behind the last one.
func (s *xmlSource) next() ([]Fault, error) {
	s.limit.left = s.limit.most
	s.doc.reset(s.doc.form)
	s.in = inputFaults{doc: s.doc}
	for {
		t, err := s.dec.Token()
		if errors.Is(err, io.EOF) {
			if !s.begun {
				return nil, errors.New("the input is empty")
			}
			return nil, io.EOF
		}
		if err != nil {
			return nil, s.syntax(err)
		}
		switch t := t.(type) {
		case xml.StartElement:
			s.begun = true
			if t.Name.Local != s.doc.form.Name {
				if s.depth++; s.depth > 1 {
					return nil, s.syntax(fmt.Errorf("element %s is wanted, not %s", s.doc.form.Name, clip(t.Name.Local)))
				}
				continue
			}
			s.doc.base = s.dec.InputOffset()
			s.attributes(0, t)
			if err := s.object(0, 0); err != nil {
				return nil, s.syntax(err)
			}
			s.in.required(0)
			return s.in.list, nil
		case xml.EndElement:
			s.depth--
		case xml.Directive:
			return nil, s.syntax(errors.New("a document type declaration is not read"))
		case xml.CharData:
			if text := strings.TrimSpace(string(t)); text != "" {
				return nil, s.syntax(fmt.Errorf("text outside of documents: %q", clip(text)))
			}
		}
	}
}

func (s *xmlSource) syntax(err error) error {
	line, column := s.dec.InputPos()
	return fmt.Errorf("reading XML at line %d, column %d: %w", line, column, err)
}

func (s *xmlSource) attributes(id int32, t xml.StartElement) {
	for _, a := range t.Attr {
		if a.Name.Space != "xmlns" && a.Name.Local != "xmlns" {
			s.in.add(id, nil, s.dec.InputOffset(), fmt.Sprintf("has the attribute %s; forms use elements only", clip(a.Name.Local)))
		}
	}
}

// object reads the elements of an object up to its end.
func (s *xmlSource) object(id int32, depth int) error {
	if depth > maxFormDepth {
		return fmt.Errorf("elements are nested deeper than %d", maxFormDepth)
	}
	for {
		t, err := s.dec.Token()
		if err != nil {
			return err
		}
		switch t := t.(type) {
		case xml.EndElement:
			return nil
		case xml.CharData:
			if text := strings.TrimSpace(string(t)); text != "" {
				s.in.add(id, nil, s.dec.InputOffset(), fmt.Sprintf("holds the text %q, elements are wanted", clip(text)))
			}
		case xml.StartElement:
			f := s.doc.objects[id].shape.field(t.Name.Local)
			if f == nil {
				s.in.unknown(id, t.Name.Local, s.dec.InputOffset())
				if err := s.dec.Skip(); err != nil {
					return err
				}
				continue
			}
			if err := s.field(id, f, t, depth); err != nil {
				return err
			}
		}
	}
}

func (s *xmlSource) field(id int32, f *Field, t xml.StartElement, depth int) error {
	at := s.doc.objects[id].base + int32(f.index) //nolint:gosec // a form has few fields
	if f.Kind != List && s.doc.slots[at].to > 0 {
		s.in.add(id, f, s.dec.InputOffset(), "stands twice")
	}
	switch {
	case f.Kind == Group:
		child := s.doc.newObject(f.Object, id, f)
		s.doc.slots[at] = slot{from: uint32(child + 1), to: uint32(child + 1), offset: s.in.offset(s.dec.InputOffset())} //nolint:gosec // positive
		s.attributes(child, t)
		return s.object(child, depth+1)
	case f.Object != nil:
		item := s.doc.append(at, f.Object, id, f)
		s.attributes(item, t)
		return s.object(item, depth+1)
	}
	offset := s.dec.InputOffset()
	var text strings.Builder
	for {
		t, err := s.dec.Token()
		if err != nil {
			return err
		}
		switch t := t.(type) {
		case xml.CharData:
			text.Write(t)
		case xml.StartElement:
			s.in.add(id, f, offset, "holds a value, no elements")
			if err := s.dec.Skip(); err != nil {
				return err
			}
		case xml.EndElement:
			kind, v := f.Kind, text.String()
			if kind == List {
				kind = f.Of
				item := s.doc.append(at, nil, id, f)
				id, at = item, s.doc.objects[item].base
			}
			if kind != Text {
				v = strings.TrimSpace(v)
			}
			s.in.scalar(id, at, f, kind, []byte(v), offset)
			return nil
		}
	}
}
