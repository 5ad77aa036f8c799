package dictionary

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"tradepost/edi/schema"
)

// Format is a kind of source.
type Format string

// The formats that can be imported.
const (
	UNECE  Format = "unece"  // directories of UN/EDIFACT
	SEF    Format = "sef"    // Standard Exchange Format 1.0 to 1.6
	StAEDI Format = "staedi" // XML schema of StAEDI, 2015 and v2 to v4
	XSD    Format = "xsd"    // XML Schema with BizTalk annotations
)

// Formats lists the formats.
func Formats() []Format { return []Format{UNECE, SEF, StAEDI, XSD} }

// ErrNothing says that a source holds nothing that can be imported.
var ErrNothing = errors.New("nothing to import")

// Options tell what a source does not tell itself.
type Options struct {
	Format Format // empty: told by the content

	// Name is what the names of the dictionary and its guides begin with; empty
	// makes x12/004010 or edifact/D96A out of the version. Guides under these
	// names take the place of the shipped ones.
	Name string
	// Guide is what the names of guides laid over a standard begin with: the
	// second half of a SEF file or of a StAEDI schema. Empty takes the name the
	// source gives itself.
	Guide string

	Standard string // schema.X12 or schema.EDIFACT
	Version  string // 004010, D:96A
	Type     string // 850, ORDERS
	Group    string // PO

	// OpenCodes makes every list of codes name what is usual and refuse nothing.
	OpenCodes bool

	// Known is a catalog whose guides lend their business keys, groups and titles
	// to imported guides of the same type that have none; nil leaves them out.
	Known *schema.Catalog
}

// File is one text in our format.
type File struct {
	Name string // x12/004010/850.guide: relative, safe to create below any folder
	Text []byte
}

// Result is what came out of an import. It is the same for the same source.
type Result struct {
	Format       Format
	Standard     string   // several are separated by commas
	Version      string   // likewise
	Dictionaries []string // names
	Guides       []string // names
	Files        []File
	Findings     []Finding
	Omitted      int // findings beyond the limit
	Segments     int
	Composites   int
	Elements     int
	Codes        int
	Read         int // files read
	Skipped      int // files that hold explanations only
	Prose        int // lines of explanation, which a dictionary has no place for
}

// importer is the state of one import.
type importer struct {
	options  Options
	source   *Source
	findings findings
	prose    int
	skipped  int
	left     room
}

// room is what is left of the limits on what one import makes. They are some
// times what the largest standards have, and keep hostile sources from making
// much out of little.
type room struct {
	elements, layouts, uses, fields, codes, documents, nodes, records, steps int
}

func newRoom() room {
	return room{elements: 12_000, layouts: 6_000, uses: 60_000, fields: 250_000, codes: 100_000, documents: 1_000, nodes: 40_000, records: 80_000, steps: 20_000_000}
}

// within takes n from what is left of a limit, and tells once when it is used
// up.
func (im *importer) within(left *int, n int, at place, what string) bool {
	if *left >= n {
		*left -= n
		return true
	}
	if *left >= 0 {
		*left = -1
		im.report(NotKept, at, "there are more %s than one import may have; from here on they were left out", what)
	}
	return false
}

// content reads a file. What cannot be read is a finding, and nil; the error
// is ErrTooLarge.
func (im *importer) content(f *sourceFile) ([]byte, error) {
	data, err := im.source.content(f)
	if errors.Is(err, ErrTooLarge) {
		return nil, err
	}
	if err != nil {
		im.report(NotUnderstood, place{file: f.name}, "the file cannot be read: %v", err)
		return nil, nil
	}
	return data, nil
}

// lines reads the lines of a file.
func (im *importer) lines(f *sourceFile) ([]line, error) {
	data, err := im.content(f)
	if err != nil {
		return nil, err
	}
	if n := bytes.Count(data, []byte("\n")); n > maxLines {
		return nil, fmt.Errorf("%w: %s has more than %d lines", ErrTooLarge, f.name, maxLines)
	}
	return lines(data), nil
}

func (im *importer) report(kind Kind, at place, format string, args ...any) {
	im.findings.add(kind, at, format, args...)
}

// skip leaves out a whole file.
func (im *importer) skip(f *sourceFile, why string) {
	im.skipped++
	im.report(NotKept, place{file: f.name}, "%s: the file was not taken over", why)
}

// next is called between files.
func next(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("importing: %w", err)
	}
	return nil
}

