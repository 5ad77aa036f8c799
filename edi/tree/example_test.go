package tree_test

import (
	"bytes"
	"context"
	"fmt"
	"log"
	"strings"

	"tradepost/edi/tree"
	"tradepost/edi/validate"
)

// The JSON of a document holds all there is in it: written back, it is the same
// bytes.
func ExampleWriteJSON() {
	const orders = "UNB+UNOC:3+BUYER:14+SELLER:14+260301:1200+R1'\r\nUNH+1+ORDERS:D:96A:UN'BGM+220+4501+9'DTM+137:20260301:102'UNS+S'UNT+5+1'UNZ+1+R1'\r\n"
	var text, back bytes.Buffer
	if err := tree.WriteJSON(context.Background(), &text, strings.NewReader(orders), validate.Options{}); err != nil {
		log.Fatal(err)
	}
	if err := tree.WriteEDI(&back, &text); err != nil {
		log.Fatal(err)
	}
	fmt.Println(back.String() == orders)
	// Output: true
}
