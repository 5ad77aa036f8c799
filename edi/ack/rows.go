package ack

import (
	"bytes"
	"fmt"

	"tradepost/edi"
)

// rows are the segments of an acknowledgement in the making, as they will be
// written: a document that was accepted takes some thirty bytes then, and an
// input may hold millions.
type rows struct {
	out   bytes.Buffer
	w     *edi.Writer
	count int
	err   error // of the first segment that could not be written
}

func newRows(d edi.Delimiters) *rows {
	r := &rows{}
	r.w = edi.NewWriter(&r.out, d, edi.WriterOptions{})
	return r
}

// add writes a segment.
func (r *rows) add(tag string, fields ...edi.Field) {
	if r.err != nil {
		return
	}
	r.count++
	if err := r.w.WriteFields(tag, fields...); err != nil {
		r.err = fmt.Errorf("writing %s of an acknowledgement: %w", tag, err)
	}
}

// raw takes over segments that were written.
func (r *rows) raw(text []byte, count int) {
	r.count += count
	if err := r.w.WriteRaw(text); r.err == nil {
		r.err = err
	}
}

// size is how many bytes there are.
func (r *rows) size() int { return int(r.w.Written()) }

// bytes gives the segments, to be changed in place at will.
func (r *rows) bytes() ([]byte, error) {
	if err := r.w.Flush(); r.err == nil {
		r.err = err
	}
	return r.out.Bytes(), r.err
}
