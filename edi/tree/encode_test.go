package tree

import (
	"encoding/json"
	"reflect"
	"testing"
)

// TestEncodeAgrees compares the encoder made by hand with encoding/json.
func TestEncodeAgrees(t *testing.T) {
	t.Parallel()
	text := func(s string) *string { return &s }
	nodes := []segmentNode{
		{Segment: "BEG"},
		{Segment: "X\"\\", Name: "quotes \" and \\", Lead: text(""), Count: 7, Raw: "a\tb\r\n\x00\x7f\x1f"},
		{Segment: "A", LeadBase64: "AA==", RawBase64: "/w==", Lead: text("\u00e9\u2028\U0001f600")},
		{Segment: "B", Elements: []elementNode{
			{Position: 1, Value: text("")},
			{Position: 2, Name: "n", Value: text("v"), Meaning: "m"},
			{Position: 3, Components: []string{"", "b", "\""}},
			{Position: 4, Repeats: []elementNode{{Value: text("r")}, {Components: []string{"x", "y"}}, {}}},
		}},
	}
	for _, want := range nodes {
		b := want.appendJSON(nil)
		var got segmentNode
		if err := json.Unmarshal(b, &got); err != nil {
			t.Errorf("%v\n%s", err, b)
			continue
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s\n got %+v\nwant %+v", b, got, want)
		}
	}
}
