package console_test

import (
	"fmt"
	"html"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"tradepost/edi/schema"
	"tradepost/internal/console"
	"tradepost/internal/console/sample"
	"tradepost/tracking"
)

// words takes the tags out of a page and leaves what people read.
func words(page string) string {
	page = regexp.MustCompile(`(?s)<(script|style|svg|title)\b.*?</(script|style|svg|title)>`).ReplaceAllString(page, " ")
	page = regexp.MustCompile(`<[^>]*>`).ReplaceAllString(page, " ")
	page = strings.NewReplacer("&lt;", "<", "&gt;", ">", "&#34;", `"`, "&#39;", "'", "&amp;", "&", "&#43;", "+").Replace(page)
	return strings.Join(strings.Fields(page), " ")
}

func says(t *testing.T, where, page string, texts ...string) {
	t.Helper()
	read := words(page)
	for _, s := range texts {
		if !strings.Contains(read, s) {
			t.Errorf("%s does not say %q:\n%s", where, s, read)
		}
	}
}

func silent(t *testing.T, where, page string, texts ...string) {
	t.Helper()
	read := words(page)
	for _, s := range texts {
		if strings.Contains(read, s) {
			t.Errorf("%s says %q", where, s)
		}
	}
}

func TestTodayShowsWhatNeedsSomebodyFirst(t *testing.T) {
	t.Parallel()
	s := start(t, sample.Day())
	c := s.signIn(t)
	page := s.page(t, c, "/", 200)
	says(t, "Today", page,
		"1 invalid", "1 rejected by partner", "1 not delivered", "1 acknowledgement late", "2 transmissions refused", "1 dead letters", "1 certificates to renew",
		"Failed 850 Purchase order PO-2211 Orchard Packaging", "Rejected 856 Ship notice BG-76980 Bluegate Stores", "Its acknowledgement was due 2 h 20 min ago.",
		"75 received", "Kestrel Markets last 14:32:08 36 36 0")
	if strings.Index(page, "Needs somebody") > strings.Index(page, "Traffic") {
		t.Error("the traffic stands above what needs somebody")
	}
	// Every count leads to exactly what it counts.
	for _, m := range regexp.MustCompile(`(?s)<li class="(?:bad|warn)"><a href="(/documents[^"]+)">.*?<b class="num">(\d+)</b>`).FindAllStringSubmatch(page, -1) {
		list := s.page(t, c, strings.ReplaceAll(m[1], "&amp;", "&"), 200)
		if n := strings.Count(list, `class="rowlink"`); n == 0 || m[2] != "1" || n != 1 {
			t.Errorf("%s says %s and lists %d", m[1], m[2], n)
		}
	}
	// So does every partner's count of what is in trouble.
	troubled := regexp.MustCompile(`<a class="trouble" href="(/documents[^"]+)">.*?(\d+)</a>`).FindAllStringSubmatch(page, -1)
	if len(troubled) != 2 {
		t.Errorf("%d partners with trouble", len(troubled))
	}
	for _, m := range troubled {
		list := s.page(t, c, html.UnescapeString(m[1]), 200)
		if n := strings.Count(list, `class="rowlink"`); strconv.Itoa(n) != m[2] {
			t.Errorf("%s says %s and lists %d", m[1], m[2], n)
		}
	}
	// The newest event stands first.
	first := page[strings.Index(page, `data-event="`):]
	if !strings.Contains(first[:900], "850 0036 from Kestrel Markets taken out of its envelope") {
		t.Errorf("the first event is %s", words(first[:900]))
	}
	if week := s.page(t, c, "/?period=7d", 200); !strings.Contains(week, "documents per 6 hours") {
		t.Error("a week is not drawn in spans of six hours")
	}
	s.page(t, c, "/?period=nonsense", 200)
}

func TestACalmStationSaysSo(t *testing.T) {
	t.Parallel()
	s := start(t, &sample.Store{})
	c := s.signIn(t)
	says(t, "Today", s.page(t, c, "/", 200), "Nothing needs you", "No documents in this time.", "Nothing has happened yet.")
	says(t, "Documents", s.page(t, c, "/documents", 200), "No documents yet", "where the station listens")
	says(t, "Transmissions", s.page(t, c, "/transmissions", 200), "Nothing has crossed the wire yet")
	says(t, "Partners", s.page(t, c, "/partners", 200), "No partners yet", "Add a partner and a partnership to the configuration")
	says(t, "Queue", s.page(t, c, "/queue", 200), "The queue is empty", "None. Whatever is given up")
	says(t, "Status", s.page(t, c, "/status", 200), "No certificate is configured.")
}

