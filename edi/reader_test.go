package edi_test

import (
	"io"
	"testing"

	"tradepost/edi"
)

const order850 = "ISA*00*          *00*          *ZZ*ALICE          *ZZ*BOB            *260801*1200*U*00401*000000001*0*T*>~\n" +
	"GS*PO*ALICE*BOB*20260801*1200*1*X*004010~\n" +
	"ST*850*0001~\n" +
	"BEG*00*NE*PO-1**20260801~\n" +
	"PO1*1*5*EA*9.95**VP*A>B~\n" +
	"SE*4*0001~\n" +
	"GE*1*1~\n" +
	"IEA*1*000000001~\n"

func TestNextReturnsSegmentsWithPositions(t *testing.T) {
	t.Parallel()
	r := edi.NewBytesReader([]byte(order850), edi.Options{})
	var tags []string
	for {
		s, err := r.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		tags = append(tags, string(s.Tag))
		if got := order850[s.Pos.Offset:s.End()]; got != string(s.Raw) {
			t.Errorf("segment %d: offset points to %q, raw is %q", s.Pos.Ordinal, got, s.Raw)
		}
		if s.Pos.Line != len(tags) || s.Pos.Ordinal != len(tags) {
			t.Errorf("%s: position %+v", s.Tag, s.Pos)
		}
	}
	if len(tags) != 8 {
		t.Errorf("tags %v", tags)
	}
}
