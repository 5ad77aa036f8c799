package dictionary

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"tradepost/edi"
	"tradepost/edi/schema"
	"tradepost/edi/validate"
)

// Sample is one input to learn from. It is read several times.
type Sample struct {
	Name string
	Open func() (io.ReadCloser, error)
}

// LearnOptions say what to learn. The zero value learns from samples that hold
// one type of document, over a shipped guide when there is one.
type LearnOptions struct {
	Type    string // 850, ORDERS; empty when the samples hold one type
	Version string // 004010, D:96A; empty when they hold one version
	Name    string // of the draft; empty makes draft/850

	// Catalog holds the guides and dictionaries to build on; nil means the
	// shipped ones.
	Catalog *schema.Catalog
	// Guide is the guide to lie over, empty for the one the catalog has for the
	// type.
	Guide string
	// Alone makes a draft that stands on its own even when there is a guide.
	Alone bool
	// Unseen is what is forbidden of what no sample has; empty is
	// UnseenSegments. What is not forbidden is named in a comment.
	Unseen Unseen
}

// Unseen says what a draft over a guide forbids of what no sample has. A draft
// that stands alone has no place for it in any case.
type Unseen string

// What a draft may forbid.
const (
	UnseenSegments Unseen = "segments" // and loops
	UnseenElements Unseen = "elements" // of all segments, and segments and loops
	UnseenNothing  Unseen = "nothing"
)

// Draft is what was learned. It is the same for the same samples.
type Draft struct {
	File      File
	Standard  string
	Version   string
	Type      string
	BasedOn   string // the guide it lies over, empty when it stands alone
	Documents int    // learned from
	Others    int    // documents of other types or versions, left out
	Accepted  int    // of the documents, by the draft
	Faulty    int    // with faults of their envelope, which no guide lets pass
	// Refused names other documents the draft does not accept, with the first
	// reason: what they have against the guide or dictionary below it that a
	// guide cannot change, such as a segment without a place or a syntax note.
	Refused []string
}

// ErrSeveral says that the samples hold several types or versions and none was
// chosen.
var ErrSeveral = errors.New("the samples hold several types of documents")

const (
	maxRefused = 20
	maxKinds   = 1000    // of documents
	maxJudged  = 1 << 20 // documents whose envelopes are told apart from their content
	maxRounds  = 6       // of looking for the structure
)

// Learn drafts a guide from samples. They are read one segment at a time, so
// memory does not grow with their number or size.
func Learn(ctx context.Context, samples []Sample, o LearnOptions) (*Draft, error) {
	if o.Catalog == nil {
		o.Catalog = schema.Shipped()
	}
	if o.Name != "" && (!baseName.MatchString(o.Name) || strings.Contains(o.Name, "..")) {
		return nil, fmt.Errorf("name %q is none: letters, digits, . _ - and / as in acme/850", o.Name)
	}
	switch o.Unseen {
	case "":
		o.Unseen = UnseenSegments
	case UnseenSegments, UnseenElements, UnseenNothing:
	default:
		return nil, fmt.Errorf("what is unseen: %q is none of %s, %s and %s", o.Unseen, UnseenSegments, UnseenElements, UnseenNothing)
	}
	l := &learner{samples: samples, o: o, draft: &Draft{}}
	if err := l.choose(ctx); err != nil {
		return nil, err
	}
	if err := l.base(); err != nil {
		return nil, err
	}
	if l.guide == nil {
		if err := l.structure(ctx); err != nil {
			return nil, err
		}
	}
	st := newStatistics(l.guide)
	if err := l.each(ctx, l.guide, nil, st.segment, st.end); err != nil {
		return nil, err
	}
	l.draft.Documents = st.documents
	name := o.Name
	if name == "" {
		name = "draft/" + l.draft.Type
	}
	l.draft.File = File{Name: name + schema.GuideExt, Text: l.text(name, st)}
	return l.draft, l.verify(ctx, name)
}