func TestDocumentsAreFilteredByTheirAddress(t *testing.T) {
	t.Parallel()
	s := start(t, sample.Day())
	c := s.signIn(t)
	page := s.page(t, c, "/documents?q=4500012345&direction=outbound&since=24h", 200)
	if n := strings.Count(page, `class="rowlink"`); n != 2 {
		t.Errorf("%d documents, want the ship notice and the invoice", n)
	}
	for _, part := range []string{
		`value="4500012345"`, `<option value="outbound" selected>`, `<input type="hidden" name="since" value="24h">`,
		`href="/documents?direction=outbound&amp;since=24h"`, // without the search
		`href="/api/v1/documents?direction=outbound&amp;format=csv&amp;q=4500012345&amp;since=24h"`,
	} {
		if !strings.Contains(page, part) {
			t.Errorf("the page lacks %s", part)
		}
	}
	says(t, "a search without a hit", s.page(t, c, "/documents?q=nothing", 200), "No document fits", "Take a filter away")
	says(t, "a filter that makes no sense", s.page(t, c, "/documents?state=broken", 200), `parameter state: "broken" is none of received`)
	// What a form sends empty does not count.
	if n := strings.Count(s.page(t, c, "/documents?q=&partner=&direction=&type=&state=&ack=overdue&since=&until=", 200), `class="rowlink"`); n != 1 {
		t.Errorf("%d overdue documents", n)
	}
	// A date in the address fills the date field.
	if page := s.page(t, c, "/documents?since=2026-11-05&until=2026-11-05", 200); strings.Count(page, `value="2026-11-05"`) != 2 {
		t.Error("the date fields do not hold the dates of the address")
	}
}

func TestPagesOfDocumentsFollowEachOther(t *testing.T) {
	t.Parallel()
	s := start(t, sample.Day())
	c := s.signIn(t)
	next, seen := "/documents?type=850", 0
	older := regexp.MustCompile(`href="([^"]+)" rel="next"`)
	for range 10 {
		page := s.page(t, c, next, 200)
		seen += strings.Count(page, `class="rowlink"`)
		m := older.FindStringSubmatch(page)
		if m == nil {
			break
		}
		next = strings.ReplaceAll(m[1], "&amp;", "&")
		if !strings.Contains(next, "type=850") {
			t.Fatalf("the next page %s forgets the filter", next)
		}
	}
	want := 0
	for _, d := range s.DocumentList {
		if d.Type == "850" {
			want++
		}
	}
	if seen != want {
		t.Errorf("%d purchase orders on all pages, there are %d", seen, want)
	}
}

func TestTheSearchBoxOpensWhatAnIDNames(t *testing.T) {
	t.Parallel()
	s := start(t, sample.Day())
	c := s.signIn(t)
	d := document(t, s.Store, "850", "BG-77120")
	for q, want := range map[string]string{
		d.ID.String():                  "/documents/" + d.ID.String(),
		strings.ToLower(d.ID.String()): "/documents/" + d.ID.String(),
		d.SourceID.String():            "/transmissions/" + d.SourceID.String(),
		"0000000000007":                "/documents", // an id, but of nothing
	} {
		resp, err := c.Get(s.url + "/documents?q=" + q)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if resp.Request.URL.Path != want || resp.StatusCode != 200 {
			t.Errorf("searching %s ends at %s with %d, want %s", q, resp.Request.URL.Path, resp.StatusCode, want)
		}
	}
}

