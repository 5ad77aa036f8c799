package directory

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"path"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxName is the longest name, in bytes, that common file systems hold.
const maxName = 255

// safeName makes a plain file name of what somebody called a file: the last
// element of a path, without control characters, without what one of the
// common systems forbids, valid UTF-8, at most limit bytes (the extension is
// kept), and never hidden or unfinished-looking. "" stays "".
func safeName(name string, limit int) string {
	name = strings.ToValidUTF8(name, "_")
	if i := strings.LastIndexAny(name, `/\`); i >= 0 {
		name = name[i+1:]
	}
	name = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || strings.ContainsRune(`<>:"|?*`, r) {
			return '_'
		}
		return r
	}, name)
	name = strings.TrimRight(strings.TrimLeft(name, ". "), ". ")
	if len(name) > limit {
		ext := path.Ext(name)
		if len(ext) > 16 || len(ext) >= limit {
			ext = ""
		}
		name = cut(strings.TrimSuffix(name, ext), limit-len(ext)) + ext
	}
	return name
}

// cut shortens s to at most n bytes without breaking a character.
func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}

// safeID is a delivery id as part of a file name. Ids are ours and plain; any
// other is replaced by its digest, so that two never become one.
func safeID(id string) string {
	if len(id) > 0 && len(id) <= 64 && plainID.MatchString(id) {
		return id
	}
	sum := sha256.Sum256([]byte(id))
	return "x" + hex.EncodeToString(sum[:16])
}

var (
	plainID     = regexp.MustCompile(`^[0-9A-Za-z][0-9A-Za-z_-]*$`)
	placeholder = regexp.MustCompile(`\{[^{}]*\}`)
)

// checkPattern tells what is wrong with a pattern for final names.
func checkPattern(pattern string) error {
	for _, p := range placeholder.FindAllString(pattern, -1) {
		switch p {
		case "{name}", "{stem}", "{ext}", "{id}", "{partner}":
		default:
			return fmt.Errorf("unknown placeholder %s: known are {name}, {stem}, {ext}, {id}, {partner}", p)
		}
	}
	rest := placeholder.ReplaceAllString(pattern, "")
	switch {
	case pattern == "":
		return fmt.Errorf("is empty: leave it out for {stem}-{id}{ext}")
	case strings.ContainsAny(rest, `/\{}`):
		return fmt.Errorf("%q: must be one file name without / or \\", pattern)
	case safeName(rest, maxName) != strings.Trim(rest, ". ") || strings.HasPrefix(pattern, "."):
		return fmt.Errorf("%q: contains characters that are not allowed in file names, or begins with a dot", pattern)
	case unfinished("x" + pattern):
		return fmt.Errorf("%q: looks like a file that is still being written: nobody would take it", pattern)
	case !strings.Contains(pattern, "{id}") && !strings.Contains(pattern, "{name}") && !strings.Contains(pattern, "{stem}"):
		return fmt.Errorf("%q: every delivery would want the same name: put {id} in it", pattern)
	}
	return nil
}

// finalName is the name a delivery gets: the same for the same delivery, and
// with {id} in the pattern another for every other.
func finalName(pattern, id, partner, filename string) string {
	id = safeID(id)
	name := safeName(filename, maxName-len(id)-32)
	if name == "" {
		name = "document"
	}
	ext := path.Ext(name)
	values := map[string]string{
		"{name}": name, "{stem}": strings.TrimSuffix(name, ext), "{ext}": ext,
		"{id}": id, "{partner}": safeName(partner, 32),
	}
	out := placeholder.ReplaceAllStringFunc(pattern, func(p string) string { return values[p] })
	if len(out) > maxName {
		out = id + "-" + cut(name, maxName-len(id)-1)
	}
	if unfinished(out) { // the partner called it x.tmp: nobody would take it
		out = strings.TrimLeft(out, ".") + ".edi"
	}
	return out
}
