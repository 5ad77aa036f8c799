package gateway

import (
	"io/fs"
	"path/filepath"
	"slices"

	"tradepost/edi/schema"
	"tradepost/internal/config"
	"tradepost/partners"
	"tradepost/processes/steps"
)

// CheckDocuments loads the folder of dictionaries and the guides and maps that
// partnerships name, and lists what is in the folder. What does not fit is a
// *config.Error that shows the lines.
func CheckDocuments(c *config.Config) ([]steps.FolderText, error) {
	guides, err := steps.LoadGuides(c.Directory, c.Dictionaries)
	if err == nil {
		_, err = steps.LoadMaps(c.Directory, guides)
	}
	if err != nil {
		return nil, c.Explain(err)
	}
	return guides.Folder()
}

// documentFiles tells how the texts lie that a station checks documents by: those
// of the folder of dictionaries, and the guides and maps that partnerships name.
// What cannot be looked at is left out.
func documentFiles(c *config.Config) []fileState {
	var names []string
	add := func(name string) {
		if name != "" {
			names = append(names, name)
		}
	}
	if c.Dictionaries != "" {
		_ = filepath.WalkDir(c.Dictionaries, func(name string, d fs.DirEntry, err error) error {
			if ext := filepath.Ext(name); err == nil && !d.IsDir() && (ext == schema.DictionaryExt || ext == schema.GuideExt) {
				add(name)
			}
			return nil // what cannot be read is told when it is loaded
		})
	}
	for _, p := range c.Directory.Partnerships() {
		for _, rule := range slices.Concat(p.Inbound, p.Outbound) {
			if filepath.Ext(rule.Guide) == schema.GuideExt {
				add(rule.Guide)
			}
			if partners.IsMapFile(rule.Map) {
				add(rule.Map)
			}
		}
	}
	slices.Sort(names)
	var out []fileState
	for _, name := range slices.Compact(names) {
		out = append(out, stateOf(name))
	}
	return out
}
