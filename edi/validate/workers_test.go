package validate_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"testing/iotest"

	"tradepost/edi/schema"
	"tradepost/edi/validate"
)

// account is everything a caller of Validate gets to see, as text.
func account(ctx context.Context, r io.Reader, o validate.Options) string {
	var b strings.Builder
	tell := func(what string, v any, issues []*validate.Issue) {
		text, err := json.Marshal(v)
		fmt.Fprintf(&b, "%s %s %v\n", what, text, err)
		for _, is := range issues {
			fmt.Fprintf(&b, "  %+v\n", *is)
		}
	}
	o.OnDocument = func(ic *validate.Interchange, g *validate.Group, d *validate.Document) error {
		fmt.Fprintf(&b, "in %s %s %d %d %v %+v\n", ic.Control, g.Control, g.Received, g.Refused, g.NoAck, d.Extent)
		tell("document", d, d.Issues)
		return nil
	}
	o.OnGroup = func(_ *validate.Interchange, g *validate.Group) error {
		tell("group", g, g.Issues)
		return nil
	}
	o.OnInterchange = func(ic *validate.Interchange) error {
		tell("interchange", ic, ic.Issues)
		return nil
	}
	report, err := validate.Validate(ctx, r, o)
	tell("report", report, report.Issues)
	fmt.Fprintf(&b, "%q %v %v\n", report.Trailing, report.Unread, err)
	return b.String()
}

// compareWorkers checks that several workers see what one sees.
func compareWorkers(t *testing.T, input []byte, o validate.Options) {
	t.Helper()
	for _, stream := range []bool{true, false} {
		o := o
		o.Stream = stream
		one := account(t.Context(), bytes.NewReader(input), o)
		for _, blocks := range []int{1, 300, 4096, 0} {
			o.Workers = 3
			many := account(t.Context(), bytes.NewReader(input), o.WithBlocks(blocks))
			if one == many {
				continue
			}
			a, b := strings.Split(one, "\n"), strings.Split(many, "\n")
			for i := range min(len(a), len(b)) {
				if a[i] != b[i] {
					t.Fatalf("stream %v, blocks of %d, line %d\none worker   %s\nmany workers %s", stream, blocks, i, a[i], b[i])
				}
			}
			t.Fatalf("stream %v, blocks of %d: %d lines, then %d", stream, blocks, len(a), len(b))
		}
	}
}

