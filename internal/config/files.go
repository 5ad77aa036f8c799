package config

import (
	"crypto/x509"
	"fmt"
	"os"

	"tradepost/certs"
	"tradepost/partners"
)

// Clients are the certificates that those who connect must be vouched for by;
// nil when nobody is asked.
func (t *TLS) Clients() (*x509.CertPool, error) {
	if t.ClientCA == "" {
		return nil, nil //nolint:nilnil // nil asks nobody, as in crypto/tls
	}
	text, err := readFile(t.ClientCA)
	if err != nil {
		return nil, fmt.Errorf("%s cannot be read: %s", t.ClientCA, reason(err))
	}
	list, err := certs.ParseCertificates(text)
	if err != nil {
		return nil, fmt.Errorf("%s holds no certificate: %w", t.ClientCA, err)
	}
	pool := x509.NewCertPool()
	for _, c := range list {
		pool.AddCert(c)
	}
	return pool, nil
}

// CheckFiles reads every key, certificate, guide and map the configuration names and
// tells which of them are missing, unreadable or do not belong together, and
// whether the folder of dictionaries is there.
func (c *Config) CheckFiles() []Problem {
	_, out := c.keyring(true)
	if folder := c.Dictionaries; folder != "" {
		const hint = "relative paths start at the folder of the configuration; `tradepost edi dictionary import SOURCE --to FOLDER` makes one"
		if info, err := os.Stat(folder); err != nil {
			out = append(out, c.at("dictionaries", folder+" cannot be read: "+reason(err), hint))
		} else if !info.IsDir() {
			out = append(out, c.at("dictionaries", folder+" is no folder", hint))
		}
	}
	if t := c.Listen.TLS; t != nil && t.ClientCA != "" {
		if _, err := t.Clients(); err != nil {
			out = append(out, c.at("listen.tls.client_ca", err.Error(), "a PEM file with the authorities, or the certificates, of those who may connect is wanted"))
		}
	}
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
						out = append(out, c.at(path, file+" cannot be read: "+reason(err), unreadable(err)))
					}
				}
			}
		}
	}
	return out
}
