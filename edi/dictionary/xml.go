package dictionary

import (
	"bytes"
	"encoding/binary"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf16"
)

// node of an XML text. Names are without their prefix.
type xmlNode struct {
	space, name string
	attrs       map[string]string
	text        string
	children    []*xmlNode
	place       place
}

// What the root of an XML text tells.
const (
	rootStAEDI = "staedi"
	rootXSD    = "xsd"
)

const (
	spaceXSD   = "http://www.w3.org/2001/XMLSchema"
	maxXMLDeep = 200
	maxXMLSize = 4 << 20 // nodes
)

// xmlRoot tells by its root whether an XML text is a StAEDI schema or an XML
// Schema.
func xmlRoot(data []byte) string {
	d := newXMLDecoder(data)
	for range 50 {
		t, err := d.Token()
		if err != nil {
			return ""
		}
		start, ok := t.(xml.StartElement)
		if !ok {
			continue
		}
		switch {
		case start.Name.Local == "schema" && strings.HasPrefix(start.Name.Space, "http://xlate.io/"):
			return rootStAEDI
		case start.Name.Local == "schema" && start.Name.Space == spaceXSD:
			return rootXSD
		}
		return ""
	}
	return ""
}

// newXMLDecoder reads UTF-8, UTF-16 with a byte order mark, and the sets of one
// byte a character that go with Windows-1252.
func newXMLDecoder(data []byte) *xml.Decoder {
	var order binary.ByteOrder
	switch {
	case bytes.HasPrefix(data, []byte("\xff\xfe")):
		order = binary.LittleEndian
	case bytes.HasPrefix(data, []byte("\xfe\xff")):
		order = binary.BigEndian
	}
	if order != nil {
		units := make([]uint16, 0, len(data)/2)
		for i := 2; i+1 < len(data); i += 2 {
			units = append(units, order.Uint16(data[i:]))
		}
		data = []byte(string(utf16.Decode(units)))
	}
	d := xml.NewDecoder(bytes.NewReader(bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))))
	d.CharsetReader = func(charset string, in io.Reader) (io.Reader, error) {
		switch strings.ToLower(charset) {
		case "utf-8", "utf-16", "us-ascii", "ascii":
			return in, nil
		case "iso-8859-1", "windows-1252", "latin1", "iso-8859-15":
			all, err := io.ReadAll(in)
			return strings.NewReader(decode(all)), err
		}
		return nil, fmt.Errorf("character set %q is not known", charset)
	}
	return d
}

// readXML reads a whole XML text.
func readXML(f *sourceFile) (*xmlNode, error) {
	d := newXMLDecoder(f.data)
	var stack []*xmlNode
	var root *xmlNode
	for count := 0; ; {
		t, err := d.Token()
		if errors.Is(err, io.EOF) {
			if root == nil || len(stack) > 0 {
				return root, errors.New("the XML text ends early")
			}
			return root, nil
		}
		if err != nil {
			return root, err
		}
		switch t := t.(type) {
		case xml.StartElement:
			if count++; count > maxXMLSize || len(stack) >= maxXMLDeep {
				return root, fmt.Errorf("the XML text has more than %d nodes or is nested deeper than %d", maxXMLSize, maxXMLDeep)
			}
			l, c := d.InputPos()
			n := &xmlNode{space: t.Name.Space, name: t.Name.Local, attrs: make(map[string]string, len(t.Attr)), place: place{file: f.name, line: l, column: c}}
			for _, a := range t.Attr {
				if a.Name.Space != "xmlns" && a.Name.Local != "xmlns" {
					n.attrs[a.Name.Local] = strings.TrimSpace(a.Value)
				}
			}
			n.place.text = n.tag()
			if len(stack) > 0 {
				above := stack[len(stack)-1]
				above.children = append(above.children, n)
			} else if root == nil {
				root = n
			}
			stack = append(stack, n)
		case xml.EndElement:
			stack = stack[:len(stack)-1]
		case xml.CharData:
			if len(stack) > 0 {
				n := stack[len(stack)-1]
				if len(n.text)+len(t) < 64<<10 {
					n.text += string(t)
				}
			}
		}
	}
}

// tag gives the start tag for a finding, its shorter attributes in it.
func (n *xmlNode) tag() string {
	s := "<" + n.name
	for _, name := range []string{"name", "ref", "type", "code", "base", "value", "position"} {
		if v, ok := n.attrs[name]; ok {
			s += " " + name + `="` + v + `"`
		}
	}
	return s + ">"
}

// child gives the first child of a name, nil when there is none.
func (n *xmlNode) child(name string) *xmlNode {
	if n == nil {
		return nil
	}
	for _, c := range n.children {
		if c.name == name {
			return c
		}
	}
	return nil
}

// all gives the children of a name.
func (n *xmlNode) all(name string) []*xmlNode {
	if n == nil {
		return nil
	}
	var out []*xmlNode
	for _, c := range n.children {
		if c.name == name {
			out = append(out, c)
		}
	}
	return out
}

// occurs reads minOccurs and maxOccurs; unbounded is 0, none at all -1.
func (n *xmlNode) occurs(low, high int) (shortest, most int, ok bool) {
	shortest, most, ok = low, high, true
	if v, set := n.attrs["minOccurs"]; set {
		shortest, ok = count(v)
	}
	if v, set := n.attrs["maxOccurs"]; set {
		if v == "unbounded" {
			return shortest, 0, ok
		}
		var good bool
		most, good = count(v)
		if good && most == 0 {
			most = -1
		}
		ok = ok && good
	}
	return shortest, most, ok
}

func count(text string) (int, bool) {
	if text == "" || len(text) > 8 || strings.Trim(text, "0123456789") != "" {
		return 0, false
	}
	return number(text), true
}