func TestADocumentTellsItsLifeCycle(t *testing.T) {
	t.Parallel()
	s := start(t, sample.Day())
	c := s.signIn(t)
	for _, x := range []struct {
		typ, key string
		lane     []string
		why      []string
		not      []string
	}{
		{
			"850", "4500012345",
			[]string{"Received : done 09:03:22.000 AS2, 644 bytes", "+120 ms Receipt sent : done", "+330 ms Validated : done", "+250 ms Acknowledged : done 09:03:22.700 997: accepted", "+700 ms Delivered : done", "1.4 s from the first"},
			[]string{"our 997 about the document and its group A", "Same reference", "856 Ship notice to Kestrel Markets"},
			[]string{"Contact"},
		},
		{
			"850", "BG-77120",
			[]string{"Validated : failed 13:17:48.450 4 faults", "Acknowledged : done 13:17:48.700 997: rejected", "Delivered : will not happen not reached"},
			[]string{"It breaks its guide and goes no further", "The partner was told by our 997. Ask the partner to correct it", "Contact Dana Whitfield", "Segments 5"},
			nil,
		},
		{
			"856", "BG-76980",
			[]string{"Receipt : done 10:20:32.500 integrity equal", "Acknowledged : failed 10:24:43.500 997: rejected"},
			[]string{"It was delivered, but the partner rejected it", "the partner's 997 about the document and its group R"},
			nil,
		},
		{
			"810", "INV-30940",
			[]string{"Receipt : done", "Acknowledged : overdue – due 2 h 20 min ago"},
			[]string{"It was delivered, but not acknowledged in time", "Due 12:12:09", "Late by 2 h 20 min", "Ask the partner for the acknowledgement."},
			nil,
		},
		{
			"810", "INV-30951",
			[]string{"Acknowledged : waited for waited for due in 1 h 26 min"},
			nil,
			[]string{"not acknowledged in time"},
		},
		{
			"850", "PO-2211",
			[]string{"Receipt : failed 13:52:01.500 negative", "Acknowledged : will not happen not reached"},
			[]string{"The partner refused the transmission", "decryption-failed", "Contact b2b@orchard-packaging.example"},
			nil,
		},
		{
			"940", "4500012391",
			[]string{"Sent : waited for waited for tried 3 times", "Receipt : still ahead later"},
			[]string{"Delivery failed and is tried again", "connection refused", "Attempts so far 3", "Next attempt 14:36:30 in 4 min 20 s", "Lane deliver/as2-juniper", "Behind it 3 jobs"},
			nil,
		},
		{
			"850", "4500012402",
			[]string{"Validated : waited for waited for not judged yet", "Acknowledged : still ahead", "Delivered : still ahead"},
			[]string{"It is not judged yet"},
			nil,
		},
		{"ORDERS", "ORD-55871", []string{"Received : done", "Delivered : done"}, nil, []string{"Acknowledged :"}},
	} {
		path := "/documents/" + document(t, s.Store, x.typ, x.key).ID.String()
		page := s.page(t, c, path, 200)
		says(t, x.typ+" "+x.key, page, x.lane...)
		says(t, x.typ+" "+x.key, page, x.why...)
		silent(t, x.typ+" "+x.key, page, x.not...)
	}
}

func TestAcknowledgementsLinkBothWays(t *testing.T) {
	t.Parallel()
	s := start(t, sample.Day())
	c := s.signIn(t)
	for _, a := range s.AckList {
		if a.DocumentID == 0 {
			continue // of a group, which has no page of its own
		}
		about := s.page(t, c, "/documents/"+a.DocumentID.String(), 200)
		carrier := s.page(t, c, "/documents/"+a.CarrierID.String(), 200)
		if !strings.Contains(about, `href="/documents/`+a.CarrierID.String()+`"`) || !strings.Contains(carrier, `href="/documents/`+a.DocumentID.String()+`"`) {
			t.Fatalf("%s %s and %s do not link to each other", a.Type, a.CarrierID, a.DocumentID)
		}
	}
}

// An acknowledgement that has told what it had to tell is done: nothing of it
// is on its way.
func TestAnAcknowledgementThatSettledIsDone(t *testing.T) {
	t.Parallel()
	s := start(t, sample.Day())
	c := s.signIn(t)
	about := document(t, s.Store, "856", "BG-76980")
	for _, a := range s.AckList {
		if a.DocumentID != about.ID {
			continue
		}
		page := s.page(t, c, "/documents/"+a.CarrierID.String(), 200)
		says(t, "the 997", page, "State Settled", "Settled : done 10:24:43.500 rejected", "judges the document R")
		silent(t, "the 997", page, "It is on its way", "still ahead", "waited for")
	}
}

