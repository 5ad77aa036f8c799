package validate_test

import (
	"context"
	"fmt"
	"log"
	"strings"

	"tradepost/edi/schema"
	"tradepost/edi/validate"
)

const twoOrders = `UNA:+.? '
UNB+UNOC:3+BUYER:14+SELLER:14+260301:1200+R1'
UNH+1+ORDERS:D:96A:UN'
BGM+220+4501+9'
DTM+137:20260230:102'
UNS+S'
UNT+5+1'
UNH+2+ORDERS:D:96A:UN'
BGM+220+4502+9'
DTM+137:20260301:102'
UNS+S'
UNT+5+2'
UNZ+2+R1'
`

// Every fault is an issue with its place and the code an acknowledgement has for
// it; what is wrong with one document does not touch the next.
func ExampleValidate() {
	report, err := validate.Validate(context.Background(), strings.NewReader(twoOrders), validate.Options{})
	if err != nil {
		log.Fatal(err)
	}
	for _, group := range report.Interchanges[0].Groups {
		for _, document := range group.Documents {
			fmt.Println(document.Type, document.Control, "accepted:", document.Accepted)
			for _, i := range document.Issues {
				fmt.Printf("  %s %s, segment %d, byte %d: %s\n", i.Ack, i.Path, i.Ordinal, i.Offset, i.Text)
			}
		}
	}
	// Output:
	// ORDERS 1 accepted: false
	//   0085=12 DTM, segment 3, byte 103: DTM01 component 2 (Date or time) "20260230" is no date of the form 102 (CCYYMMDD) that the code beside it names.
	// ORDERS 2 accepted: true
}

// An input of any size is validated in little memory when each document is
// looked at as it ends and let go.
func ExampleOptions_stream() {
	accepted := 0
	report, err := validate.Validate(context.Background(), strings.NewReader(twoOrders), validate.Options{
		Catalog: schema.Shipped(),
		Stream:  true,
		Workers: 4,
		OnDocument: func(_ *validate.Interchange, _ *validate.Group, d *validate.Document) error {
			if d.Accepted {
				accepted++
			}
			return nil
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(accepted, "accepted,", report.Errors, "errors")
	// Output: 1 accepted, 1 errors
}
