package console_test

import (
	"context"
	"flag"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"tradepost/internal/console/sample"
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
	alloc, stop := chromedp.NewExecAllocator(t.Context(), options...)
	t.Cleanup(stop)
	ctx, cancel := chromedp.NewContext(alloc)
	t.Cleanup(cancel)
	if err := chromedp.Do(ctx); err != nil {
		t.Fatalf("start the browser: %v", err)
	}
	return ctx
}

// watch collects what a page must not do: complain, or ask anybody else.
type watch struct {
	mu       sync.Mutex
	station  string
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
			if err != nil || u.Host != w.station && u.Scheme != "data" && u.Scheme != "about" {
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

func sizes() []size { return []size{{"1280", 1280, 900, false}, {"390", 390, 844, true}} }

func signInBrowser(t *testing.T, ctx context.Context, s *station) {
	t.Helper()
	link, err := s.auth.LoginLink(t.Context(), "anna")
	if err != nil {
		t.Fatal(err)
	}
	err = chromedp.Do(ctx, chromedp.Navigate(s.url+link), chromedp.Click(chromedp.CSS("button")), chromedp.WaitReady(chromedp.CSS("nav[aria-label=Main]")))
	if err != nil {
		t.Fatalf("sign in with the button: %v", err)
	}
	if where, err := chromedp.Run(ctx, chromedp.Location()); err != nil || where != s.url+"/" {
		t.Fatalf("signing in with the button ends at %s: %v", where, err)
	}
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

func TestPagesInABrowser(t *testing.T) {
	ctx := browser(t)
	s := start(t, sample.Day())
	host, err := url.Parse(s.url)
	if err != nil {
		t.Fatal(err)
	}
	w := &watch{station: host.Host}
	w.listen(t, ctx)
	signInBrowser(t, ctx, s)
	pages := addresses(t, s.Store)
	pages["sign-in"] = "/login?token=anna~0123456789"
	names := make([]string, 0, len(pages))
	for name := range pages {
		if strings.Contains(name, *only) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	for _, z := range sizes() {
		for _, scheme := range []string{"light", "dark"} {
			show(t, ctx, z, scheme)
			for _, name := range names {
				look(t, ctx, s.url+pages[name], name, z.name+"-"+scheme, w)
			}
		}
	}
}

// look opens one page, checks it and may take its picture.
func look(t *testing.T, ctx context.Context, address, name, how string, w *watch) {
	t.Helper()
	if err := chromedp.Do(ctx, chromedp.Navigate(address), chromedp.WaitReady(chromedp.CSS("main"))); err != nil {
		t.Fatalf("%s %s: %v", name, how, err)
	}
	sticking, err := chromedp.Run(ctx, chromedp.Evaluate[[]string](outside))
	if err != nil {
		t.Fatal(err)
	}
	background, err := chromedp.Run(ctx, chromedp.Evaluate[string](`getComputedStyle(document.body).backgroundColor`))
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range append(w.take(), sticking...) {
		t.Errorf("%s %s: %s", name, how, p)
	}
	if background == "rgba(0, 0, 0, 0)" {
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
