package mapping_test

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	"tradepost/edi"
	"tradepost/edi/mapping"
	"tradepost/edi/schema"
	"tradepost/edi/validate"
)

const order850 = `ISA*00*          *00*          *ZZ*BUYER          *ZZ*SELLER         *260301*1200*U*00401*000000001*0*P*>~
GS*PO*BUYER*SELLER*20260301*1200*1*X*004010~
ST*850*0001~
BEG*00*SA*4501**20260301~
PO1*1*10*EA*9.950**UP*012345678905~
CTT*1~
SE*5*0001~
GE*1*1~
IEA*1*000000001~
`

// Read the orders of an interchange as JSON, one document at a time, with a
// map that is shipped.
func Example() {
	catalog := schema.Shipped() // make it once
	m, err := mapping.NewLibrary(catalog).Map("x12/850")
	if err != nil {
		fmt.Println(err)
		return
	}
	sum, err := m.Convert(context.Background(), os.Stdout, strings.NewReader(order850), mapping.Options{
		Form:     mapping.JSONLines,
		Validate: validate.Options{Catalog: catalog},
		OnDocument: func(d *mapping.Document) error {
			for _, f := range d.Faults {
				fmt.Println(d.Control, f) // what, where in the input, which line of the map
			}
			return nil
		},
	})
	fmt.Println(sum.Written, "written,", sum.Failed, "failed,", err)
	// Output:
	// {"number":"4501","purpose":"original","type":"order","date":"2026-03-01","lines":[{"number":"1","quantity":10,"unit":"EA","price":9.950,"item":{"upc":"012345678905"}}]}
	// 1 written, 0 failed, <nil>
}

// Write an order as X12: the same map, run backward. Who sends, who receives
// and the numbers come from the caller.
func ExampleMap_Convert_backward() {
	m, err := mapping.NewLibrary(schema.Shipped()).Map("x12/850")
	if err != nil {
		fmt.Println(err)
		return
	}
	order := `{"number":"4501","purpose":"original","type":"order","date":"2026-03-01",
		"lines":[{"number":"1","quantity":10,"unit":"EA","price":9.950,"item":{"upc":"012345678905"}}]}`
	_, err = m.Convert(context.Background(), os.Stdout, strings.NewReader(order), mapping.Options{
		Way: mapping.Backward,
		Envelope: mapping.Envelope{
			Sender: edi.Party{Qualifier: "ZZ", ID: "BUYER"}, Receiver: edi.Party{Qualifier: "ZZ", ID: "SELLER"},
			Time: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC), Control: "1", Document: "0001", LineEnd: "\n",
		},
	})
	if err != nil {
		fmt.Println(err)
	}
	// Output:
	// ISA*00*          *00*          *ZZ*BUYER          *ZZ*SELLER         *260301*1200*U*00401*000000001*0*P*>~
	// GS*PO*BUYER*SELLER*20260301*1200*1*X*004010~
	// ST*850*0001~
	// BEG*00*SA*4501**20260301~
	// PO1*1*10*EA*9.950**UP*012345678905~
	// CTT*1~
	// SE*5*0001~
	// GE*1*1~
	// IEA*1*000000001~
}

// Load a map of one's own. Every mistake is told at once, with its place and
// what would have been right.
func ExampleLibrary_Parse() {
	_, err := mapping.NewLibrary(schema.Shipped()).Parse("own.yaml", []byte(`map: own
from: {edi: x12/004010/850}
to: {form: {form: own, fields: {number: text, date: date}}}
lines:
  number: BEG/33
  dat: BEG/5
`))
	fmt.Println(err)
	// Output:
	// own.yaml:5:15: path "BEG/33": BEG has 12 elements, there is no element 33 in guide x12/004010/850
	// own.yaml:6:3: path "dat": there is no field dat in own in form own; did you mean date?
}
