package edi

import "bytes"

// impliedEDIFACT returns the service characters that the first separator of a
// UNB without UNA implies: the common set, or the control characters IS4, IS3
// and IS1 of character set UNOB.
func impliedEDIFACT(separator byte) (Delimiters, bool) {
	switch separator {
	case '+':
		return DefaultEDIFACT(3), true
	case 0x1D:
		return Delimiters{Standard: EDIFACT, Segment: 0x1C, Element: 0x1D, Component: 0x1F, Decimal: '.'}, true
	}
	return Delimiters{}, false
}

// readUNA reads the UNA at byte lead of the window.
func (r *Reader) readUNA(lead int) (*Segment, error) {
	w := r.need(lead + unaLook)
	length, d, ok := placeUNA(w[lead:])
	if !ok {
		if r.state == stateInside {
			return r.readSegment(lead)
		}
		return nil, &SyntaxError{Position: r.at(lead), Segment: "UNA", Code: CodeUNA, Msg: "no usable service characters are declared", Hint: "UNA is followed by six characters, as in UNA:+.? '"}
	}
	if length == unaLength-1 {
		r.notice(RuleUNAWidth, r.at(lead), length)
	}
	r.setDelimiters(d)
	r.state = stateInside
	r.begin(lead, length)
	r.una = true
	s := &r.seg
	r.setElements(append(r.seg.sep[:0], 3))
	s.Tag = s.Raw[:3:3]
	s.flags = declares
	r.countLines(s.Raw)
	return s, nil
}

const (
	unaLength = 9
	unaLook   = 16 // bytes looked at to tell a UNA of 8 bytes from one of 9
)

// placeUNA reads the service characters that w, which starts with UNA,
// declares. Repetition holds what is declared, in force or not.
func placeUNA(w []byte) (length int, d Delimiters, ok bool) {
	if len(w) < unaLength-1 {
		return 0, d, false
	}
	w = w[:min(len(w), unaLook)]
	length = unaLength
	d = Delimiters{Standard: EDIFACT, Component: w[3], Element: w[4], Decimal: w[5], Release: w[6], Repetition: w[7]}
	rest := w[unaLength-1:]
	if next := bytes.TrimLeft(rest, "\r\n"); usable(w[7]) && bytes.HasPrefix(next, []byte("UN")) && (len(next) == len(rest) || w[7] == '\'') {
		length, d.Repetition, d.Segment = unaLength-1, ' ', w[7]
	} else if len(rest) == 0 {
		return 0, d, false
	} else {
		d.Segment = rest[0]
	}
	if d.Release == ' ' {
		d.Release = 0
	}
	if d.Repetition == ' ' {
		d.Repetition = 0
	}
	repetition := d.Repetition
	d.Repetition = 0
	if d.Component == ' ' {
		d.Component = 0
	}
	ok = d.Validate() == nil
	d.Repetition = repetition
	return length, d, ok
}

// lineTerminator puts the line end in force as terminator when the header at
// byte lead is followed by another service segment on the next line and no
// terminator stands between.
func (r *Reader) lineTerminator(lead int) {
	w := r.window()[lead:]
	w = w[:min(len(w), lookAhead)]
	end := bytes.IndexByte(w, r.delims.Segment)
	if end >= 0 && !bytes.ContainsAny(w[:end], "\r\n") {
		return
	}
	w = r.need(lead + lookAhead)[lead:]
	w = w[:min(len(w), lookAhead)]
	end = bytes.IndexByte(w, r.delims.Segment)
	if end < 0 {
		end = len(w)
	}
	nl := bytes.IndexAny(w[:end], "\r\n")
	if nl < 0 {
		return
	}
	next := bytes.TrimLeft(w[nl:], "\r\n \t")
	if len(next) < 4 || next[3] != r.delims.Element {
		return
	}
	switch string(next[:3]) {
	case "UNG", "UNH", "UNO", "UNZ", "UIH":
		d := r.delims
		d.Segment = w[nl]
		r.setDelimiters(d)
		r.notice(RuleNewlineTerminator, r.at(lead), nl)
	}
}

// syntaxVersion puts the repetition separator in force that the syntax version
// of the UNB just read allows: none before version 4.
func (r *Reader) syntaxVersion() {
	d := r.delims
	if d.Standard != EDIFACT {
		return
	}
	declared := d.Repetition
	d.Repetition = 0
	if v := r.seg.Element(1).Component(2).Raw(); len(v) == 1 && v[0] >= '4' && v[0] <= '9' {
		d.Repetition = declared
		if !r.una {
			d.Repetition = '*'
		}
		if d.Validate() != nil {
			d.Repetition = 0
		}
	} else if declared != 0 {
		r.notice(RuleUNARepetition, r.seg.Pos, len(r.seg.Raw))
	}
	if d.Repetition != r.delims.Repetition {
		r.setDelimiters(d)
	}
}
