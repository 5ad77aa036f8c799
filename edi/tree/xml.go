package tree

import (
	"bufio"
	"bytes"
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"unicode/utf8"

	"tradepost/edi/validate"
)

// WriteXML reads EDI and writes the tree of WriteJSON as XML 1.0:
//
//	<edi format="tradepost-edi-tree-1">
//	  <interchange control="000000001" standard="X12" ...>
//	    <delimiters segment="~" element="*" component=">" .../>
//	    <segment id="ISA" ...>...</segment>
//	    <group control="1" type="PO" version="004010">
//	      <document control="0001" type="850" guide="x12/004010/850">
//	        <segment id="BEG" name="Start of a purchase order">
//	          <element position="1" name="..." meaning="Original">00</element>
//	        </segment>
//	        <loop id="N1" name="Party">...</loop>
//
// A composite holds <component> and a repeated element <repeat>. A text with
// characters that XML has no place for says escape="json" and writes them as
// JSON does. WriteEDIFromXML gives the bytes of the input back.
func WriteXML(ctx context.Context, w io.Writer, r io.Reader, o validate.Options) error {
	in, out := io.Pipe()
	done := make(chan error, 1)
	go func() {
		err := WriteJSON(ctx, out, r, o)
		done <- err
		_ = out.CloseWithError(err) // io.EOF when it is nil
	}()
	x := &xmlWriter{in: newScanner(in), w: bufio.NewWriterSize(w, scanSize)}
	_, _ = x.w.WriteString(`<?xml version="1.0" encoding="UTF-8"?>` + "\n") // a failure comes back with Flush
	err := x.object(0)
	_ = in.CloseWithError(err)
	if wrote := <-done; wrote != nil && !errors.Is(wrote, io.ErrClosedPipe) {
		return errors.Join(wrote, x.w.Flush())
	}
	return errors.Join(err, x.w.Flush())
}

// xmlWriter turns the JSON form into XML, a segment at a time.
type xmlWriter struct {
	in   *scanner
	w    *bufio.Writer
	head []byte // attributes of the object being read
	body []byte // elements of a segment
	text []byte
}

// kinds gives the XML element of an object by the member that begins it, and
// the attribute this member becomes.
func kinds(key string) (name, attribute string, ok bool) {
	switch key {
	case "format":
		return "edi", "format", true
	case "interchange", "group", "document":
		return key, "control", true
	case "loop", "segment":
		return key, "id", true
	}
	return "", "", false
}

// object writes one object of the JSON form.
func (x *xmlWriter) object(depth int) error {
	if err := x.in.take('{'); err != nil {
		return err
	}
	x.head, x.body = x.head[:0], x.body[:0]
	kind, opened := "", false
	for first := true; ; first = false {
		ok, err := x.in.more(first, '}')
		if err != nil {
			return err
		}
		if !ok {
			break
		}
		key, err := x.in.key()
		if err != nil {
			return err
		}
		name := string(key)
		switch {
		case first:
			attribute := ""
			if kind, attribute, ok = kinds(name); !ok {
				return fmt.Errorf("an object begins with %q: %w", name, ErrFormat)
			}
			err = x.attribute(attribute)
		case name == "delimiters":
			err = x.delimiters(depth + 1)
		case name == "parts":
			opened = true
			x.open(kind, depth)
			err = x.in.list(func() error { return x.object(depth + 1) })
		case name == "elements":
			err = x.elements(depth + 1)
		case name == "trailing" || name == "trailing_base64":
			err = x.trailing(name)
		default:
			err = x.attribute(name)
		}
		if err != nil {
			return err
		}
	}
	switch {
	case opened:
		x.indent(depth)
		_, _ = fmt.Fprintf(x.w, "</%s>\n", kind)
	case len(x.body) > 0:
		x.open(kind, depth)
		_, _ = x.w.Write(x.body)
		x.indent(depth)
		_, _ = fmt.Fprintf(x.w, "</%s>\n", kind)
	default:
		x.indent(depth)
		_, _ = fmt.Fprintf(x.w, "<%s%s/>\n", kind, x.head)
	}
	return nil
}

