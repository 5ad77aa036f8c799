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

// xmlNode is an element of an XML text. Names are without their prefix.
type xmlNode struct {
	space, name  string
	attrs        []xmlAttr
	text         string
	children     []*xmlNode
	file         string
	line, column int
}

type xmlAttr struct{ name, value string }

const (
	spaceXSD    = "http://www.w3.org/2001/XMLSchema"
	maxXMLDeep  = 200
	maxXMLNodes = 100_000
	maxXMLText  = 4 << 10   // bytes of text kept of one element
	maxXMLToken = 256 << 10 // bytes of one tag, comment or text
)

// xmlRoot tells by its root element whether an XML text is a StAEDI schema or
// an XML Schema.
func xmlRoot(head []byte) Format {
	if !bytes.Contains(head, []byte("schema")) && !bytes.Contains(head, []byte("s\x00c\x00h\x00e\x00m\x00a")) {
		return ""
	}
	d, _ := newXMLDecoder(head)
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
			return StAEDI
		case start.Name.Local == "schema" && start.Name.Space == spaceXSD:
			return XSD
		}
		return ""
	}
	return ""
}

// tokenReader gives the bytes of an XML text to the decoder and stops it where
// one tag, comment or text goes on for too long.
type tokenReader struct {
	data []byte
	next int
	from int // where the token began
}

var errLongToken = fmt.Errorf("a tag, comment or text has more than %d bytes", maxXMLToken)

// ReadByte implements io.ByteReader, which the decoder reads from.
func (r *tokenReader) ReadByte() (byte, error) {
	if r.next >= len(r.data) {
		return 0, io.EOF
	}
	if r.next-r.from > maxXMLToken {
		return 0, errLongToken
	}
	r.next++
	return r.data[r.next-1], nil
}

// Read implements io.Reader, for decoders of other character sets.
func (r *tokenReader) Read(p []byte) (int, error) {
	n := copy(p, r.data[r.next:])
	if r.next += n; n == 0 {
		return 0, io.EOF
	}
	return n, nil
}

// newXMLDecoder reads UTF-8, UTF-16 with a byte order mark, and the sets of one
// byte a character that go with Windows-1252. The function it returns is to be
// called before each token.
func newXMLDecoder(data []byte) (d *xml.Decoder, mark func()) {
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
	in := &tokenReader{data: bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))}
	d = xml.NewDecoder(in)
	d.CharsetReader = func(charset string, _ io.Reader) (io.Reader, error) {
		switch strings.ToLower(charset) {
		case "utf-8", "utf-16", "us-ascii", "ascii":
			return in, nil
		case "iso-8859-1", "windows-1252", "latin1", "iso-8859-15":
			in = &tokenReader{data: []byte(decode(in.data[in.next:]))}
			return in, nil
		}
		return nil, fmt.Errorf("character set %q is not known", charset)
	}
	return d, func() { in.from = in.next }
}

// readXML reads a whole XML text. Entities other than those of XML itself are
// an error: there is no document type to declare them.
func readXML(name string, data []byte) (*xmlNode, error) {
	d, mark := newXMLDecoder(data)
	words := interner{}
	var stack []*xmlNode
	var root *xmlNode
	for count := 0; ; {
		mark()
		t, err := d.RawToken()
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
			if count++; count > maxXMLNodes || len(stack) >= maxXMLDeep {
				return root, fmt.Errorf("the XML text has more than %d elements or is nested deeper than %d", maxXMLNodes, maxXMLDeep)
			}
			n := &xmlNode{space: words.of(t.Name.Space), name: words.of(t.Name.Local), file: name}
			n.line, n.column = d.InputPos()
			for _, a := range t.Attr {
				if a.Name.Space != "xmlns" && a.Name.Local != "xmlns" {
					n.attrs = append(n.attrs, xmlAttr{words.of(a.Name.Local), words.of(strings.TrimSpace(a.Value))})
				}
			}
			if len(stack) > 0 {
				above := stack[len(stack)-1]
				above.children = append(above.children, n)
			} else if root == nil {
				root = n
			}
			stack = append(stack, n)
		case xml.EndElement:
			if len(stack) == 0 || stack[len(stack)-1].name != t.Name.Local {
				return root, fmt.Errorf("</%s> on line %d ends what is not open", printable(t.Name.Local), lineOf(d))
			}
			stack = stack[:len(stack)-1]
		case xml.CharData:
			if len(stack) > 0 {
				if n := stack[len(stack)-1]; len(n.text)+len(t) <= maxXMLText {
					n.text += string(t)
				}
			}
		}
	}
}

func lineOf(d *xml.Decoder) int {
	line, _ := d.InputPos()
	return line
}

// interner keeps one copy of each word.
type interner map[string]string

func (in interner) of(word string) string {
	if own, ok := in[word]; ok {
		return own
	}
	if len(word) <= 64 && len(in) < 20_000 {
		in[word] = word
	}
	return word
}

// lookup gives the value of an attribute.
func (n *xmlNode) lookup(name string) (string, bool) {
	for i := range n.attrs {
		if n.attrs[i].name == name {
			return n.attrs[i].value, true
		}
	}
	return "", false
}

// attr gives the value of an attribute, empty when there is none.
func (n *xmlNode) attr(name string) string {
	v, _ := n.lookup(name)
	return v
}

// at is where an element stands, with its start tag and its shorter attributes.
func (n *xmlNode) at() place {
	var b strings.Builder
	b.WriteString("<" + n.name)
	for _, name := range []string{"name", "ref", "type", "code", "base", "value", "position"} {
		if v, ok := n.lookup(name); ok {
			b.WriteString(" " + name + `="` + excerpt(v) + `"`)
		}
	}
	b.WriteString(">")
	return place{file: n.file, line: n.line, column: n.column, text: b.String()}
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
	if v, set := n.lookup("minOccurs"); set {
		shortest, ok = count(v)
	}
	if v, set := n.lookup("maxOccurs"); set {
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