// TestWorkersGenerated: many documents under few and many headers, with faults
// of every kind strewn in.
func TestWorkersGenerated(t *testing.T) {
	t.Parallel()
	x12 := string(orders(60 << 10))
	single := x12[:strings.Index(x12, "ST*850*0002")] + "GE*1*1~\nIEA*1*000000001~\n"
	var many strings.Builder
	for i := range 40 {
		many.WriteString(strings.ReplaceAll(single, "000000001", fmt.Sprintf("%09d", i%37+1)))
	}
	orders := "UNH+1+ORDERS:D:96A:UN'BGM+220+PO1+9'DTM+137:20260801:102'NAD+BY+5412345000013::9'LIN+1++4012345000009:EN'QTY+21:5'FTX+AAI+++it?'s UNT?+ here'UNS+S'UNT+9+1'"
	edifact := "UNB+UNOC:3+4012345000009:14+5412345000013:14+260801:1200+1'"
	for i := range 200 {
		edifact += strings.ReplaceAll(orders, "UNH+1+", fmt.Sprintf("UNH+%d+", i))
	}
	edifact += "UNZ+200+1'"
	inputs := map[string]string{
		"one interchange":         x12,
		"many interchanges":       many.String(),
		"junk between":            strings.ReplaceAll(many.String(), "ISA*", "\n\nregards\n\nISA*"),
		"EDIFACT":                 edifact,
		"EDIFACT with UNA":        "UNA:+.? '" + edifact + "\r\n" + "UNA:+.? '" + edifact,
		"EDIFACT one by one":      strings.Repeat("UNB+UNOA:3+A+B+260801:1200+1'"+orders+"UNZ+1+1'\n", 30),
		"EDIFACT in groups":       strings.Repeat("UNB+UNOA:3+A+B+260801:1200+1'UNG+ORDERS+A+B+260801:1200+1+UN+D:96A'"+orders+orders+"UNE+2+1'"+orders+"UNZ+1+1'\n", 9),
		"lines":                   strings.ReplaceAll(x12, "~\n", "\n"),
		"CR lines":                strings.ReplaceAll(x12, "~\n", "\r"),
		"CR LF":                   strings.ReplaceAll(x12, "~\n", "~\r\n"),
		"bytes of two":            strings.ReplaceAll(x12, "~\n", "\u00ac"),
		"no SE":                   strings.Replace(x12, "SE*", "XX*", 4),
		"no ST":                   strings.Replace(x12, "ST*850*0003~", "", 1),
		"no GS":                   strings.Replace(x12, "GS*", "GX*", 1),
		"second GS":               strings.Replace(x12, "ST*850*0003~", "GS*PO*BUYERGS*SELLERGS*20260301*1200*2*X*005010~\nST*850*0003~", 1),
		"segments at large":       strings.Replace(x12, "ST*850*0003~", "N1*ST*~\nST*850*0003~", 1),
		"wrong codes":             strings.ReplaceAll(x12, "*EA*", "*QQ*"),
		"blank lines":             strings.Replace(x12, "~\nPO1", "~\n\n\nPO1", 7),
		"padding":                 strings.Replace(x12, "~\nPO1", "~\n  PO1", 7),
		"empty segments":          strings.Replace(x12, "~\nPO1", "~~~\nPO1", 7),
		"line ends in segments":   strings.Replace(x12, "Widget,", "Wid\nget,", 5),
		"line end in a tag":       strings.Replace(x12, "\nSE*", "\nS\nE*", 2),
		"duplicates":              strings.ReplaceAll(x12, "*0003~", "*0002~"),
		"numbers out of order":    strings.ReplaceAll(strings.ReplaceAll(x12, "*0003~", "*00A9~"), "*0005~", "*0001~"),
		"binary":                  strings.Replace(x12, "CTT*", "BIN*9*SE*5*0001~~\nCTT*", 3),
		"cut off":                 x12[:len(x12)/2],
		"cut off in a terminator": edifact[:strings.LastIndex(edifact, "?'")+1],
		"long segment":            strings.Replace(x12, "Widget,", strings.Repeat("Widget", 1000), 1),
		"long document":           strings.Replace(x12, "CTT*", strings.Repeat("PO1*1*1*EA*1~\n", 90000)+"CTT*", 1),
		"segment without end":     x12 + strings.Repeat("x", 2<<20),
		"nothing":                 "",
		"blanks":                  strings.Repeat(" \n", 5000),
		"a letter":                "Dear Sir or Madam,\n" + strings.Repeat("we write to you. ", 1000),
		"delimiters change":       single + strings.NewReplacer("*", "|", "~", "'", ">", "^").Replace(single) + single,
		"headers at large":        "UNB+0'UNH+0'UNT+0'UNZ'UNH!",
		"mark and tail":           "\xef\xbb\xbf" + x12 + "\x1a",
	}
	catalog := schema.Shipped()
	for name, input := range inputs {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := validate.Options{Catalog: catalog, KeepRaw: true}
			compareWorkers(t, []byte(input), o)
			o.Profile, o.MaxIssues, o.MaxDocumentIssues = validate.Strict, 20, 3
			compareWorkers(t, []byte(input), o)
		})
	}
}

