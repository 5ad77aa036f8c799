package steps

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"tradepost/edi"
	"tradepost/processes"
)

// Frame is the envelope a document was cut from: the exact header segments
// around it. It travels in the variables of the run that carries the document
// on, so that nobody has to read the whole payload again to find it.
type Frame struct {
	Delimiters   edi.Delimiters `json:"delimiters"`
	Head         []byte         `json:"head"`            // ISA, or UNA and UNB, with what stood between and behind them
	Group        []byte         `json:"group,omitempty"` // GS or UNG; empty when there is none
	Control      string         `json:"control"`         // ISA13 or 0020
	GroupType    string         `json:"groupType"`       // GS01
	GroupVersion string         `json:"groupVersion"`    // GS08
	// GroupSender and GroupReceiver are GS02 and GS03: the applications' codes,
	// which the back office or the partner chose.
	GroupSender   string `json:"groupSender,omitempty"`
	GroupReceiver string `json:"groupReceiver,omitempty"`
	GroupControl  string `json:"groupControl"`
}

func putFrame(r *processes.Run, f *Frame) (err error) {
	r.Vars, err = json.Marshal(f)
	return err
}

func frameOf(r *processes.Run) (*Frame, error) {
	var f Frame
	if err := json.Unmarshal(r.Vars, &f); err != nil {
		return nil, processes.Permanent(fmt.Errorf("variables of run %s: %w", r.ID, err))
	}
	if f.Delimiters.Segment == 0 {
		return nil, processes.Permanent(fmt.Errorf("run %s does not know the envelope its document came in", r.ID))
	}
	return &f, nil
}

// frames reads a payload once and returns the frame of every document by the
// offset of its first byte.
func frames(payload io.Reader) (map[int64]*Frame, error) {
	r := edi.NewReader(payload, edi.Options{})
	out := map[int64]*Frame{}
	var f Frame
	for {
		seg, err := r.Next()
		if errors.Is(err, io.EOF) {
			return out, nil
		}
		var syntax *edi.SyntaxError
		if errors.As(err, &syntax) {
			return out, nil // what follows was judged and reported by validate
		}
		if err != nil {
			return nil, err
		}
		f.follow(seg, out)
	}
}

// follow takes the next segment of the payload.
func (f *Frame) follow(seg *edi.Segment, out map[int64]*Frame) {
	switch string(seg.Tag) {
	case "UNA":
		*f = Frame{Head: clone(seg)}
	case "ISA":
		*f = Frame{Delimiters: seg.Delimiters(), Head: clone(seg), Control: seg.Element(13).String()}
	case "UNB":
		head := clone(seg)
		if len(f.Head) > 0 && f.Control == "" {
			head = append(f.Head, head...)
		}
		*f = Frame{Delimiters: seg.Delimiters(), Head: head, Control: seg.Element(5).String()}
	case "GS", "UNG":
		g := edi.ReadGroupHeader(seg)
		f.Group, f.GroupType, f.GroupVersion, f.GroupControl = clone(seg), g.Type, g.Version, g.Control
		f.GroupSender, f.GroupReceiver = g.Sender, g.Receiver
	case "GE", "UNE":
		*f = Frame{Delimiters: f.Delimiters, Head: f.Head, Control: f.Control}
	case "ST", "UNH":
		c := *f
		out[seg.Pos.Offset] = &c
	}
}

func clone(seg *edi.Segment) []byte { return append([]byte(nil), seg.Raw...) }

// count writes "1 document", "2 documents".
func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
