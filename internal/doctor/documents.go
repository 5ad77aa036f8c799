package doctor

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"tradepost/internal/config"
)

// Text is a dictionary or guide in the station's folder of dictionaries.
type Text struct {
	Name     string // edifact/D01B/SLSRPT
	IsGuide  bool
	Standard string
	Version  string
	Type     string // of a guide
	Named    bool   // a partnership names the guide
	Over     string // guide that it lies over, ""
	Behind   string // guide that is used in its place, ""
}

// documents tells whether dictionaries, guides and maps are there and fit the
// documents they were agreed for.
func (d *Doctor) documents(_ context.Context, r *report) {
	if d.Documents == nil {
		return
	}
	texts, err := d.Documents()
	var wrong *config.Error
	switch {
	case errors.As(err, &wrong):
		for _, p := range wrong.Problems {
			r.add(Fail, p.Hint, "%s (line %d): %s", p.Path, p.Line, p.Text)
		}
		return
	case err != nil:
		r.add(Fail, "", "guides and maps cannot be loaded: %v", err)
		return
	}
	r.add(OK, "", "guides and maps fit what was agreed")
	if d.Config.Dictionaries != "" {
		d.dictionaries(r, texts)
	}
}

// dictionaries tells what the folder of dictionaries has, and which of its guides
// nothing is checked with.
func (d *Doctor) dictionaries(r *report, texts []Text) {
	if len(texts) == 0 {
		r.add(Warn, "`tradepost edi dictionary import SOURCE --to "+d.Config.Dictionaries+"` puts some in", "dictionaries: there is no dictionary and no guide in %s", d.Config.Dictionaries)
		return
	}
	r.add(OK, "", "dictionaries: %s in %s", contents(texts), d.Config.Dictionaries)
	for _, t := range texts {
		switch {
		case t.Named || !t.IsGuide:
		case t.Over != "":
			r.add(Warn, "write guide: "+t.Name+" at the document of a partnership", "dictionaries: guide %s lies over %s, and no partnership names it: nothing is checked with it", t.Name, t.Over)
		case t.Behind != "":
			r.add(Warn, "take one of the two out of the folder, or name it at the document of a partnership", "dictionaries: guides %s and %s are both for %s %s, and %s is used", t.Name, t.Behind, t.Type, t.Version, t.Behind)
		}
	}
}

// contents counts the guides of each release: 194 guides of EDIFACT D:01B.
func contents(texts []Text) string {
	number := map[string]int{}
	var releases []string
	dictionaries := 0
	for _, t := range texts {
		if !t.IsGuide {
			dictionaries++
			continue
		}
		release := t.Standard + " " + t.Version
		if number[release]++; number[release] == 1 {
			releases = append(releases, release)
		}
	}
	slices.Sort(releases)
	var parts []string
	for _, release := range releases {
		parts = append(parts, fmt.Sprintf("%s of %s", count(number[release], "guide"), release))
	}
	if dictionaries == 1 {
		parts = append(parts, "1 dictionary")
	} else if dictionaries > 1 {
		parts = append(parts, fmt.Sprintf("%d dictionaries", dictionaries))
	}
	return strings.Join(parts, ", ")
}