// TestWorkersCorpus: several workers see in real files what one sees.
func TestWorkersCorpus(t *testing.T) {
	t.Parallel()
	root, catalog := corpus(t), schema.Shipped()
	err := filepath.WalkDir(root, func(file string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		info, err := d.Info()
		if err != nil || info.Size() > 1<<20 {
			return err
		}
		input, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		t.Run(filepath.Base(file), func(t *testing.T) {
			t.Parallel()
			compareWorkers(t, append(append(bytes.Clone(input), '\n'), input...), validate.Options{Catalog: catalog, KeepRaw: true})
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestWorkersWork: the documents of an ordinary input are all judged by the
// workers, and none is walked through a second time.
func TestWorkersWork(t *testing.T) {
	t.Parallel()
	x12 := string(orders(100 << 10))
	one := x12[:strings.Index(x12, "ST*850*0002")] + "GE*1*1~\nIEA*1*000000001~\n"
	message := "UNH+1+ORDERS:D:96A:UN'BGM+220+PO1+9'UNS+S'UNT+4+1'"
	messages := ""
	for i := range 500 {
		messages += strings.NewReplacer("UNH+1+", fmt.Sprintf("UNH+%d+", i+1), "UNT+4+1", fmt.Sprintf("UNT+4+%d", i+1)).Replace(message)
	}
	for name, c := range map[string]struct {
		input     string
		documents int
	}{
		"one interchange":   {x12, strings.Count(x12, "ST*850*")},
		"one document each": {strings.Repeat(one, 50), 50},
		"lines":             {strings.ReplaceAll(x12, "~\n", "\n"), strings.Count(x12, "ST*850*")},
		"EDIFACT":           {"UNA:+.? 'UNB+UNOC:3+A+B+260801:1200+1'" + messages + "UNZ+500+1'", 500},
		"EDIFACT one each":  {strings.Repeat("UNB+UNOC:4+A+B+20260801:1200+1'"+message+"UNZ+1+1'\n", 100), 100},
	} {
		var judged, walked atomic.Int64
		o := validate.Options{Catalog: schema.Shipped(), Workers: 2, Stream: true}.WithBlocks(16 << 10)
		o.GuideFor = func(validate.Choice) *schema.Guide {
			stack := make([]byte, 8<<10)
			if bytes.Contains(stack[:runtime.Stack(stack, false)], []byte("(*judge)")) {
				judged.Add(1)
			} else {
				walked.Add(1)
			}
			return nil
		}
		if _, err := validate.Validate(t.Context(), strings.NewReader(c.input), o); err != nil {
			t.Fatal(err)
		}
		most := int64(0)
		if name == "lines" || strings.HasPrefix(name, "EDIFACT") {
			most = 1 // a look ahead of the header may take the first
		}
		if int(judged.Load()) != c.documents || walked.Load() > most {
			t.Errorf("%s: of %d documents %d were judged, %d walked through", name, c.documents, judged.Load(), walked.Load())
		}
	}
}

// history says that some numbers were used.
type history struct{ asked []string }

func (h *history) Seen(_ context.Context, ref validate.Reference) (bool, error) {
	h.asked = append(h.asked, ref.Control)
	return strings.HasSuffix(ref.Control, "7"), nil
}

// TestWorkersStop: errors of hooks, of the input and of the context end the
// walk of several workers as they end that of one.
func TestWorkersStop(t *testing.T) {
	t.Parallel()
	input := orders(200 << 10)
	catalog := schema.Shipped()
	stop := errors.New("stop")
	for _, workers := range []int{1, 4} {
		o := validate.Options{Catalog: catalog, Workers: workers, Stream: true}.WithBlocks(8 << 10)
		documents := 0
		o.OnDocument = func(*validate.Interchange, *validate.Group, *validate.Document) error {
			if documents++; documents == 7 {
				return stop
			}
			return nil
		}
		if _, err := validate.Validate(t.Context(), bytes.NewReader(input), o); !errors.Is(err, stop) || documents != 7 {
			t.Errorf("%d workers: error %v behind %d documents", workers, err, documents)
		}
		o.OnDocument = nil
		broken := io.MultiReader(bytes.NewReader(input[:100<<10]), iotest.ErrReader(stop))
		if r, err := validate.Validate(t.Context(), broken, o); !errors.Is(err, stop) || r.Accepted {
			t.Errorf("%d workers: error %v of the input", workers, err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := validate.Validate(ctx, io.MultiReader(bytes.NewReader(input), bytes.NewReader(input)), o); !errors.Is(err, context.Canceled) {
			t.Errorf("%d workers: error %v of the context", workers, err)
		}
		h := &history{}
		o.History = h
		r, err := validate.Validate(t.Context(), bytes.NewReader(input), o)
		if err != nil || r.Errors == 0 || len(h.asked) < 10 {
			t.Errorf("%d workers: %v, %d errors, %d numbers asked for", workers, err, r.Errors, len(h.asked))
		}
	}
}
