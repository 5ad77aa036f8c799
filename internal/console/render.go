package console

import (
	"bytes"
	"crypto/rand"
	"embed"
	"errors"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"path"
	"strings"

	"tradepost/internal/auth"
	"tradepost/tracking"
)

//go:embed templates
var templateFiles embed.FS

// view is what a page handler returns: which template, under which title, with
// which data.
type view struct {
	template string // file of templates/ without its ending
	title    string
	section  string // the entry of the navigation that is marked
	status   int    // 0 is 200
	body     any
}

// redirect makes a page handler send the browser elsewhere.
type redirect string

func (r redirect) Error() string { return "see " + string(r) }

// frame is what the layout template gets.
type frame struct {
	Title, Section, Page string
	Station, User        string
	Version, Zone        string
	Bare                 bool // without navigation, for sign-in pages
	Body                 any
}

// parse reads the templates: shared ones in every set, one set a page.
func (c *Console) parse() (map[string]*template.Template, error) {
	funcs, err := c.funcs()
	if err != nil {
		return nil, err
	}
	base, err := template.New("").Funcs(funcs).Option("missingkey=error").ParseFS(templateFiles, "templates/shared/*.html")
	if err != nil {
		return nil, fmt.Errorf("console: read the shared templates: %w", err)
	}
	files, err := fs.Glob(templateFiles, "templates/*.html")
	if err != nil {
		return nil, fmt.Errorf("console: list the templates: %w", err)
	}
	pages := map[string]*template.Template{}
	for _, file := range files {
		set, err := base.Clone()
		if err == nil {
			set, err = set.ParseFS(templateFiles, file)
		}
		if err != nil {
			return nil, fmt.Errorf("console: read %s: %w", file, err)
		}
		pages[strings.TrimSuffix(path.Base(file), ".html")] = set
	}
	return pages, nil
}

// page turns a handler that loads and builds a view into one that answers.
func (c *Console) page(build func(r *http.Request) (*view, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		v, err := build(r)
		var elsewhere redirect
		switch {
		case errors.As(err, &elsewhere):
			http.Redirect(w, r, string(elsewhere), http.StatusSeeOther)
			return
		case err != nil:
			v = c.trouble(r, err)
		}
		c.render(w, r, v)
	}
}

// render draws v whole before the first byte goes out, so that an error never
// leaves half a page.
func (c *Console) render(w http.ResponseWriter, r *http.Request, v *view) {
	f := frame{
		Title: v.title, Section: v.section, Page: v.template, Version: c.cfg.Version, Zone: c.cfg.Location.String(),
		User: auth.User(r.Context()), Bare: v.template == "sign-in", Body: v.body,
	}
	if d, err := c.cfg.Directory(r.Context()); err == nil {
		f.Station = d.Station.Name
	}
	set := c.pages[v.template]
	var b bytes.Buffer
	if set == nil {
		c.broken(w, r, fmt.Errorf("there is no template %q", v.template))
		return
	}
	if err := set.ExecuteTemplate(&b, "layout", f); err != nil {
		c.broken(w, r, err)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	if v.status != 0 {
		w.WriteHeader(v.status)
	}
	_, _ = w.Write(visible(b.Bytes()))
}

// broken answers when even the page for errors cannot be drawn.
func (c *Console) broken(w http.ResponseWriter, r *http.Request, err error) {
	c.cfg.Log.ErrorContext(r.Context(), "draw a page", "path", r.URL.Path, "err", err)
	http.Error(w, "This page cannot be drawn. The log of the station tells why.", http.StatusInternalServerError)
}

// Trouble is the page for errors.
type Trouble struct {
	Status    int
	Title     string
	Text      string
	Next      string // what to do
	Incident  string // also in the log
	Documents bool   // offer the search
}

func nowhere(r *http.Request) (*view, error) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		return &view{template: "trouble", title: "Not possible here", status: http.StatusMethodNotAllowed, body: Trouble{
			Status: http.StatusMethodNotAllowed, Title: "Not possible here", Text: "This address only shows things; it changes nothing.", Next: "Go back to the page you came from.",
		}}, nil
	}
	return nil, fmt.Errorf("page %s: %w", r.URL.Path, tracking.ErrNotFound)
}

// trouble makes the page for an error.
func (c *Console) trouble(r *http.Request, err error) *view {
	t := Trouble{
		Status: http.StatusInternalServerError, Title: "Something went wrong here",
		Text: "The station could not put this page together. What it holds is safe: pages only read.",
		Next: "Try again in a moment. If it stays, look into the log of the station for this incident.",
	}
	if r.Method == http.MethodPost {
		t.Text, t.Next = "The station could not finish what you asked for.", "Look whether it was done before you ask again: it stands in the history. The log of the station tells more of this incident."
	}
	why, isRefused := refused(err)
	switch {
	case errors.Is(err, tracking.ErrNotFound):
		t = Trouble{
			Status: http.StatusNotFound, Title: "Nothing is here", Documents: true,
			Text: "There is no page, document or transmission under this address.",
			Next: "An id has 13 letters and digits. Search for the purchase order or control number instead.",
		}
	case isRefused:
		t = why
	case r.Context().Err() != nil:
		t.Status = http.StatusServiceUnavailable
	default:
		t.Incident = rand.Text()[:10]
		c.cfg.Log.ErrorContext(r.Context(), "build a page", "path", r.URL.Path, "incident", t.Incident, "err", err)
	}
	return &view{template: "trouble", title: t.Title, status: t.Status, body: t}
}
