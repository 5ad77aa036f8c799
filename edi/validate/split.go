package validate

import (
	"bytes"
	"errors"
	"io"

	"tradepost/edi"
)

// Sizes of the blocks an input is cut into.
const (
	blockSize  = 64 << 10 // to begin with
	blockLimit = 1 << 20  // at most, for longer documents; beyond it a document is walked as it is read
	windowSize = 32 << 20 // of all blocks together, at most
	headerLook = 4 << 10  // bytes looked into for the header of an interchange
)

// block is a piece of the input.
type block struct {
	data   []byte
	runs   []run
	judged chan struct{} // receives when a worker is done with the runs

	judgements []judgement // of documents in runs, in order
}

// run is one or more documents that follow each other.
type run struct {
	from, to int    // in the data of the block, from behind the segment before
	header   string // the headers they stand under: raw ISA, or UNA and UNB
	group    string // raw GS or UNG, empty for none
	delims   edi.Delimiters
}

// splitter cuts an input into blocks and finds the documents in them by where
// segments end and what their tags are. It need not be right: what it takes for
// a document is judged as one, and the walk uses the judgement only where it
// comes to the same place by the same headers.
type splitter struct {
	src    io.Reader
	size   int // of a block to begin with
	limit  int // of a block for a long document
	reader *edi.Reader

	block *block
	seen  int // data before this was looked at: whole segments
	begin int // where the open document begins, -1 when none is open
	end   bool

	state  splitState
	delims edi.Delimiters
	header string
	group  string
}

type splitState uint8

const (
	splitBetween splitState = iota // a header is expected
	splitInside                    // in an interchange
	splitLong                      // in a document too long for a block
	splitLost                      // not understood: all that follows is left to the walk
)

func newSplitter(r io.Reader, o *Options, window int) *splitter {
	return &splitter{src: r, size: o.blockSize, limit: max(2*o.blockSize, min(blockLimit, windowSize/window)), reader: edi.NewBytesReader(nil, edi.Options{Limits: o.Limits}), begin: -1}
}

// fill makes b a block of what comes next, behind the bytes left over from the
// block before. It returns the bytes left over for the next one, nil at the end
// of the input, and the error of the input.
func (s *splitter) fill(b *block, left []byte) ([]byte, error) {
	s.block = b
	b.runs, b.judgements = b.runs[:0], b.judgements[:0]
	if size := max(s.size, 2*len(left)); cap(b.data) < size {
		b.data = make([]byte, 0, size)
	}
	b.data = append(b.data[:0], left...)
	for {
		n, err := readFull(s.src, b.data[len(b.data):cap(b.data)])
		b.data = b.data[:len(b.data)+n]
		s.end = err != nil
		s.look()
		if err != nil {
			return nil, err
		}
		cut := s.seen
		if s.begin >= 0 {
			cut = s.begin
		}
		if cut == 0 {
			if cap(b.data) < s.limit {
				b.data = append(make([]byte, 0, 2*cap(b.data)), b.data...)
				continue
			}
			cut = s.giveUp()
		}
		left = b.data[cut:]
		b.data = b.data[:cut]
		s.seen -= cut
		if s.begin >= 0 {
			s.begin -= cut
		}
		return left, nil
	}
}

// giveUp leaves a document or segment that fills a block to the walk and
// returns where the block ends.
func (s *splitter) giveUp() int {
	if s.begin == 0 && s.seen > 0 {
		s.state, s.begin = splitLong, -1
		return s.seen
	}
	s.state, s.begin, s.seen = splitLost, -1, len(s.block.data)
	return s.seen
}

// readFull reads until p is full or there is an error, io.EOF at the end.
func readFull(r io.Reader, p []byte) (n int, err error) {
	for empty := 0; n < len(p) && err == nil; {
		var m int
		if m, err = r.Read(p[n:]); m < 0 || m > len(p)-n {
			return n, errors.New("reader returned an impossible count")
		}
		n += m
		if empty++; m > 0 {
			empty = 0
		}
		if empty == 100 {
			return n, io.ErrNoProgress
		}
	}
	return n, err
}