// learner is the state of one call of Learn.
type learner struct {
	samples []Sample
	o       LearnOptions
	draft   *Draft
	guide   *schema.Guide // below the draft, or the structure that was found
	faulty  []bool        // documents refused for their envelope, in order
	group   string        // the documents travel in, "" for none or several
}

// wanted tells whether a document is to be learned from.
func (l *learner) wanted(standard, version, kind string) bool {
	return standard == l.draft.Standard && version == l.draft.Version && kind == l.draft.Type
}

// each reads every document of the samples against a guide. segment is called
// for the segments inside of documents, end when one ends.
func (l *learner) each(ctx context.Context, g *schema.Guide, catalog *schema.Catalog, segment func(*edi.Segment, *validate.Place), end func(sample string, d *validate.Document)) error {
	for _, s := range l.samples {
		if err := l.read(ctx, s, g, catalog, segment, end); err != nil {
			return fmt.Errorf("learning from %s: %w", s.Name, err)
		}
	}
	return nil
}

func (l *learner) read(ctx context.Context, s Sample, g *schema.Guide, catalog *schema.Catalog, segment func(*edi.Segment, *validate.Place), end func(string, *validate.Document)) error {
	in, err := s.Open()
	if err != nil {
		return err
	}
	if catalog == nil {
		catalog = &schema.Catalog{}
	}
	wanted := false
	o := validate.Options{
		Catalog: catalog, Stream: true, MaxIssues: 50, MaxDocumentIssues: 50,
		GuideFor: func(c validate.Choice) *schema.Guide {
			if wanted = l.wanted(c.Standard, c.Version, c.Type); wanted {
				return g
			}
			return nil
		},
		OnSegment: func(seg *edi.Segment, p *validate.Place) error {
			if p.Role == validate.Body && wanted {
				segment(seg, p)
			}
			return nil
		},
		OnDocument: func(_ *validate.Interchange, _ *validate.Group, d *validate.Document) error {
			if wanted {
				end(s.Name, d)
			}
			wanted = false
			return nil
		},
	}
	if g == nil { // nothing to walk by: every document is told
		o.GuideFor = nil
		o.OnSegment = func(seg *edi.Segment, p *validate.Place) error { segment(seg, p); return nil }
		o.OnDocument = func(ic *validate.Interchange, gr *validate.Group, d *validate.Document) error {
			if d.Version == "" {
				d.Version = gr.Version
			}
			d.Agency = ic.Standard
			end(s.Name, d)
			return nil
		}
	}
	_, err = validate.Validate(ctx, in, o)
	if closed := in.Close(); err == nil {
		err = closed
	}
	return err
}

// SampleKind is a type of document in one version that samples hold.
type SampleKind struct {
	Standard  string
	Version   string
	Type      string
	Documents int
}

// SampleKinds lists what samples hold, in the order of standard, version and
// type; those of which no guide could be made are left out.
func SampleKinds(ctx context.Context, samples []Sample) ([]SampleKind, error) {
	l := &learner{samples: samples, draft: &Draft{}}
	seen, err := l.look(ctx)
	if err != nil {
		return nil, err
	}
	var out []SampleKind
	for _, k := range sortedKinds(seen) {
		if k.fits() {
			out = append(out, SampleKind{k.standard, k.version, k.name, seen[k].documents})
		}
	}
	return out, nil
}

// kind is a type of document in one version.
type kind struct{ standard, version, name string }

// fits tells whether a guide can be for such documents.
func (k kind) fits() bool {
	return documentKind.MatchString(k.name) && versionName.MatchString(k.version)
}

func sortedKinds(seen map[kind]*kindCount) []kind {
	return slices.SortedFunc(maps.Keys(seen), func(a, b kind) int {
		return strings.Compare(a.standard+" "+a.version+" "+a.name, b.standard+" "+b.version+" "+b.name)
	})
}

// kindCount is what was seen of one kind.
type kindCount struct {
	documents int
	faulty    []bool // refused for their envelope, in order
	group     string // they travel in, "" for none or several
}

