package cli

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"tradepost/edi/dictionary"
	"tradepost/edi/schema"

	"github.com/spf13/cobra"
)

// newEDIDictionaryLearnCommand is `tradepost edi dictionary learn`.
func newEDIDictionaryLearnCommand(env *Env) *cobra.Command {
	var checks ediChecks
	var o dictionary.LearnOptions
	var to string
	var replace bool
	var unseen string
	var each bool
	var out output
	cmd := &cobra.Command{
		Use:   "learn FILE...",
		Short: "Draft a guide from real documents",
		Example: `  tradepost edi dictionary learn samples
  tradepost edi dictionary learn samples --name acme/850 --to drafts`,
		Long: `Reads documents of one type, from files and folders, and writes a guide that says
what they have: which segments stand where, which always, how often, how long
the values are and which codes occur. Behind each line stands what was seen.

When there is a guide for the type, the draft lies over it; else the loops are
found from what repeats, and the draft stands on its own. It is a draft: read it
before you check a partner's documents with it.`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := out.check(cmd); err != nil {
				return err
			}
			samples, err := ediSamples(cmd, args)
			if err != nil {
				return err
			}
			guide := checks.guide
			checks.guide = ""
			options, err := checks.options(cmd)
			if err != nil {
				return err
			}
			o.Catalog, o.Guide, o.Unseen = options.Catalog, guide, dictionary.Unseen(unseen)
			if !slices.Contains([]dictionary.Unseen{dictionary.UnseenSegments, dictionary.UnseenElements, dictionary.UnseenNothing}, o.Unseen) {
				return usage(cmd, fmt.Errorf("--unseen %s is not known: write segments, elements or nothing", unseen))
			}
			if each {
				if to == "" || o.Type != "" || o.Version != "" || guide != "" {
					return usage(cmd, errors.New("--each goes with --to, and without --type, --version and --guide"))
				}
				return learnEach(cmd, env, samples, o, to, replace, out.format)
			}
			draft, err := learnOne(cmd, samples, o)
			if err != nil {
				return err
			}
			if to != "" {
				if err := writeFolder(to, []dictionary.File{draft.File}, replace); err != nil {
					return err
				}
			}
			if out.format == formJSON {
				return writeJSON(env.Stdout, newLearned(draft))
			}
			if to == "" {
				if _, err := env.Stdout.Write(draft.File.Text); err != nil {
					return err
				}
			}
			tellDraft(env, to, draft)
			return nil
		},
	}
	out.flag(cmd, "text", formJSON)
	f := cmd.Flags()
	f.StringVar(&o.Type, "type", "", "document `TYPE` to learn, when the files hold several: 850")
	f.StringVar(&o.Version, "version", "", "`VERSION` to learn, when the files hold several: 004010, D:96A")
	f.StringVar(&o.Name, "name", "", "`NAME` of the draft, instead of draft/TYPE")
	f.StringVar(&checks.guide, "guide", "", "`NAME` of the guide to lie over, instead of the one for the type")
	dictionaryFlag(cmd, &checks.dictionary)
	f.BoolVar(&o.Alone, "alone", false, "make a draft that stands on its own, though there is a guide")
	f.StringVar(&unseen, "unseen", string(dictionary.UnseenSegments), "`WHAT` to forbid of what no document has: segments, elements (of all segments, too) or nothing")
	f.StringVar(&to, "to", "", "`DIR` to write the draft into, instead of standard output")
	f.BoolVar(&replace, "replace", false, "write over a draft that is there")
	f.BoolVar(&each, "each", false, "make a draft of each type and version that the files hold, named NAME/VERSION/TYPE")
	return cmd
}

// learnOne makes a draft and gives what stands in the way its exit code.
func learnOne(cmd *cobra.Command, samples []dictionary.Sample, o dictionary.LearnOptions) (*dictionary.Draft, error) {
	draft, err := dictionary.Learn(cmd.Context(), samples, o)
	switch {
	case errors.Is(err, dictionary.ErrNothing):
		return nil, &ExitError{Code: ExitInvalid, Err: err}
	case errors.Is(err, schema.ErrNotFound):
		return nil, &ExitError{Code: ExitNotFound, Err: err}
	case errors.Is(err, dictionary.ErrSeveral):
		return nil, usage(cmd, fmt.Errorf("%w (--type, --version), or make a draft of each (--each --to DIR)", err))
	}
	return draft, err
}

