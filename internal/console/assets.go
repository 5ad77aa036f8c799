package console

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"path"
	"strings"
	"time"
)

//go:embed static icons
var assetFiles embed.FS

// assets are the embedded files a page loads, each under a name that contains
// its hash, so that a browser may keep it for ever.
type assets struct {
	content map[string][]byte // by served name
	names   map[string]string // served name by file name
	icons   map[string]template.HTML
}

func newAssets() (*assets, error) {
	a := &assets{content: map[string][]byte{}, names: map[string]string{}, icons: map[string]template.HTML{}}
	if err := eachFile("static", func(name string, b []byte) {
		sum := sha256.Sum256(b)
		ext := path.Ext(name)
		served := strings.TrimSuffix(name, ext) + "." + hex.EncodeToString(sum[:6]) + ext
		a.names[name], a.content[served] = served, b
	}); err != nil {
		return nil, err
	}
	err := eachFile("icons", func(name string, b []byte) {
		// The files are embedded drawings of ours, nothing in them is foreign.
		a.icons[strings.TrimSuffix(name, ".svg")] = template.HTML(bytes.TrimSpace(b)) //nolint:gosec // see above
	})
	return a, err
}

func eachFile(dir string, use func(name string, b []byte)) error {
	list, err := fs.ReadDir(assetFiles, dir)
	if err != nil {
		return fmt.Errorf("console: list %s: %w", dir, err)
	}
	for _, e := range list {
		b, err := assetFiles.ReadFile(path.Join(dir, e.Name()))
		if err != nil {
			return fmt.Errorf("console: read %s: %w", e.Name(), err)
		}
		use(e.Name(), b)
	}
	return nil
}

// url is the address of a static file.
func (a *assets) url(name string) (string, error) {
	served, ok := a.names[name]
	if !ok {
		return "", fmt.Errorf("there is no static file %q", name)
	}
	return "/static/" + served, nil
}

// icon is the drawing of a name, for use inside a page.
func (a *assets) icon(name string) (template.HTML, error) {
	svg, ok := a.icons[name]
	if !ok {
		return "", fmt.Errorf("there is no icon %q", name)
	}
	return svg, nil
}

func (a *assets) serve(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("file")
	b, ok := a.content[name]
	if !ok {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Cache-Control", "public, max-age=31536000, immutable")
	http.ServeContent(w, r, name, time.Time{}, bytes.NewReader(b))
}

// favicon answers browsers that ask without reading the page.
func (a *assets) favicon(w http.ResponseWriter, r *http.Request) {
	http.Redirect(w, r, "/static/"+a.names["logo.svg"], http.StatusFound)
}
