package edifact_test

import (
	"bytes"
	"testing"

	"tradepost/edi"
	"tradepost/edi/edifact"
)

// FuzzWrap wraps any bytes: what goes through is one document, unchanged.
func FuzzWrap(f *testing.F) {
	f.Add([]byte(document), "")
	f.Add([]byte("UNH+1+A:D:96A:UN'UNT+2+1'"), "a?b")
	f.Add([]byte("\nUNH'UNT'"), "1")
	f.Fuzz(func(t *testing.T, doc []byte, control string) {
		var out bytes.Buffer
		if err := edifact.Wrap(&out, header("3"), edifact.Document{Bytes: doc, Control: control}, ""); err != nil {
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