// learnEach makes a draft of each type and version that the samples hold.
func learnEach(cmd *cobra.Command, env *Env, samples []dictionary.Sample, o dictionary.LearnOptions, to string, replace bool, format string) error {
	kinds, err := dictionary.SampleKinds(cmd.Context(), samples)
	if err != nil {
		return err
	}
	if len(kinds) == 0 {
		return exit(ExitInvalid, "the samples hold no documents of which a guide could be made")
	}
	base := o.Name
	if base == "" {
		base = "draft"
	}
	var files []dictionary.File
	var drafts []*dictionary.Draft
	for _, k := range kinds {
		o.Type, o.Version, o.Name = k.Type, k.Version, base+"/"+strings.ReplaceAll(k.Version, ":", "")+"/"+k.Type
		draft, err := learnOne(cmd, samples, o)
		if err != nil {
			return err
		}
		draft.Others = 0 // they have drafts of their own
		drafts, files = append(drafts, draft), append(files, draft.File)
	}
	if err := writeFolder(to, files, replace); err != nil {
		return err
	}
	list := []learned{}
	for _, d := range drafts {
		if list = append(list, newLearned(d)); format != formJSON {
			tellDraft(env, to, d)
		}
	}
	if format == formJSON {
		return writeJSON(env.Stdout, list)
	}
	return nil
}

// ediSamples lists the files to learn from, those of folders by name.
func ediSamples(cmd *cobra.Command, args []string) ([]dictionary.Sample, error) {
	var out []dictionary.Sample
	add := func(name string) {
		out = append(out, dictionary.Sample{Name: name, Open: func() (io.ReadCloser, error) { return openInput(nil, name) }})
	}
	for _, arg := range args {
		if arg == "-" {
			return nil, usage(cmd, errors.New("samples are read several times: name files, not standard input"))
		}
		info, err := os.Stat(arg)
		if errors.Is(err, os.ErrNotExist) {
			return nil, exit(ExitNotFound, "there is no file or folder %s", arg)
		}
		if err != nil {
			return nil, fmt.Errorf("reading %s: %w", arg, err)
		}
		if !info.IsDir() {
			add(arg)
			continue
		}
		err = filepath.WalkDir(arg, func(name string, d fs.DirEntry, err error) error {
			if err == nil && d.Type().IsRegular() {
				add(name)
			}
			return err
		})
		if err != nil {
			return nil, fmt.Errorf("reading %s: %w", arg, err)
		}
	}
	return out, nil
}

// learned is what edi dictionary learn -o json prints.
type learned struct {
	Name      string   `json:"name"`
	Standard  string   `json:"standard"`
	Version   string   `json:"version"`
	Type      string   `json:"type"`
	BasedOn   string   `json:"based_on,omitempty"`
	Documents int      `json:"documents"` // learned from
	Accepted  int      `json:"accepted"`  // by the draft
	Faulty    int      `json:"faulty"`    // in their envelopes
	Others    int      `json:"others"`    // of other types, left out
	Refused   []string `json:"refused"`   // the first of those the draft refuses, with the reason
	File      string   `json:"file"`
	Text      string   `json:"text"`
}

func newLearned(d *dictionary.Draft) learned {
	v := learned{
		Name: strings.TrimSuffix(d.File.Name, schema.GuideExt), Standard: d.Standard, Version: d.Version, Type: d.Type, BasedOn: d.BasedOn,
		Documents: d.Documents, Accepted: d.Accepted, Faulty: d.Faulty, Others: d.Others, Refused: d.Refused, File: d.File.Name, Text: string(d.File.Text),
	}
	if v.Refused == nil {
		v.Refused = []string{}
	}
	return v
}

// tellDraft says what was learned, in words.
func tellDraft(env *Env, to string, d *dictionary.Draft) {
	base := "it stands on its own"
	if d.BasedOn != "" {
		base = "it lies over " + d.BasedOn
	}
	env.say("learned from %s %s of %s; %s; the draft accepts %d of them", counted(d.Documents, "document"), d.Type, d.Version, base, d.Accepted)
	if d.Faulty > 0 {
		env.say("%s with faults of the envelope (counts, numbers used twice), which no guide lets pass", counted(d.Faulty, "document"))
	}
	if d.Others > 0 {
		env.say("%s of other types or versions left out", counted(d.Others, "document"))
	}
	for _, r := range d.Refused {
		env.say("refused: %s", plain(r))
	}
	if to != "" {
		env.say("written to %s", filepath.Join(to, filepath.FromSlash(d.File.Name)))
	}
}
