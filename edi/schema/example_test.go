package schema_test

import (
	"errors"
	"fmt"
	"log"

	"tradepost/edi/schema"
)

// A partner's guide is laid over that of the standard and says what is
// different.
func ExampleCatalog_Add() {
	catalog := schema.Shipped()
	if _, err := catalog.Add("acme.guide", []byte(`guide acme/850 "Orders of ACME"
based-on x12/004010/850
at heading/BEG
  2 codes NE SA
at heading/CUR
  forbid
`)); err != nil {
		log.Fatal(err)
	}
	guide, err := catalog.Guide("acme/850")
	if err != nil {
		log.Fatal(err)
	}
	for _, place := range guide.Root.Nodes[:3] {
		fmt.Println(place.Path, place.Segment.Name, place.Forbidden)
	}
	// Output:
	// heading/ST Document header false
	// heading/BEG Start of a purchase order false
	// heading/CUR Currency true
}

// A mistake is told with file, line and column.
func ExampleSyntaxError() {
	_, err := schema.Shipped().Add("acme.guide", []byte("guide acme/850\nbased-on x12/004010/850\nat heading/BEG\n  13 forbid\n"))
	var mistake *schema.SyntaxError
	fmt.Println(errors.As(err, &mistake), err)
	// Output: true acme.guide:4:3: BEG has elements 1 to 12
}
