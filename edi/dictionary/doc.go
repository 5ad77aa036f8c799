// Package dictionary makes dictionaries and guides in the text format of
// package schema out of what a user holds already: UN/EDIFACT directories as
// UNECE publishes them (the batch directories EDMD, EDSD, EDCD, EDED, their
// trial forms TRMD ..., the interactive IDMD ..., and the code lists UNCL),
// SEF 1.0 to 1.6 files, StAEDI schemas, and XML Schemas with the annotations
// of BizTalk.
//
//	var in dictionary.Source
//	err := in.Add("d96a.zip", file)
//	result, err := dictionary.Import(ctx, &in, dictionary.Options{})
//	for _, f := range result.Files { // f.Name, f.Text
//	}
//	for _, finding := range result.Findings { // what was not taken over, and where
//	}
//
// The files have relative names made by this package, never by the source, and
// load with schema.Load. What an importer does not understand, and what our
// format has no place for, is a Finding with its file, line and column.
//
// Learn drafts a guide from documents that were traded: which segments
// stand where, which always, how often, how long the values are and which
// codes occur.
//
// Nothing of what is imported comes with this program. The terms of the source
// hold for the texts made from it: the UNECE directories may be used and
// passed on unchanged with their licence and not be sold or distributed in
// another form, X12 directories are licensed to who bought them.
package dictionary