// look finds out what the samples hold.
func (l *learner) look(ctx context.Context) (map[kind]*kindCount, error) {
	seen := map[kind]*kindCount{}
	group := ""
	err := l.each(ctx, nil, nil, func(_ *edi.Segment, p *validate.Place) {
		if group = ""; p.Group != nil && documentKind.MatchString(p.Group.Type) {
			group = p.Group.Type
		}
	}, func(_ string, d *validate.Document) {
		k := kind{d.Agency, d.Version, d.Type}
		c := seen[k]
		switch {
		case c == nil && len(seen) == maxKinds:
			return
		case c == nil:
			c = &kindCount{group: group}
			seen[k] = c
		case c.group != group:
			c.group = ""
		}
		c.documents++
		if len(c.faulty) < maxJudged {
			c.faulty = append(c.faulty, !d.Accepted)
		}
	})
	return seen, err
}

// choose finds out what is to be learned.
func (l *learner) choose(ctx context.Context) error {
	seen, err := l.look(ctx)
	if err != nil {
		return err
	}
	var fit []kind
	total := 0
	for _, k := range sortedKinds(seen) {
		total += seen[k].documents
		if (l.o.Type == "" || k.name == l.o.Type) && (l.o.Version == "" || k.version == l.o.Version) {
			fit = append(fit, k)
		}
	}
	switch len(fit) {
	case 0:
		if total == 0 {
			return fmt.Errorf("%w: the samples hold no documents", ErrNothing)
		}
		return fmt.Errorf("%w: none of the %d documents is a %s of version %s", ErrNothing, total, or(l.o.Type, "(any type)"), or(l.o.Version, "(any)"))
	case 1:
	default:
		var names []string
		for _, k := range fit[:min(len(fit), 12)] {
			names = append(names, fmt.Sprintf("%s %s (%d)", printable(k.name), printable(k.version), seen[k].documents))
		}
		return fmt.Errorf("%w: %s; name the type, and the version where there are several", ErrSeveral, strings.Join(names, ", "))
	}
	k := fit[0]
	if !k.fits() {
		return fmt.Errorf("%w: %q %q is no type and version a guide can be for", ErrNothing, printable(k.name), printable(k.version))
	}
	l.draft.Standard, l.draft.Version, l.draft.Type = k.standard, k.version, k.name
	l.draft.Others, l.faulty = total-seen[k].documents, seen[k].faulty
	if k.standard == schema.X12 {
		l.group = seen[k].group
	}
	return nil
}

func or(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// base finds the guide to lie over.
func (l *learner) base() error {
	if l.o.Alone {
		return nil
	}
	if l.o.Guide != "" {
		g, err := l.o.Catalog.Guide(l.o.Guide)
		if err != nil {
			return err
		}
		l.guide = g
	} else if g, ok := l.o.Catalog.Lookup(l.draft.Standard, l.draft.Version, l.draft.Type); ok {
		l.guide = g
	}
	if l.guide != nil {
		l.draft.BasedOn = l.guide.Name
	}
	return nil
}

// verify checks the samples with the draft.
func (l *learner) verify(ctx context.Context, name string) error {
	catalog := l.o.Catalog.Clone()
	if _, err := catalog.Add(name, l.draft.File.Text); err != nil {
		return fmt.Errorf("the draft does not load: %w", err)
	}
	g, err := catalog.Guide(name)
	if err != nil {
		return err
	}
	document := -1
	return l.each(ctx, g, catalog, func(*edi.Segment, *validate.Place) {}, func(sample string, d *validate.Document) {
		document++
		switch {
		case d.Accepted:
			l.draft.Accepted++
			return
		case document < len(l.faulty) && l.faulty[document]:
			l.draft.Faulty++
			return
		}
		if len(l.draft.Refused) >= maxRefused {
			return
		}
		why := "for more faults than are told"
		for _, is := range d.Issues {
			if is.Severity == validate.Error {
				why = is.Text
				break
			}
		}
		l.draft.Refused = append(l.draft.Refused, fmt.Sprintf("%s: document %s: %s", sample, printable(d.Control), printable(why)))
	})
}
