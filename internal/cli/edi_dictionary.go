package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"

	"tradepost/edi/dictionary"
	"tradepost/edi/schema"

	"github.com/spf13/cobra"
)

// newEDIDictionaryCommand is `tradepost edi dictionary`.
func newEDIDictionaryCommand(env *Env) *cobra.Command {
	return group(&cobra.Command{
		Use:   "dictionary",
		Short: "Import dictionaries, look at them, and learn guides from samples",
		Long: `Dictionaries describe segments, elements and codes, guides the documents made of
them. Shipped are starter guides in our own words; the directories of X12 and
UN/EDIFACT are not, but can be imported by who holds them.`,
	},
		newEDIDictionaryImportCommand(env),
		newEDIDictionaryListCommand(env),
		newEDIDictionaryShowCommand(env),
		newEDIDictionaryFindCommand(env),
		newEDIDictionaryLearnCommand(env),
	)
}

// imported is what edi dictionary import -o json prints.
type imported struct {
	Format       string               `json:"format"`
	Standard     string               `json:"standard"`
	Version      string               `json:"version"`
	Dictionaries []string             `json:"dictionaries"`
	Guides       []string             `json:"guides"`
	Files        []string             `json:"files"`
	Segments     int                  `json:"segments"`
	Composites   int                  `json:"composites"`
	Elements     int                  `json:"elements"`
	Codes        int                  `json:"codes"`
	FilesRead    int                  `json:"files_read"`
	FilesSkipped int                  `json:"files_skipped"`
	Explanation  int                  `json:"lines_of_explanation"`
	Findings     []dictionary.Finding `json:"findings"`
	Omitted      int                  `json:"findings_omitted"`
}

// newEDIDictionaryImportCommand is `tradepost edi dictionary import`.
func newEDIDictionaryImportCommand(env *Env) *cobra.Command {
	var o dictionary.Options
	var to, format string
	var replace bool
	var out output
	var formats []string
	for _, f := range dictionary.Formats() {
		formats = append(formats, string(f))
	}
	cmd := &cobra.Command{
		Use:   "import SOURCE...",
		Short: "Turn a directory, SEF file or schema into dictionaries and guides",
		Example: `  tradepost edi dictionary import d96a.zip --to dictionaries
  tradepost edi dictionary import partner.sef --to dictionaries -o json`,
		Long: `Reads UN/EDIFACT directories of UNECE (the zip as it is downloaded, or a folder),
SEF files, StAEDI schemas and XML Schemas of the BizTalk kind, and writes a
dictionary and a guide for each document below --to. --dictionary of the other
commands takes that folder, and so does a station by the setting "dictionaries".

What was not understood, and what our format has no place for, is told with its
place on standard error. The terms of the source hold for what is made from it:
read them before you pass it on.`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := out.check(cmd); err != nil {
				return err
			}
			if to == "" {
				return usage(cmd, errors.New("--to DIR is missing: the folder to write into"))
			}
			o.Format, o.Known = dictionary.Format(format), schema.Shipped()
			result, err := importSources(cmd, args, o)
			if result != nil && (err != nil || out.format != formJSON) {
				printFindings(env, result.Findings, result.Omitted)
			}
			if err != nil {
				return err
			}
			if err := writeFolder(to, result.Files, replace); err != nil {
				return err
			}
			return printImported(env, out.format, to, result)
		},
	}
	f := cmd.Flags()
	f.StringVar(&to, "to", "", "`DIR` to write into, made when it is not there")
	f.StringVar(&format, "format", "", "`FORMAT` of the source when it is not told by its content: "+strings.Join(formats, ", "))
	f.StringVar(&o.Name, "name", "", "what the `NAME`s begin with, instead of x12/004010 or edifact/D96A")
	f.StringVar(&o.Guide, "guide", "", "what the `NAME` of a guide over the standard begins with (SEF, StAEDI)")
	f.StringVar(&o.Standard, "standard", "", "`STANDARD` when the source does not tell it: X12 or EDIFACT")
	f.StringVar(&o.Version, "version", "", "`VERSION` when the source does not tell it: 004010, D:96A")
	f.StringVar(&o.Type, "type", "", "document `TYPE` when the source does not tell it: 837")
	f.StringVar(&o.Group, "group", "", "`CODE` of the group the document travels in: HC")
	f.BoolVar(&o.OpenCodes, "open-codes", false, "let lists of codes name what is usual, and refuse nothing")
	f.BoolVar(&replace, "replace", false, "write over files that are there")
	out.flag(cmd, "text", formJSON)
	return cmd
}

