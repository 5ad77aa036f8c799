package cli

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/json"
	"io"
	"slices"

	"tradepost/edi/validate"
)

// ediJSON writes the one JSON object of `edi validate -o json`. Interchanges,
// groups and documents go out as they end, so that memory does not grow with
// the input; issues, which are bounded, follow.
type ediJSON struct {
	w   io.Writer
	out *bufio.Writer
	err error

	interchange *validate.Interchange // whose object is open
	group       *validate.Group
	written     [3]int // interchanges, groups of this one, documents of that
	issues      []*validate.Issue
	limit       int
	omitted     int
}

// keep holds issues back for the end, up to the limit.
func (p *ediJSON) keep(issues []*validate.Issue) {
	n := min(len(issues), p.limit-len(p.issues))
	p.issues = append(p.issues, issues[:n]...)
	p.omitted += len(issues) - n
}

func (p *ediJSON) hooks(o *validate.Options) {
	p.out = bufio.NewWriterSize(p.w, 64<<10)
	p.text(`{"interchanges":[`)
	o.OnDocument = func(ic *validate.Interchange, g *validate.Group, d *validate.Document) error {
		p.open(ic, g)
		p.item(2)
		p.value(d)
		p.keep(d.Issues)
		return p.err
	}
	o.OnGroup = func(ic *validate.Interchange, g *validate.Group) error {
		p.open(ic, g)
		p.text(`],`)
		p.members(g, "documents", "groups")
		p.text(`}`)
		p.group = nil
		p.keep(g.Issues)
		return p.err
	}
	o.OnInterchange = func(ic *validate.Interchange) error {
		p.open(ic, nil)
		p.text(`],`)
		p.members(ic, "groups")
		p.text(`}`)
		p.interchange = nil
		p.keep(ic.Issues)
		return p.err
	}
}

// open begins the objects of an interchange and group when they are new.
func (p *ediJSON) open(ic *validate.Interchange, g *validate.Group) {
	if p.interchange != ic {
		p.item(0)
		p.text(`{"groups":[`)
		p.interchange, p.written[1] = ic, 0
	}
	if g != nil && p.group != g {
		p.item(1)
		p.text(`{"documents":[`)
		p.group, p.written[2] = g, 0
	}
}

// item begins another element of the list of a level.
func (p *ediJSON) item(level int) {
	if p.written[level] > 0 {
		p.text(",")
	}
	p.written[level]++
	p.text("\n" + "   "[:level+1])
}

func (p *ediJSON) text(s string) {
	if p.err == nil {
		_, p.err = p.out.WriteString(s)
	}
}

func (p *ediJSON) value(v any) {
	b, err := compact(v)
	if err != nil && p.err == nil {
		p.err = err
	}
	p.text(string(b))
}

// members writes the members of an object without its braces and without the
// lists that were written before.
func (p *ediJSON) members(v any, without ...string) {
	b, err := compact(v)
	if err != nil {
		p.err = cmp.Or(p.err, err)
		return
	}
	for _, list := range without {
		b = bytes.Replace(b, []byte(`"`+list+`":[],`), nil, 1)
	}
	p.text(string(b[1 : len(b)-1]))
}

func compact(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	err := enc.Encode(v)
	return bytes.TrimRight(b.Bytes(), "\n"), err
}

func (p *ediJSON) finish(r *validate.Report) error {
	p.keep(r.Issues)
	slices.SortStableFunc(p.issues, func(a, b *validate.Issue) int { return cmp.Compare(a.Offset, b.Offset) })
	p.text("],\n\"issues\":[")
	for i, is := range p.issues {
		if i > 0 {
			p.text(",")
		}
		p.text("\n ")
		p.value(is)
	}
	p.text("],\n")
	p.members(struct {
		Accepted bool `json:"accepted"`
		Errors   int  `json:"errors"`
		Warnings int  `json:"warnings"`
		Omitted  int  `json:"omitted,omitempty"` // issues beyond the limit
	}{r.Accepted, r.Errors, r.Warnings, r.Omitted + p.omitted})
	p.text("}\n")
	if p.err != nil {
		return p.err
	}
	return p.out.Flush()
}
