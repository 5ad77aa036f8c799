package edifact_test

import (
	"fmt"
	"log"
	"os"
	"time"

	"tradepost/edi"
	"tradepost/edi/edifact"
)

// An interchange is put together from messages whose bytes exist; the count of
// the trailer is made.
func ExampleInterchange() {
	unb := edifact.UNB{Syntax: "UNOC", Version: "3", Sender: edi.Party{ID: "4012345000009", Qualifier: "14"}, Receiver: edi.Party{ID: "4098765000010", Qualifier: "14"}, Control: "R1"}
	unb.SetTime(time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC))
	out := edifact.Interchange{UNB: unb, LineEnd: "\n", Documents: []edifact.Document{
		{Bytes: []byte("UNH+1+ORDERS:D:96A:UN'BGM+220+4501+9'UNT+3+1'")},
	}}
	if err := out.Write(os.Stdout); err != nil {
		log.Fatal(err)
	}
	// Output:
	// UNB+UNOC:3+4012345000009:14+4098765000010:14+260301:1200+R1'
	// UNH+1+ORDERS:D:96A:UN'BGM+220+4501+9'UNT+3+1'
	// UNZ+1+R1'
}

// What a character set cannot hold is found before it is sent.
func ExampleCharset_Check() {
	set, _ := edifact.CharsetOf("UNOA")
	fmt.Println(set.Check([]byte("WIDGET 7")), set.Check([]byte("Widget")))
	// Output: -1 1
}
