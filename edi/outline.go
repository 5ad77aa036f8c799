package edi

import (
	"errors"
	"fmt"
	"io"
)

// Level tells what a Part is.
type Level uint8

// The levels of an envelope.
const (
	LevelInterchange Level = iota + 1 // ISA..IEA, UNB..UNZ, UIB..UIZ
	LevelGroup                        // GS..GE, UNG..UNE
	LevelDocument                     // ST..SE, UNH..UNT, UIH..UIT
)

// String returns "interchange", "group" or "document".
func (l Level) String() string {
	switch l {
	case LevelInterchange:
		return "interchange"
	case LevelGroup:
		return "group"
	case LevelDocument:
		return "document"
	}
	return "none"
}

// Part is an interchange, group or document as a byte range of the input.
// input[Offset:Offset+Length] are its exact bytes, from the tag of its header
// up to and including the terminator of its trailer. An interchange with UNA
// starts at the UNA.
type Part struct {
	Level      Level
	Offset     int64
	Length     int64
	Pos        Position // of the header segment, behind a UNA
	Delimiters Delimiters
	Segments   int  // segments inside, header and trailer included, UNA not
	Complete   bool // the trailer is there; else the part ends where the next begins or at the end of the input
	Children   int  // groups and documents directly inside

	Interchange Header         // LevelInterchange; without Group, Document and Notices
	Group       GroupHeader    // LevelGroup
	Document    DocumentHeader // LevelDocument

	TrailerCount   string // IEA01, GE01, SE01; UNZ 0036, UNE 0060, UNT 0074, as written
	TrailerControl string // IEA02, GE02, SE02; UNZ 0020, UNE 0048, UNT 0062, as written
}

// End returns the byte offset behind the part.
func (p *Part) End() int64 { return p.Offset + p.Length }

// Splitter finds the parts of an input while its segments are read. Feed it
// every segment; it is constant in memory.
type Splitter struct {
	open  [4]Part // by Level
	is    [4]bool
	una   int64 // offset of a UNA not yet used, -1 for none
	end   int64 // end of the last segment
	ready []Part
}

// NewSplitter returns a Splitter.
func NewSplitter() *Splitter { return &Splitter{una: -1} }

// Inside returns the open part of the level given, nil when none is open. It
// changes with every Push.
func (p *Splitter) Inside(l Level) *Part {
	if l < LevelInterchange || l > LevelDocument || !p.is[l] {
		return nil
	}
	return &p.open[l]
}

// Push takes the next segment and returns the parts that end with it or, when
// their trailers are missing, before it: innermost first. The slice is valid
// until the next call.
func (p *Splitter) Push(s *Segment) []Part {
	p.ready = p.ready[:0]
	if s.Is("UNA") {
		p.una = s.Pos.Offset
		p.end = s.End()
		return p.ready
	}
	level, trailer := Envelope(s)
	switch {
	case level != 0 && !trailer:
		p.begin(level, s)
	case level != 0:
		p.cut(level + 1) // what has no trailer of its own ends before this one
		p.count()
		p.finish(level, s)
	default:
		p.count()
	}
	p.end = s.End()
	return p.ready
}

// Close returns the parts still open at the end of the input, innermost first.
func (p *Splitter) Close() []Part {
	p.ready = p.ready[:0]
	p.cut(LevelInterchange)
	return p.ready
}

func (p *Splitter) count() {
	for l := LevelInterchange; l <= LevelDocument; l++ {
		if p.is[l] {
			p.open[l].Segments++
		}
	}
}

// cut ends every open part at level or deeper that has no trailer.
func (p *Splitter) cut(level Level) {
	for l := LevelDocument; l >= level; l-- {
		if p.is[l] {
			p.open[l].Length = p.end - p.open[l].Offset
			p.ready = append(p.ready, p.open[l])
			p.is[l] = false
		}
	}
}

func (p *Splitter) begin(level Level, s *Segment) {
	p.cut(level)
	for l := LevelInterchange; l < level; l++ {
		if p.is[l] && (l == level-1 || !p.is[l+1]) {
			p.open[l].Children++
		}
	}
	p.is[level] = true
	part := Part{Level: level, Offset: s.Pos.Offset, Pos: s.Pos, Delimiters: s.Delimiters()}
	switch level {
	case LevelInterchange:
		if p.una >= 0 {
			part.Offset = p.una
		}
		part.Interchange = Header{Standard: part.Delimiters.Standard, Delimiters: part.Delimiters, Offset: part.Offset}
		part.Interchange.read(s)
	case LevelGroup:
		part.Group = ReadGroupHeader(s)
	case LevelDocument:
		part.Document = ReadDocumentHeader(s)
	}
	p.una = -1
	p.open[level] = part
	p.count()
}

