package x12_test

import (
	"bytes"
	"testing"

	"tradepost/edi"
	"tradepost/edi/x12"
)

// FuzzWrap wraps any bytes: what goes through is one document, unchanged.
func FuzzWrap(f *testing.F) {
	f.Add([]byte(document), "")
	f.Add([]byte("ST*850*1~BIN*3*~~~~SE*3*1~\n"), "0042")
	f.Add([]byte("\nST~SE~"), "1")
	f.Fuzz(func(t *testing.T, doc []byte, control string) {
		isa, gs := header()
		var out bytes.Buffer
		if err := x12.Wrap(&out, isa, gs, x12.Document{Bytes: doc, Control: control}, ""); err != nil {
			return
		}
		o, err := edi.ReadOutline(edi.NewBytesReader(out.Bytes(), edi.Options{}))
		if err != nil || len(o.Interchanges) != 1 || !o.Interchanges[0].Complete || len(o.Interchanges[0].Groups) != 1 || len(o.Interchanges[0].Groups[0].Documents) != 1 {
			t.Fatalf("%q became %q: %v", doc, out.Bytes(), err)
		}
		d := o.Interchanges[0].Groups[0].Documents[0]
		if control == "" && !bytes.Contains(doc, out.Bytes()[d.Offset:d.End()]) {
			t.Fatalf("%q became %q", doc, out.Bytes())
		}
		if control != "" && (d.Document.Control != control || d.TrailerControl != control) {
			t.Fatalf("control %q became %q and %q", control, d.Document.Control, d.TrailerControl)
		}
	})
}
