package x12_test

import (
	"log"
	"os"
	"time"

	"tradepost/edi"
	"tradepost/edi/x12"
)

// An interchange is put together from documents whose bytes exist; the counts of
// the trailers are made.
func ExampleInterchange() {
	day := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	isa := x12.ISA{Sender: edi.Party{Qualifier: "ZZ", ID: "BUYER"}, Receiver: edi.Party{Qualifier: "ZZ", ID: "SELLER"}, Version: "00401", Control: "7", Usage: "P"}
	isa.SetTime(day)
	gs := x12.GS{Type: "PO", Sender: "BUYER", Receiver: "SELLER", Control: "7", Agency: "X", Version: "004010"}
	gs.SetTime(day)
	out := x12.Interchange{ISA: isa, LineEnd: "\n", Groups: []x12.Group{{GS: gs, Documents: []x12.Document{
		{Bytes: []byte("ST*850*0001~\nBEG*00*NE*4501**20260301~\nSE*3*0001~")},
	}}}}
	if err := out.Write(os.Stdout); err != nil {
		log.Fatal(err)
	}
	// Output:
	// ISA*00*          *00*          *ZZ*BUYER          *ZZ*SELLER         *260301*1200*U*00401*000000007*0*P*>~
	// GS*PO*BUYER*SELLER*20260301*1200*7*X*004010~
	// ST*850*0001~
	// BEG*00*NE*4501**20260301~
	// SE*3*0001~
	// GE*1*7~
	// IEA*1*000000007~
}
