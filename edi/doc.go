// Package edi reads and writes the two great families of electronic data
// interchange syntax: ANSI ASC X12 (X12.5 interchange control structure,
// X12.6 application control structure) and UN/EDIFACT (ISO 9735, syntax
// versions 1 to 4).
//
// The package knows delimiters, segments, elements, repetitions, components,
// release characters, positions and envelopes. It knows no dictionary: what a
// segment means is told by package schema, whether it may stand where it
// stands by package validate.
//
// A Reader pulls one Segment at a time from a stream of any size in constant
// memory and without an allocation per segment:
//
//	r := edi.NewReader(input, edi.Options{})
//	for {
//		seg, err := r.Next()
//		if err == io.EOF {
//			break
//		}
//		if err != nil {
//			return err
//		}
//		if seg.Is("BEG") {
//			fmt.Println(seg.Element(3).String(), "at byte", seg.Pos.Offset)
//		}
//	}
//
// The reader is tolerant: what real traffic does against the letter of the
// standard (a byte order mark, an ISA that is not 106 bytes, text between
// interchanges) is read, and each waiver is reported as a Notice that names
// its rule. Options.Strict turns the first such notice into an error.
//
// Copy, and Writer.WriteSegment with Writer.WriteTrailing, are the exact
// inverse of the Reader: the bytes that went in come out.
package edi
