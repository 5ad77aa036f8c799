package cli

import (
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

// TestExamplesOfEDICommands: every command of edi on documents and maps shows how
// it is called, and what it shows is a command line that it takes.
func TestExamplesOfEDICommands(t *testing.T) {
	t.Parallel()
	env, _, _ := testEnvOf(nil)
	root := newRootCommand(env)
	edi, _, err := root.Find([]string{"edi"})
	if err != nil {
		t.Fatal(err)
	}
	var check func(cmd *cobra.Command)
	check = func(cmd *cobra.Command) {
		if cmd.Name() == "dictionary" {
			return
		}
		for _, sub := range cmd.Commands() {
			check(sub)
		}
		if cmd.HasSubCommands() {
			return
		}
		if cmd.Example == "" {
			t.Errorf("%s has no example", cmd.CommandPath())
		}
		for line := range strings.Lines(strings.ReplaceAll(cmd.Example, "\\\n", " ")) {
			line = strings.TrimSpace(line)
			call, _, _ := strings.Cut(line, " > ")
			call, _, _ = strings.Cut(call, " < ")
			call, _, _ = strings.Cut(call, " | ")
			words := strings.Fields(call)
			if words[0] != "tradepost" {
				t.Errorf("%s: %q", cmd.CommandPath(), line)
				continue
			}
			fresh := newRootCommand(env) // flags are parsed once
			found, rest, err := fresh.Find(words[1:])
			if err != nil || found.CommandPath() != cmd.CommandPath() {
				t.Errorf("%q is not about %s: %v", line, cmd.CommandPath(), err)
				continue
			}
			if err := found.ParseFlags(rest); err != nil {
				t.Errorf("%q: %v", line, err)
				continue
			}
			if err := found.ValidateArgs(found.Flags().Args()); err != nil {
				t.Errorf("%q: %v", line, err)
			}
		}
	}
	check(edi)
}
