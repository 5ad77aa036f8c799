package validate

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"tradepost/edi"
	"tradepost/edi/edifact"
	"tradepost/edi/schema"
)

const (
	defaultMaxIssues         = 10000
	defaultMaxDocumentIssues = 1000
	checkContextEvery        = 1 << 12 // segments between looks at the context
)

// Validate checks one input. The error is that of the input, of a function in
// Options or of the context; faults of the documents are in the report, which
// is returned up to where an error stopped the walk.
func Validate(ctx context.Context, r io.Reader, o Options) (*Report, error) {
	v := newValidator(ctx, o)
	err := v.run(r)
	v.report.Accepted = v.report.Errors == 0 && err == nil
	return v.report, err
}

// validator holds the state of one walk. It lives as long as one call of
// Validate, which is why it may hold the context.
type validator struct {
	ctx     context.Context //nolint:containedctx // see above
	o       Options
	strict  bool
	catalog *schema.Catalog
	guides  map[string]*schema.Guide // by version and type, for this input
	known   map[string]*schema.Dictionary
	near    map[string]string // names of guides by type, made when one is missing
	reader  *edi.Reader
	workers *workers // judge documents ahead; nil for none
	apart   bool     // judges documents for another walk, which knows the control numbers
	report  *Report

	ic    *Interchange
	gr    *Group
	doc   *Document
	last  edi.Position // of the segment before
	end   int64        // offset behind the segment before
	kept  int          // issues kept in the report
	input scope

	icScope, grScope, docScope scope
	stray                      stray

	icControls, grControls, docControls numbers

	ordinal int
	walk    walker
	today   int // date of the interchange as CCYYMMDD, for dated codes
	scratch []byte
	atPlace Place
	seg     *edi.Segment // the segment being looked at

	groupNo   int  // groups of the interchange
	docNo     int  // documents of the interchange (EDIFACT without UNG)
	bareGroup bool // EDIFACT: the group stands for no UNG
	headless  bool // EDIFACT: the interchange has no UNB
	delims    edi.Delimiters
	mark      byte // decimal mark besides the point: EDIFACT takes either, whatever UNA says
	ascii     bool // the segment being looked at is printable ASCII
	charset   edifact.Charset
}

// scope counts waivers by rule between a header and its trailer, so that each
// is one warning however often it was needed.
type scope struct {
	waivers []waiver
	errors  int
}

type waiver struct {
	rule  string
	count int
	issue *Issue
}

func newValidator(ctx context.Context, o Options) *validator {
	if o.Catalog == nil {
		o.Catalog = schema.Shipped()
	}
	if o.MaxIssues == 0 {
		o.MaxIssues = defaultMaxIssues
	}
	if o.MaxDocumentIssues == 0 {
		o.MaxDocumentIssues = defaultMaxDocumentIssues
	}
	if o.blockSize == 0 {
		o.blockSize = blockSize
	}
	return &validator{
		ctx: ctx, o: o, strict: o.Profile == Strict, catalog: o.Catalog,
		guides: make(map[string]*schema.Guide), known: make(map[string]*schema.Dictionary),
		report: &Report{},
	}
}

func (v *validator) run(r io.Reader) error {
	if v.o.Workers > 1 && v.o.OnSegment == nil && v.o.OnUnread == nil {
		v.workers = startWorkers(v.ctx, r, v.o)
		defer v.workers.close()
		r = v.workers
	}
	v.reader = edi.NewReader(r, edi.Options{Limits: v.o.Limits})
	for n := 1; ; n++ {
		if n%checkContextEvery == 0 {
			if err := v.ctx.Err(); err != nil {
				return fmt.Errorf("validating: %w", err)
			}
		}
		if v.workers != nil {
			if err := v.takeJudged(); err != nil {
				return err
			}
		}
		seg, err := v.reader.Next()
		wrapped := false
		if notices := v.reader.Notices(); len(notices) > 0 {
			wrapped = true
			between := v.reader.Trailing()
			if seg != nil {
				between = seg.Lead
			}
			v.notices(notices, between, seg != nil && seg.Is("ISA"))
		}
		if errors.Is(err, io.EOF) {
			v.report.Trailing = bytes.Clone(v.reader.Trailing())
			return v.finish()
		}
		if err != nil {
			var bad *edi.SyntaxError
			if !errors.As(err, &bad) {
				return fmt.Errorf("reading the input: %w", err)
			}
			if v.report.Unread == nil {
				v.report.Unread = bad
			}
			v.syntax(bad)
			if v.o.OnUnread != nil {
				if err := v.o.OnUnread(bad); err != nil {
					return err
				}
			}
			if !bad.Recoverable {
				return v.finish()
			}
			continue
		}
		v.seg = seg
		if err := v.one(seg); err != nil {
			return err
		}
		if wrapped && seg.Is("ISA") {
			v.headerNotices(v.reader.Notices())
		}
		if v.workers != nil {
			v.workers.saw(seg)
		}
		v.last, v.end = seg.Pos, seg.End()
	}
}

