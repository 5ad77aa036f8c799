package ack

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"

	"tradepost/edi"
)

// Options say how strict a verdict is, and where an acknowledgement in the
// making is kept.
type Options struct {
	// AcceptErrors gives documents with element and segment errors the verdict
	// E (accepted, errors noted) in place of R. Documents whose envelope is wrong
	// are rejected all the same.
	AcceptErrors bool
	// NoteWarnings gives documents with waivers the verdict E and lists these.
	NoteWarnings bool

	// Room makes a place for what an acknowledgement says of documents until the
	// verdict on all of them is known: some thirty bytes a document, of which an
	// input may hold millions. It is written to its end, then read from its start
	// to its end, and then perhaps written again; whoever made it closes it. Nil
	// keeps it in memory.
	Room func() io.ReadWriter
}

func (o *Options) room() io.ReadWriter {
	if o.Room == nil {
		return &bytes.Buffer{}
	}
	return o.Room()
}

// rows are the segments of an acknowledgement in the making, as they will be
// written.
type rows struct {
	w     *edi.Writer
	count int
	err   error // of the first segment that could not be written
}

// smallBuffer is enough where a few segments are written, since an input may
// have millions of groups.
const smallBuffer = 1 << 10

func newRows(out io.Writer, d edi.Delimiters) *rows {
	return &rows{w: edi.NewWriter(out, d, edi.WriterOptions{Buffer: smallBuffer})}
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

// flush hands over all segments and tells the first error.
func (r *rows) flush() error {
	if err := r.w.Flush(); r.err == nil {
		r.err = err
	}
	return r.err
}

// refusing passes the segments of a 997 or 999 on, with every document in them
// refused: one that is in a refused group is, whatever it was by itself.
type refusing struct {
	w    io.Writer
	mark []byte // what stands before the verdict: AK5*
	end  byte   // segment terminator
	at   int    // bytes of mark seen in this segment; -1 when it is another one
	buf  []byte
}

func (f *refusing) Write(p []byte) (int, error) {
	f.buf = append(f.buf[:0], p...)
	for i, c := range f.buf {
		switch {
		case c == f.end:
			f.at = 0
			continue
		case f.at < 0:
		case f.at == len(f.mark):
			f.buf[i] = string(Rejected)[0]
			f.at = -1
		case c == f.mark[f.at]:
			f.at++
		default:
			f.at = -1
		}
	}
	return f.w.Write(f.buf)
}

// entry is what a CONTRL says of one message, or of the header of a group.
type entry struct {
	kind  entryKind
	count int // segments
	text  []byte
}

type entryKind byte

const (
	entryGroup    entryKind = iota // UCF of a group
	entryAccepted                  // message accepted by validation
	entryNoted                     // message with errors, taken all the same
	entryRefused                   // message with errors
)

const (
	entryHeader = 9       // bytes: kind, segments, length of the text
	maxEntry    = 1 << 28 // bytes; one message has at most mostNoted segments
)

// write puts the entry behind those that are in w.
func (e entry) write(w io.Writer) error {
	head := make([]byte, 0, entryHeader)
	head = append(head, byte(e.kind))
	head = binary.BigEndian.AppendUint32(head, uint32(e.count))     //nolint:gosec // at most mostNoted
	head = binary.BigEndian.AppendUint32(head, uint32(len(e.text))) //nolint:gosec // at most maxEntry
	if _, err := w.Write(head); err != nil {
		return err
	}
	_, err := w.Write(e.text)
	return err
}

// readEntries calls do for each entry in r. The text is valid during the call.
func readEntries(r io.Reader, do func(entry) error) error {
	var head [entryHeader]byte
	var e entry
	for {
		switch _, err := io.ReadFull(r, head[:]); {
		case err == io.EOF: //nolint:errorlint // ReadFull gives it as it is
			return nil
		case err != nil:
			return err
		}
		e.kind, e.count = entryKind(head[0]), int(binary.BigEndian.Uint32(head[1:]))
		size := binary.BigEndian.Uint32(head[5:])
		if size > maxEntry {
			return fmt.Errorf("an entry of an acknowledgement has %d bytes: %w", size, io.ErrUnexpectedEOF)
		}
		if uint32(cap(e.text)) < size { //nolint:gosec // below maxEntry
			e.text = make([]byte, size)
		}
		e.text = e.text[:size]
		if _, err := io.ReadFull(r, e.text); err != nil {
			return err
		}
		if err := do(e); err != nil {
			return err
		}
	}
}