// A transmission of thousands of documents has a page that can be read, with
// what needs somebody first.
func TestATransmissionOfThousandsIsShownInPart(t *testing.T) {
	t.Parallel()
	day := sample.Day()
	s := start(t, day)
	c := s.signIn(t)
	one := document(t, s.Store, "850", "4500012345")
	for n := range 2000 {
		d := one
		d.ID, d.Control = tracking.ID(n+1), fmt.Sprint(n+1)
		if n == 1999 {
			d.State = tracking.DocumentInvalid
		}
		day.DocumentList = append(day.DocumentList, d)
	}
	page := s.page(t, c, "/transmissions/"+one.SourceID.String(), 200)
	says(t, "the transmission", page, "Shown are 100 of 2,001 documents")
	if n := strings.Count(page, `class="rowlink"`); n != 100 || len(page) > 200_000 {
		t.Errorf("%d documents on %d bytes", n, len(page))
	}
	if first := page[strings.Index(page, `class="rowlink"`):]; !strings.Contains(first[:1500], "Invalid") {
		t.Error("the document that needs somebody is not the first")
	}
}

// What is said of an interchange that was sent twice takes nothing back from the
// verdict on the document.
func TestAVerdictOnTheDocumentCounts(t *testing.T) {
	t.Parallel()
	day := sample.Day()
	s := start(t, day)
	c := s.signIn(t)
	about := document(t, s.Store, "856", "4500012345")
	for _, a := range day.AckList {
		if a.DocumentID == about.ID {
			day.AckList = append(day.AckList, tracking.Acknowledgement{ID: 1, Type: "TA1", Direction: tracking.Inbound, InterchangeID: about.InterchangeID, Status: tracking.AckRejected, Code: "R", At: a.At.Add(time.Hour)})
			break
		}
	}
	page := s.page(t, c, "/documents/"+about.ID.String(), 200)
	says(t, "the ship notice", page, "Acknowledged : done", "997: accepted", "the partner's TA1 about the interchange R")
	silent(t, "the ship notice", page, "TA1: rejected")
}

// A 997 about an interchange of thousands does not make a page of thousands of
// lines, and where group and document fare differently both are told.
func TestManyVerdictsAreToldInShort(t *testing.T) {
	t.Parallel()
	day := sample.Day()
	s := start(t, day)
	c := s.signIn(t)
	about := document(t, s.Store, "856", "BG-76980")
	carrier := tracking.ID(0)
	for i, a := range day.AckList {
		if a.DocumentID == about.ID {
			carrier = a.CarrierID
			day.AckList[i-1].Status, day.AckList[i-1].Code = tracking.AckPartial, "P"
		}
	}
	for n := range 2000 {
		day.AckList = append(day.AckList, tracking.Acknowledgement{ID: tracking.ID(n + 1), Type: "997", Direction: tracking.Inbound, CarrierID: carrier, DocumentID: tracking.ID(n + 1), Status: tracking.AckAccepted, Code: "A", At: sample.Now()})
	}
	page := s.page(t, c, "/documents/"+carrier.String(), 200)
	says(t, "the 997", page, "and 1,982 more")
	if len(page) > 200_000 {
		t.Errorf("the page has %d bytes", len(page))
	}
	says(t, "the ship notice", s.page(t, c, "/documents/"+about.ID.String(), 200), "the partner's 997 about the document R its group: partly accepted")
}

func TestReadableNamesWhatTheGuideKnows(t *testing.T) {
	t.Parallel()
	s := start(t, sample.Day())
	c := s.signIn(t)
	page := s.page(t, c, "/documents/"+document(t, s.Store, "850", "4500012345").ID.String(), 200)
	says(t, "Readable", page, "Heading", "Detail", "Summary", "Purchase order number 4500012345", "5 November 2026 20261105", "Line 1", "Line 3", "Quantity ordered 144", "Names by the guide x12/004010/850.")
	page = s.page(t, c, "/documents/"+document(t, s.Store, "810", "INV-30940").ID.String(), 200)
	says(t, "Readable with an implied decimal point", page, "2649.60 264960")
	bare := start(t, sample.Day(), func(c *console.Config) { c.Segments = console.NewSegments(&schema.Catalog{}) })
	page = bare.page(t, bare.signIn(t), "/documents/"+document(t, bare.Store, "940", "4500012391").ID.String(), 200)
	says(t, "Readable without a guide", page, "There is no guide for this type", "W0502 4500012391")
}

