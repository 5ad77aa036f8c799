package validate_test

import (
	"bytes"
	"fmt"
	"testing"

	"tradepost/edi/schema"
	"tradepost/edi/validate"
)

// TestControlNumbersBeyondMemory: control numbers that do not count up take
// memory, which is bounded; where it ends a warning says so, once a group.
func TestControlNumbersBeyondMemory(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	b.WriteString("ISA*00*          *00*          *ZZ*BUYER          *ZZ*SELLER         *260301*1200*U*00401*000000001*0*P*>~\n")
	const documents = 1<<18 + 1000
	for group := 1; group <= 2; group++ {
		n := documents
		if group == 2 {
			n = 10
		}
		fmt.Fprintf(&b, "GS*ZZ*B*S*20260301*1200*%d*X*004010~\n", group)
		for i := range n {
			fmt.Fprintf(&b, "ST*999*%09d~\nSE*2*%09d~\n", 3*i+1, 3*i+1)
		}
		fmt.Fprintf(&b, "ST*999*000000001~\nSE*2*000000001~\nGE*%d*%d~\n", n+1, group)
	}
	b.WriteString("IEA*2*000000001~\n")
	warnings, duplicates := 0, 0
	r, err := validate.Validate(t.Context(), &b, validate.Options{Catalog: &schema.Catalog{}, Stream: true, OnDocument: func(_ *validate.Interchange, _ *validate.Group, d *validate.Document) error {
		for _, is := range d.Issues {
			switch {
			case is.Rule == "duplicates-unchecked":
				warnings++
			case is.Ack == "AK502=23":
				duplicates++
			}
		}
		return nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	if warnings != 1 || duplicates != 2 || r.Errors != 2 {
		t.Errorf("%d warnings that duplicates are unchecked, want 1; %d duplicates found, want 2; %d errors", warnings, duplicates, r.Errors)
	}
}
