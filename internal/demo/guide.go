package demo

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"tradepost/edi"
)

// supplierGuide is what the supplier expects: the guide it judges orders by, and the unit of
// measure in the faulty order, which the guide does not allow.
type supplierGuide struct {
	text  []byte
	fault string
}

// shippedFault is the unit of measure in the faulty order as it is shipped.
const shippedFault = "DZ"

// guideFor is the supplier's guide for a trade: the shipped one, or for a real
// order one that allows the units that the order itself uses.
func guideFor(order []byte, theirs bool) (*supplierGuide, error) {
	shipped, err := files.ReadFile("documents/supplier-850.guide")
	if err != nil || !theirs {
		return &supplierGuide{shipped, shippedFault}, err
	}
	units, err := unitsOf(order)
	if err != nil {
		return nil, err
	}
	allowed := []string{"EA", "CA"}
	for _, u := range units {
		if !slices.Contains(allowed, u) {
			allowed = append(allowed, u)
		}
	}
	g := &supplierGuide{fault: "ZZ"}
	for _, u := range []string{shippedFault, "GS", "DR", "PF"} {
		if !slices.Contains(allowed, u) {
			g.fault = u
			break
		}
	}
	g.text = fmt.Appendf(nil, `# What the supplier expects of an order, beyond the standard: units of measure
# that the traded order uses.
guide supplier/850 "The supplier: orders"
based-on x12/004010/850
at detail/PO1/PO1
  3 codes %s
`, strings.Join(allowed, " "))
	return g, nil
}

// unitsOf lists the units of measure (PO103) of the orders in an interchange.
func unitsOf(order []byte) ([]string, error) {
	r := edi.NewBytesReader(order, edi.Options{})
	var units []string
	for {
		seg, err := r.Next()
		if errors.Is(err, io.EOF) {
			return units, nil
		}
		if err != nil {
			return nil, err
		}
		if !seg.Is("PO1") {
			continue
		}
		if u := strings.TrimSpace(seg.Element(3).String()); isUnit(u) && !slices.Contains(units, u) {
			units = append(units, u)
		}
	}
}

// isUnit tells whether a text can be a unit of measure, two letters or digits,
// and so can stand in a guide.
func isUnit(s string) bool {
	if len(s) != 2 {
		return false
	}
	for _, c := range []byte(s) {
		if (c < 'A' || c > 'Z') && (c < '0' || c > '9') {
			return false
		}
	}
	return true
}
