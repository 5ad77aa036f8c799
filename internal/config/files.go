package config

import (
	"fmt"
	"os"

	"tradepost/partners"
)

// CheckFiles reads every key, certificate, guide and map the configuration names and
// tells which of them are missing, unreadable or do not belong together.
func (c *Config) CheckFiles() []Problem {
	_, out := c.keyring(true)
	for i, p := range c.Directory.Partnerships() {
		for direction, rules := range map[string][]partners.DocumentRule{"inbound": p.Inbound, "outbound": p.Outbound} {
			for j, r := range rules {
				files := map[string]string{}
				if isGuideFile(r.Guide) {
					files["guide"] = r.Guide
				}
				if partners.IsMapFile(r.Map) {
					files["map"] = r.Map
				}
				for key, file := range files {
					if _, err := os.ReadFile(file); err != nil {
						path := fmt.Sprintf("partnerships[%d].%s[%d].%s", i, direction, j, key)
						out = append(out, c.at(path, file+" cannot be read: "+reason(err), "relative paths start at the folder of the configuration"))
					}
				}
			}
		}
	}
	return out
}
