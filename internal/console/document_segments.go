package console

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"tradepost/tracking"
)

// SegmentLines is the tab with one segment a line.
type SegmentLines struct {
	*Excerpt
	Guide    string
	Lines    []Line
	Rest     []IssueView // issues that lie at no segment that is shown
	MoreRest int         // of them that are not listed
	Errors   int
	Warnings int
	Problem  string
}

// Line is a segment as it stands, in parts.
type Line struct {
	Ordinal int
	Name    string
	Tokens  []Token
	Bad     bool
	Warned  bool
	Issues  []IssueView
	Indent  int
}

// Token is a part of a line: the tag, a separator or an element.
type Token struct {
	Text  string
	Is    string // tag, mark, text, bad
	Title string // what the element is
}

// IssueView is an issue for a person.
type IssueView struct {
	tracking.Issue
	Bad    bool
	Place  string // "BEG01", "BEG01-2"; "" where the text begins with it
	Before string // what stands in front of the element on its line, "" where it cannot be pointed at
	ByThem bool
}

func (c *Console) segmentsTab(ctx context.Context, l *loaded) (any, error) {
	x, err := c.excerpt(ctx, &l.Document)
	if err != nil {
		return nil, err
	}
	r, problem, err := c.reading(ctx, l, x)
	if err != nil {
		return nil, err
	}
	t := SegmentLines{Excerpt: x, Problem: problem, Errors: l.Document.Errors, Warnings: l.Document.Warnings}
	issues := issuesBySegment(l)
	if r != nil {
		t.Guide = r.Guide
		for i := range r.Segments {
			s := &r.Segments[i]
			v := segmentView(s, issues[s.Ordinal])
			t.Lines = append(t.Lines, v.line())
			delete(issues, s.Ordinal)
		}
	}
	var rest []int
	for ordinal := range issues {
		rest = append(rest, ordinal)
	}
	slices.Sort(rest)
	for _, ordinal := range rest {
		for i := range issues[ordinal] {
			v := issueView(&issues[ordinal][i])
			if ordinal > 0 && v.Level != tracking.LevelMap {
				v.Place = strings.TrimSpace("Segment " + number(ordinal) + " " + v.Place)
			}
			t.Rest = append(t.Rest, v)
		}
	}
	t.MoreRest = max(0, len(t.Rest)-mostRest)
	t.Rest = t.Rest[:len(t.Rest)-t.MoreRest]
	return t, nil
}

// mostRest bounds the issues that are listed apart from their segments.
const mostRest = 100

// issuesBySegment sorts a document's issues by the number of their segment.
func issuesBySegment(l *loaded) map[int][]tracking.Issue {
	by := map[int][]tracking.Issue{}
	for _, i := range l.Issues {
		by[i.Ordinal] = append(by[i.Ordinal], i)
	}
	return by
}

func issueView(i *tracking.Issue) IssueView {
	v := IssueView{Issue: *i, Bad: i.Severity == "error", ByThem: i.Reporter == "partner"}
	if v.Place = i.Segment; v.Place == "" && i.Level == tracking.LevelMap {
		v.Place = i.Path // of a field in the form
	}
	if i.Element > 0 {
		v.Place += fmt.Sprintf("%02d", i.Element)
		if i.Component > 0 {
			v.Place += fmt.Sprintf("-%d", i.Component)
		}
	}
	if v.Place != "" && strings.HasPrefix(v.Text, v.Place) {
		v.Place = ""
	}
	return v
}

// segmentView joins a segment with its issues.
func segmentView(s *Segment, issues []tracking.Issue) *SegmentView {
	v := &SegmentView{Segment: *s}
	bad := map[int]bool{}
	for i := range issues {
		w := issueView(&issues[i])
		if w.Segment != s.Tag && w.Element > 0 {
			w.Element = 0 // it speaks of a segment that is missing here
		}
		v.Bad = v.Bad || w.Bad
		if w.Element > 0 {
			bad[w.Element] = true
			w.Before = s.before(w.Element)
		}
		v.Issues = append(v.Issues, w)
	}
	for _, e := range s.Elements {
		if e.Raw == "" && !bad[e.Number] {
			continue
		}
		place := fmt.Sprintf("%s%02d", s.Tag, e.Number)
		if len(e.Components) == 0 {
			v.Fields = append(v.Fields, Field{Place: place, Name: e.Name, Value: e.Value, Meaning: e.Meaning, Bad: bad[e.Number], coded: e.Coded})
			continue
		}
		for _, p := range e.Components {
			if p.Raw == "" {
				continue
			}
			name := p.Name
			if name == "" {
				name = e.Name
			}
			v.Fields = append(v.Fields, Field{Place: fmt.Sprintf("%s-%d", place, p.Number), Name: name, Value: p.Value, Meaning: p.Meaning, Bad: bad[e.Number], coded: p.Coded})
		}
	}
	v.Fields = joined(v.Fields)
	return v
}

// joined makes one field of a qualifier and the value it tells the kind of, as
// "Department: 0420" of "Kind of reference: Department, Reference number: 0420".
func joined(list []Field) []Field {
	var out []Field
	for i := 0; i < len(list); i++ {
		f := list[i]
		if i+1 < len(list) && f.Meaning != "" && f.coded && !f.Bad && strings.HasPrefix(f.Name, "Kind of ") {
			if next := list[i+1]; !next.coded && !next.Bad && next.Value != "" {
				next.Name, next.Code, next.Place = f.Meaning, f.Value, f.Place+" "+next.Place
				out = append(out, next)
				i++
				continue
			}
		}
		out = append(out, f)
	}
	return out
}

// before is what stands in front of an element on its line.
func (s *Segment) before(element int) string {
	n := len(s.Head)
	for _, e := range s.Elements {
		n++
		if e.Number == element {
			break
		}
		n += len(e.Raw)
	}
	if n > len(s.Raw) || n > 400 {
		return ""
	}
	return s.Raw[:n]
}

// line takes the segment apart into what is shown in different ways.
func (v *SegmentView) line() Line {
	l := Line{Ordinal: v.Ordinal, Name: v.Name, Bad: v.Bad, Warned: len(v.Issues) > 0, Issues: v.Issues, Indent: min(len(v.Loops), 5)}
	bad := map[int]bool{}
	for _, i := range v.Issues {
		bad[i.Element] = i.Element > 0
	}
	l.Tokens = append(l.Tokens, Token{Text: v.Head, Is: "tag", Title: v.Name})
	at := len(v.Head)
	for _, e := range v.Elements {
		end := at + 1 + len(e.Raw)
		if end > len(v.Raw) {
			break
		}
		t := Token{Text: v.Raw[at+1 : end], Is: "text", Title: fmt.Sprintf("%s%02d %s", v.Tag, e.Number, e.Name)}
		if e.Meaning != "" {
			t.Title += ": " + e.Meaning
		}
		if bad[e.Number] {
			t.Is = "bad"
			if t.Text == "" {
				t.Text = "\u00a0" // an empty place that can still be marked
			}
		}
		l.Tokens = append(l.Tokens, Token{Text: v.Raw[at : at+1], Is: "mark"})
		if t.Text != "" {
			l.Tokens = append(l.Tokens, t)
		}
		at = end
	}
	if rest := strings.TrimRight(v.Raw[min(at, len(v.Raw)):], "\r\n"); rest != "" {
		l.Tokens = append(l.Tokens, Token{Text: rest, Is: "mark"})
	}
	return l
}
