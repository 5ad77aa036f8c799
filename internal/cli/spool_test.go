package cli

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
	"testing/iotest"
)

// TestSpool: what is written comes back, from memory, from disk and from both,
// one round after the other, and no file is left behind.
func TestSpool(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	var s spool
	for round, size := range []int{0, 1, spoolMemory, spoolMemory + 1, 3*spoolMemory + 77, 10, 2 * spoolMemory} {
		var want bytes.Buffer
		for i := 0; want.Len() < size; i++ {
			line := fmt.Sprintf("%d line %d\n", round, i)
			want.WriteString(line)
			if n, err := io.WriteString(&s, line); n != len(line) || err != nil {
				t.Fatal(n, err)
			}
		}
		var got bytes.Buffer
		var err error
		switch round % 3 {
		case 0:
			_, err = io.Copy(&got, &s)
		case 1:
			_, err = got.ReadFrom(iotest.OneByteReader(struct{ io.Reader }{&s}))
		default:
			if _, err = io.CopyN(&got, struct{ io.Reader }{&s}, int64(size/2)); err == nil {
				_, err = s.WriteTo(&got)
			}
		}
		if err != nil || !bytes.Equal(got.Bytes(), want.Bytes()) {
			t.Fatalf("round %d: %v, %d bytes came back of %d", round, err, got.Len(), want.Len())
		}
		if n, err := s.Read(make([]byte, 9)); n != 0 || err != io.EOF { //nolint:errorlint // as io.Reader says
			t.Fatalf("round %d: %d, %v behind the end", round, n, err)
		}
	}
	if _, err := s.Write(bytes.Repeat([]byte("x"), 3*spoolMemory)); err != nil {
		t.Fatal(err)
	}
	s.reset()
	if b, err := io.ReadAll(&s); len(b) > 0 || err != nil {
		t.Errorf("%d bytes after a reset, %v", len(b), err)
	}
	s.close()
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("%d files are left, %v", len(left), err)
	}
}

// TestEDIAckOfManyDocuments: answers that are too long for memory are whole, and
// a fault that shows at the very end still refuses everything before it.
func TestEDIAckOfManyDocuments(t *testing.T) {
	t.Parallel()
	const documents = 50_000
	header := "ISA*00*          *00*          *ZZ*BUYER          *ZZ*SELLER         *260301*1200*U*00401*000000001*0*P*>~GS*PO*A*B*20260301*1200*1*X*004010~"
	var x12, edifact strings.Builder
	for i := 1; i <= documents; i++ {
		fmt.Fprintf(&x12, "ST*850*%04d~BEG*00*NE*1**20260301~PO1*1*10*EA*9.95~SE*4*%04d~", i, i)
		fmt.Fprintf(&edifact, "UNH+%d+ORDERS:D:96A:UN'BGM+220+%d+9'DTM+137:20260801:102'NAD+BY+5412345000013::9'LIN+1'UNS+S'UNT+7+%d'", i, i, i)
	}
	unb := "UNB+UNOC:3+A:14+B:14+260801:1200+1'" + edifact.String()
	for _, c := range []struct {
		name, input, mark, end string
		count                  int
	}{
		{"X12", header + x12.String() + fmt.Sprintf("GE*%d*1~IEA*1*000000001~", documents), "~AK5*A", fmt.Sprintf("~AK9*A*%d*%d*%d~SE*%d*", documents, documents, documents, 2*documents+4), documents},
		{"X12, refused", header + x12.String() + "GE*7*1~IEA*1*000000001~", "~AK5*R", fmt.Sprintf("~AK9*R*7*%d*0*5~SE*", documents), documents},
		{"EDIFACT", unb + fmt.Sprintf("UNZ+%d+1'", documents), "'UCM+", fmt.Sprintf("'UNT+%d+1'", documents+3), documents},
		{"EDIFACT, refused", unb + "UNZ+7+1'", "'UCM+", "'UNT+3+1'", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			code, out, words := ediRun(t, c.input, "ack", "-", "--type", map[bool]string{true: "997", false: "CONTRL"}[c.name[0] == 'X'])
			if n := strings.Count(out, c.mark); code != ExitOK || n != c.count || !strings.Contains(out, c.end) {
				t.Errorf("exit %d, %s; %q stands there %d times of %d; ...%s", code, words, c.mark, n, c.count, out[max(0, len(out)-200):])
			}
			var again int
			if again, _, words = ediRun(t, out, "validate", "-", "--profile", "strict"); again != ExitOK {
				t.Errorf("the answer is not valid: exit %d, %s", again, words)
			}
		})
	}
}