func TestIssuesStandAtTheirElements(t *testing.T) {
	t.Parallel()
	s := start(t, sample.Day())
	c := s.signIn(t)
	d := document(t, s.Store, "850", "BG-77120")
	page := s.page(t, c, "/documents/"+d.ID.String()+"/segments", 200)
	says(t, "Segments", page, "4 errors", "1 warning", "Error AK403=7 BEG01 QQ is not a purpose", "Error AK304=3 CTT the segment CTT (totals) is missing")
	lines := regexp.MustCompile(`(?s)<li id="s(\d+)"( class="(?:bad|warn)")?>(.*?)</li>`).FindAllStringSubmatch(page, -1)
	if len(lines) != d.Segments {
		t.Fatalf("%d lines, the document has %d segments", len(lines), d.Segments)
	}
	for ordinal, want := range map[string][]string{
		"2": {`<mark title="BEG01 `, ">QQ</mark>", "AK403=7"}, "8": {">45402 </mark>", "Warning"}, "9": {">12O</mark>", "AK403=6"}, "11": {">20261131</mark>", "AK403=8"}, "12": {"AK304=3"},
	} {
		for _, l := range lines {
			for _, part := range want {
				if l[1] == ordinal && !strings.Contains(l[3], part) {
					t.Errorf("segment %s lacks %s: %s", ordinal, part, l[3])
				}
			}
		}
	}
	rejected := s.page(t, c, "/documents/"+document(t, s.Store, "856", "BG-76980").ID.String()+"/segments", 200)
	says(t, "Segments of what the partner rejected", rejected, "Reported by the partner.")
}

func TestRawShowsEveryByte(t *testing.T) {
	t.Parallel()
	s := start(t, sample.Day())
	c := s.signIn(t)
	d := document(t, s.Store, "850", "4500012345")
	page := s.page(t, c, "/documents/"+d.ID.String()+"/raw", 200)
	raw := page[strings.Index(page, `<pre class="raw"`):]
	raw = raw[strings.Index(raw, ">")+1 : strings.Index(raw, "</pre>")]
	raw = regexp.MustCompile(`<i class="ctl">␊</i>\n`).ReplaceAllString(raw, "\n")
	if want := string(s.Payloads[d.Payload.SHA256][d.Offset : d.Offset+d.Length]); raw != want {
		t.Errorf("the page shows %q, the document is %q", raw, want)
	}
	for _, link := range []string{"/api/v1/documents/" + d.ID.String() + "/content", "/api/v1/transmissions/" + d.SourceID.String() + "/content", "/api/v1/transmissions/" + d.SourceID.String() + "/wire"} {
		if !strings.Contains(page, `href="`+link+`"`) {
			t.Errorf("no link to %s", link)
		}
		s.page(t, c, link, 200)
	}
}

func TestALargeDocumentIsShownInPart(t *testing.T) {
	t.Parallel()
	store := sample.Day()
	d := document(t, store, "850", "4500012345")
	for i := range store.DocumentList {
		if x := &store.DocumentList[i]; x.ID == d.ID {
			body := "ST*850*0001~\n" + strings.Repeat("MSG*"+strings.Repeat("x", 90)+"~\n", 4000) + "SE*4002*0001~"
			head := string(store.Payloads[d.Payload.SHA256][:d.Offset])
			x.Payload.SHA256, x.Payload.Size = strings.Repeat("ab", 32), int64(len(head)+len(body))
			store.Payloads[x.Payload.SHA256] = []byte(head + body)
			x.Length = int64(len(body))
		}
	}
	var far []tracking.Issue
	for n := range 300 {
		far = append(far, tracking.Issue{Severity: "error", Level: "element", Ack: "AK403=5", Segment: "MSG", Ordinal: 3500 + n, Element: 1, Text: "is too long"})
	}
	store.IssueList = append(store.IssueList, sample.Issues{Interchange: d.InterchangeID, Document: d.ID, Issues: far})
	s := start(t, store)
	c := s.signIn(t)
	// What is wrong beyond the part that is shown stands before it.
	page := s.page(t, c, "/documents/"+d.ID.String()+"/segments", 200)
	says(t, "Segments", page, "Issues at no segment shown here", "Segment 3,500 MSG01 is too long", "and 200 more, which tradepost document show lists")
	if strings.Index(page, "Segment 3,500") > strings.Index(page, `<ol class="segments">`) {
		t.Error("faults beyond the part that is shown stand below it")
	}
	for _, tab := range []string{"", "/segments", "/raw"} {
		page := s.page(t, c, "/documents/"+d.ID.String()+tab, 200)
		says(t, "tab "+tab, page, "This document has 384 kB; the first 262 kB are shown. The download under Raw has all of it.")
		silent(t, "tab "+tab, page, "cannot be taken apart")
	}
}

