package tree

import (
	"bufio"
	"errors"
	"fmt"
	"io"

	"tradepost/edi"
)

// ErrFormat says that the input is not the JSON form this package writes.
var ErrFormat = errors.New("not an EDI tree in JSON")

// WriteEDI reads a tree in JSON and writes the EDI it stands for: the very
// bytes it was made from, unless it was edited.
func WriteEDI(w io.Writer, r io.Reader) error {
	j := &jsonReader{in: newScanner(r), w: bufio.NewWriterSize(w, scanSize)}
	if err := j.root(); err != nil {
		return errors.Join(fmt.Errorf("reading the tree at byte %d: %w", j.in.offset(), err), j.w.Flush())
	}
	return j.w.Flush()
}

type jsonReader struct {
	in    *scanner
	w     *bufio.Writer
	lead  []byte // what stands before segments that do not say
	seen  bool   // the format field
	node  node
	out   []byte
	texts [2][]byte
}

func (j *jsonReader) root() error {
	if err := j.object(edi.Delimiters{}, 0); err != nil {
		return err
	}
	if !j.seen {
		return fmt.Errorf("the field format is missing: %w", ErrFormat)
	}
	if _, err := j.in.next(); err == nil {
		return fmt.Errorf("something follows the tree: %w", ErrFormat)
	} else if !errors.Is(err, ErrFormat) {
		return err
	}
	return nil
}

// object reads one interchange, group, document, loop or segment, or the tree
// as a whole; what belongs together stands in the order it is written.
func (j *jsonReader) object(d edi.Delimiters, depth int) error {
	if depth > maxDepth {
		return fmt.Errorf("parts are nested deeper than %d: %w", maxDepth, ErrFormat)
	}
	if err := j.in.take('{'); err != nil {
		return err
	}
	n := &j.node
	n.reset()
	isSegment := false
	var trailing []byte
	for first := true; ; first = false {
		ok, err := j.in.more(first, '}')
		if err != nil {
			return err
		}
		if !ok {
			break
		}
		key, err := j.in.key()
		if err != nil {
			return err
		}
		switch string(key) {
		case "format":
			err = j.format(depth)
		case "delimiters":
			d, err = j.delimiters()
		case "parts":
			if isSegment {
				return fmt.Errorf("a segment has no parts: %w", ErrFormat)
			}
			err = j.in.list(func() error { return j.object(d, depth+1) })
			n.reset()
		case "segment":
			isSegment = true
			n.tag, err = j.in.text(n.tag[:0])
		case "lead":
			n.hasLead = true
			n.lead, err = j.in.text(n.lead[:0])
		case "lead_base64":
			n.hasLead = true
			n.lead, err = j.base64(n.lead, "lead_base64")
		case "count":
			n.count, err = j.in.number()
		case "elements":
			err = n.readElements(j.in)
		case "raw":
			n.raw, err = j.in.text(n.raw[:0])
		case "raw_base64":
			n.raw, err = j.base64(n.raw, "raw_base64")
		case "trailing":
			trailing, err = j.in.text(nil)
		case "trailing_base64":
			trailing, err = j.base64(nil, "trailing_base64")
		default: // names and what else is for the reader only
			err = j.in.skip(depth)
		}
		if err != nil {
			return err
		}
	}
	if !isSegment {
		_, err := j.w.Write(trailing)
		return err
	}
	return j.segment(d)
}

func (j *jsonReader) format(depth int) error {
	text, err := j.in.text(j.texts[0][:0])
	if err != nil {
		return err
	}
	j.texts[0], j.seen = text, true
	switch {
	case string(text) != Format:
		return fmt.Errorf("the format is %q, %q is expected: %w", clip(text), Format, ErrFormat)
	case depth > 0:
		return fmt.Errorf("format stands at the top only: %w", ErrFormat)
	}
	return nil
}

// base64 reads a string of base64 into dst[:0].
func (j *jsonReader) base64(dst []byte, name string) ([]byte, error) {
	text, err := j.in.text(j.texts[1][:0])
	if err != nil {
		return dst, err
	}
	j.texts[1] = text
	return unbase64(dst, text, name)
}

func (j *jsonReader) delimiters() (edi.Delimiters, error) {
	var n delimitersNode
	if err := j.in.take('{'); err != nil {
		return edi.Delimiters{}, err
	}
	for first := true; ; first = false {
		ok, err := j.in.more(first, '}')
		if err != nil {
			return edi.Delimiters{}, err
		}
		if !ok {
			return n.delimiters()
		}
		key, err := j.in.key()
		if err != nil {
			return edi.Delimiters{}, err
		}
		var to *string
		switch string(key) {
		case "segment":
			to = &n.Segment
		case "element":
			to = &n.Element
		case "component":
			to = &n.Component
		case "repetition":
			to = &n.Repetition
		case "release":
			to = &n.Release
		case "decimal":
			to = &n.Decimal
		default:
			if err := j.in.skip(0); err != nil {
				return edi.Delimiters{}, err
			}
			continue
		}
		text, err := j.in.text(nil)
		if err != nil {
			return edi.Delimiters{}, err
		}
		*to = string(text)
	}
}

// segment writes the segment read last, with what stands before it: the same
// as before the last one, unless it says otherwise.
func (j *jsonReader) segment(d edi.Delimiters) error {
	n := &j.node
	if n.hasLead {
		j.lead = append(j.lead[:0], n.lead...)
	}
	j.out = append(j.out[:0], j.lead...)
	var err error
	if j.out, err = n.appendTo(j.out, d); err != nil {
		return err
	}
	_, err = j.w.Write(j.out)
	return err
}
