package examples

import (
	"context"
	"fmt"
	"log"
	"strings"

	"tradepost/edi/validate"
)

// purchaseOrder is an X12 850 that was ordered on a day no calendar has.
const purchaseOrder = `ISA*00*          *00*          *ZZ*BUYER          *ZZ*SUPPLIER       *260331*1200*U*00401*000000001*0*P*>~
GS*PO*BUYER*SUPPLIER*20260331*1200*1*X*004010~
ST*850*0001~
BEG*00*SA*4500012345**20260399~
PO1*1*10*EA*9.25**VP*WIDGET-7~
PO1*2*4*EA*1.10**VP*WIDGET-8~
CTT*2~
SE*6*0001~
GE*1*1~
IEA*1*000000001~
`

// Example_validate checks an interchange and prints what is wrong with it, by
// the code its acknowledgement would carry.
func Example_validate() {
	report, err := validate.Validate(context.Background(), strings.NewReader(purchaseOrder), validate.Options{})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("accepted:", report.Accepted)
	for _, document := range report.Interchanges[0].Groups[0].Documents {
		for _, i := range document.Issues {
			fmt.Printf("%s %s%02d, segment %d, line %d: %q\n", i.Ack, i.Segment, i.Element, i.Ordinal, i.Line, i.Value)
		}
	}
	// Output:
	// accepted: false
	// AK403=8 BEG05, segment 2, line 4: "20260399"
}
