package dictionary

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
)

// Limits bound what one import may read, archives opened.
type Limits struct {
	Files      int   // files, those in archives and the archives included; default 20 000
	FileBytes  int64 // bytes of one file; default 64 MiB
	TotalBytes int64 // bytes of all files; default 512 MiB
	Depth      int   // archives inside archives; default 3
	Findings   int   // findings kept; default 10 000
}

func (l Limits) orDefault() Limits {
	set := func(v *int, d int) {
		if *v == 0 {
			*v = d
		}
	}
	set(&l.Files, 20000)
	set(&l.Depth, 3)
	set(&l.Findings, 10000)
	if l.FileBytes == 0 {
		l.FileBytes = 64 << 20
	}
	if l.TotalBytes == 0 {
		l.TotalBytes = 512 << 20
	}
	return l
}

// ErrTooLarge says that a source is beyond its Limits.
var ErrTooLarge = errors.New("the source is too large")

// Source is what to import: files, folders and zip archives of them. The zero
// Source is empty and has the default limits. Names of files are kept for
// findings and to tell what a file is; nothing is ever written under them.
type Source struct {
	Limits Limits

	files    []sourceFile
	read     int   // files
	bytes    int64 // of them
	problems []Finding
}

// sourceFile is one file that is no archive.
type sourceFile struct {
	name string // d96a.zip/TRMD.ZIP/ORDERS_D.96A
	data []byte
}

// base is the last part of the name, in capitals.
func (f *sourceFile) base() string { return strings.ToUpper(path.Base(f.name)) }

// Add reads one file; a zip archive is opened. The error is that of the
// reader, or ErrTooLarge.
func (s *Source) Add(name string, r io.Reader) error {
	data, err := s.readAll(name, r)
	if err != nil {
		return err
	}
	return s.put(name, data, 0)
}

// AddFolder reads every file of a folder tree. Links that lead out of it are
// not followed by an fs.FS that comes from os.Root.
func (s *Source) AddFolder(name string, fsys fs.FS) error {
	return fs.WalkDir(fsys, ".", func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return fmt.Errorf("reading %s: %w", path.Join(name, p), err)
		}
		if d.IsDir() {
			return nil
		}
		label := path.Join(name, p)
		if !d.Type().IsRegular() {
			s.problem(label, "this is no regular file and was not read")
			return nil
		}
		f, err := fsys.Open(p)
		if err != nil {
			return fmt.Errorf("reading %s: %w", label, err)
		}
		defer f.Close() //nolint:errcheck // opened for reading
		return s.Add(label, f)
	})
}

func (s *Source) problem(name, format string, args ...any) {
	if len(s.problems) < s.Limits.orDefault().Findings {
		s.problems = append(s.problems, Finding{Kind: NotUnderstood, File: label(name), Text: fmt.Sprintf(format, args...)})
	}
}

// readAll reads a file within the limits, whatever its size is said to be.
func (s *Source) readAll(name string, r io.Reader) ([]byte, error) {
	limits := s.Limits.orDefault()
	if s.read++; s.read > limits.Files {
		return nil, fmt.Errorf("%w: more than %d files, at %s", ErrTooLarge, limits.Files, label(name))
	}
	allowed := min(limits.FileBytes, limits.TotalBytes-s.bytes)
	data, err := io.ReadAll(io.LimitReader(r, allowed+1))
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", label(name), err)
	}
	s.bytes += int64(len(data))
	if int64(len(data)) > allowed {
		if allowed < limits.FileBytes {
			return nil, fmt.Errorf("%w: more than %d bytes in all, at %s", ErrTooLarge, limits.TotalBytes, label(name))
		}
		return nil, fmt.Errorf("%w: %s has more than %d bytes", ErrTooLarge, label(name), limits.FileBytes)
	}
	return data, nil
}

func (s *Source) put(name string, data []byte, depth int) error {
	if bytes.HasPrefix(data, []byte("PK\x03\x04")) {
		return s.open(name, data, depth+1)
	}
	s.files = append(s.files, sourceFile{name: label(name), data: data})
	return nil
}

// open reads the files of an archive. A broken entry is a finding, not an
// error: others can be read.
func (s *Source) open(name string, data []byte, depth int) error {
	if limit := s.Limits.orDefault().Depth; depth > limit {
		s.problem(name, "archives are nested deeper than %d; this one was not opened", limit)
		return nil
	}
	archive, err := zip.NewReader(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		s.problem(name, "this zip archive cannot be opened: %v", err)
		return nil
	}
	for _, entry := range archive.File {
		if strings.HasSuffix(entry.Name, "/") || entry.FileInfo().IsDir() {
			continue
		}
		inner := name + "/" + label(entry.Name)
		content, err := s.entry(inner, entry)
		switch {
		case errors.Is(err, ErrTooLarge):
			return err
		case err != nil:
			s.problem(inner, "this part of the archive cannot be read: %v", err)
		default:
			if err := s.put(inner, content, depth); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *Source) entry(name string, f *zip.File) ([]byte, error) {
	r, err := f.Open()
	if err != nil {
		return nil, err
	}
	defer r.Close() //nolint:errcheck // opened for reading
	return s.readAll(name, r)
}

// sorted gives the files by name, so that the order of an archive or a folder
// does not matter.
func (s *Source) sorted() []sourceFile {
	list := slices.Clone(s.files)
	slices.SortStableFunc(list, func(a, b sourceFile) int { return strings.Compare(a.name, b.name) })
	return list
}

// label makes a name from an archive fit for a report.
func label(name string) string {
	name = printable(strings.ReplaceAll(name, "\\", "/"))
	if len(name) > 300 {
		name = "..." + strings.ToValidUTF8(name[len(name)-297:], "")
	}
	return name
}
