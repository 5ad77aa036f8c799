package console_test

import (
	"context"
	"flag"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"tradepost/internal/console/sample"
	"tradepost/tracking"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// -pictures DIR makes TestPagesInABrowser write a PNG of every page, width and
// colour scheme, for people to look at; -picture narrows them by name.
var (
	pictures = flag.String("pictures", "", "write pictures of the pages into this folder")
	only     = flag.String("picture", "", "only pages whose name contains this")
)

// chromium finds a browser, or skips the test; in CI a missing one is a failure.
func chromium(t *testing.T) string {
	t.Helper()
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome", "chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	if os.Getenv("CI") == "true" {
		t.Fatal("no chromium on this machine, and CI needs the pages judged in one")
	}
	t.Skip("left out: no chromium on this machine, so no page was looked at in a browser")
	return ""
}

// browser starts a headless browser that shall reach nothing but the station.
func browser(t *testing.T) context.Context {
	t.Helper()
	options := []chromedp.ExecAllocatorOption{
		chromedp.ExecPath(chromium(t)), chromedp.UserDataDir(t.TempDir()),
		chromedp.NoFirstRun, chromedp.NoDefaultBrowserCheck, chromedp.Headless, chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-background-networking", true),
		chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-sync", true), chromedp.Flag("hide-scrollbars", true),
	}
	// A browser that hangs fails its test instead of hanging the run.
	bounded, end := context.WithTimeout(t.Context(), 6*time.Minute)
	t.Cleanup(end)
	alloc, stop := chromedp.NewExecAllocator(bounded, options...)
	t.Cleanup(stop)
	ctx, cancel := chromedp.NewContext(alloc)
	t.Cleanup(cancel)
	if err := chromedp.Do(ctx); err != nil {
		t.Fatalf("start the browser: %v", err)
	}
	return ctx
}

// visit opens an address. A page that does not come in time is asked for again:
// a browser on a busy machine now and then forgets to answer.
func visit(t *testing.T, ctx context.Context, address string) {
	t.Helper()
	var err error
	for range 3 {
		try, cancel := context.WithTimeout(ctx, 40*time.Second)
		err = chromedp.Do(try, chromedp.Navigate(address), chromedp.WaitReady(chromedp.CSS("main")))
		cancel()
		if err == nil {
			return
		}
	}
	t.Fatalf("%s: %v", address, err)
}

// watch collects what a page must not do: complain, or ask anybody else.
type watch struct {
	mu       sync.Mutex
	stations []string // hosts that may be asked
	problems []string
}

func (w *watch) add(s string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.problems = append(w.problems, s)
}

func (w *watch) take() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	list := w.problems
	w.problems = nil
	return list
}

