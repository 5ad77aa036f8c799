package mapping

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
