// Package mapping turns EDI documents into the documents other programs work
// with, and back: X12 and EDIFACT on the one side, JSON, XML or CSV in a
// declared form, or another EDI document, on the other.
//
// A map is a YAML text of lines, each giving a target its source: a field of a
// form and the path of an element in a guide (edi/schema). Most lines run both
// ways, so one map reads orders and writes them. A map is looked up in both
// sides when it is loaded, and every mistake is told at once with file, line
// and column. What it says of loops, qualifiers, look-ups, dates and exact
// decimals is data; conditions and computed values are expressions
// (expr-lang), which reach the values of the document and nothing else, in
// bounded time and memory.
//
//	m, err := mapping.NewLibrary(schema.Shipped()).Map("x12/850")
//	summary, err := m.Convert(ctx, w, r, mapping.Options{})
//
// Convert takes one document at a time, whatever the size of the input. What
// is wrong with one document is in its report, with its place in the input and
// the line of the map, and leaves its neighbours alone. Values of the input
// that no line carries are reported, too: nothing is lost in silence.
//
// The forms shipped with the package (order, response, shipment, invoice) are
// shared by X12 and EDIFACT: two maps, run behind each other, make the one of
// the other. Package maptest runs golden cases for maps.
//
// This package is the only part of edi that needs modules beside the standard
// library: expr-lang for expressions, and goccy/go-yaml to read maps.
package mapping
