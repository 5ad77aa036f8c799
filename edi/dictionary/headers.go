package dictionary

import "tradepost/edi/schema"

// headers adds the segments that begin and end a document, for sources that
// leave them to the envelope.
func (im *importer) headers(s *standard) {
	if s.standard == schema.EDIFACT {
		u := &unece{importer: im, std: s}
		u.service()
		return
	}
	element := func(ref string, kind schema.Type, shortest, longest int, name string) {
		if s.elements[ref] == nil {
			s.elements[ref] = &element{ref: ref, name: name, kind: kind, min: shortest, max: longest}
		}
	}
	element("143", schema.Code1, 3, 3, "Document type")
	element("329", schema.String, 4, 9, "Document control number")
	element("96", schema.Implied, 1, 10, "Number of segments, ST and SE included")
	element("1705", schema.String, 1, 35, "Implementation guide")
	if s.segments["ST"] == nil {
		s.segments["ST"] = &layout{ref: "ST", name: "Begin of the document", uses: []use{{ref: "143", required: true}, {ref: "329", required: true}, {ref: "1705"}}}
	}
	if s.segments["SE"] == nil {
		s.segments["SE"] = &layout{ref: "SE", name: "End of the document", uses: []use{{ref: "96", required: true}, {ref: "329", required: true}}}
	}
}

// frame puts the header and trailer of a document around its places when the
// source left them out.
func frame(standard string, areas []area) []area {
	head, tail := "ST", "SE"
	if standard == schema.EDIFACT {
		head, tail = "UNH", "UNT"
	}
	if len(areas) == 0 {
		return areas
	}
	first, last := &areas[0], &areas[len(areas)-1]
	if len(first.nodes) == 0 || first.nodes[0].name != head {
		first.nodes = append([]node{{name: head, required: true, max: 1}}, first.nodes...)
	}
	if n := len(last.nodes); last.nodes[n-1].name != tail {
		last.nodes = append(last.nodes, node{name: tail, required: true, max: 1})
	}
	return areas
}
