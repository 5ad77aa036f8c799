package dictionary

import (
	"context"
	"regexp"
	"strings"

	"tradepost/edi/schema"
)

// part is what a file of a UNECE directory holds.
type part uint8

const (
	partOther      part = iota
	partMessage         // EDMD, TRMD, IDMD: a file a message
	partSegments        // EDSD, TRSD, IDSD
	partComposites      // EDCD, TRCD, IDCD
	partElements        // EDED, TRED
	partCodes           // UNCL, UNSL
	partIndex           // lists of names
)

var (
	directoryName    = regexp.MustCompile(`^(?:ED|TR|ID)(MD|SD|CD|ED)(I[0-9])?(?:\.|$)`)
	codeListName     = regexp.MustCompile(`^UN[CS]L(?:-?[0-9])?(?:\.|$)`)
	explanation      = regexp.MustCompile(`^(?:README|CONTENT|AUDIT|LICEN|D[0-9]{3}|VALIDATION|PART[0-9])`)
	messageName      = regexp.MustCompile(`^[A-Z]{6}_[A-Z]\.[0-9]{2}[A-Z](?:\.TXT)?$`)
	directoryHeading = regexp.MustCompile(`(?m)^ *[0-9]\. +(?:(Segment|Composite|Data element) specifications|(Code|Service code) list(?:s| UN[CS]L)?)\s*$`)
	releaseEnding    = regexp.MustCompile(`\.([0-9]{2}[A-Z])(?:\.TXT)?$`)
)

// partOf tells by its name what a file of a directory is, and by its text when
// it was renamed.
func partOf(base string, head []byte) part {
	if m := directoryName.FindStringSubmatch(base); m != nil {
		if m[2] != "" {
			return partIndex
		}
		return map[string]part{"MD": partOther, "SD": partSegments, "CD": partComposites, "ED": partElements}[m[1]]
	}
	switch {
	case codeListName.MatchString(base):
		return partCodes
	case messageName.MatchString(base):
		return partMessage
	}
	if explanation.MatchString(base) {
		return partOther
	}
	text := decode(head[:min(len(head), 6000)])
	if strings.Contains(text, "Contr. Agency") && strings.Contains(text, "Message Type") {
		return partMessage
	}
	if m := directoryHeading.FindStringSubmatch(text); m != nil {
		return map[string]part{"Segment": partSegments, "Composite": partComposites, "Data element": partElements, "": partCodes}[m[1]]
	}
	return partOther
}

// maxDirectoryLine is what is read of a line; those of a directory have some 80
// bytes.
const maxDirectoryLine = 300

// unece reads a directory.
type unece struct {
	*importer
	std   *standard
	names map[string]string // in small letters, from the index files
}

// importUNECE reads the files of one release of the UN/EDIFACT directories.
func (im *importer) importUNECE(ctx context.Context, files []sourceFile) ([]*standard, error) {
	u := &unece{importer: im, std: newStandard(), names: map[string]string{}}
	u.std.standard = schema.EDIFACT
	byPart := map[part][]*sourceFile{}
	for i := range files {
		byPart[files[i].part] = append(byPart[files[i].part], &files[i])
	}
	u.release(byPart)
	for _, f := range byPart[partOther] {
		im.skip(f, "no part of the directory that describes messages, segments, elements or codes")
	}
	for _, step := range []struct {
		part part
		read func(*sourceFile, []line)
	}{
		{partIndex, u.index},
		{partElements, func(f *sourceFile, text []line) { u.elements(f, text, false) }},
		{partCodes, func(f *sourceFile, text []line) { u.elements(f, text, true) }},
		{partComposites, u.composites},
		{partSegments, u.segments},
		{partMessage, u.message},
	} {
		for _, f := range byPart[step.part] {
			if err := next(ctx); err != nil {
				return nil, err
			}
			text, err := u.lines(f)
			if err != nil {
				return nil, err
			}
			for i := range text {
				text[i].text = text[i].text[:min(len(text[i].text), maxDirectoryLine)]
			}
			step.read(f, text)
		}
	}
	u.tellMissing(files, byPart)
	u.service()
	u.std.title = "UN/EDIFACT directory " + strings.ReplaceAll(u.std.version, ":", ".")
	u.std.origin = []string{
		"Made from the UN/EDIFACT directory " + strings.ReplaceAll(u.std.version, ":", ".") + " of UNECE, whose terms hold for this text, too:",
		"read the licence that came with the directory before you pass it on.",
	}
	return []*standard{u.std}, nil
}

// tellMissing names the parts of a directory that the source does not have, and
// what is not checked for want of them.
func (u *unece) tellMissing(files []sourceFile, byPart map[part][]*sourceFile) {
	if len(files) == 0 {
		return
	}
	source, _, _ := strings.Cut(files[0].name, "/")
	for _, p := range []struct {
		part part
		text string
	}{
		{partMessage, "there are no messages (EDMD) in the source, and so no guides"},
		{partSegments, "there are no segments (EDSD) in the source: nothing inside of them is checked"},
		{partComposites, "there are no composites (EDCD) in the source: what they would hold is not checked"},
		{partElements, "there are no elements (EDED) in the source: their kinds and lengths are not checked"},
		{partCodes, "there are no code lists (UNCL) in the source: codes are not checked. Import them together with the rest; the list of the next release that you have comes close"},
	} {
		if len(byPart[p.part]) == 0 {
			u.report(Missing, place{file: source}, "%s", p.text)
		}
	}
}

