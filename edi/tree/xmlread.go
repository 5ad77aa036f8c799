package tree

import (
	"bufio"
	"encoding/base64"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// xmlReader turns the XML form into the JSON form.
type xmlReader struct {
	dec   *xml.Decoder
	limit *tokenLimit
	w     *bufio.Writer
	out   []byte
}

func (x *xmlReader) token() (xml.Token, error) {
	x.limit.left = maxValue
	for {
		t, err := x.dec.Token()
		switch t := t.(type) {
		case xml.Comment, xml.ProcInst:
			continue
		case xml.Directive:
			return nil, x.fail("a document type declaration is not read: %.40q", string(t))
		}
		var bad *xml.SyntaxError
		if errors.As(err, &bad) {
			return nil, x.fail("it is no XML: %s", bad.Msg)
		}
		return t, err
	}
}

// fail places a mistake of the input.
func (x *xmlReader) fail(format string, args ...any) error {
	line, column := x.dec.InputPos()
	return fmt.Errorf("line %d, column %d: %s: %w", line, column, fmt.Sprintf(format, args...), ErrFormat)
}

// start returns the next start tag, or nil at the end of the element around.
func (x *xmlReader) start() (*xml.StartElement, error) {
	for {
		t, err := x.token()
		if err != nil {
			return nil, err
		}
		switch t := t.(type) {
		case xml.StartElement:
			return &t, nil
		case xml.EndElement:
			return nil, nil
		case xml.CharData:
			if text := strings.TrimSpace(string(t)); text != "" {
				return nil, x.fail("the text %.40q stands between elements", text)
			}
		}
	}
}

func (x *xmlReader) document() error {
	t, err := x.start()
	if err != nil {
		if errors.Is(err, io.EOF) {
			return x.fail("it is empty")
		}
		return err
	}
	if t == nil || t.Name.Local != "edi" {
		return x.fail("the outermost element has to be edi")
	}
	if err := x.container(t, 0); err != nil {
		if errors.Is(err, io.EOF) {
			return x.fail("it ends in the middle")
		}
		return err
	}
	if t, err = x.start(); t != nil || err == nil {
		return x.fail("something follows the tree")
	} else if !errors.Is(err, io.EOF) {
		return err
	}
	return nil
}

func (x *xmlReader) text(s string) { x.out = append(x.out, s...) }

func (x *xmlReader) flush() error {
	_, err := x.w.Write(x.out)
	x.out = x.out[:0]
	return err
}

// members writes the attributes of a start tag that the JSON form knows; the
// first gets the name that begins the object.
func (x *xmlReader) members(t *xml.StartElement) error {
	x.text("{")
	first, kind := true, ""
	put := func(name string) {
		if !first {
			x.text(",")
		}
		first = false
		x.out = appendString(x.out, name)
		x.text(":")
	}
	for _, a := range t.Attr {
		name, value := a.Name.Local, a.Value
		switch {
		case t.Name.Local == "edi" && name == "format":
		case (name == "control" || name == "id") && t.Name.Local != "edi":
			name = t.Name.Local
			kind = name
		case name == "count":
			n, err := strconv.Atoi(value)
			if err != nil || n < 0 || n > maxElements*100 {
				return x.fail("count=%.20q is no number", value)
			}
			put(name)
			x.out = strconv.AppendInt(x.out, int64(n), 10)
			continue
		case name == "id_json" && t.Name.Local == "segment":
			kind = "segment"
			put(kind)
			x.text(`"` + value + `"`)
			continue
		case name == "lead_json" || name == "raw_json":
			put(strings.TrimSuffix(name, "_json"))
			x.text(`"` + value + `"`)
			continue
		case t.Name.Local == "segment" && (name == "lead" || name == "raw" || name == "lead_base64" || name == "raw_base64"):
		default:
			continue // for the reader only
		}
		put(name)
		x.out = appendString(x.out, value)
	}
	if t.Name.Local == "segment" && kind == "" {
		return x.fail("a segment has no id")
	}
	return nil
}

// container reads edi, interchange, group, document and loop.
func (x *xmlReader) container(t *xml.StartElement, depth int) error {
	if depth > maxDepth {
		return x.fail("parts are nested deeper than %d", maxDepth)
	}
	if err := x.members(t); err != nil {
		return err
	}
	began := x.out[len(x.out)-1] != '{'
	opened, closed, first := false, false, true
	for {
		child, err := x.start()
		if err != nil {
			return err
		}
		if child == nil {
			break
		}
		name := child.Name.Local
		if closed {
			return x.fail("%s stands behind trailing, which ends the tree", name)
		}
		if name == "delimiters" && !opened {
			err = x.delimiters(child, began)
			began = true
		} else {
			if !opened {
				if began {
					x.text(",")
				}
				x.text(`"parts":[`)
				opened = true
			}
			if name == "trailing" && depth == 0 {
				closed = true
				err = x.trailing(child)
			} else {
				if !first {
					x.text(",\n")
				}
				first = false
				err = x.part(child, depth+1)
			}
		}
		if err == nil {
			err = x.flush()
		}
		if err != nil {
			return err
		}
	}
	if opened && !closed {
		x.text("]")
	}
	x.text("}")
	return x.flush()
}

// part reads one part of a container.
func (x *xmlReader) part(t *xml.StartElement, depth int) error {
	switch t.Name.Local {
	case "interchange", "group", "document", "loop":
		return x.container(t, depth)
	case "segment":
		return x.segment(t)
	}
	return x.fail("element %.40q has no place here: interchange, group, document, loop and segment", t.Name.Local)
}

func (x *xmlReader) delimiters(t *xml.StartElement, began bool) error {
	if began {
		x.text(",")
	}
	x.text(`"delimiters":{`)
	for i, a := range t.Attr {
		if i > 0 {
			x.text(",")
		}
		x.out = appendString(x.out, a.Name.Local)
		x.text(":")
		x.out = appendString(x.out, a.Value)
	}
	x.text("}")
	return x.empty("delimiters")
}

// empty reads up to the end of an element that holds nothing.
func (x *xmlReader) empty(name string) error {
	child, err := x.start()
	if err == nil && child != nil {
		err = x.fail("%s holds nothing", name)
	}
	return err
}

func (x *xmlReader) trailing(t *xml.StartElement) error {
	x.text(`],"trailing`)
	if attribute(t, "escape") == "base64" {
		x.text("_base64")
	}
	x.text(`":`)
	return x.value(t)
}

func attribute(t *xml.StartElement, name string) string {
	for _, a := range t.Attr {
		if a.Name.Local == name {
			return a.Value
		}
	}
	return ""
}

// value writes the text of an element as a JSON string.
func (x *xmlReader) value(t *xml.StartElement) error {
	var text strings.Builder
	for {
		token, err := x.token()
		if err != nil {
			return err
		}
		switch token := token.(type) {
		case xml.CharData:
			text.Write(token)
			if text.Len() > maxValue {
				return x.fail("a text is longer than %d bytes", maxValue)
			}
		case xml.StartElement:
			return x.fail("%s holds a text, no elements", t.Name.Local)
		case xml.EndElement:
			return x.closeValue(t, text.String())
		}
	}
}

func (x *xmlReader) closeValue(t *xml.StartElement, text string) error {
	switch attribute(t, "escape") {
	case "json":
		x.text(`"` + text + `"`)
		return nil
	case "base64":
		if _, err := base64.StdEncoding.DecodeString(text); err != nil {
			return x.fail("%s is no base64", t.Name.Local)
		}
	}
	x.out = appendString(x.out, text)
	return nil
}

func (x *xmlReader) segment(t *xml.StartElement) error {
	if err := x.members(t); err != nil {
		return err
	}
	n := 0
	for ; ; n++ {
		child, err := x.start()
		if err != nil {
			return err
		}
		if child == nil {
			break
		}
		if child.Name.Local != "element" || n > maxElements {
			return x.fail("a segment holds elements, at most %d, not %.40q", maxElements, child.Name.Local)
		}
		if n == 0 {
			x.text(`,"elements":[`)
		} else {
			x.text(",")
		}
		position, err := strconv.Atoi(attribute(child, "position"))
		if err != nil || position < 1 || position > maxElements {
			return x.fail("position=%.20q is no place of an element", attribute(child, "position"))
		}
		x.out = strconv.AppendInt(append(x.out, `{"position":`...), int64(position), 10)
		x.text(",")
		if err := x.content(child, true); err != nil {
			return err
		}
		x.text("}")
	}
	if n > 0 {
		x.text("]")
	}
	x.text("}")
	return nil
}

// content reads what an element or a repetition holds: a text, components or,
// in an element, repetitions.
func (x *xmlReader) content(t *xml.StartElement, repeats bool) error {
	var text strings.Builder
	n, kind := 0, ""
	for {
		token, err := x.token()
		if err != nil {
			return err
		}
		switch token := token.(type) {
		case xml.CharData:
			if text.Write(token); text.Len() > maxValue {
				return x.fail("a text is longer than %d bytes", maxValue)
			}
		case xml.StartElement:
			name := token.Name.Local
			switch {
			case name != "component" && (name != "repeat" || !repeats) || n > 0 && name != kind:
				return x.fail("%.40q has no place here", name)
			case n == 0:
				kind = name
				x.text(`"` + name + `s":[`)
			default:
				x.text(",")
			}
			if n++; n > maxElements {
				return x.fail("an element has more than %d parts", maxElements)
			}
			if name == "component" {
				err = x.value(&token)
			} else {
				x.text("{")
				err = x.content(&token, false)
				x.text("}")
			}
			if err != nil {
				return err
			}
		case xml.EndElement:
			switch {
			case n == 0:
				x.text(`"value":`)
				return x.closeValue(t, text.String())
			case strings.TrimSpace(text.String()) != "":
				return x.fail("the text %.40q stands between parts", strings.TrimSpace(text.String()))
			}
			x.text("]")
			return nil
		}
	}
}
