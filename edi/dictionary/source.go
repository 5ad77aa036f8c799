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

// Limits bound what one import may read, archives unpacked.
type Limits struct {
	Files        int   // files, those in archives and the archives included; default 5 000
	FileBytes    int64 // bytes of one file, unpacked; default 8 MiB
	TotalBytes   int64 // bytes of all files that are read, unpacked; default 256 MiB
	ArchiveBytes int64 // bytes of all archives and files that are held in memory; default 24 MiB
	Depth        int   // archives inside archives; default 3
	Findings     int   // findings kept; default 10 000
}

func (l Limits) orDefault() Limits {
	small := func(v *int, d int) {
		if *v == 0 {
			*v = d
		}
	}
	large := func(v *int64, d int64) {
		if *v == 0 {
			*v = d
		}
	}
	small(&l.Files, 5000)
	small(&l.Depth, 3)
	small(&l.Findings, 10000)
	large(&l.FileBytes, 8<<20)
	large(&l.TotalBytes, 256<<20)
	large(&l.ArchiveBytes, 24<<20)
	return l
}

// ErrTooLarge says that a source is beyond its Limits.
var ErrTooLarge = errors.New("the source is too large")

// Source is what to import: files, folders and zip archives of them. The zero
// Source is empty and has the default limits. Names of files are kept for
// findings and to tell what a file is; nothing is ever written under them.
//
// Only the beginning of a file is read when it is added, to tell what it is.
// The whole is read when it is imported, and only if it is of use, so that an
// archive costs no more memory than its packed bytes and one file of it.
type Source struct {
	Limits Limits

	files    []sourceFile
	count    int   // files and archives
	held     int64 // bytes of archives and files in memory
	declared int64 // bytes of the files of use, as their archives have it
	read     int64 // bytes of the files that were read
	problems []Finding
}

// sourceFile is one file that is no archive.
type sourceFile struct {
	name      string // d96a.zip/TRMD.ZIP/ORDERS_D.96A
	format    Format // empty when it is of none
	part      part   // of a UNECE directory
	encrypted bool   // a SEF file of EDIdev's
	open      func() (io.ReadCloser, error)
}

// base is the last part of the name, in capitals.
func (f *sourceFile) base() string { return strings.ToUpper(path.Base(f.name)) }

// headBytes are read of each file to tell what it is.
const headBytes = 16 << 10

// Add takes one file; a zip archive is opened. The error is that of the
// reader, or ErrTooLarge.
func (s *Source) Add(name string, r io.Reader) error {
	if err := s.another(name); err != nil {
		return err
	}
	limits := s.Limits.orDefault()
	head, err := readHead(r)
	if err != nil {
		return fmt.Errorf("reading %s: %w", label(name), err)
	}
	allowed := limits.ArchiveBytes - s.held
	if !isArchive(head) {
		allowed = min(allowed, limits.FileBytes)
	}
	data, err := io.ReadAll(io.LimitReader(io.MultiReader(bytes.NewReader(head), r), allowed+1))
	if err != nil {
		return fmt.Errorf("reading %s: %w", label(name), err)
	}
	if !isArchive(head) && int64(len(data)) > limits.FileBytes {
		return tooLong(name, limits)
	}
	if err := s.hold(name, len(data)); err != nil {
		return err
	}
	if isArchive(data) {
		return s.archive(name, data, 1)
	}
	s.put(name, data[:min(len(data), headBytes)], func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(data)), nil })
	return nil
}

// AddFolder takes every file of a folder tree, which has to stay open until
// the source is imported. Links that lead out of it are not followed by an
// fs.FS that comes from os.Root.
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
		return s.inFolder(label, func() (io.ReadCloser, error) { return fsys.Open(p) })
	})
}

func (s *Source) inFolder(name string, open func() (io.ReadCloser, error)) error {
	f, err := open()
	if err != nil {
		return fmt.Errorf("reading %s: %w", name, err)
	}
	defer f.Close() //nolint:errcheck // opened for reading
	head, err := readHead(f)
	if err != nil {
		return fmt.Errorf("reading %s: %w", name, err)
	}
	if isArchive(head) {
		return s.Add(name, io.MultiReader(bytes.NewReader(head), f))
	}
	if err := s.another(name); err != nil {
		return err
	}
	s.put(name, head, open)
	return nil
}

func readHead(r io.Reader) ([]byte, error) {
	head, err := io.ReadAll(io.LimitReader(r, headBytes))
	if err != nil {
		return nil, err
	}
	return head, nil
}

func isArchive(data []byte) bool { return bytes.HasPrefix(data, []byte("PK\x03\x04")) }

func (s *Source) problem(name, format string, args ...any) {
	if len(s.problems) < s.Limits.orDefault().Findings {
		s.problems = append(s.problems, Finding{Kind: NotUnderstood, File: label(name), Text: fmt.Sprintf(format, args...)})
	}
}

