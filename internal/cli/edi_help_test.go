package cli

import (
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

// shellWords splits a line as a shell does: quoted words stay together, and what
// stands behind a pipe, a redirection or a # is not for the command.
func shellWords(line string) []string {
	var words []string
	quoted := false
	for _, w := range strings.FieldsFunc(line, func(c rune) bool {
		if c == '"' {
			quoted = !quoted
		}
		return c == ' ' && !quoted
	}) {
		if w == "|" || w == ">" || w == "<" || w == "#" {
			break
		}
		words = append(words, strings.Trim(w, `"`))
	}
	return words
}

// TestExamples: every command shows how it is called, and what it shows is a
// command line that it takes.
func TestExamples(t *testing.T) {
	t.Parallel()
	env, _, _ := testEnvOf(nil)
	var check func(cmd *cobra.Command)
	check = func(cmd *cobra.Command) {
		if name := cmd.Name(); name == "completion" || name == "help" {
			return // not ours
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
			words := shellWords(line)
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
	check(newRootCommand(env))
}