// release finds version and release: in the ending of the file names, or in a
// message's head.
func (u *unece) release(byPart map[part][]*sourceFile) {
	counts := map[string]int{}
	for p, files := range byPart {
		if p == partOther {
			continue
		}
		for _, f := range files {
			if m := releaseEnding.FindStringSubmatch(f.base()); m != nil {
				counts[m[1]]++
			}
		}
	}
	best := ""
	for _, r := range sortedRefs(counts) {
		if best == "" || counts[r] > counts[best] {
			best = r
		}
	}
	if len(counts) > 1 {
		u.report(Contradiction, place{file: byPartFile(byPart)}, "the files belong to the releases %s; they are taken for %s. Import one release at a time.", strings.Join(sortedRefs(counts), ", "), best)
	}
	if best != "" {
		u.std.version = "D:" + best
	}
	if u.options.Version != "" {
		u.std.version = u.options.Version
	}
}

func byPartFile(byPart map[part][]*sourceFile) string {
	for p := partMessage; p <= partIndex; p++ {
		if len(byPart[p]) > 0 {
			return byPart[p][0].name
		}
	}
	return ""
}

// service adds the service segments of ISO 9735 that messages name and
// directories do not describe.
func (u *unece) service() {
	element := func(ref string, kind schema.Type, shortest, longest int, name string, codes ...schema.Code) {
		if u.std.elements[ref] == nil {
			u.std.elements[ref] = &element{ref: ref, name: name, kind: kind, min: shortest, max: longest, codes: codes}
		}
	}
	add := func(into map[string]*layout, ref, name string, uses ...use) {
		if into[ref] == nil {
			into[ref] = &layout{ref: ref, name: name, uses: uses}
		}
	}
	must := func(ref string) use { return use{ref: ref, required: true} }
	may := func(ref string) use { return use{ref: ref} }
	for _, e := range []struct {
		ref     string
		longest int
		name    string
	}{
		{"0051", 3, "Controlling agency"},
		{"0052", 3, "Version"},
		{"0054", 3, "Release"},
		{"0057", 6, "Association's code"},
		{"0062", 14, "Message reference"},
		{"0065", 6, "Message type"},
		{"0068", 35, "Common access reference"},
		{"0087", 4, "Segment group kept apart"},
		{"0110", 6, "Version of the code lists"},
		{"0113", 6, "Sub-function of the type"},
		{"0115", 14, "Subset"},
		{"0116", 3, "Version of the subset"},
		{"0118", 3, "Release of the subset"},
		{"0121", 14, "Guide"},
		{"0122", 3, "Version of the guide"},
		{"0124", 3, "Release of the guide"},
		{"0127", 14, "Scenario"},
		{"0128", 3, "Version of the scenario"},
		{"0130", 3, "Release of the scenario"},
		{"0300", 35, "Initiator's control reference"},
		{"0303", 35, "Initiator's reference"},
		{"0304", 35, "Responder's control reference"},
		{"0306", 6, "Sub-function of the type"},
		{"0314", 8, "Date or time"},
		{"0336", 35, "Time of the event"},
		{"0338", 8, "Date of the event"},
		{"0340", 35, "Message reference of the interactive message"},
	} {
		element(e.ref, schema.AlphaNum, 1, e.longest, e.name)
	}
	element("0070", schema.Numeric, 1, 2, "Number of the transfer")
	element("0073", schema.Alpha, 1, 1, "First or last transfer")
	element("0074", schema.Numeric, 1, 10, "Number of segments, header and trailer included")
	element("0081", schema.AlphaNum, 1, 1, "Section", schema.Code{Value: "D", Name: "Header and detail sections"}, schema.Code{Value: "S", Name: "Detail and summary sections"})
	element("0325", schema.Alpha, 1, 1, "Duplicate")
	element("0329", schema.Numeric, 1, 4, "Time difference to UTC")
	c, s := u.std.composites, u.std.segments
	add(c, "S009", "Message identifier", must("0065"), must("0052"), must("0054"), must("0051"), may("0057"), may("0110"), may("0113"))
	add(c, "S010", "Status of the transfer", must("0070"), may("0073"))
	add(c, "S016", "Message subset", must("0115"), may("0116"), may("0118"), may("0051"))
	add(c, "S017", "Message guide", must("0121"), may("0122"), may("0124"), may("0051"))
	add(c, "S018", "Scenario", must("0127"), may("0128"), may("0130"), may("0051"))
	add(c, "S300", "Date and time of the event", must("0338"), may("0314"), may("0329"))
	add(c, "S302", "Dialogue reference", must("0300"), may("0303"), may("0051"), may("0304"))
	add(c, "S306", "Interactive message identifier", must("0065"), must("0052"), must("0054"), may("0113"), may("0051"), may("0057"))
	add(s, "UNH", "Message header", must("0062"), must("S009"), may("0068"), may("S010"), may("S016"), may("S017"), may("S018"))
	add(s, "UNT", "Message trailer", must("0074"), must("0062"))
	add(s, "UNS", "Section control", must("0081"))
	add(s, "UGH", "Header of a segment group kept apart", must("0087"))
	add(s, "UGT", "Trailer of a segment group kept apart", must("0087"))
	add(s, "UIH", "Interactive message header", must("S306"), may("0340"), may("S302"), may("S300"), may("0325"))
	add(s, "UIT", "Interactive message trailer", may("0340"), may("0074"))
}
