package validate_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"tradepost/edi/schema"
	"tradepost/edi/validate"
)

// TestCorpusEDIFACT checks real messages, those of a neighbouring release with
// the guide named, and lists every fault they have.
func TestCorpusEDIFACT(t *testing.T) {
	t.Parallel()
	root := corpus(t)
	catalog := schema.Shipped()
	for _, c := range []struct {
		file, guide string
		want        []string // code, segment, ordinal, element and component of each error
	}{
		{"smooks-edi-cartridge/edg/src/test/resources/recadv/recadv.txt", "edifact/D01B/RECADV", []string{
			"0085=39 NAD#12.4.1", // a name of 38 characters
		}},
		{"smooks-edi-cartridge/edifact-cartridge/src/test/resources/data/ORDERS_D.03B_Interchange.txt", "edifact/D01B/ORDERS", nil},
		{"staedi/EDIFACT/orders-with-group.edi", "edifact/D96A/ORDERS", []string{"0085=29 UNT#18.1.0"}},
		{"staedi/EDIFACT/invoic_d93a_una.edi", "edifact/D96A/INVOIC", []string{
			"0085=12 DTM#5.1.2", // the 99th month
		}},
		{"staedi/EDIFACT/invoic_d97b.edi", "edifact/D96A/INVOIC", nil},
		{"staedi/EDIFACT/invoic_d97b_bad.edi", "edifact/D96A/INVOIC", []string{
			"0085=39 NAD#5.1.0", "0085=37 QTY#10.1.2", "0085=37 PRI#13.1.2", "0085=35 UNS#21.0.0",
		}},
		{"EDI.Net/edifact.ORDRSP.edi", "edifact/D01B/ORDRSP", []string{
			"0085=15 DTM#5.0.0", // two dates behind the text: the second is in order behind the first
			"0085=39 LOC#20.2.1", "0085=29 UNT#31.1.0", "0085=28 UNT#31.2.0", "0085=28 UNZ#0.2.0",
		}},
		{"EDI.Net/edifact.Issue203.edi", "edifact/D01B/INVOIC", []string{
			"0085=13 BGM#2.0.0", "0085=12 DTM#7.1.2", "0085=37 MOA#65.1.2", "0085=12 ALC#101.1.0", "0085=29 UNT#102.1.0", "0085=28 UNT#102.2.0",
		}},
	} {
		t.Run(c.file, func(t *testing.T) {
			t.Parallel()
			g, err := catalog.Guide(c.guide)
			if err != nil {
				t.Fatal(err)
			}
			in, err := os.Open(filepath.Join(root, filepath.FromSlash(c.file)))
			if err != nil {
				t.Fatal(err)
			}
			defer in.Close() //nolint:errcheck // opened for reading
			r, err := validate.Validate(t.Context(), in, validate.Options{Catalog: catalog, GuideFor: func(choice validate.Choice) *schema.Guide {
				if choice.Type == g.Type {
					return g
				}
				return nil
			}})
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, is := range r.All() {
				if is.Severity == validate.Error {
					got = append(got, fmt.Sprintf("%s %s#%d.%d.%d", is.Ack, is.Segment, is.Ordinal, is.Element, is.Component))
				}
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("got  %q\nwant %q", got, c.want)
			}
			if r.Interchanges[0].Groups[0].Documents[0].Guide != c.guide {
				t.Error("it was not checked with the guide")
			}
		})
	}
}