// look goes over the data that was not looked at.
func (s *splitter) look() {
	for more := true; more; {
		switch s.state {
		case splitBetween:
			more = s.interchange()
		case splitInside, splitLong:
			more = s.segment()
		case splitLost:
			s.seen = len(s.block.data)
			return
		}
	}
}

// interchange looks for the next header. It returns false when that needs more
// data.
func (s *splitter) interchange() bool {
	data := s.block.data[s.seen:]
	if len(data) < headerLook && !s.end {
		return false
	}
	r := s.reader
	r.ResetBytes(data)
	s.state, s.header, s.group = splitLost, "", ""
	seg, err := r.Next()
	if err == nil && seg.Is("UNA") {
		s.header = string(seg.Raw)
		seg, err = r.Next()
	}
	if err != nil || !seg.Is("ISA") && !seg.Is("UNB") {
		return true
	}
	if s.delims = r.Delimiters(); s.delims.SegmentTail != "" || s.delims.Segment == '\r' {
		return true
	}
	s.header += string(seg.Raw)
	s.seen += int(r.Offset())
	s.state = splitInside
	return true
}

// segment looks at the next segment of an interchange. It returns false when
// that needs more data.
func (s *splitter) segment() bool {
	data, at := s.block.data, s.seen
	for at < len(data) && (data[at] == '\n' || data[at] == '\r') {
		at++
	}
	n := segmentLength(data[at:], &s.delims)
	if n == 0 {
		return false
	}
	raw := data[at : at+n]
	switch s.kind(raw) {
	case DocumentStart:
		if s.state, s.begin = splitInside, -1; s.group != "" || s.delims.Standard == edi.EDIFACT {
			s.begin = s.seen
		}
	case DocumentEnd:
		if s.begin >= 0 {
			s.document(at + n)
		}
		s.state, s.begin = splitInside, -1
	case GroupStart:
		s.state, s.begin, s.group = splitInside, -1, string(raw)
	case GroupEnd:
		s.state, s.begin, s.group = splitInside, -1, ""
	case InterchangeStart:
		s.state, s.begin = splitBetween, -1
		return true
	case InterchangeEnd:
		s.state, s.begin = splitBetween, -1
	case Body, Outside:
	}
	s.seen = at + n
	return true
}

// document puts the open document, which ends before data[to], into a run.
func (s *splitter) document(to int) {
	b := s.block
	if n := len(b.runs); n > 0 && b.runs[n-1].to == s.begin {
		b.runs[n-1].to = to
		return
	}
	b.runs = append(b.runs, run{from: s.begin, to: to, header: s.header, group: s.group, delims: s.delims})
}

// segmentLength returns the length of the segment that b begins with, its
// terminator included; 0 when that is not in b.
func segmentLength(b []byte, d *edi.Delimiters) int {
	for n := 0; ; {
		i := bytes.IndexByte(b[n:], d.Segment)
		if i < 0 {
			return 0
		}
		n += i + 1
		released := false
		for k := n - 2; d.Release != 0 && k >= 0 && b[k] == d.Release; k-- {
			released = !released
		}
		if !released {
			return n
		}
	}
}

// kind tells by its tag what a segment is to the envelope.
func (s *splitter) kind(raw []byte) Role {
	first := byte('U')
	if s.delims.Standard == edi.X12 {
		if first = raw[0]; first != 'S' && first != 'G' && first != 'I' {
			return Body
		}
	}
	if raw[0] != first {
		return Body
	}
	n := bytes.IndexByte(raw[:min(len(raw), 4)], s.delims.Element)
	switch string(raw[:max(n, 0)]) {
	case "ST", "UNH":
		return DocumentStart
	case "SE", "UNT":
		return DocumentEnd
	case "GS", "UNG":
		return GroupStart
	case "GE", "UNE":
		return GroupEnd
	case "ISA", "UNB":
		return InterchangeStart
	case "IEA", "UNZ":
		return InterchangeEnd
	}
	if bytes.HasPrefix(raw, []byte("UNA")) && n < 0 {
		return InterchangeStart
	}
	return Body
}