// one checks a segment and tells OnSegment about it.
func (v *validator) one(seg *edi.Segment) error {
	if v.o.OnSegment == nil {
		return v.segment(seg)
	}
	// Trailers belong to what they end, which is gone when they were checked.
	ic, gr, doc := v.ic, v.gr, v.doc
	if err := v.segment(seg); err != nil {
		return err
	}
	p := &v.atPlace
	p.Interchange, p.Group, p.Document = v.ic, v.gr, v.doc
	p.Role, p.Guide, p.Node, p.Layout, p.Loops, p.Kept = v.role(seg), v.walk.guide, v.walk.node, nil, p.Loops[:0], 0
	switch p.Role {
	case InterchangeEnd, GroupEnd, DocumentEnd:
		p.Interchange, p.Group, p.Document = ic, gr, doc
	case Body, DocumentStart:
		v.walk.describe(p)
	}
	if p.Document == nil {
		p.Guide, p.Node = nil, nil
	}
	if p.Layout == nil && p.Guide != nil {
		p.Layout = p.Guide.Dictionary.Segment(schema.MakeTag(seg.Tag))
	}
	return v.o.OnSegment(seg, p)
}

// role tells what a segment was to the envelope, now that it is checked.
func (v *validator) role(seg *edi.Segment) Role {
	at := seg.Pos.Ordinal
	switch schema.MakeTag(seg.Tag) {
	case tagISA, tagUNB, tagUIB:
		return InterchangeStart
	case tagIEA, tagUNZ, tagUIZ:
		if v.ic == nil {
			return InterchangeEnd
		}
	case tagGS, tagUNG:
		if v.gr != nil && v.gr.Extent.First == at {
			return GroupStart
		}
	case tagGE, tagUNE:
		if v.gr == nil {
			return GroupEnd
		}
	case tagST, tagUNH, tagUIH, tagUNO:
		if v.doc != nil && v.doc.Extent.First == at {
			return DocumentStart
		}
	case tagSE, tagUNT, tagUIT, tagUNP:
		if v.doc == nil {
			return DocumentEnd
		}
	}
	if v.doc != nil {
		return Body
	}
	return Outside
}

// segment sends a segment to the envelope or to the document it stands in.
func (v *validator) segment(seg *edi.Segment) error {
	tag := schema.MakeTag(seg.Tag)
	switch v.reader.Delimiters().Standard {
	case edi.X12:
		switch tag {
		case tagISA, tagIEA, tagGS, tagGE, tagST, tagSE:
			return v.x12Envelope(seg, tag)
		case tagTA1:
			if v.ic != nil && v.doc == nil && v.gr == nil {
				v.interchangeAck(seg)
				return nil
			}
		}
	case edi.EDIFACT:
		if isEdifactService(tag) {
			return v.edifactEnvelope(seg, tag)
		}
	}
	if v.doc != nil {
		v.ordinal++
		v.ascii = isASCII(seg.Content())
		v.walk.step(v, seg, tag)
		if v.ic.Standard == schema.EDIFACT {
			v.checkCharacters(seg)
		}
		return nil
	}
	v.outside(seg)
	return nil
}

// finish ends whatever is still open at the end of the input.
func (v *validator) finish() error {
	v.seg = nil
	if v.ic == nil && len(v.report.Interchanges) == 0 && v.report.Errors == 0 && v.input.errors == 0 && !v.streamed() {
		v.add(&Issue{Severity: Error, Level: LevelInput, Offset: 0, Line: 1, Text: "The input holds no interchange: an ISA or UNB is expected first. Check that the right file was sent."})
	}
	return v.closeInterchange(true)
}

func (v *validator) streamed() bool { return v.o.Stream && v.report.seen > 0 }

// here is the position right behind the segment before: where something is
// missing.
func (v *validator) here() (offset int64, line int) {
	if v.seg != nil {
		return v.seg.Pos.Offset, v.seg.Pos.Line
	}
	return v.end, max(v.last.Line, 1)
}