// importSources imports files and folders as one source.
func importSources(cmd *cobra.Command, names []string, o dictionary.Options) (*dictionary.Result, error) {
	var in dictionary.Source
	for _, name := range names {
		info, err := os.Stat(name)
		switch {
		case errors.Is(err, os.ErrNotExist):
			return nil, exit(ExitNotFound, "there is no file or folder %s", name)
		case err != nil:
			return nil, fmt.Errorf("reading %s: %w", name, err)
		case !info.IsDir():
			if err := addFile(&in, name); err != nil {
				return nil, invalidSource(err)
			}
			continue
		}
		root, err := os.OpenRoot(name)
		if err != nil {
			return nil, fmt.Errorf("reading %s: %w", name, err)
		}
		defer root.Close() //nolint:errcheck // it is read until the import is done
		if err := in.AddFolder(filepath.Base(name), root.FS()); err != nil {
			return nil, invalidSource(err)
		}
	}
	result, err := dictionary.Import(cmd.Context(), &in, o)
	if err = invalidSource(err); err == nil || exitCode(cmd.Context(), err) == ExitInvalid || cmd.Context().Err() != nil {
		return result, err
	}
	return result, usage(cmd, err) // which option is missing or wrong
}

func addFile(in *dictionary.Source, name string) error {
	f, err := openInput(nil, name)
	if err != nil {
		return err
	}
	err = in.Add(filepath.Base(name), f)
	if closed := f.Close(); err == nil {
		err = closed
	}
	return err
}

// invalidSource gives a source that is too large, or none, its exit code.
func invalidSource(err error) error {
	if errors.Is(err, dictionary.ErrTooLarge) || errors.Is(err, dictionary.ErrNothing) {
		return &ExitError{Code: ExitInvalid, Err: err}
	}
	return err
}

// writeFolder writes the files below a folder and nowhere else. Without
// replace, nothing is written when one of them is there.
func writeFolder(dir string, files []dictionary.File, replace bool) error {
	if err := os.MkdirAll(dir, 0o755); err != nil { //nolint:gosec // dictionaries are no secret
		return fmt.Errorf("making %s: %w", dir, err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return fmt.Errorf("opening %s: %w", dir, err)
	}
	defer root.Close() //nolint:errcheck // nothing is written through it any more
	for _, f := range files {
		if _, err := root.Stat(filepath.FromSlash(f.Name)); replace {
			break
		} else if !errors.Is(err, fs.ErrNotExist) {
			return exit(ExitFailed, "%s is there already: write to another folder, give the dictionary another --name, or add --replace", filepath.Join(dir, filepath.FromSlash(f.Name)))
		}
	}
	for _, f := range files {
		name := filepath.FromSlash(f.Name)
		if err := root.MkdirAll(filepath.FromSlash(path.Dir(f.Name)), 0o755); err != nil {
			return fmt.Errorf("making the folder of %s: %w", name, err)
		}
		if err := root.WriteFile(name+".new", f.Text, 0o644); err != nil {
			return fmt.Errorf("writing %s: %w", name, err)
		}
		if err := root.Rename(name+".new", name); err != nil {
			return fmt.Errorf("writing %s: %w", name, err)
		}
	}
	return nil
}

// printFindings tells what was not taken over; files left out for one reason
// are told together.
func printFindings(env *Env, list []dictionary.Finding, omitted int) {
	for i := 0; i < len(list); {
		f, last := list[i], i
		for last+1 < len(list) && f.Line == 0 && list[last+1].Line == 0 && list[last+1].Kind == f.Kind && list[last+1].Text == f.Text {
			last++
		}
		if last > i {
			f.File += " to " + path.Base(list[last].File) + fmt.Sprintf(" (%d files)", last-i+1)
		}
		env.say("%s", plain(f.String()))
		i = last + 1
	}
	if omitted > 0 {
		env.say("%d more of these were left out", omitted)
	}
}

// counted writes a number of things: 1 guide, 2 guides.
func counted(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

func printImported(env *Env, format, dir string, r *dictionary.Result) error {
	if format == formJSON {
		v := imported{
			Format: string(r.Format), Standard: r.Standard, Version: r.Version, Dictionaries: r.Dictionaries, Guides: r.Guides, Files: []string{},
			Segments: r.Segments, Composites: r.Composites, Elements: r.Elements, Codes: r.Codes,
			FilesRead: r.Read, FilesSkipped: r.Skipped, Explanation: r.Prose, Findings: r.Findings, Omitted: r.Omitted,
		}
		if v.Findings == nil {
			v.Findings = []dictionary.Finding{}
		}
		if v.Guides == nil {
			v.Guides = []string{}
		}
		for _, f := range r.Files {
			v.Files = append(v.Files, f.Name)
		}
		return writeJSON(env.Stdout, v)
	}
	_, err := fmt.Fprintf(env.Stdout, "%s %s: %s, %s, %s, %s, %s written to %s\n%s read, %d of them not taken over; %s of explanation left out; %s\n",
		r.Standard, r.Version, counted(len(r.Guides), "guide"), counted(r.Segments, "segment"), counted(r.Composites, "composite"),
		counted(r.Elements, "element"), counted(r.Codes, "code"), dir, counted(r.Read, "file"), r.Skipped, counted(r.Prose, "line"), counted(len(r.Findings)+r.Omitted, "finding"))
	if len(r.Guides) > 0 && len(r.Guides) <= 10 && err == nil {
		_, err = fmt.Fprintf(env.Stdout, "guides: %s\n", strings.Join(r.Guides, ", "))
	}
	return err
}
