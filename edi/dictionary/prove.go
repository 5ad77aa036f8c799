package dictionary

import (
	"bytes"
	"errors"
	"strings"

	"tradepost/edi/schema"
)

// prove loads the texts, the dictionary first, as schema.Load would and keeps
// those that stand. One that does not is a finding: a user must never find out
// at night.
func (im *importer) prove(r *Result, texts []File) {
	catalog := &schema.Catalog{}
	stands := make([]bool, len(texts))
	for _, over := range []bool{false, true} { // what lies over a guide comes behind it
		for i, f := range texts {
			if bytes.Contains(f.Text, []byte("\nbased-on ")) != over {
				continue
			}
			_, err := catalog.Add(f.Name, f.Text)
			if stands[i] = err == nil; err != nil {
				im.broken(f, err)
			}
			if i == 0 && !stands[i] {
				im.report(NotKept, place{file: f.Name}, "without their dictionary %d guides were left out, too", len(texts)-1)
				return
			}
		}
	}
	for i, f := range texts {
		if !stands[i] {
			continue
		}
		r.Files = append(r.Files, f)
		if name, ok := strings.CutSuffix(f.Name, schema.GuideExt); ok {
			r.Guides = append(r.Guides, name)
		} else {
			r.Dictionaries = append(r.Dictionaries, strings.TrimSuffix(f.Name, schema.DictionaryExt))
		}
	}
}

func (im *importer) broken(f File, err error) {
	at := place{file: f.Name}
	var syntax *schema.SyntaxError
	if errors.As(err, &syntax) {
		at.line, at.column = syntax.Line, syntax.Column
		err = errors.New(syntax.Text)
	}
	im.report(NotKept, at, "the text made from the source does not load and was left out: %v", err)
}