// add keeps an issue with the innermost thing it concerns.
func (v *validator) add(is *Issue) {
	if s := v.seg; s != nil && is.Line == s.Pos.Line && is.Offset > s.Pos.Offset {
		is.Line += lineEnds(s.Raw[:min(is.Offset-s.Pos.Offset, int64(len(s.Raw)))]) // of a wrapped line
	}
	if is.Severity == Error {
		v.report.Errors++
	} else {
		v.report.Warnings++
	}
	switch is.Level {
	case LevelInput:
		if is.Severity == Error {
			v.input.errors++
		}
		v.keep(&v.report.Issues, is)
	case LevelInterchange:
		if v.ic == nil {
			v.keep(&v.report.Issues, is)
			return
		}
		if is.Severity == Error {
			v.ic.Accepted = false
		}
		v.keep(&v.ic.Issues, is)
	case LevelGroup:
		if v.gr == nil {
			v.keep(&v.report.Issues, is)
			return
		}
		if is.Severity == Error {
			v.gr.Accepted = false
			if v.ic.Noted == "" && strings.HasPrefix(is.Ack, "TA105=") {
				v.ic.Noted = is.Ack
			}
		}
		v.keep(&v.gr.Issues, is)
	default:
		if v.doc == nil {
			v.keep(&v.report.Issues, is)
			return
		}
		if is.Severity == Error {
			v.doc.Accepted = false
		}
		if len(v.doc.Issues) >= v.o.MaxDocumentIssues {
			v.doc.Omitted++
			v.report.Omitted++
			return
		}
		v.keep(&v.doc.Issues, is)
	}
}

func (v *validator) keep(to *[]*Issue, is *Issue) {
	if v.kept >= v.o.MaxIssues {
		v.report.Omitted++
		if v.doc != nil && to == &v.doc.Issues {
			v.doc.Omitted++
		}
		return
	}
	v.kept++
	if v.o.KeepRaw && v.seg != nil && is.Raw == "" {
		is.Raw, is.RawOffset = string(v.seg.Raw[:min(len(v.seg.Raw), 512)]), v.seg.Pos.Offset
	}
	*to = append(*to, is)
}

// full tells that the text of another issue of the document need not be made.
func (v *validator) full() bool {
	return v.kept >= v.o.MaxIssues || v.doc != nil && len(v.doc.Issues) >= v.o.MaxDocumentIssues
}

// waive records something let pass: an error in the strict profile, one
// warning per rule and scope in the tolerant one.
func (v *validator) waive(sc *scope, is Issue) {
	if v.strictly(is.Rule) {
		is.Severity = Error
		v.add(&is)
		return
	}
	for i := range sc.waivers {
		if sc.waivers[i].rule == is.Rule {
			sc.waivers[i].count++
			return
		}
	}
	is.Severity = Warning
	kept := is
	v.add(&kept)
	sc.waivers = append(sc.waivers, waiver{rule: is.Rule, count: 1, issue: &kept})
}

// strictly tells whether what a rule waives is an error.
func (v *validator) strictly(rule string) bool {
	return v.strict != (len(v.o.Except) > 0 && slices.Contains(v.o.Except, rule))
}

// again counts a waiver of the document that was recorded before, and tells
// whether it was, so that its text is made once only.
func (v *validator) again(rule string) bool {
	if v.strictly(rule) {
		return false
	}
	for i := range v.docScope.waivers {
		if v.docScope.waivers[i].rule == rule {
			v.docScope.waivers[i].count++
			return true
		}
	}
	return false
}

// settle writes into each waiver how often it was needed.
func (sc *scope) settle(where string) {
	for i := range sc.waivers {
		if w := &sc.waivers[i]; w.count > 1 {
			w.issue.Text += fmt.Sprintf(" Needed %d times in this %s, shown once.", w.count, where)
		}
	}
	sc.waivers, sc.errors = sc.waivers[:0], 0
}

// scopeFor gives the scope and level that what happens now belongs to.
func (v *validator) scopeFor() (*scope, Level) {
	switch {
	case v.doc != nil:
		return &v.docScope, LevelDocument
	case v.gr != nil:
		return &v.grScope, LevelGroup
	case v.ic != nil:
		return &v.icScope, LevelInterchange
	}
	return &v.input, LevelInput
}

// strayService finds a service segment in what stands between interchanges.
func strayService(between []byte) string {
	text := bytes.TrimLeft(between, " \t\r\n\x00\x1a")
	for _, tag := range []string{"IEA", "GE", "SE", "GS", "ST", "TA1", "UNZ", "UNE", "UNT", "UNH", "UNG", "UIZ"} {
		if bytes.HasPrefix(text, []byte(tag)) && len(text) > len(tag) && !isAlnum(text[len(tag)]) && text[len(tag)] > ' ' {
			return tag
		}
	}
	return ""
}

