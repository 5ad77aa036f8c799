// Package tradepost_test keeps the house in order: who may import whom, what
// every file and package owes its reader, and that the documentation speaks of
// commands that exist.
package tradepost_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"tradepost/internal/cli"
)

// layers says which packages of ours a package may import. A name ending in /
// stands for everything below it, the longest name that fits decides, and
// "..." allows everything. Tests may import what they need.
func layers() map[string][]string {
	return map[string][]string{
		"edi":                    {},
		"edi/":                   {"edi", "edi/"},
		"as2":                    {"as2/cms"},
		"as2/":                   {},
		"certs":                  {},
		"certs/":                 {"certs"},
		"partners":               {},
		"tracking":               {},
		"tracking/":              {"tracking"},
		"transport":              {},
		"transport/":             {"transport"},
		"transport/as2":          {"transport", "as2"},
		"processes/queue":        {},
		"processes":              {"partners", "tracking", "transport", "processes/queue"},
		"processes/certificates": {"certs", "certs/cem", "partners", "tracking", "transport", "processes", "processes/queue"},
		"processes/steps":        {"partners", "tracking", "transport", "processes", "processes/queue", "edi", "edi/"},
		"internal/config":        {"as2", "certs", "partners", "transport", "transport/"},
		"internal/doctor":        {"as2", "certs", "partners", "tracking", "internal/config", "internal/store"},
		"internal/observe":       {"partners", "tracking", "transport", "processes", "processes/queue"},
		"internal/store":         {},
		"internal/store/":        {"internal/store", "internal/store/", "partners", "tracking", "processes", "processes/queue"},
		"internal/auth":          {"internal/api/problem"},
		"internal/api":           {"internal/api/", "internal/auth", "certs", "partners", "tracking", "processes", "processes/queue", "edi", "edi/"},
		"internal/api/":          {},
		// The console reads through the same interfaces as the API, never SQL.
		"internal/console":     {"internal/api", "internal/auth", "certs", "partners", "tracking", "processes", "processes/queue", "edi", "edi/"},
		"internal/console/":    {"internal/console", "internal/api", "partners", "tracking", "processes", "processes/queue", "edi", "edi/"},
		"internal/demo":        {"internal/config", "internal/freeport", "certs", "partners", "tracking", "edi", "edi/"},
		"internal/freeport":    {},
		"internal/testsummary": {},
		"internal/gateway":     {"..."},
		"internal/cli":         {"..."},
		"cmd/tradepost":        {"internal/cli"},
		"deploy":               {},
		"examples":             {},
		"interop":              {"..."},
	}
}

// placesOf says where a foreign package may be imported: SQL, HTML, flags and
// logs each have one home.
func placesOf() map[string][]string {
	return map[string][]string{
		"database/sql":          {"internal/store/"},
		"github.com/jackc/pgx":  {"internal/store/"},
		"modernc.org/sqlite":    {"internal/store/"},
		"html/template":         {"internal/console"},
		"github.com/spf13":      {"internal/cli"},
		"github.com/prometheus": {"internal/observe"},
		"log/slog":              {"internal/", "cmd/"},
		"log":                   {"internal/", "cmd/", "transport/"}, // net/http hands its trouble to a log.Logger only
		"flag":                  {"internal/console/"},
	}
}

// source is one parsed Go file.
type source struct {
	dir, name string // "edi/x12", "edi/x12/interchange.go"
	text      []byte
	file      *ast.File
	test      bool
}

// sources parses every Go file of the project.
func sources(t *testing.T) []source {
	t.Helper()
	var out []source
	set := token.NewFileSet()
	for _, name := range files(t) {
		if path.Ext(name) != ".go" {
			continue
		}
		text := read(t, name)
		f, err := parser.ParseFile(set, name, text, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, source{path.Dir(name), name, text, f, strings.HasSuffix(name, "_test.go")})
	}
	return out
}

