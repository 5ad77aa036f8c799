package cli

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"tradepost/edi"
	"tradepost/edi/schema"
	"tradepost/edi/tree"
	"tradepost/edi/validate"

	"github.com/spf13/cobra"
)

// newEDICommand is `tradepost edi`: X12 and EDIFACT by hand, without a station.
func newEDICommand(env *Env) *cobra.Command {
	return group(&cobra.Command{
		Use:   "edi",
		Short: "Check, acknowledge, show and convert X12 and EDIFACT",
		Long: `The commands of edi work on files of any size and on standard input (-). They
need no station, no store and no configuration.`,
	},
		newEDIValidateCommand(env),
		newEDIAckCommand(env),
		newEDIInspectCommand(env),
		newEDIConvertCommand(env),
		newEDIMapCommand(env),
		newEDIDictionaryCommand(env),
	)
}

// ediChecks is the part of an edi command line that says what to check
// against.
type ediChecks struct {
	profile, guide, dictionary string
	except                     []string
	segment                    int
}

func (c *ediChecks) flags(cmd *cobra.Command, profile bool) {
	if profile {
		cmd.Flags().StringVar(&c.profile, "profile", string(validate.Tolerant), "`PROFILE`: tolerant lets pass what real traffic needs, strict does not")
		cmd.Flags().StringSliceVar(&c.except, "except", nil, "`RULES` of which the other profile holds, as warnings name them: leading-zeros,group-type")
	}
	cmd.Flags().StringVar(&c.guide, "guide", "", "guide for the documents of its type: a `NAME` such as x12/004010/850, or a .guide file")
	cmd.Flags().IntVar(&c.segment, "max-segment", 0, "`BYTES` that one segment may have (default 1 MiB, with binary data 64 MiB)")
	dictionaryFlag(cmd, &c.dictionary)
}

// options reads guide and dictionaries.
func (c *ediChecks) options(cmd *cobra.Command) (validate.Options, error) {
	var o validate.Options
	switch p := validate.Profile(c.profile); p {
	case "", validate.Tolerant, validate.Strict:
		o.Profile = p
	default:
		return o, usage(cmd, fmt.Errorf("--profile %s is not known: write tolerant or strict", c.profile))
	}
	for _, rule := range c.except {
		if !slices.Contains(validate.Rules(), rule) {
			return o, usage(cmd, fmt.Errorf("--except %s is no rule: there are %s", rule, strings.Join(validate.Rules(), ", ")))
		}
	}
	o.Except = c.except
	if c.segment < 0 {
		return o, usage(cmd, fmt.Errorf("--max-segment %d: a number of bytes, or nothing for the default", c.segment))
	}
	o.Limits = edi.Limits{Segment: c.segment, Binary: c.segment}
	var err error
	if o.Catalog, err = loadCatalog(c.dictionary); err != nil {
		return o, err
	}
	if c.guide == "" {
		return o, nil
	}
	g, err := c.namedGuide(o.Catalog)
	if err != nil {
		return o, err
	}
	o.GuideFor = func(choice validate.Choice) *schema.Guide {
		if choice.Standard == g.Standard && choice.Type == g.Type {
			return g
		}
		return nil
	}
	return o, nil
}

// namedGuide takes a guide from a file or from the catalog.
func (c *ediChecks) namedGuide(catalog *schema.Catalog) (*schema.Guide, error) {
	name := c.guide
	if filepath.Ext(name) == schema.GuideExt {
		text, err := readInput(name)
		if err != nil {
			return nil, err
		}
		f, err := catalog.Add(name, text)
		if err != nil {
			return nil, wrongText(err)
		}
		if !f.IsGuide {
			return nil, exit(ExitConfig, "%s is a dictionary, not a guide", name)
		}
		name = f.Name
	}
	g, err := catalog.Guide(name)
	if errors.Is(err, schema.ErrNotFound) {
		return nil, exit(ExitNotFound, "there is no guide %s; %s", name, guidesLike(catalog.Names(), name))
	}
	if err != nil {
		return nil, wrongText(err)
	}
	return g, nil
}

// guidesLike names the guides that one who wrote name may have meant, or says
// where all are listed.
func guidesLike(names []string, name string) string {
	var like []string
	for _, n := range names {
		if strings.EqualFold(path.Base(n), path.Base(name)) {
			like = append(like, n)
		}
	}
	if len(like) == 0 {
		return "`tradepost edi dictionary list` shows which there are"
	}
	return "there is " + strings.Join(like, ", ")
}

// newEDIInspectCommand is `tradepost edi inspect`.
func newEDIInspectCommand(env *Env) *cobra.Command {
	var checks ediChecks
	cmd := &cobra.Command{
		Use:   "inspect FILE|-",
		Short: "Show the tree of loops, segments and elements by name",
		Long: `Prints an input for a person: interchanges, groups and documents, and in them loops,
segments and elements with their names and what codes mean. Documents need not be
valid; what has no guide is shown by its tags.`,
		Example: `  tradepost edi inspect order.edi
  tradepost edi inspect orders.edi --dictionary dictionaries | less`,
		Args: want("FILE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			o, err := checks.options(cmd)
			if err != nil {
				return err
			}
			return withInput(env, args[0], func(in io.Reader) error {
				return unreadable(tree.Print(cmd.Context(), env.Stdout, in, o))
			})
		},
	}
	checks.flags(cmd, false)
	return cmd
}

// withInput opens a file or standard input for the time of do.
func withInput(env *Env, name string, do func(io.Reader) error) error {
	in, err := openInput(env.Stdin, name)
	if err != nil {
		return err
	}
	err = do(in)
	if closed := in.Close(); err == nil && closed != nil {
		err = fmt.Errorf("close %s: %w", name, closed)
	}
	return err
}

// unreadable gives input that is no EDI, or no tree, the exit code of an
// invalid document.
func unreadable(err error) error {
	var syntax *edi.SyntaxError
	var path *fs.PathError
	if errors.As(err, &path) {
		return err
	}
	if errors.As(err, &syntax) || errors.Is(err, tree.ErrFormat) {
		return &ExitError{Code: ExitInvalid, Err: err}
	}
	return err
}