// notices turns the reader's waivers into warnings. between are the bytes that
// stand before the segment, or behind the last one. Those about an ISA wait
// until its interchange is open.
func (v *validator) notices(list []edi.Notice, between []byte, header bool) {
	v.seg = nil // the segment before is gone
	for _, n := range list {
		if header && headerRule(n.Rule) != "" {
			continue
		}
		if tag := strayService(between); n.Rule == edi.RuleText && tag != "" {
			is := &Issue{Severity: Error, Level: LevelInput, Ack: "TA105=022", Segment: tag, Offset: n.Offset, Line: n.Line, Value: clip(bytes.TrimSpace(between)), Rule: string(n.Rule)}
			if tag[0] == 'U' {
				is.Ack = "0085=33"
			}
			is.Text = fmt.Sprintf("%s stands outside of any interchange. A header before it is missing, or it was sent twice.", tag)
			v.add(is)
			continue
		}
		is := Issue{Level: LevelInput, Offset: n.Offset, Line: n.Line, Rule: string(n.Rule), Text: n.Rule.Explain()}
		if n.Rule == edi.RuleText {
			is.Value = clip(bytes.TrimSpace(between))
			is.Text = fmt.Sprintf("%s that belong to no interchange were passed over: %s.", plural(int(n.Length), "byte"), quote(is.Value))
		}
		sc := &v.input
		switch n.Rule {
		case edi.RuleNewlineInSegment, edi.RuleBinaryLength, edi.RuleObjectLength:
			sc, is.Level = v.scopeFor()
			if is.Level == LevelDocument {
				is.Ordinal = v.ordinal + 1
			}
		}
		v.waive(sc, is)
	}
}

// headerRule gives the code of a waiver about the form of an ISA.
func headerRule(r edi.Rule) string {
	switch r {
	case edi.RuleISAWidth, edi.RuleISAElements, edi.RuleISATerminator:
		return "TA105=022"
	case edi.RuleMultiByteTerminator:
		return "TA105=004"
	case edi.RuleComponentSeparator:
		return "TA105=027"
	case edi.RuleRepetition:
		return "TA105=016"
	}
	return ""
}

// headerNotices turns waivers about an ISA into warnings of its interchange.
func (v *validator) headerNotices(list []edi.Notice) {
	for _, n := range list {
		if ack := headerRule(n.Rule); ack != "" {
			v.waive(&v.icScope, Issue{Level: LevelInterchange, Ack: ack, Segment: "ISA", Offset: n.Offset, Line: n.Line, Rule: string(n.Rule), Text: n.Rule.Explain()})
		}
	}
}

// syntax records a segment the reader could not read.
func (v *validator) syntax(bad *edi.SyntaxError) {
	v.seg = nil
	_, level := v.scopeFor()
	is := &Issue{Severity: Error, Level: level, Segment: bad.Segment, Element: bad.Element, Component: bad.Component, Offset: bad.Offset, Line: max(bad.Line, 1), Rule: string(bad.Code)}
	is.Text = sentence(bad.Msg) + hint(bad.Hint)
	switch bad.Code {
	case edi.CodeSegmentLong, edi.CodeElements, edi.CodeComponents, edi.CodeRepeats:
		if bad.Segment != "" {
			is.Text = bad.Segment + ": " + bad.Msg + "." + hint(bad.Hint)
		}
	}
	switch {
	case v.ic == nil && (bad.Code == edi.CodeISA || bad.Code == edi.CodeMissingISA):
		is.Ack = "TA105=022"
	case v.ic == nil && bad.Code == edi.CodeISACut:
		is.Ack = "TA105=023"
	case v.ic == nil && bad.Code == edi.CodeUNA:
		is.Ack = "0085=22"
	case v.ic == nil && bad.Code == edi.CodeTerminator:
		is.Ack = "TA105=004"
	case v.ic == nil && bad.Code == edi.CodeElementSeparator:
		is.Ack = "TA105=026"
	case v.ic == nil && bad.Code == edi.CodeComponentSeparator:
		is.Ack = "TA105=027"
	case v.doc != nil:
		v.ordinal++
		is.Level, is.Ordinal = LevelSegment, v.ordinal
		is.Ack = v.code(faultTooLong)
		if bad.Code == edi.CodeElements {
			is.Ack = v.code(faultTooManyElements)
		}
		is.Level = LevelElement
	case v.ic != nil:
		is.Ack = "TA105=022"
		if v.ic.Standard == schema.EDIFACT {
			is.Ack = "0085=18"
		}
	}
	v.add(is)
}

// code gives the code of a fault in the standard of the interchange.
func (v *validator) code(f fault) string {
	x12, edifact, _ := f.codes()
	if v.ic != nil && v.ic.Standard == schema.EDIFACT {
		return edifact
	}
	return x12
}
