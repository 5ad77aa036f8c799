package examples

import (
	"context"
	"embed"
	"fmt"
	"io/fs"
	"log"
	"strings"

	"tradepost/edi/schema"
	"tradepost/edi/validate"
)

//go:embed guides
var guides embed.FS

// retailersOrder keeps to the standard, and not to all that the retailer asks
// for.
const retailersOrder = `ISA*00*          *00*          *ZZ*MEGAMART       *ZZ*SUPPLIER       *260331*1200*U*00401*000000001*0*P*>~
GS*PO*MEGAMART*SUPPLIER*20260331*1200*1*X*004010VICS~
ST*850*0001~
BEG*00*SA*4500012345**20260331~
REF*DP*038~
REF*VR*12~
DTM*037*20260410~
DTM*038*20260415~
N1*ST*Store 42*92*0042~
N3*1 Main Street~
PO1*1*10*BX*9.25**UP*012345678905~
PID*F****Widget~
CTT*1~
SE*12*0001~
GE*1*1~
IEA*1*000000001~
`

// Example_partnerGuide checks an order by the guide of a partner, which lies over
// that of the standard, and tells what a 999 would say where it is not what a
// 997 says.
func Example_partnerGuide() {
	folder, err := fs.Sub(guides, "guides")
	if err != nil {
		log.Fatal(err)
	}
	catalog, err := schema.Load(folder, schema.Shipped())
	if err != nil {
		log.Fatal(err)
	}
	theirs, err := catalog.Guide("megamart/850")
	if err != nil {
		log.Fatal(err)
	}
	report, err := validate.Validate(context.Background(), strings.NewReader(retailersOrder), validate.Options{
		Catalog: catalog,
		GuideFor: func(c validate.Choice) *schema.Guide {
			if c.Type == "850" && c.Sender.ID == "MEGAMART" {
				return theirs
			}
			return nil // the standard's
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	for _, i := range report.All() {
		fmt.Printf("segment %d: %s %s %s\n", i.Ordinal, i.Ack, i.Code999, i.Text)
	}
	// Output:
	// segment 4: AK304=2 I4 REF is not used at heading/REF in guide megamart/850. Leave it out.
	// segment 5: AK304=3 I6 REF (Vendor number) is missing: guide megamart/850 asks for it at heading/REF[IA].
	// segment 9: AK304=3 I6 N4 (Place) is missing: guide megamart/850 asks for it before this place, at heading/N1[ST]/N4.
	// segment 9: AK403=7 I6 PO103 (Unit of measure) "BX" is not one of the codes guide megamart/850 allows: EA (Each), CA (Case) are expected.
}
