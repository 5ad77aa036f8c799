package ack_test

import (
	"bytes"
	"context"
	"fmt"
	"log"
	"strings"
	"time"

	"tradepost/edi/ack"
	"tradepost/edi/validate"
	"tradepost/edi/x12"
)

const order = `ISA*00*          *00*          *ZZ*BUYER          *ZZ*SELLER         *260301*1200*U*00401*000000007*0*P*>~
GS*PO*BUYER*SELLER*20260301*1200*7*X*004010~
ST*850*0001~
BEG*00*XX*4501**20260301~
PO1*1*10*EA~
SE*4*0001~
GE*1*7~
IEA*1*000000007~
`

// The 997 is made from the report on the group, and wrapped with numbers and a
// time of the caller's.
func ExampleAnswer() {
	report, err := validate.Validate(context.Background(), strings.NewReader(order), validate.Options{})
	if err != nil {
		log.Fatal(err)
	}
	interchange := report.Interchanges[0]
	answer, err := ack.Answer(ack.Auto, interchange, interchange.Groups[0], ack.Options{})
	if err != nil {
		log.Fatal(err) // ack.ErrNotAcknowledged for a group of acknowledgements
	}
	document, err := answer.Bytes("0001")
	if err != nil {
		log.Fatal(err)
	}
	isa, gs := answer.Envelope.ISA, answer.Envelope.GS
	isa.Control, gs.Control = "12", "12"
	now := time.Date(2026, 3, 1, 12, 30, 0, 0, time.UTC)
	isa.SetTime(now)
	gs.SetTime(now)
	var out bytes.Buffer
	if err := x12.Wrap(&out, isa, gs, x12.Document{Bytes: document, Delimiters: answer.Envelope.Delimiters}, ""); err != nil {
		log.Fatal(err)
	}
	fmt.Println(strings.ReplaceAll(out.String(), "~", "~\n"))
	// Output:
	// ISA*00*          *00*          *ZZ*SELLER         *ZZ*BUYER          *260301*1230*U*00401*000000012*0*P*>~
	// GS*FA*SELLER*BUYER*20260301*1230*12*X*004010~
	// ST*997*0001~
	// AK1*PO*7~
	// AK2*850*0001~
	// AK3*BEG*2**8~
	// AK4*2*92*7*XX~
	// AK5*R*5~
	// AK9*R*1*1*0~
	// SE*8*0001~
	// GE*1*12~
	// IEA*1*000000012~
}

// What comes back says of each document what became of it.
func ExampleRead() {
	list, err := ack.Read(strings.NewReader(`ISA*00*          *00*          *ZZ*SELLER         *ZZ*BUYER          *260301*1230*U*00401*000000012*0*P*>~
GS*FA*SELLER*BUYER*20260301*1230*12*X*004010~
ST*997*0001~AK1*PO*7~AK2*850*0001~AK3*BEG*2**8~AK4*2*92*7*XX~AK5*R*5~AK9*R*1*1*0~SE*8*0001~
GE*1*12~
IEA*1*000000012~
`))
	if err != nil {
		log.Fatal(err)
	}
	for _, a := range list {
		verdict, _ := a.Verdict("850", "0001")
		fmt.Println(a.Kind, "on group", a.GroupControl+":", a.Status, verdict.Status)
		for _, i := range verdict.Issues {
			fmt.Printf("%s segment %d element %d: %s (%q)\n", i.Segment, i.Ordinal, i.Element, i.Text, i.Value)
		}
	}
	// Output:
	// 997 on group 7: rejected rejected
	// BEG segment 2 element 2: invalid code ("XX")
}