var (
	segmentName  = regexp.MustCompile(`^[A-Z][A-Z0-9]{1,2}$`)
	elementName  = regexp.MustCompile(`^(?:[A-Z]?[0-9]{1,5}|[A-Z][A-Z0-9]{1,2})$`)
	compositeRef = regexp.MustCompile(`^[A-Z]?[0-9]{1,5}$`)
	loopName     = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]{0,19}$`)
	documentKind = regexp.MustCompile(`^[A-Z0-9]{2,12}$`)
	baseName     = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]*(/[A-Za-z0-9][A-Za-z0-9._-]*){0,5}$`)
)

// Import reads a source. The error is that of the context, ErrTooLarge,
// ErrNothing when the source has nothing of a known format, or says which option is wrong or
// missing; everything else that is wrong with the source is in the findings.
func Import(ctx context.Context, in *Source, o Options) (*Result, error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	files := in.sorted()
	im := &importer{options: o, source: in, left: newRoom(), findings: findings{limit: in.Limits.orDefault().Findings}}
	im.findings.list = append(im.findings.list, in.problems...)
	format := o.Format
	if format == "" {
		format = detect(files)
	}
	var list []*standard
	var err error
	switch format {
	case UNECE:
		list, err = im.importUNECE(ctx, files)
	case SEF:
		list, err = im.importSEF(ctx, files)
	case StAEDI:
		list, err = im.importStAEDI(ctx, files)
	case XSD:
		list, err = im.importXSD(ctx, files)
	default:
		err = fmt.Errorf("%w: %s is in none of the formats %s", ErrNothing, describe(files), formatList())
	}
	if err == nil && len(list) > 1 && o.Name != "" {
		var versions []string
		for _, s := range list {
			versions = append(versions, s.standard+" "+s.version)
		}
		err = fmt.Errorf("the source has %s, and name %q is for one of them: leave the name out, or import one version at a time", strings.Join(versions, ", "), o.Name)
	}
	r := &Result{Format: format, Read: in.count, Skipped: im.skipped, Prose: im.prose}
	for _, s := range list {
		if err == nil {
			err = im.write(ctx, r, s)
		}
	}
	r.Findings, r.Omitted = im.findings.list, im.findings.omitted
	if err != nil {
		return r, err
	}
	if len(r.Files) == 0 {
		return r, fmt.Errorf("%w: %s has no segments, elements or documents that could be read as %s", ErrNothing, describe(files), format)
	}
	return r, nil
}

func (o *Options) check() error {
	if o.Format != "" && !slices.Contains(Formats(), o.Format) {
		return fmt.Errorf("format %q is not known; there are %s", o.Format, formatList())
	}
	for what, value := range map[string]string{"name": o.Name, "guide": o.Guide} {
		if value != "" && (!baseName.MatchString(value) || strings.Contains(value, "..")) {
			return fmt.Errorf("%s %q is no name: letters, digits, . _ - and / as in x12/004010", what, value)
		}
	}
	if o.Standard != "" && o.Standard != schema.X12 && o.Standard != schema.EDIFACT {
		return fmt.Errorf("standard %q is not known; there are %s and %s", o.Standard, schema.X12, schema.EDIFACT)
	}
	if o.Version != "" && !versionName.MatchString(o.Version) {
		return fmt.Errorf("version %q is none: 004010 or D:96A is expected", o.Version)
	}
	for what, value := range map[string]string{"type": o.Type, "group": o.Group} {
		if value != "" && !documentKind.MatchString(value) {
			return fmt.Errorf("%s %q is none: capitals and digits as in 850 or ORDERS", what, value)
		}
	}
	return nil
}

var versionName = regexp.MustCompile(`^[A-Z0-9]{1,12}(:[A-Z0-9]{1,6})?$`)

func formatList() string {
	var names []string
	for _, f := range Formats() {
		names = append(names, string(f))
	}
	return strings.Join(names, ", ")
}

// detect tells the format by the content. Directories are told by the names of
// their files, too, and come last.
func detect(files []sourceFile) Format {
	format := Format("")
	for i := range files {
		switch f := files[i].format; f {
		case "":
		case UNECE:
			format = UNECE
		default:
			return f
		}
	}
	return format
}

// describe names a source for an error.
func describe(files []sourceFile) string {
	switch len(files) {
	case 0:
		return "the source, which has no files,"
	case 1:
		return files[0].name
	}
	return fmt.Sprintf("%s and %d more", files[0].name, len(files)-1)
}
