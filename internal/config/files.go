package config

import (
	"errors"
	"fmt"
	"os"

	"tradepost/certs"
	"tradepost/partners"
)

// CheckFiles reads every key and certificate the configuration names and tells
// which of them are missing, unreadable or do not belong together.
func (c *Config) CheckFiles() []Problem {
	var out []Problem
	note := func(path, text, hint string) { out = append(out, c.at(path, text, hint)) }
	pair := func(at, certificate, key string) {
		cs, ok := c.read(note, at+".certificate", certificate)
		ks, okKey := c.read(note, at+".key", key)
		if ok {
			if _, err := certs.ParseCertificates(cs); err != nil {
				note(at+".certificate", fmt.Sprintf("%s holds no certificate: %v", certificate, err), "a PEM or DER file of X.509 certificates is wanted")
				ok = false
			}
		}
		if okKey && !certs.IsSealed(ks) {
			if _, err := certs.ParseKey(ks); err != nil {
				note(at+".key", fmt.Sprintf("%s holds no usable key: %v", key, err), "a PEM file with an unencrypted RSA or EC key is wanted")
				okKey = false
			}
		}
		if ok && okKey && !certs.IsSealed(ks) {
			if _, err := certs.ParsePair(cs, ks); errors.Is(err, certs.ErrMismatch) {
				note(at+".key", "the key does not belong to the certificate in "+certificate, "name the two files that were made together")
			} else if err != nil {
				note(at+".key", err.Error(), "")
			}
		}
	}
	if st := c.Directory.Station(); st.Certificate != "" {
		pair("station", st.Certificate, st.Key)
	}
	if t := c.Listen.TLS; t != nil {
		pair("listen.tls", t.Certificate, t.Key)
	}
	for i, p := range c.Directory.Partners() {
		for j, file := range p.Certificates {
			path := fmt.Sprintf("partners[%d].certificates[%d]", i, j)
			if data, ok := c.read(note, path, file); ok {
				if _, err := certs.ParseCertificates(data); err != nil {
					note(path, fmt.Sprintf("%s holds no certificate: %v", file, err), "ask partner "+p.Name+" for its certificate as PEM, DER or .p7b")
				}
			}
		}
	}
	for i, p := range c.Directory.Partnerships() {
		for direction, rules := range map[string][]partners.DocumentRule{"inbound": p.Inbound, "outbound": p.Outbound} {
			for j, r := range rules {
				if isGuideFile(r.Guide) {
					c.read(note, fmt.Sprintf("partnerships[%d].%s[%d].guide", i, direction, j), r.Guide)
				}
			}
		}
	}
	return out
}

// read reads a file named at path, noting why it cannot.
func (c *Config) read(note func(path, text, hint string), path, file string) ([]byte, bool) {
	data, err := os.ReadFile(file)
	if err != nil {
		note(path, file+" cannot be read: "+reason(err), "relative paths start at the folder of the configuration")
		return nil, false
	}
	return data, true
}
