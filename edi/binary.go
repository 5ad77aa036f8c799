package edi

import (
	"bytes"
	"fmt"
)

// readBinary reads a BIN (count, data) or BDS (filter, count, data) segment at
// byte lead of the window by its byte count, as X12.6 asks: the data may hold
// any byte. It returns no segment when the count does not lead to a terminator;
// the segment is then read like any other.
func (r *Reader) readBinary(lead int, filter bool) (*Segment, error) {
	const header = 64 // tag, filter code, count and separators
	d := &r.delims
	w := r.need(lead + header)
	head := w[lead:min(lead+header, len(w))]
	from := 4
	if filter {
		i := bytes.IndexByte(head[from:], d.Element)
		if i < 0 {
			return r.badBinary(lead)
		}
		from += i + 1
	}
	count, n := 0, from
	for ; n < len(head) && head[n] >= '0' && head[n] <= '9' && count <= r.lim.Binary; n++ {
		count = count*10 + int(head[n]-'0')
	}
	if n == from || n == len(head) || head[n] != d.Element && count <= r.lim.Binary {
		return r.badBinary(lead)
	}
	if count > r.lim.Binary {
		return nil, &SyntaxError{
			Position: r.at(lead), Segment: string(head[:3]), Element: 1, Code: CodeBinaryLong,
			Msg: fmt.Sprintf("the binary data is longer than %d bytes", r.lim.Binary), Hint: "check the byte count, or raise Limits.Binary",
		}
	}
	end := lead + n + 1 + count
	w = r.need(end + 1 + len(d.SegmentTail))
	if len(w) <= end || w[end] != d.Segment || !bytes.HasPrefix(w[end+1:], []byte(d.SegmentTail)) {
		if err := r.failed(); err != nil {
			return nil, err
		}
		return r.badBinary(lead)
	}
	s := &r.seg
	r.begin(lead, end-lead+1+len(d.SegmentTail))
	if err := r.split(s.Raw[:n]); err != nil {
		return nil, err
	}
	r.setElements(append(s.sep[:s.seps], uint32(end-lead))) //nolint:gosec // Limits keep segments below 1 GiB
	s.binary = s.seps - 1
	s.flags = 0
	r.countLines(s.Raw)
	r.una = false
	return s, nil
}

func (r *Reader) badBinary(lead int) (*Segment, error) {
	r.notice(RuleBinaryLength, r.at(lead), 3)
	return nil, nil
}

// objectLength returns the length of the object that follows a UNO segment
// (ISO 9735-8): element 4, status of the object, component 1. -1 when it says
// none.
func objectLength(s *Segment) int64 {
	v := s.Element(4).Component(1).Raw()
	if len(v) == 0 || len(v) > 18 {
		return -1
	}
	var n int64
	for _, b := range v {
		if b < '0' || b > '9' {
			return -1
		}
		n = n*10 + int64(b-'0')
	}
	return n
}

// passObject returns the length of the lead before the UNP: the object that
// belongs to the UNO before, with line ends around it.
func (r *Reader) passObject() (int, error) {
	want := r.object
	r.object = -1
	if want > int64(r.lim.Binary) {
		return 0, &SyntaxError{
			Position: r.at(0), Segment: "UNO", Element: 4, Component: 1, Code: CodeBinaryLong,
			Msg: fmt.Sprintf("the object is longer than %d bytes", r.lim.Binary), Hint: "check the length, or raise Limits.Binary",
		}
	}
	const around = 8
	w := r.need(int(want) + around)
	if err := r.failed(); err != nil && len(w) < int(want) {
		return 0, err
	}
	for _, from := range [2]int{0, newlines(w)} {
		to := from + int(want)
		if to > len(w) {
			continue
		}
		w = r.need(to + around)
		lead := to + newlines(w[to:])
		if r.isUNP(w[lead:]) {
			r.found = [2]int{from, to}
			return lead, nil
		}
	}
	// The length is wrong: the object ends where a UNP begins.
	mark := []byte{'U', 'N', 'P', r.delims.Element}
	for n := 0; ; {
		if i := bytes.Index(w[n:], mark); i >= 0 && n+i <= r.lim.Binary {
			r.notice(RuleObjectLength, r.at(0), n+i)
			r.found = [2]int{0, n + i}
			return n + i, nil
		}
		n = max(len(w)-len(mark), 0)
		if len(w) > r.lim.Binary || !r.more() {
			break
		}
		w = r.window()
	}
	if err := r.failed(); err != nil {
		return 0, err
	}
	return 0, &SyntaxError{
		Position: r.at(0), Segment: "UNO", Element: 4, Component: 1, Code: CodeObject,
		Msg: "no UNP follows the object", Hint: "check the object length in UNO and that the object is followed by UNP",
	}
}

func newlines(b []byte) int {
	n := 0
	for n < len(b) && n < 4 && isNewline(b[n]) {
		n++
	}
	return n
}

func (r *Reader) isUNP(b []byte) bool {
	return len(b) > 3 && string(b[:3]) == "UNP" && b[3] == r.delims.Element
}