func TestPagesComeWithoutGuidesAndWithoutBytes(t *testing.T) {
	t.Parallel()
	store := sample.Day()
	d := document(t, store, "850", "4500012345")
	s := start(t, store, func(c *console.Config) { c.Segments = nil; c.Status = nil; c.Run = nil })
	c := s.signIn(t)
	says(t, "without a reader", s.page(t, c, "/documents/"+d.ID.String(), 200), "it has no guides to read them by. Raw shows its bytes.")
	says(t, "without machinery", s.page(t, c, "/status", 200), "started without a look into the station's machinery")
	s.page(t, c, "/queue", 200)
	delete(store.Payloads, d.Payload.SHA256)
	for _, tab := range []string{"", "/segments", "/raw", "/evidence", "/history"} {
		page := s.page(t, c, "/documents/"+d.ID.String()+tab, 200)
		if tab == "/raw" {
			says(t, "without bytes", page, "no longer in the archive")
		}
	}
	store.Payloads[d.Payload.SHA256] = []byte("too short")
	s.page(t, c, "/documents/"+d.ID.String()+"/raw", 500)
}

func TestEvidenceProvesTheCrossing(t *testing.T) {
	t.Parallel()
	s := start(t, sample.Day())
	c := s.signIn(t)
	d := document(t, s.Store, "856", "4500012345")
	page := s.page(t, c, "/documents/"+d.ID.String()+"/evidence", 200)
	says(t, "Evidence", page, "How it came from the back office", "How it went to Kestrel Markets", "Signed · SHA-256", "Encrypted · AES-256-CBC", "Compressed",
		"TLS 1.3 TLS_AES_128_GCM_SHA256", "AS2-From ALDERCREEK", "automatic-action/MDN-sent-automatically; processed", "Integrity check we sent", "Equal to ours", "The partner returned",
		"Signed with KESTREL", "8 November 2025 – 8 November 2028", "Disposition-Notification-Options")
	var fp string
	for _, k := range s.Certificates["Kestrel Markets"] {
		fp = strings.ToUpper(k.SHA256)
	}
	if !strings.Contains(page, fp[:2]+":"+fp[2:4]+":") {
		t.Error("the partner's fingerprint is not shown in pairs")
	}
	for _, m := range regexp.MustCompile(`href="(/api/v1/[^"]+)"`).FindAllStringSubmatch(page, -1) {
		s.page(t, c, strings.ReplaceAll(m[1], "&amp;", "&"), 200)
	}
	for _, tr := range s.TransmissionList {
		if tr.State == tracking.TransmissionDuplicate {
			says(t, "a duplicate", s.page(t, c, "/transmissions/"+tr.ID.String(), 200), "The same transmission came before")
			says(t, "its original", s.page(t, c, "/transmissions/"+tr.DuplicateOf.String(), 200), "It came again as "+tr.ID.String())
		}
	}
}

func TestOwnHouseAndUnknownSendersAreToldApart(t *testing.T) {
	t.Parallel()
	store := sample.Day()
	d := document(t, store, "856", "4500012345")
	var unknown tracking.ID
	for i := range store.TransmissionList {
		switch x := &store.TransmissionList[i]; {
		case x.ID == d.SourceID:
			x.Partner = d.Partner // whom the back office meant
		case x.State == tracking.TransmissionRefused && x.Direction == tracking.Inbound:
			x.Partner, unknown = "", x.ID
		}
	}
	s := start(t, store)
	c := s.signIn(t)
	says(t, "the list", s.page(t, c, "/transmissions?q=shipment+0035", 200), "back office for Kestrel Markets")
	says(t, "the list", s.page(t, c, "/transmissions?state=refused&direction=inbound", 200), "to us from unknown")
	says(t, "its page", s.page(t, c, "/transmissions/"+d.SourceID.String(), 200), "from the back office, for Kestrel Markets")
	says(t, "its page", s.page(t, c, "/transmissions/"+unknown.String(), 200), "from somebody unknown")
	says(t, "its document", s.page(t, c, "/documents/"+d.ID.String()+"/evidence", 200), "How it came from the back office", "How it went to Kestrel Markets")
}

