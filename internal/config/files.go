package config

import (
	"fmt"
	"os"

	"tradepost/partners"
)

// CheckFiles reads every key, certificate and guide the configuration names and
// tells which of them are missing, unreadable or do not belong together.
func (c *Config) CheckFiles() []Problem {
	_, out := c.keyring(true)
	for i, p := range c.Directory.Partnerships() {
		for direction, rules := range map[string][]partners.DocumentRule{"inbound": p.Inbound, "outbound": p.Outbound} {
			for j, r := range rules {
				if !isGuideFile(r.Guide) {
					continue
				}
				if _, err := os.ReadFile(r.Guide); err != nil {
					path := fmt.Sprintf("partnerships[%d].%s[%d].guide", i, direction, j)
					out = append(out, c.at(path, r.Guide+" cannot be read: "+reason(err), "relative paths start at the folder of the configuration"))
				}
			}
		}
	}
	return out
}