// another counts a file or archive.
func (s *Source) another(name string) error {
	if limit := s.Limits.orDefault().Files; s.count >= limit {
		return fmt.Errorf("%w: more than %d files, at %s", ErrTooLarge, limit, label(name))
	}
	s.count++
	return nil
}

// hold counts bytes that are kept in memory.
func (s *Source) hold(name string, n int) error {
	s.held += int64(n)
	if limit := s.Limits.orDefault().ArchiveBytes; s.held > limit {
		return fmt.Errorf("%w: the archives have more than %d bytes, at %s", ErrTooLarge, limit, label(name))
	}
	return nil
}

func tooLong(name string, l Limits) error {
	return fmt.Errorf("%w: %s has more than %d bytes", ErrTooLarge, label(name), l.FileBytes)
}

// put notes a file by its name and its beginning, and tells whether it is of
// use.
func (s *Source) put(name string, head []byte, open func() (io.ReadCloser, error)) bool {
	f := sourceFile{name: label(name), open: open}
	switch {
	case looksLikeSEF(head):
		f.format, f.encrypted = SEF, bytes.HasPrefix(head, []byte(encryptedSEF))
	case xmlRoot(head) != "":
		f.format = xmlRoot(head)
	default:
		if f.part = partOf(f.base(), head); f.part != partOther {
			f.format = UNECE
		}
	}
	if f.format == "" {
		f.open = nil
	}
	s.files = append(s.files, f)
	return f.format != ""
}

// archive notes the files of an archive. A broken entry is a finding, not an
// error: others can be read.
func (s *Source) archive(name string, data []byte, depth int) error {
	limits := s.Limits.orDefault()
	if depth > limits.Depth {
		s.problem(name, "archives are nested deeper than %d; this one was not opened", limits.Depth)
		return nil
	}
	if n := bytes.Count(data, []byte("PK\x01\x02")); n > limits.Files { // before its directory is built in memory
		return fmt.Errorf("%w: more than %d files, in %s", ErrTooLarge, limits.Files, label(name))
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
		if err := s.another(inner); err != nil {
			return err
		}
		switch {
		case !entry.Mode().IsRegular():
			s.problem(inner, "this is no regular file and was not read")
		case entry.Flags&1 != 0:
			s.problem(inner, "this part of the archive is locked with a password and was not read")
		default:
			if err := s.entry(inner, entry, depth); err != nil {
				return err
			}
		}
	}
	return nil
}

// entry notes one file of an archive.
func (s *Source) entry(name string, f *zip.File, depth int) error {
	limits := s.Limits.orDefault()
	r, err := f.Open()
	if err != nil {
		s.problem(name, "this part of the archive cannot be read: %v", err)
		return nil
	}
	defer r.Close() //nolint:errcheck // opened for reading
	head, err := readHead(r)
	if err != nil {
		s.problem(name, "this part of the archive cannot be read: %v", err)
		return nil
	}
	if isArchive(head) {
		data, err := io.ReadAll(io.LimitReader(io.MultiReader(bytes.NewReader(head), r), limits.ArchiveBytes-s.held+1))
		if err != nil {
			s.problem(name, "this part of the archive cannot be read: %v", err)
			return nil
		}
		if err := s.hold(name, len(data)); err != nil {
			return err
		}
		return s.archive(name, data, depth+1)
	}
	if !s.put(name, head, f.Open) {
		return nil // never unpacked
	}
	size := min(f.UncompressedSize64, 1<<40)
	if s.declared += int64(size); int64(size) > limits.FileBytes { //nolint:gosec // at most 2^40
		return tooLong(name, limits)
	}
	if s.declared > limits.TotalBytes {
		return fmt.Errorf("%w: more than %d bytes in all, at %s", ErrTooLarge, limits.TotalBytes, label(name))
	}
	return nil
}

// content reads a file within the limits, whatever its size is said to be. The
// error is ErrTooLarge, or that of a broken file.
func (s *Source) content(f *sourceFile) ([]byte, error) {
	limits := s.Limits.orDefault()
	r, err := f.open()
	if err != nil {
		return nil, err
	}
	defer r.Close() //nolint:errcheck // opened for reading
	data, err := io.ReadAll(io.LimitReader(r, limits.FileBytes+1))
	if err != nil {
		return nil, err
	}
	if int64(len(data)) > limits.FileBytes {
		return nil, tooLong(f.name, limits)
	}
	if s.read += int64(len(data)); s.read > limits.TotalBytes {
		return nil, fmt.Errorf("%w: more than %d bytes in all, at %s", ErrTooLarge, limits.TotalBytes, f.name)
	}
	return data, nil
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
