package gateway_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"tradepost/edi/dictionary"
	"tradepost/edi/schema"
	"tradepost/internal/config"
	"tradepost/internal/gateway"
	"tradepost/tracking"
)

// A release of X12 that is not shipped, as far as the test needs it, in words of
// our own.
const (
	oldDictionary = `dictionary x12/003060 "What the partner uses of 003060"
standard X12
version 003060
element 143 ID 3 "Type of document"
element 329 AN 4..9 "Control number"
element 96 N0 1..10 "Number of segments"
element 353 ID 2 "Purpose of the document"
  00 "First time"
element 324 AN 1..22 "Number of the order"
element 373 DT 6 "Day, with two digits for the year"
segment ST "Head of the document"
  1 143 M
  2 329 M
segment BEG "Start of an order"
  1 353 M
  2 324 M
  3 373 M
segment SE "End of the document"
  1 96 M
  2 329 M
`
	oldOrder = `guide x12/003060/850 "Purchase order of 1996"
uses x12/003060
set 850 group PO
key PO BEG02
area heading
  ST M 1
  BEG M 1
  SE M 1
`
)

// oldTimes is an order of release 003060.
func oldTimes(control int, po, day string) string {
	return fmt.Sprintf("ISA*00*          *00*          *ZZ*BUYER          *ZZ*SUPPLIER       *261121*0915*U*00306*%09[1]d*0*P*>~\n"+
		"GS*PO*BUYER*SUPPLIER*261121*0915*%[1]d*X*003060~\nST*850*0001~\nBEG*00*%[2]s*%[3]s~\nSE*3*0001~\nGE*1*%[1]d~\nIEA*1*%09[1]d~\n", control, po, day)
}

// dictionaries gives a house a folder of texts.
func (h *house) dictionaries(texts map[string]string) {
	h.t.Helper()
	for name, text := range texts {
		if err := os.MkdirAll(filepath.Join(h.dir, "texts", filepath.Dir(name)), 0o700); err != nil {
			h.t.Fatal(err)
		}
		h.file(filepath.Join("texts", name), text)
	}
	h.replace("\nlisten:", "\ndictionaries: texts\nlisten:")
}

// settledOrInvalid tells that nothing more will become of a document.
func settledOrInvalid(d tracking.DocumentRow) bool {
	return accepted(d) || d.State == tracking.DocumentInvalid || d.Ack == tracking.AckRejected
}

// page reads a page of the console.
func (h *house) page(path string) string {
	h.t.Helper()
	request, err := http.NewRequestWithContext(h.t.Context(), http.MethodGet, "http://"+h.admin+path, nil)
	if err != nil {
		h.t.Fatal(err)
	}
	request.Header.Set("Authorization", "Bearer "+strings.Repeat("0", 32))
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		h.t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	body, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != http.StatusOK {
		h.t.Fatalf("%s answers %d: %v", path, answer.StatusCode, err)
	}
	return string(body)
}

// TestDictionariesOfAStation: a release that only one station has a folder of
// dictionaries for is checked there, document by document, without a
// partnership naming a guide; what is wrong is refused by a 997, and the sender,
// who checks envelopes only, learns of it.
func TestDictionariesOfAStation(t *testing.T) {
	t.Parallel()
	buyer, supplier := newHouses(t)
	supplier.dictionaries(map[string]string{"x12/003060.dictionary": oldDictionary, "x12/003060/850.guide": oldOrder})
	supplier.file("keys/admin.token", "test "+strings.Repeat("0", 32)+"\n")
	buyer.serve()
	supplier.serve()
	query := tracking.DocumentQuery{Direction: tracking.Outbound, Type: "850"}

	buyer.drop("good.edi", oldTimes(1, "4500099101", "961121"))
	if d := buyer.await(query, accepted); d.Guide != "" {
		t.Errorf("the buyer checked it by %s", d.Guide)
	}
	good := supplier.await(tracking.DocumentQuery{Direction: tracking.Inbound, KeyName: "PO", KeyValue: "4500099101"}, accepted)
	if good.Guide != "x12/003060/850" || good.Version != "003060" {
		t.Errorf("the supplier checked it by %q", good.Guide)
	}
	if page := supplier.page("/documents/" + good.ID.String()); !strings.Contains(page, "x12/003060/850") || !strings.Contains(page, "Number of the order") {
		t.Error("the console does not show the document by the guide of the folder")
	}

	buyer.drop("bad.edi", oldTimes(2, "4500099102", "19961121"))
	buyer.await(query, func(d tracking.DocumentRow) bool { return d.Ack == tracking.AckRejected })
	bad := supplier.await(tracking.DocumentQuery{Direction: tracking.Inbound, KeyName: "PO", KeyValue: "4500099102"}, func(d tracking.DocumentRow) bool {
		return d.State == tracking.DocumentInvalid
	})
	if bad.Guide != "x12/003060/850" || !strings.Contains(bad.Error, "BEG03") {
		t.Errorf("the supplier says: %q (guide %s)", bad.Error, bad.Guide)
	}
	if files := supplier.got(); len(files) != 1 {
		t.Errorf("the supplier's back office has %v", files)
	}
}