// listen watches the tab of ctx from now on.
func (w *watch) listen(t *testing.T, ctx context.Context) {
	t.Helper()
	err := chromedp.Listen(ctx, func(ev any) {
		switch ev := ev.(type) {
		case *network.EventRequestWillBeSent:
			u, err := url.Parse(ev.Request.URL)
			if err != nil || !slices.Contains(w.stations, u.Host) && u.Scheme != "data" && u.Scheme != "about" {
				w.add("asked somebody else: " + ev.Request.URL)
			}
		case *log.EventEntryAdded:
			// The page for what is not found answers 404, and the browser notes it.
			if bad := ev.Entry.Level == log.EntryLevelError || ev.Entry.Level == log.EntryLevelWarning; bad && !strings.Contains(ev.Entry.Text, "404") {
				w.add("console: " + ev.Entry.Text + " " + ev.Entry.URL)
			}
		case *runtime.EventConsoleAPICalled:
			w.add("console: " + string(ev.Type))
		case *runtime.EventExceptionThrown:
			w.add("exception: " + ev.ExceptionDetails.Text + " at " + ev.ExceptionDetails.URL)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, enable := range []func() error{
		func() error { _, err := chromedp.Call(ctx, network.Enable, network.EnableParams{}); return err },
		func() error { _, err := chromedp.Call(ctx, log.Enable, cdp.Empty{}); return err },
		func() error { _, err := chromedp.Call(ctx, runtime.Enable, cdp.Empty{}); return err },
	} {
		if err := enable(); err != nil {
			t.Fatal(err)
		}
	}
}

type size struct {
	name          string
	width, height int64
	mobile        bool
}

// sizes are a desk, a phone, and the desk at 200 %.
func sizes() []size {
	return []size{{"1280", 1280, 900, false}, {"390", 390, 844, true}, {"640", 640, 450, false}}
}

func signInBrowser(t *testing.T, ctx context.Context, s *station) {
	t.Helper()
	link, err := s.auth.LoginLink(t.Context(), "anna")
	if err != nil {
		t.Fatal(err)
	}
	visit(t, ctx, s.url+link)
	evaluate[bool](t, ctx, `(setTimeout(() => document.querySelector("main button").click(), 0), true)`)
	until(t, ctx, `location.pathname === "/" && document.querySelector("nav[aria-label=Main]") !== null`)
}

// outside is what sticks out of the page to the right.
const outside = `(() => {
  const width = document.documentElement.clientWidth;
  const bad = [];
  if (document.documentElement.scrollWidth > width) bad.push("the page scrolls sideways: " + document.documentElement.scrollWidth + " in " + width);
  for (const e of document.querySelectorAll("body *")) {
    const r = e.getBoundingClientRect();
    if (r.width === 0 || e.closest(".unseen, .skip, .scroll, .tabs, .caret, thead, svg, details:not([open])")) continue;
    if (r.right > width + 1) bad.push(e.tagName + "." + e.className + " ends at " + Math.round(r.right));
  }
  return bad.slice(0, 5);
})()`

// audit finds what somebody who does not see the page, or uses no mouse, would
// miss. Each rule names its criterion of WCAG 2.2.
const audit = `(() => {
  const bad = [];
  const name = (e) => (e.getAttribute("aria-label") || e.innerText || e.title || [...e.querySelectorAll("img")].map((i) => i.alt).join("")).trim();
  if (!document.documentElement.lang) bad.push("3.1.1: the page has no language");
  if (!document.title.includes("tradepost")) bad.push("2.4.2: the title is " + document.title);
  if (document.querySelectorAll("h1").length !== 1) bad.push("1.3.1: there are " + document.querySelectorAll("h1").length + " main headings");
  if (document.querySelectorAll("main").length !== 1) bad.push("1.3.1: there is not one main part");
  let level = 1;
  for (const h of document.querySelectorAll("h2, h3, h4, h5")) {
    const n = Number(h.tagName[1]);
    if (n > level + 2) bad.push("1.3.1: " + h.innerText + " is a heading of level " + n + " under one of level " + level);
    level = n;
  }
  for (const e of document.querySelectorAll("img")) if (!e.hasAttribute("alt")) bad.push("1.1.1: a picture without words");
  for (const e of document.querySelectorAll("a[href], button")) {
    const shown = e.checkVisibility();
    if (shown && !name(e)) bad.push("2.4.4: a link or button without words: " + e.outerHTML.slice(0, 120));
    const r = e.getBoundingClientRect();
    if (shown && e.tagName === "BUTTON" && (r.height < 24 || r.width < 24)) bad.push("2.5.8: the button " + name(e) + " is " + r.width + " by " + r.height);
  }
  for (const e of document.querySelectorAll("input:not([type=hidden]), select")) if (!e.labels || e.labels.length === 0 || !e.labels[0].textContent.trim()) bad.push("1.3.1: a field without a label: " + e.name);
  for (const e of document.querySelectorAll("svg")) if (!e.hasAttribute("aria-hidden") && !e.querySelector("title")) bad.push("1.1.1: a drawing without a title");
  for (const e of document.querySelectorAll("th")) if (!e.scope) bad.push("1.3.1: a table head without a scope: " + e.innerText);
  for (const e of document.querySelectorAll(".chip")) if (!e.innerText.trim() && e.checkVisibility() || !e.querySelector("svg")) bad.push("1.4.1: a state without a word or a drawing");
  const ids = [...document.querySelectorAll("[id]")].map((e) => e.id);
  for (const id of ids) if (ids.indexOf(id) !== ids.lastIndexOf(id)) bad.push("the id " + id + " is used twice");
  for (const e of document.querySelectorAll("[aria-labelledby]")) if (!document.getElementById(e.getAttribute("aria-labelledby"))) bad.push("1.3.1: a label that is not there");
  return bad.slice(0, 8);
})()`

func TestPagesInABrowser(t *testing.T) {
	ctx := browser(t)
	s := start(t, sample.Day())
	hostile, doc, transmission := sample.Hostile()
	h := start(t, hostile)
	stations := []string{strings.TrimPrefix(s.url, "http://"), strings.TrimPrefix(h.url, "http://")}
	w := &watch{stations: stations}
	w.listen(t, ctx)
	signInBrowser(t, ctx, s)
	signInBrowser(t, ctx, h)
	for _, p := range w.take() {
		t.Error("signing in: " + p)
	}
	pages := map[string]string{"sign-in": s.url + "/login?token=anna~0123456789"}
	for name, path := range addresses(t, s.Store) {
		pages[name] = s.url + path
	}
	for name, path := range map[string]string{
		"hostile-today": "/", "hostile-documents": "/documents", "hostile-document": "/documents/" + doc.String(), "hostile-segments": "/documents/" + doc.String() + "/segments",
		"hostile-raw": "/documents/" + doc.String() + "/raw", "hostile-evidence": "/documents/" + doc.String() + "/evidence", "hostile-history": "/documents/" + doc.String() + "/history",
		"hostile-transmission": "/transmissions/" + transmission.String(), "hostile-transmissions": "/transmissions", "hostile-partners": "/partners",
	} {
		pages[name] = h.url + path
	}
	names := make([]string, 0, len(pages))
	for name := range pages {
		if strings.Contains(name, *only) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	for _, z := range sizes() {
		t.Run(z.name, func(t *testing.T) {
			t.Parallel()
			tab, cancel := chromedp.NewContext(ctx)
			defer cancel()
			w := &watch{stations: stations}
			w.listen(t, tab)
			for _, name := range names {
				show(t, tab, z, "light")
				look(t, tab, pages[name], name, z.name, w)
				show(t, tab, z, "dark")
				judge(t, tab, name, z.name+"-dark", w)
			}
		})
	}
}

// look opens one page and judges it.
func look(t *testing.T, ctx context.Context, address, name, width string, w *watch) {
	t.Helper()
	visit(t, ctx, address)
	judge(t, ctx, name, width+"-light", w)
}

// judge checks the page as it is shown now and may take its picture.
func judge(t *testing.T, ctx context.Context, name, how string, w *watch) {
	t.Helper()
	sticking, err := chromedp.Run(ctx, chromedp.Evaluate[[]string](outside))
	if err != nil {
		t.Fatal(err)
	}
	if bare := evaluate[bool](t, ctx, `document.body.classList.contains("bare")`); bare != (name == "sign-in") {
		t.Errorf("%s %s: the page for signing in stands where it does not belong, or is missing", name, how)
	}
	styled, err := chromedp.Run(ctx, chromedp.Evaluate[bool](`getComputedStyle(document.documentElement).getPropertyValue("--ground") !== ""`))
	if err != nil {
		t.Fatal(err)
	}
	found, err := chromedp.Run(ctx, chromedp.Evaluate[[]string](audit))
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range slices.Concat(w.take(), sticking, found) {
		t.Errorf("%s %s: %s", name, how, p)
	}
	if !styled {
		t.Errorf("%s %s: the style sheet was not taken", name, how)
	}
	if *pictures == "" {
		return
	}
	if err := chromedp.Do(ctx, chromedp.Sleep(150*time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	png, err := chromedp.Run(ctx, chromedp.FullScreenshot(100))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(*pictures, name+"-"+how+".png"), png, 0o600); err != nil {
		t.Fatal(err)
	}
}

// show sets the size of the screen and the colour scheme.
func show(t *testing.T, ctx context.Context, z size, scheme string) {
	t.Helper()
	var options []chromedp.EmulateViewportOption
	if z.mobile {
		options = append(options, chromedp.EmulateMobile)
	}
	if err := chromedp.Do(ctx, chromedp.EmulateViewport(z.width, z.height, options...)); err != nil {
		t.Fatal(err)
	}
	media := emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}}
	if _, err := chromedp.Call(ctx, emulation.SetEmulatedMedia, media); err != nil {
		t.Fatal(err)
	}
}

// evaluate runs a script in the page and returns what it gives.
func evaluate[T any](t *testing.T, ctx context.Context, script string) T {
	t.Helper()
	v, err := chromedp.Run(ctx, chromedp.Evaluate[T](script, chromedp.EvalAwaitPromise))
	if err != nil {
		t.Fatalf("%s: %v", script, err)
	}
	return v
}

// until waits for a condition in a page that is loaded whole, for at most half
// a minute. A page that is being left cannot answer, which is no answer yet.
func until(t *testing.T, ctx context.Context, condition string) {
	t.Helper()
	deadline := time.Now().Add(2 * time.Minute)
	for time.Now().Before(deadline) {
		// A question to a page that is being left may never be answered.
		ask, cancel := context.WithTimeout(ctx, 2*time.Second)
		ok, err := chromedp.Run(ask, chromedp.Evaluate[bool](`document.readyState === "complete" && `+condition))
		cancel()
		if err == nil && ok {
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Fatalf("this never came true: %s\n%s", condition, evaluate[string](t, ctx, `location.href + "\n" + document.body.innerText.slice(0, 3000)`))
}

func TestEventsArriveWhileThePageIsOpen(t *testing.T) {
	t.Parallel()
	ctx := browser(t)
	s := start(t, sample.Day())
	signInBrowser(t, ctx, s)
	until(t, ctx, `document.querySelector("[data-live-word]").textContent === "Live" && !document.querySelector(".live").hidden`)
	event := func(after time.Duration, text string) {
		at := sample.Now().Add(after)
		s.Append(tracking.Event{ID: tracking.FirstIDAt(at), At: at, Kind: tracking.EventDocInvalid, Text: text, DocumentID: s.DocumentList[0].ID})
	}
	first := `document.querySelector("ol.events li")`
	event(time.Second, "<b>new</b> \u202eone")
	until(t, ctx, first+`.innerText.includes("<b>new</b> [U+202E]one")`)
	if got := evaluate[string](t, ctx, first+`.querySelector("time").textContent + " " + `+first+`.className + " " + `+first+`.querySelector("a").getAttribute("href")`); got != "14:32:11.000 bad fresh /documents/"+s.DocumentList[0].ID.String() {
		t.Errorf("the new event is drawn as %q", got)
	}
	if n := evaluate[int](t, ctx, `document.querySelectorAll("ol.events b").length`); n != 0 {
		t.Error("the text of an event became markup")
	}

	evaluate[bool](t, ctx, `(document.querySelector("[data-live-toggle]").click(), true)`)
	event(2*time.Second, "While paused")
	until(t, ctx, `document.querySelector("[data-live-word]").textContent === "Paused"`)
	evaluate[bool](t, ctx, `new Promise((r) => setTimeout(() => r(true), 100))`)
	if evaluate[bool](t, ctx, first+`.innerText.includes("While paused")`) {
		t.Error("a paused list moved")
	}
	evaluate[bool](t, ctx, `(document.querySelector("[data-live-toggle]").click(), true)`)
	until(t, ctx, first+`.innerText.includes("While paused")`)
	if n := evaluate[int](t, ctx, `(() => { const ids = [...document.querySelectorAll("ol.events li")].map((e) => e.dataset.event); return ids.length - new Set(ids).size; })()`); n != 0 {
		t.Errorf("%d events stand there twice", n)
	}
}

func TestFormsAndKeysHelp(t *testing.T) {
	t.Parallel()
	ctx := browser(t)
	s := start(t, sample.Day())
	signInBrowser(t, ctx, s)
	do := func(steps ...chromedp.Action[chromedp.Void]) {
		t.Helper()
		if err := chromedp.Do(ctx, steps...); err != nil {
			t.Fatal(err)
		}
	}
	visit(t, ctx, s.url+"/documents")
	// The protocol's key press would type the letter even where the page has
	// kept the key for itself, so the page gets the key alone.
	evaluate[bool](t, ctx, `!document.body.dispatchEvent(new KeyboardEvent("keydown", { key: "/", bubbles: true, cancelable: true }))`)
	if got := evaluate[string](t, ctx, `document.activeElement.name`); got != "q" {
		t.Errorf("the key / moves to %q", got)
	}
	do(chromedp.KeyEvent("4500012345\r"))
	until(t, ctx, `location.search === "?q=4500012345"`) // no empty fields in the address
	evaluate[bool](t, ctx, `(() => { const f = document.querySelector("select[name=direction]"); f.value = "inbound"; f.dispatchEvent(new Event("change")); return true; })()`)
	until(t, ctx, `location.search === "?q=4500012345&direction=inbound" && document.querySelectorAll(".rowlink").length === 1`)
	evaluate[bool](t, ctx, `(setTimeout(() => document.querySelector(".rowlink").click(), 0), true)`)
	until(t, ctx, `location.pathname.startsWith("/documents/") && document.querySelector("h1").innerText === "850 Purchase order"`)
	evaluate[bool](t, ctx, `(setTimeout(() => document.querySelector(".out button").click(), 0), true)`)
	until(t, ctx, `document.querySelector("h1").innerText === "You are signed out"`)
}

// A browser with all its protections lets the console's own forms through.
func TestAskingInABrowser(t *testing.T) {
	t.Parallel()
	ctx := browser(t)
	did := &doings{}
	s := start(t, sample.Day(), withDoings(did))
	signInBrowser(t, ctx, s)
	d := document(t, s.Store, "850", "PO-2211")
	visit(t, ctx, s.url+"/documents/"+d.ID.String())
	evaluate[bool](t, ctx, `(setTimeout(() => document.querySelector(".states .button").click(), 0), true)`)
	until(t, ctx, `location.pathname.endsWith("/resend") && document.querySelector("textarea") !== null`)
	// Without a reason the browser keeps the form to itself.
	if got := evaluate[bool](t, ctx, `document.querySelector(".confirm form").checkValidity()`); got {
		t.Error("the form may go without a reason")
	}
	evaluate[bool](t, ctx, `(document.querySelector("textarea").value = "they lost it", setTimeout(() => document.querySelector(".confirm button").click(), 0), true)`)
	until(t, ctx, `location.pathname.endsWith("/history")`)
	if got, want := did.take(), fmt.Sprintf("resend %s anna %q", d.ID, "they lost it"); got != want {
		t.Errorf("done was %s, want %s", got, want)
	}
}

func TestPagesPrint(t *testing.T) {
	t.Parallel()
	ctx := browser(t)
	s := start(t, sample.Day())
	signInBrowser(t, ctx, s)
	if _, err := chromedp.Call(ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Media: "print"}); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"/", "/documents", "/documents/" + document(t, s.Store, "850", "BG-77120").ID.String() + "/segments"} {
		visit(t, ctx, s.url+path)
		if got := evaluate[string](t, ctx, `getComputedStyle(document.querySelector(".side")).display + " " + getComputedStyle(document.querySelector("main")).display`); got != "none flex" {
			t.Errorf("%s prints the navigation, or not the page: %s", path, got)
		}
	}
}