func (x *xmlWriter) indent(depth int) {
	for range depth {
		_, _ = x.w.WriteString("  ")
	}
}

// open writes the start tag; what is wrong with the writer comes back with
// Flush.
func (x *xmlWriter) open(kind string, depth int) {
	x.indent(depth)
	_, _ = fmt.Fprintf(x.w, "<%s%s>\n", kind, x.head)
	for len(x.body) > 0 && kind == "interchange" { // the delimiters stand first
		_, _ = x.w.Write(x.body)
		x.body = x.body[:0]
	}
}

// attribute reads a member and keeps it as an attribute.
func (x *xmlWriter) attribute(name string) error {
	var err error
	if name == "count" {
		n, err := x.in.number()
		x.head = fmt.Appendf(x.head, ` count="%d"`, n)
		return err
	}
	if x.text, err = x.in.text(x.text[:0]); err != nil {
		return err
	}
	if (name == "lead" || name == "raw" || name == "id") && !isXML(x.text) {
		name += "_json"
		x.text = appendEscaped(nil, string(x.text))
	}
	x.head = append(x.head, ' ')
	x.head = append(append(x.head, name...), `="`...)
	x.head = append(appendXML(x.head, x.text), '"')
	return nil
}

// delimiters writes the service characters; those that XML has no place for
// are numbers in angle brackets.
func (x *xmlWriter) delimiters(depth int) error {
	if err := x.in.take('{'); err != nil {
		return err
	}
	x.body = append(appendIndent(x.body, depth), "<delimiters"...)
	for first := true; ; first = false {
		ok, err := x.in.more(first, '}')
		if err != nil {
			return err
		}
		if !ok {
			x.body = append(x.body, "/>\n"...)
			return nil
		}
		key, err := x.in.key()
		if err != nil {
			return err
		}
		x.body = append(append(append(x.body, ' '), key...), `="`...)
		if x.text, err = x.in.text(x.text[:0]); err != nil {
			return err
		}
		for _, c := range x.text {
			if c < ' ' {
				x.body = fmt.Appendf(x.body, "&lt;%02x&gt;", c)
			} else {
				x.body = appendXML(x.body, []byte{c})
			}
		}
		x.body = append(x.body, '"')
	}
}

// trailing writes what stands behind the last segment.
func (x *xmlWriter) trailing(name string) error {
	var err error
	if x.text, err = x.in.text(x.text[:0]); err != nil {
		return err
	}
	escape := ""
	if name == "trailing_base64" {
		escape = ` escape="base64"`
	} else if !isXML(x.text) {
		escape = ` escape="json"`
		x.text = appendEscaped(nil, string(x.text))
	}
	_, err = fmt.Fprintf(x.w, "  <trailing%s>%s</trailing>\n", escape, appendXML(nil, x.text))
	return err
}

// elements reads the elements of a segment into body.
func (x *xmlWriter) elements(depth int) error {
	return x.in.list(func() error { return x.element("element", depth) })
}

