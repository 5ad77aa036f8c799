package tree

import (
	"bufio"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"tradepost/edi"
)

const (
	maxDepth = 100      // parts inside parts
	maxValue = 64 << 20 // bytes of JSON between two segments
)

// ErrFormat says that the input is not the JSON form this package writes.
var ErrFormat = errors.New("not an EDI tree in JSON")

// WriteEDI reads a tree in JSON and writes the EDI it stands for: the very
// bytes it was made from, unless it was edited.
func WriteEDI(w io.Writer, r io.Reader) error {
	limited := &valueReader{r: r, left: maxValue}
	j := &jsonReader{limit: limited, dec: json.NewDecoder(limited), w: bufio.NewWriterSize(w, 64<<10)}
	if err := j.root(); err != nil {
		return errors.Join(fmt.Errorf("reading the tree at byte %d: %w", j.dec.InputOffset(), err), j.w.Flush())
	}
	return j.w.Flush()
}

// valueReader ends a value that is longer than any segment can be.
type valueReader struct {
	r    io.Reader
	left int
}

func (v *valueReader) Read(b []byte) (int, error) {
	if v.left <= 0 {
		return 0, fmt.Errorf("a value is longer than %d bytes: %w", maxValue, ErrFormat)
	}
	n, err := v.r.Read(b[:min(len(b), v.left)])
	v.left -= n
	return n, err
}

type jsonReader struct {
	limit *valueReader
	dec   *json.Decoder
	w     *bufio.Writer
	lead  string
	seen  bool // the format field
}

func (j *jsonReader) root() error {
	if err := j.object(edi.Delimiters{}, 0); err != nil {
		return err
	}
	if !j.seen {
		return fmt.Errorf("the field format is missing: %w", ErrFormat)
	}
	if _, err := j.dec.Token(); err != io.EOF {
		return fmt.Errorf("something follows the tree: %w", ErrFormat)
	}
	return nil
}

// object reads one interchange, group, document, loop or segment, or the tree
// as a whole; what belongs together stands in the order it is written.
func (j *jsonReader) object(d edi.Delimiters, depth int) error {
	if depth > maxDepth {
		return fmt.Errorf("parts are nested deeper than %d: %w", maxDepth, ErrFormat)
	}
	if t, err := j.dec.Token(); err != nil {
		return err
	} else if t != json.Delim('{') {
		return fmt.Errorf("an object is expected, not %v: %w", t, ErrFormat)
	}
	var seg segmentNode
	isSegment := false
	trailing, trailing64 := "", ""
	for j.dec.More() {
		t, err := j.dec.Token()
		if err != nil {
			return err
		}
		switch t {
		case "format":
			var format string
			if err = j.dec.Decode(&format); err == nil && format != Format {
				err = fmt.Errorf("the format is %q, %q is expected: %w", format, Format, ErrFormat)
			}
			if depth > 0 {
				err = errors.Join(err, fmt.Errorf("format stands at the top only: %w", ErrFormat))
			}
			j.seen = true
		case "delimiters":
			var n delimitersNode
			if err = j.dec.Decode(&n); err == nil {
				d, err = n.delimiters()
			}
		case "parts":
			err = j.parts(d, depth)
		case "segment":
			isSegment = true
			err = j.dec.Decode(&seg.Segment)
		case "lead":
			err = j.dec.Decode(&seg.Lead)
		case "lead_base64":
			err = j.dec.Decode(&seg.LeadBase64)
		case "count":
			err = j.dec.Decode(&seg.Count)
		case "elements":
			err = j.dec.Decode(&seg.Elements)
		case "raw":
			err = j.dec.Decode(&seg.Raw)
		case "raw_base64":
			err = j.dec.Decode(&seg.RawBase64)
		case "trailing":
			err = j.dec.Decode(&trailing)
		case "trailing_base64":
			err = j.dec.Decode(&trailing64)
		default: // names and what else is for the reader only
			var skipped json.RawMessage
			err = j.dec.Decode(&skipped)
		}
		if err != nil {
			return err
		}
	}
	if _, err := j.dec.Token(); err != nil {
		return err
	}
	j.limit.left = maxValue
	if isSegment {
		return j.segment(&seg, d)
	}
	return j.trailing(trailing, trailing64)
}

func (j *jsonReader) parts(d edi.Delimiters, depth int) error {
	if t, err := j.dec.Token(); err != nil {
		return err
	} else if t != json.Delim('[') {
		return fmt.Errorf("parts is a list: %w", ErrFormat)
	}
	for j.dec.More() {
		if err := j.object(d, depth+1); err != nil {
			return err
		}
	}
	_, err := j.dec.Token()
	return err
}

func (j *jsonReader) segment(seg *segmentNode, d edi.Delimiters) error {
	lead, err := seg.lead(j.lead)
	if err != nil {
		return err
	}
	b, err := seg.bytes(d)
	if err != nil {
		return err
	}
	j.lead = lead
	_, err1 := j.w.WriteString(lead)
	_, err2 := j.w.Write(b)
	return errors.Join(err1, err2)
}

func (j *jsonReader) trailing(text, encoded string) error {
	b := []byte(text)
	if encoded != "" {
		var err error
		if b, err = base64.StdEncoding.DecodeString(encoded); err != nil {
			return fmt.Errorf("trailing_base64: %w", err)
		}
	}
	_, err := j.w.Write(b)
	return err
}
