package maptest

import (
	"io/fs"
	"slices"
	"strings"
	"time"
)

// Updated returns the text of the case as it has to be for the map, as it is
// now, to pass it. What people wrote stays; a section that passed stays, too.
func (r *Result) Updated() []byte {
	actual := map[string]string{}
	for _, s := range r.actual {
		actual[s.name] = s.text
	}
	failed := map[string]bool{}
	for _, d := range r.Differences {
		failed[d.Section] = true
	}
	var sections []section
	there := map[string]bool{}
	for _, s := range r.c.sections {
		there[s.name] = true
		if failed[s.name] {
			s.text = strings.TrimRight(actual[s.name], "\n")
			if s.text == "" && s.name != "output" && s.name != "back" {
				continue // nothing is expected any more
			}
			s.text += "\n"
		}
		sections = append(sections, s)
	}
	for rank, name := range order() {
		text := strings.TrimRight(actual[name], "\n")
		if !failed[name] || there[name] || text == "" {
			continue
		}
		at := slices.IndexFunc(sections, func(s section) bool { return slices.Index(order(), s.name) > rank })
		if at < 0 {
			at = len(sections)
		}
		sections = slices.Insert(sections, at, section{name: name, text: text + "\n"})
	}
	var out strings.Builder
	for _, s := range sections {
		if out.Len() > 0 && !strings.HasSuffix(out.String(), "\n") {
			out.WriteByte('\n')
		}
		out.WriteString("-- " + s.name + " --\n" + s.text)
	}
	return []byte(out.String())
}

// order is that of the sections that are made.
func order() []string {
	return []string{"problems", "output", "issues", "faults", "left", "back", "back faults", "back left"}
}

// memory is a folder tree of the files in a case.
type memory map[string]string

// Open finds a file.
func (m memory) Open(name string) (fs.File, error) {
	text, ok := m[name]
	if !ok {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	return &memoryFile{Reader: strings.NewReader(text), name: name}, nil
}

type memoryFile struct {
	*strings.Reader
	name string
}

func (f *memoryFile) Close() error               { return nil }
func (f *memoryFile) Stat() (fs.FileInfo, error) { return memoryInfo{f}, nil }

type memoryInfo struct{ f *memoryFile }

func (i memoryInfo) Name() string       { return i.f.name }
func (i memoryInfo) Size() int64        { return i.f.Reader.Size() }
func (i memoryInfo) Mode() fs.FileMode  { return 0o444 }
func (i memoryInfo) ModTime() time.Time { return time.Time{} }
func (i memoryInfo) IsDir() bool        { return false }
func (i memoryInfo) Sys() any           { return nil }