// element reads an element or a repetition.
func (x *xmlWriter) element(tag string, depth int) error {
	if err := x.in.take('{'); err != nil {
		return err
	}
	x.body = append(append(appendIndent(x.body, depth), '<'), tag...)
	// Attributes stand in front of the content, "meaning" behind the value.
	var value []byte
	hasValue := false
	var content []byte
	for first := true; ; first = false {
		ok, err := x.in.more(first, '}')
		if err != nil {
			return err
		}
		if !ok {
			break
		}
		key, err := x.in.key()
		if err != nil {
			return err
		}
		switch name := string(key); name {
		case "position":
			n, err := x.in.number()
			if err != nil {
				return err
			}
			x.body = strconv.AppendInt(append(x.body, ` position="`...), int64(n), 10)
			x.body = append(x.body, '"')
		case "value":
			hasValue = true
			value, err = x.in.text(value)
		case "components", "repeats":
			inner := len(x.body)
			err = x.in.list(func() error {
				if name == "repeats" {
					return x.element("repeat", depth+1)
				}
				var err error
				if x.text, err = x.in.text(x.text[:0]); err != nil {
					return err
				}
				x.body = appendText(append(appendIndent(x.body, depth+1), "<component"...), x.text)
				x.body = append(x.body, "</component>\n"...)
				return nil
			})
			content = slices.Clone(x.body[inner:])
			x.body = x.body[:inner]
		default:
			if x.text, err = x.in.text(x.text[:0]); err == nil {
				x.body = append(append(append(x.body, ' '), name...), `="`...)
				x.body = append(appendXML(x.body, x.text), '"')
			}
		}
		if err != nil {
			return err
		}
	}
	switch {
	case content != nil:
		x.body = append(append(x.body, ">\n"...), content...)
		x.body = appendIndent(x.body, depth)
	case hasValue:
		x.body = appendText(x.body, value)
	default:
		x.body = append(x.body, '>')
	}
	x.body = append(append(append(x.body, "</"...), tag...), ">\n"...)
	return nil
}

// appendText ends a start tag and appends its text.
func appendText(dst, text []byte) []byte {
	if !isXML(text) {
		dst = append(dst, ` escape="json"`...)
		text = appendEscaped(nil, string(text))
	}
	return appendXML(append(dst, '>'), text)
}

func appendIndent(dst []byte, depth int) []byte {
	for range depth {
		dst = append(dst, "  "...)
	}
	return dst
}

// isXML tells whether XML 1.0 has a place for every character of a text.
func isXML(text []byte) bool {
	for _, c := range text {
		if c < ' ' && c != '\t' && c != '\n' && c != '\r' || c == 0xEF {
			return !bytes.ContainsFunc(text, func(r rune) bool {
				return r < ' ' && r != '\t' && r != '\n' && r != '\r' || r == 0xFFFE || r == 0xFFFF
			})
		}
	}
	return true
}

// appendXML appends a text with what has a meaning in XML written out.
// Characters without a place become U+FFFD.
func appendXML(dst, text []byte) []byte {
	for i := 0; i < len(text); {
		c := text[i]
		switch {
		case c == '<':
			dst = append(dst, "&lt;"...)
		case c == '>':
			dst = append(dst, "&gt;"...)
		case c == '&':
			dst = append(dst, "&amp;"...)
		case c == '"':
			dst = append(dst, "&#34;"...)
		case c == '\t' || c == '\n' || c == '\r':
			dst = fmt.Appendf(dst, "&#%d;", c)
		case c < ' ':
			dst = append(dst, "\uFFFD"...)
		case c < utf8.RuneSelf:
			dst = append(dst, c)
		default:
			r, n := utf8.DecodeRune(text[i:])
			if r == 0xFFFE || r == 0xFFFF {
				r = utf8.RuneError
			}
			dst = utf8.AppendRune(dst, r)
			i += n
			continue
		}
		i++
	}
	return dst
}

// WriteEDIFromXML reads the tree that WriteXML writes and writes the EDI it
// stands for: the very bytes it was made from, unless it was edited.
func WriteEDIFromXML(w io.Writer, r io.Reader) error {
	in, out := io.Pipe()
	limit := &tokenLimit{r: r, left: maxValue}
	x := &xmlReader{dec: xml.NewDecoder(limit), limit: limit, w: bufio.NewWriterSize(out, scanSize)}
	go func() {
		err := x.document()
		if err == nil {
			err = x.w.Flush()
		}
		_ = out.CloseWithError(err)
	}()
	err := WriteEDI(w, in)
	_ = in.CloseWithError(err)
	return err
}

// tokenLimit ends an input in which one token of XML is too long.
type tokenLimit struct {
	r    io.Reader
	left int
}

func (l *tokenLimit) Read(b []byte) (int, error) {
	if l.left <= 0 {
		return 0, fmt.Errorf("one part of it is longer than %d bytes: %w", maxValue, ErrFormat)
	}
	n, err := l.r.Read(b[:min(len(b), l.left)])
	l.left -= n
	return n, err
}