// TestImportedDirectory does the same with a message that only the imported
// UN/EDIFACT directory D.96A has, and a guide learned from a sample over it.
func TestImportedDirectory(t *testing.T) {
	t.Parallel()
	corpus := os.Getenv("TRADEPOST_CORPUS")
	if corpus == "" {
		if os.Getenv("CI") == "true" {
			t.Fatal("TRADEPOST_CORPUS is not set: with CI=true the corpus must be there")
		}
		t.Skip("TRADEPOST_CORPUS is not set: no directory to import")
	}
	var in dictionary.Source
	if err := in.AddFolder("d96a", os.DirFS(filepath.Join(corpus, "edi", "unece-directories", "d96a"))); err != nil {
		t.Fatal(err)
	}
	imported, err := dictionary.Import(t.Context(), &in, dictionary.Options{})
	if err != nil {
		t.Fatal(err)
	}
	texts, catalog := map[string]string{}, schema.Shipped()
	for _, f := range imported.Files {
		texts[f.Name] = string(f.Text)
		if _, err := catalog.Add(f.Name, f.Text); err != nil {
			t.Fatal(err)
		}
	}
	report := func(control int, total string) string {
		return fmt.Sprintf("UNB+UNOA:3+BUYER:ZZ+SUPPLIER:ZZ+261121:0915+%[1]d'\nUNH+1+IFCSUM:D:96A:UN'\nBGM+610+SUM-%[1]d+9'\nDTM+137:19961121:102'\n"+
			"CNT+%[2]s:25'\nUNT+5+1'\nUNZ+1+%[1]d'\n", control, total)
	}
	draft, err := dictionary.Learn(t.Context(), []dictionary.Sample{{
		Name: "sample.edi", Open: func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(report(7, "7"))), nil },
	}}, dictionary.LearnOptions{Catalog: catalog, Name: "buyer/IFCSUM"})
	if err != nil {
		t.Fatal(err)
	}
	texts[draft.File.Name] = string(draft.File.Text)

	buyer, supplier := newHouses(t)
	for _, h := range []*house{buyer, supplier} {
		h.dictionaries(texts)
		h.replace(`"850"`, `"IFCSUM"`)
	}
	supplier.replace(`{document: "IFCSUM", `, `{document: "IFCSUM", guide: `+strings.TrimSuffix(draft.File.Name, schema.GuideExt)+`, `)
	buyer.serve()
	supplier.serve()
	buyer.drop("good.edi", report(1, "7"))
	if d := buyer.await(tracking.DocumentQuery{Direction: tracking.Outbound, Type: "IFCSUM"}, settledOrInvalid); !accepted(d) || d.Guide != "edifact/D96A/IFCSUM" {
		t.Fatalf("the buyer checked it by %q: %s", d.Guide, d.Error)
	}
	if d := supplier.await(tracking.DocumentQuery{Direction: tracking.Inbound, KeyName: "Document", KeyValue: "SUM-1"}, accepted); d.Guide != "buyer/IFCSUM" {
		t.Errorf("the supplier checked it by %q", d.Guide)
	}
	buyer.drop("bad.edi", report(2, "8")) // good by the directory, not by what was learned
	query := tracking.DocumentQuery{Direction: tracking.Outbound, Type: "IFCSUM"}
	buyer.await(query, func(d tracking.DocumentRow) bool { return d.Ack == tracking.AckRejected })
	bad := supplier.await(tracking.DocumentQuery{Direction: tracking.Inbound, Type: "IFCSUM"}, func(d tracking.DocumentRow) bool { return d.State == tracking.DocumentInvalid })
	if !strings.Contains(bad.Error, "CNT01") {
		t.Errorf("the supplier says: %q", bad.Error)
	}
}

// TestDictionariesThatDoNotLoad: a station does not start with a text that is
// wrong, and the error shows the line here and there.
func TestDictionariesThatDoNotLoad(t *testing.T) {
	t.Parallel()
	_, supplier := newHouses(t)
	supplier.dictionaries(map[string]string{"old.dictionary": oldDictionary, "old.guide": strings.Replace(oldOrder, "BEG M 1", "BEG Q 1", 1)})
	check := func(err error) {
		t.Helper()
		var wrong *config.Error
		if !errors.As(err, &wrong) || len(wrong.Problems) != 1 || wrong.Problems[0].Path != "dictionaries" || wrong.Problems[0].Line == 0 {
			t.Fatalf("error %v", err)
		}
		for _, want := range []string{"dictionaries: " + filepath.Join(supplier.dir, "texts", "old.guide") + ":7:7: ", "      7 |   BEG Q 1\n        |       ^\n", "| dictionaries: texts\n        |               ^^^^^\n"} {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%q is not in it:\n%v", want, err)
			}
		}
	}
	_, err := gateway.CheckDocuments(supplier.config())
	check(err)
	g, err := gateway.New(t.Context(), supplier.config(), options())
	if err == nil {
		t.Fatal(g.Close())
	}
	check(err)
}

// TestReloadSaysThatTextsWait: what was changed in the folder counts from the
// next start, and the log says so.
func TestReloadSaysThatTextsWait(t *testing.T) {
	t.Parallel()
	_, supplier := newHouses(t)
	supplier.dictionaries(map[string]string{"old.dictionary": oldDictionary, "old.guide": oldOrder})
	var log lines
	g := supplier.start(&log)
	if err := g.Reload(t.Context()); err != nil || strings.Contains(log.String(), "next start") {
		t.Fatalf("nothing has changed: %v\n%s", err, log.String())
	}
	supplier.file("texts/old.guide", oldOrder+"# and a remark\n")
	if err := g.Reload(t.Context()); err != nil || !strings.Contains(log.String(), `sections="texts of dictionaries, guides and maps"`) {
		t.Fatalf("a text has changed: %v\n%s", err, log.String())
	}
	supplier.replace("dictionaries: texts\n", "")
	if err := g.Reload(t.Context()); err != nil || !strings.Contains(log.String(), `sections="dictionaries, texts of`) {
		t.Fatalf("the setting has changed: %v\n%s", err, log.String())
	}
}