func (p *Splitter) finish(level Level, s *Segment) {
	if !p.is[level] {
		return
	}
	part := &p.open[level]
	part.Complete = true
	part.Length = s.End() - part.Offset
	part.TrailerCount = s.Element(1).String()
	part.TrailerControl = s.Element(2).String()
	if s.Is("UIT") {
		part.TrailerCount, part.TrailerControl = part.TrailerControl, part.TrailerCount
	}
	p.ready = append(p.ready, *part)
	p.is[level] = false
}

// Envelope tells what level of the envelope s opens or, when trailer is set,
// closes; level 0 for a segment that is no envelope segment of its standard.
func Envelope(s *Segment) (level Level, trailer bool) {
	if s.delims == nil {
		return 0, false
	}
	if s.delims.Standard == X12 {
		switch string(s.Tag) {
		case "ST":
			return LevelDocument, false
		case "SE":
			return LevelDocument, true
		case "GS":
			return LevelGroup, false
		case "GE":
			return LevelGroup, true
		case "ISA":
			return LevelInterchange, false
		case "IEA":
			return LevelInterchange, true
		}
		return 0, false
	}
	if len(s.Tag) != 3 || s.Tag[0] != 'U' {
		return 0, false
	}
	switch string(s.Tag) {
	case "UNH", "UIH":
		return LevelDocument, false
	case "UNT", "UIT":
		return LevelDocument, true
	case "UNG":
		return LevelGroup, false
	case "UNE":
		return LevelGroup, true
	case "UNB", "UIB":
		return LevelInterchange, false
	case "UNZ", "UIZ":
		return LevelInterchange, true
	}
	return 0, false
}

// Outline is the envelope tree of a whole input.
type Outline struct {
	Interchanges []InterchangeOutline
	Notices      []Notice // at most 1000; the first ones
}

// InterchangeOutline is an interchange with what it holds. X12 documents that
// stand outside a group, and EDIFACT ones where there is no UNG, are in a
// group whose Part is zero.
type InterchangeOutline struct {
	Part
	Groups []GroupOutline
}

// GroupOutline is a group with its documents.
type GroupOutline struct {
	Part
	Documents []Part
}

const outlineNotices = 1000

// ReadOutline reads r to its end and returns the envelope tree, so that
// documents can be cut from the payload by their byte ranges. At most
// Limits.Parts parts are held. On an error the outline read so far is returned
// with it.
func ReadOutline(r *Reader) (Outline, error) {
	var o Outline
	var b outlineBuilder
	p := NewSplitter()
	parts := 0
	for {
		s, err := r.Next()
		for _, n := range r.Notices() {
			if len(o.Notices) < outlineNotices {
				o.Notices = append(o.Notices, n)
			}
		}
		if err != nil {
			b.add(p.Close())
			o.Interchanges = b.close()
			if errors.Is(err, io.EOF) {
				err = nil
			}
			return o, err
		}
		ready := p.Push(s)
		if parts += len(ready); parts > r.lim.Parts {
			o.Interchanges = b.close()
			return o, &SyntaxError{
				Position: s.Pos, Code: CodeParts, Msg: fmt.Sprintf("more than %d interchanges, groups and documents", r.lim.Parts),
				Hint: "use a Splitter, which holds none, or raise Limits.Parts",
			}
		}
		b.add(ready)
	}
}

// outlineBuilder puts parts, which come innermost first, into a tree.
type outlineBuilder struct {
	done   []InterchangeOutline
	groups []GroupOutline
	docs   []Part
}

func (b *outlineBuilder) add(parts []Part) {
	for _, p := range parts {
		switch p.Level {
		case LevelDocument:
			b.docs = append(b.docs, p)
		case LevelGroup:
			inside := b.docs
			n := 0
			for n < len(inside) && inside[n].Offset < p.Offset {
				n++
			}
			if n > 0 {
				b.groups = append(b.groups, GroupOutline{Documents: inside[:n:n]})
			}
			b.groups = append(b.groups, GroupOutline{Part: p, Documents: inside[n:]})
			b.docs = nil
		case LevelInterchange:
			b.loose()
			b.done = append(b.done, InterchangeOutline{Part: p, Groups: b.groups})
			b.groups = nil
		}
	}
}

// loose puts documents outside groups into a group of their own.
func (b *outlineBuilder) loose() {
	if len(b.docs) > 0 {
		b.groups = append(b.groups, GroupOutline{Documents: b.docs})
		b.docs = nil
	}
}

// close returns the tree; what stands in no interchange comes last, in one
// whose Part is zero.
func (b *outlineBuilder) close() []InterchangeOutline {
	b.loose()
	if len(b.groups) > 0 {
		b.done = append(b.done, InterchangeOutline{Groups: b.groups})
		b.groups = nil
	}
	return b.done
}