// files lists the project's files with slashes, testdata and what git ignores left out.
func files(t *testing.T) []string {
	t.Helper()
	var out []string
	err := filepath.WalkDir(".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name = filepath.ToSlash(name)
		if d.IsDir() {
			if slices.Contains([]string{".git", "bin", "demo-data", "testdata"}, d.Name()) {
				return fs.SkipDir
			}
			return nil
		}
		out = append(out, name)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func read(t *testing.T, name string) []byte {
	t.Helper()
	text, err := os.ReadFile(filepath.FromSlash(name))
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestImportsGoOneWay(t *testing.T) {
	t.Parallel()
	rules := layers()
	for _, s := range sources(t) {
		if s.test || s.dir == "." {
			continue
		}
		may, known := rule(rules, s.dir)
		if !known {
			t.Errorf("%s: no rule in layers() says what this package may import", s.dir)
			continue
		}
		for _, i := range s.file.Imports {
			imported, err := strconv.Unquote(i.Path.Value)
			if err != nil {
				t.Fatal(err)
			}
			ours, isOurs := strings.CutPrefix(imported, "tradepost/")
			switch {
			case isOurs && !allows(may, ours):
				t.Errorf("%s imports %s: packages in %s may import %q", s.name, ours, s.dir, may)
			case !isOurs && strings.HasPrefix(s.dir+"/", "edi/") && strings.Contains(strings.SplitN(imported, "/", 2)[0], ".") && !mapsMay(s.dir, imported):
				t.Errorf("%s imports %s: edi is useful alone and needs the standard library only, but for edi/mapping with its expressions and YAML", s.name, imported)
			}
			for foreign, homes := range placesOf() {
				below := strings.HasPrefix(imported, foreign+"/") && foreign != "log"
				if (imported == foreign || below) && !allows(homes, s.dir) {
					t.Errorf("%s imports %s: its home is %q", s.name, imported, homes)
				}
			}
		}
	}
}

// mapsMay tells the modules that edi/mapping may import: a language of
// expressions, and YAML for the texts of maps.
func mapsMay(dir, imported string) bool {
	return dir == "edi/mapping" && (strings.HasPrefix(imported+"/", "github.com/expr-lang/expr/") || strings.HasPrefix(imported+"/", "github.com/goccy/go-yaml/"))
}

// rule finds the entry for a package: its own, or that of the nearest folder
// around it.
func rule(rules map[string][]string, dir string) ([]string, bool) {
	if may, ok := rules[dir]; ok {
		return may, true
	}
	for d := dir; d != "."; d = path.Dir(d) {
		if may, ok := rules[path.Dir(d)+"/"]; ok {
			return may, true
		}
	}
	return nil, false
}

// allows tells whether one of the names covers a package.
func allows(names []string, dir string) bool {
	return slices.ContainsFunc(names, func(n string) bool {
		return n == "..." || n == dir || strings.HasSuffix(n, "/") && strings.HasPrefix(dir, n)
	})
}

func TestEveryPackageSaysWhatItIs(t *testing.T) {
	t.Parallel()
	said := map[string]bool{}
	for _, s := range sources(t) {
		if s.test {
			continue
		}
		said[s.dir] = said[s.dir] || s.file.Doc != nil
	}
	for dir, ok := range said {
		if !ok {
			t.Errorf("%s has no package comment", dir)
		}
	}
}

func TestFilesCanBeReadInOneGo(t *testing.T) {
	t.Parallel()
	for _, s := range sources(t) {
		if n := bytes.Count(s.text, []byte("\n")); n > 600 {
			t.Errorf("%s has %d lines, more than 600: divide it", s.name, n)
		}
	}
}

// TestNothingIsKeptInPackages finds init functions, and package variables that
// change after they were set.
func TestNothingIsKeptInPackages(t *testing.T) {
	t.Parallel()
	globals := map[string]map[string]bool{} // folder -> names
	top := map[any]bool{}                   // their declarations
	all := sources(t)
	for _, s := range all {
		for _, d := range s.file.Decls {
			g, ok := d.(*ast.GenDecl)
			if !ok || g.Tok != token.VAR {
				continue
			}
			if globals[s.dir] == nil {
				globals[s.dir] = map[string]bool{}
			}
			for _, spec := range g.Specs {
				top[spec] = true
				for _, name := range spec.(*ast.ValueSpec).Names {
					if name.Name != "_" {
						globals[s.dir][name.Name] = true
					}
				}
			}
		}
	}
	for _, s := range all {
		if s.test {
			continue
		}
		for _, d := range s.file.Decls {
			f, ok := d.(*ast.FuncDecl)
			if !ok || f.Body == nil {
				continue
			}
			if f.Name.Name == "init" && f.Recv == nil {
				t.Errorf("%s has an init function: construct and register explicitly", s.name)
			}
			ast.Inspect(f.Body, func(n ast.Node) bool {
				var changed []ast.Expr
				switch n := n.(type) {
				case *ast.AssignStmt:
					if n.Tok != token.DEFINE {
						changed = n.Lhs
					}
				case *ast.IncDecStmt:
					changed = []ast.Expr{n.X}
				}
				for _, e := range changed {
					if name := root(e); name != nil && globals[s.dir][name.Name] && isGlobal(name, top) {
						t.Errorf("%s: %s changes the package variable %s: state belongs into a value somebody owns", s.name, f.Name.Name, name.Name)
					}
				}
				return true
			})
		}
	}
}

// root is the variable at the beginning of x.y[z].
func root(e ast.Expr) *ast.Ident {
	for {
		switch x := e.(type) {
		case *ast.Ident:
			return x
		case *ast.SelectorExpr:
			e = x.X
		case *ast.IndexExpr:
			e = x.X
		case *ast.StarExpr:
			e = x.X
		case *ast.ParenExpr:
			e = x.X
		default:
			return nil
		}
	}
}

// isGlobal tells a package variable from a local one of the same name: the
// parser resolves local names, and those of the package in the same file.
func isGlobal(name *ast.Ident, top map[any]bool) bool {
	return name.Obj == nil || top[name.Obj.Decl]
}

func TestModuleStandsOnItsOwn(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"go.mod", "tools.mod"} {
		if regexp.MustCompile(`(?m)^\s*replace\b`).Match(read(t, name)) {
			t.Errorf("%s replaces a module: others could not build this", name)
		}
	}
}

// TestNothingIsLeftForLater finds promises, and paths of somebody's machine.
func TestNothingIsLeftForLater(t *testing.T) {
	t.Parallel()
	later := regexp.MustCompile(`\b(TO` + `DO|FIX` + `ME|XX` + `X)\b|not ` + `implemented|un` + `implemented`)
	machine := regexp.MustCompile(`(^|[^a-zA-Z0-9.])/(work|farm|root|tmp|home)/`)
	for _, name := range files(t) {
		switch path.Ext(name) {
		case ".go", ".md", ".yml", ".yaml", ".tmpl", ".html", ".css", ".js", ".sql", ".sh", "":
		default:
			continue
		}
		if path.Base(name) == "LICENSE" {
			continue
		}
		for i, line := range strings.Split(string(read(t, name)), "\n") {
			if m := later.FindString(line); m != "" {
				t.Errorf("%s:%d leaves something for later: %q", name, i+1, m)
			}
			if m := machine.FindString(line); m != "" {
				t.Errorf("%s:%d names a path of one machine: %q", name, i+1, strings.TrimSpace(line))
			}
		}
	}
}

// commandLine finds what the documentation tells people to type.
func commandLine() *regexp.Regexp {
	return regexp.MustCompile("(?m)(?:`|^ *\\$ |^    |^)(?:go run ./cmd/)?tradepost ([a-z][^`\n|#]*)")
}

func TestDocumentedCommandsExist(t *testing.T) {
	t.Parallel()
	checked := 0
	for _, name := range files(t) {
		if path.Ext(name) != ".md" {
			continue
		}
		for _, m := range commandLine().FindAllStringSubmatch(commandText(string(read(t, name))), -1) {
			words := strings.Fields(m[1])
			verbs := words
			for i, w := range words {
				if !regexp.MustCompile(`^[a-z][a-z0-9-]*$`).MatchString(w) {
					verbs = words[:i]
					break
				}
			}
			help, used := helpOf(verbs)
			if used == "" {
				t.Errorf("%s: there is no command `tradepost %s`", name, strings.Join(verbs, " "))
				continue
			}
			checked++
			for _, w := range words {
				if flag, _, _ := strings.Cut(w, "="); strings.HasPrefix(flag, "--") && !strings.Contains(help, flag) {
					t.Errorf("%s: `tradepost %s` has no flag %s", name, used, flag)
				}
			}
		}
	}
	if checked == 0 {
		t.Error("no command was found in any document: the search is broken")
	}
}

// commandText joins continued lines and leaves only code: blocks and words in
// backquotes.
func commandText(text string) string {
	text = strings.ReplaceAll(text, "\\\n", " ")
	var out strings.Builder
	block := false
	for _, line := range strings.Split(text, "\n") {
		if strings.HasPrefix(strings.TrimSpace(line), "```") {
			block = !block
			continue
		}
		if block {
			out.WriteString(line + "\n")
			continue
		}
		for _, m := range regexp.MustCompile("`[^`]+`").FindAllString(line, -1) {
			out.WriteString(m + "\n")
		}
	}
	return out.String()
}

// helpOf asks the command line itself. Words after the command (names of
// stations, files) are left off until a command is found.
func helpOf(words []string) (help, used string) {
	for n := len(words); n > 0; n-- {
		var out, said bytes.Buffer
		env := &cli.Env{
			Stdin: strings.NewReader(""), Stdout: &out, Stderr: &said, Now: time.Now, Random: rand.Reader,
			LookupEnv: func(string) (string, bool) { return "", false },
		}
		code := cli.Run(context.Background(), env, append(slices.Clone(words[:n]), "--help"))
		used = strings.Join(words[:n], " ")
		if code == cli.ExitOK && strings.Contains(out.String(), fmt.Sprintf("  tradepost %s", used)) {
			return out.String(), used
		}
	}
	return "", ""
}

// TestReadmeCodeIsCompiled holds every block of Go in the README against the
// programs in examples, which the tests run.
func TestReadmeCodeIsCompiled(t *testing.T) {
	t.Parallel()
	var examples strings.Builder
	for _, s := range sources(t) {
		if s.dir == "examples" {
			examples.Write(s.text)
		}
	}
	blocks := regexp.MustCompile("(?s)```go\n(.*?)```").FindAllStringSubmatch(string(read(t, "README.md")), -1)
	if len(blocks) == 0 {
		t.Error("the README shows no Go")
	}
	for _, b := range blocks {
		if !strings.Contains(examples.String(), strings.TrimSpace(b[1])) {
			t.Errorf("this block is in no program below examples:\n%s", b[1])
		}
	}
}

// TestLinksLeadSomewhere follows the links and pictures between documents.
func TestLinksLeadSomewhere(t *testing.T) {
	t.Parallel()
	for _, name := range files(t) {
		if path.Ext(name) != ".md" {
			continue
		}
		for _, m := range regexp.MustCompile(`\]\(([^)#]+)(#[^)]*)?\)`).FindAllStringSubmatch(string(read(t, name)), -1) {
			if strings.Contains(m[1], "://") {
				continue
			}
			if _, err := os.Stat(filepath.FromSlash(path.Join(path.Dir(name), m[1]))); err != nil {
				t.Errorf("%s links to %s, which is not there", name, m[1])
			}
		}
	}
}