// TestAFormThatNoDocumentCouldBeMadeOf shows what the back office handed over
// as it is, with what the map found, and takes it for no segments.
func TestAFormThatNoDocumentCouldBeMadeOf(t *testing.T) {
	t.Parallel()
	store := sample.Day()
	d := document(t, store, "856", "4500012345")
	const form = `{"number": "BG-1", "lines": [{"quantity": "many"}]}`
	for i := range store.DocumentList {
		if x := &store.DocumentList[i]; x.ID == d.ID {
			x.State, x.Error, x.Errors, x.InterchangeID, x.DeliveryID = tracking.DocumentInvalid, "map x12/856 cannot make a 856 of it", 1, 0, 0
			x.Payload, x.Offset, x.Length = tracking.Payload{SHA256: "f0", Size: int64(len(form))}, 0, int64(len(form))
		}
	}
	store.Payloads["f0"] = []byte(form)
	store.IssueList = append(store.IssueList, sample.Issues{Document: d.ID, Issues: []tracking.Issue{
		{Severity: "error", Level: tracking.LevelMap, Path: "lines[1].quantity", Offset: 41, Value: "many", Text: "is no number"},
	}})
	s := start(t, store)
	c := s.signIn(t)
	path := "/documents/" + d.ID.String()
	says(t, "its page", s.page(t, c, path, 200), "No document could be made of it", "Mapped : failed", "1 fault", "in a form of its own", "Correct it in the back office")
	page := s.page(t, c, path+"/segments", 200)
	says(t, "Segments", page, "lines[1].quantity", "is no number")
	silent(t, "Segments", page, "elements stand under their numbers")
	says(t, "Raw", s.page(t, c, path+"/raw", 200), `"quantity": "many"`)
}

func TestLevelsOfAShipmentLieInEachOther(t *testing.T) {
	t.Parallel()
	s := start(t, sample.Day())
	page := s.page(t, s.signIn(t), "/documents/"+document(t, s.Store, "856", "4500012345").ID.String(), 200)
	var levels []string
	for _, m := range regexp.MustCompile(`<section class="loop level(\d)"><h4>([^<]+)</h4>`).FindAllStringSubmatch(page, -1) {
		levels = append(levels, m[1]+" "+m[2])
	}
	if got := strings.Join(levels, ", "); got != "1 Shipment, 2 Order, 3 Pack (carton), 4 Item" {
		t.Errorf("the levels are %s", got)
	}
}

func TestReceiptsThatDoNotMatchStandOut(t *testing.T) {
	t.Parallel()
	store := sample.Day()
	d := document(t, store, "856", "4500012345")
	for i := range store.ReceiptList {
		if r := &store.ReceiptList[i]; r.TransmissionID == d.DeliveryID {
			r.MIC, r.MICMatches, r.Signed = "AAAA", false, false
		}
	}
	s := start(t, store)
	page := s.page(t, s.signIn(t), "/documents/"+d.ID.String()+"/evidence", 200)
	says(t, "Evidence", page, "Differs from ours", "The receipt is not signed.")
}

func TestPartnersQueueAndStatus(t *testing.T) {
	t.Parallel()
	s := start(t, sample.Day())
	c := s.signIn(t)
	says(t, "Partners", s.page(t, c, "/partners", 200), "Kestrel Markets", "01:081940553", "850 Purchase order to orders", "They acknowledge within 4 h", "Receipt asked for sync, signed",
		"Expires in 18 days", "Valid from 10 November 2026", "Expired", "This station: the facts a new partner asks for", "ALDERCREEK")
	one := s.page(t, c, "/partners?q=juniper", 200)
	says(t, "a search for a partner", one, "Juniper Logistics")
	silent(t, "a search for a partner", one, "Kestrel Markets")
	says(t, "a search without a hit", s.page(t, c, "/partners?q=nobody", 200), "No partner fits")
	says(t, "Queue", s.page(t, c, "/queue", 200), "7 jobs waiting in 4 lanes", "Waits to try again", "in 4 min 20 s", "Working", "Paused", "1 dead letter", "Given up after 1 attempt", "Open document")
	says(t, "Status", s.page(t, c, "/status", 200), "All is well", "Running for 3 days", "as2 0.0.0.0:4080 partners' AS2, public, TLS 1.2 and up", "SQLite, embedded", "Keys of the station Alder Creek Foods AS2")
}
