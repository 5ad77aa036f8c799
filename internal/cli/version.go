package cli

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// versionInfo is what `version -o json` prints.
type versionInfo struct {
	Version  string `json:"version"`
	Commit   string `json:"commit,omitempty"`
	Modified bool   `json:"modified,omitempty"` // built from changed sources
	Time     string `json:"time,omitempty"`     // of the commit
	Go       string `json:"go"`
	Platform string `json:"platform"`
}

// version reads what the Go tool wrote into the program.
func version() versionInfo {
	v := versionInfo{Version: "(devel)", Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return v
	}
	if info.Main.Version != "" {
		v.Version = info.Main.Version
	}
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			v.Commit = s.Value
		case "vcs.time":
			v.Time = s.Value
		case "vcs.modified":
			v.Modified = s.Value == "true"
		}
	}
	return v
}

// String is a line for people: "tradepost v1.2.3 commit 0123456789ab, go1.26.0, linux/amd64".
func (v versionInfo) String() string {
	commit := ""
	if v.Commit != "" {
		commit = " commit " + v.Commit[:min(12, len(v.Commit))]
		if v.Modified {
			commit += " (modified)"
		}
	}
	return fmt.Sprintf("tradepost %s%s, %s, %s", v.Version, commit, v.Go, v.Platform)
}

func newVersionCommand(env *Env) *cobra.Command {
	var out output
	cmd := &cobra.Command{
		Use:   "version",
		Short: "Print which tradepost this is",
		Example: `  tradepost version
  tradepost version -o json`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := out.check(cmd); err != nil {
				return err
			}
			v := version()
			if out.format == formJSON {
				return writeJSON(env.Stdout, v)
			}
			_, err := fmt.Fprintln(env.Stdout, v)
			return err
		},
	}
	out.flag(cmd, formTable, formJSON)
	return cmd
}
