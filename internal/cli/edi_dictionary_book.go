package cli

import (
	"fmt"
	"slices"
	"strings"
)

// bookView is a dictionary as show prints it.
type bookView struct {
	Name       string      `json:"name"`
	Title      string      `json:"title"`
	Standard   string      `json:"standard"`
	Version    string      `json:"version"`
	Guides     []string    `json:"guides"`
	Segments   []titleView `json:"segments"`
	Composites []titleView `json:"composites"`
	Elements   []titleView `json:"elements"`
}

// titleView is one thing with its name.
type titleView struct {
	Ref   string `json:"ref"`
	Name  string `json:"name"`
	Type  string `json:"type,omitempty"` // of an element
	Min   int    `json:"min,omitempty"`
	Max   int    `json:"max,omitempty"`
	Codes int    `json:"codes,omitempty"` // how many an element has
}

func viewBook(b *book) *bookView {
	v := &bookView{
		Name: b.name, Title: b.Title, Standard: b.Standard, Version: b.Version,
		Guides: []string{}, Segments: []titleView{}, Composites: []titleView{}, Elements: []titleView{},
	}
	for _, g := range b.guides {
		v.Guides = append(v.Guides, g.Name)
	}
	slices.Sort(v.Guides)
	for _, tag := range b.Dictionary.Segments() {
		v.Segments = append(v.Segments, titleView{Ref: tag.String(), Name: b.Segment(tag).Name})
	}
	for _, ref := range b.Dictionary.Elements() {
		u, _ := b.Element(ref)
		if e := viewElement(b.Standard, &u); u.Composite != nil {
			v.Composites = append(v.Composites, titleView{Ref: ref, Name: u.Name})
		} else {
			v.Elements = append(v.Elements, titleView{ref, u.Name, e.Type, e.Min, e.Max, len(e.Codes)})
		}
	}
	return v
}

func (v *bookView) others() []string { return nil }

func (v *bookView) text(all bool) string {
	var b strings.Builder
	printLine(&b, "%s  %s", v.Name, plain(v.Title))
	fmt.Fprintf(&b, "%s %s: %s, %s, %s, %s\n", v.Standard, v.Version, counted(len(v.Guides), "guide"), counted(len(v.Segments), "segment"), counted(len(v.Composites), "composite"), counted(len(v.Elements), "element"))
	for _, part := range []struct {
		title string
		list  []titleView
	}{{"segments", v.Segments}, {"composites", v.Composites}, {"elements", v.Elements}} {
		if len(part.list) == 0 {
			continue
		}
		fmt.Fprintf(&b, "\n%s\n", part.title)
		for i := range part.list {
			t := &part.list[i]
			form := (&elementView{Type: t.Type, Min: t.Min, Max: t.Max}).form()
			if t.Type == "" {
				form = ""
			}
			codes := ""
			if t.Codes > 0 {
				codes = fmt.Sprintf("  (%s)", counted(t.Codes, "code"))
			}
			printLine(&b, "  %-5s %-10s %s%s", t.Ref, form, plain(t.Name), codes)
			if !all && i == 19 && len(part.list) > 25 {
				fmt.Fprintf(&b, "  ... %d more, --all shows them\n", len(part.list)-i-1)
				break
			}
		}
	}
	if len(v.Guides) > 0 {
		names := make([]string, len(v.Guides))
		for i, g := range v.Guides {
			names[i] = g[strings.LastIndexByte(g, '/')+1:]
		}
		fmt.Fprintf(&b, "\nguides: %s\n", some(names, 40, all))
	}
	return b.String()
}
