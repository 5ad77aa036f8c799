package config

import (
	"errors"
	"fmt"
	"time"

	"tradepost/certs"
	"tradepost/partners"

	"github.com/goccy/go-yaml/ast"
)

// secrets reads what private keys are sealed with.
func (c *Config) secrets(s *section) {
	c.Secrets = Secrets{KeyFile: s.file("key_file", "", c.Dir), KeyEnv: s.text("key_env", "")}
	switch {
	case s.present && c.Secrets == Secrets{}:
		s.r.problem(s.path, s.r.at(s.path), "write key_file: FILE or key_env: NAME, or remove the section", "nothing says what the keys are sealed with")
	case c.Secrets.KeyFile != "" && c.Secrets.KeyEnv != "":
		s.wrong("key_env", "remove one of the two", "the sealing key cannot come from a file and from the environment")
	}
	s.done()
}

// Sealer opens and makes sealed keys; nil when the keys are plain.
func (c *Config) Sealer() (*certs.Sealer, error) {
	s, problem := c.sealer()
	if problem != nil {
		return nil, c.fail([]Problem{*problem})
	}
	return s, nil
}

func (c *Config) sealer() (*certs.Sealer, *Problem) {
	wrong := func(path, text, hint string) (*certs.Sealer, *Problem) {
		p := c.at(path, text, hint)
		return nil, &p
	}
	const hint = "the key is 32 bytes as 64 hex digits or base64: `openssl rand -hex 32` makes one"
	var text []byte
	path := "secrets.key_file"
	switch s := c.Secrets; {
	case s.KeyFile != "":
		data, err := readFile(s.KeyFile)
		if err != nil {
			return wrong(path, s.KeyFile+" cannot be read: "+reason(err), "without the sealing key no private key can be opened")
		}
		text = data
	case s.KeyEnv != "":
		path = "secrets.key_env"
		v, ok := c.source.env(s.KeyEnv)
		if !ok {
			return wrong(path, "the environment has no "+s.KeyEnv, "set it to the sealing key before the start, for instance in the service's environment file")
		}
		text = []byte(v)
	default:
		return nil, nil
	}
	key, err := certs.ParseSealingKey(text)
	if err != nil {
		return wrong(path, err.Error(), hint)
	}
	sealer, err := certs.NewSealer(key)
	if err != nil {
		return wrong(path, err.Error(), hint)
	}
	return sealer, nil
}

// keyFiles reads the list of the station's further pairs.
func (c *Config) keyFiles(s *section) []partners.KeyFile {
	var out []partners.KeyFile
	for _, x := range s.sections("keys") {
		out = append(out, partners.KeyFile{
			Certificate: absolute(c.Dir, x.required("certificate", "the file of the certificate")),
			Key:         absolute(c.Dir, x.required("key", "the file of its private key")),
			Use:         use(x),
		})
		x.done()
	}
	return out
}

// certificateFiles reads a partner's certificates: each the name of a file, or
// a section that also says when it is used and what for.
func (c *Config) certificateFiles(s *section) []partners.CertificateFile {
	n := s.take("certificates")
	if n == nil {
		return nil
	}
	items := []ast.Node{n}
	switch n := n.(type) {
	case *ast.SequenceNode:
		items = n.Values
	case *ast.NullNode:
		return nil
	}
	var out []partners.CertificateFile
	for i, item := range items {
		path := fmt.Sprintf("%s[%d]", s.child("certificates"), i)
		s.r.places[path] = placeOfNode(item)
		switch item.(type) {
		case *ast.MappingNode, *ast.MappingValueNode:
			x := s.r.section(path, item)
			out = append(out, partners.CertificateFile{File: absolute(c.Dir, x.required("file", "the file the partner gave you")), Use: use(x)})
			x.done()
		default:
			if v, ok := s.r.scalar(path, item); ok {
				out = append(out, partners.CertificateFile{File: absolute(c.Dir, v)})
			}
		}
	}
	return out
}

// use reads when a certificate is used and what for.
func use(s *section) partners.Use {
	u := partners.Use{GoLive: s.moment("go_live"), Retire: s.moment("retire")}
	for i, p := range s.texts("purposes") {
		switch certs.Purpose(p) {
		case certs.Sign, certs.Encrypt:
			u.Purposes = append(u.Purposes, p)
		default:
			path := fmt.Sprintf("%s.purposes[%d]", s.path, i)
			s.r.problem(path, s.r.at(path), "write sign or encrypt, or remove the line for both", "%q is no purpose of a certificate", p)
		}
	}
	return u
}

// moment reads a date, which begins at midnight UTC, or a date with time and
// zone (RFC 3339).
func (s *section) moment(key string) time.Time {
	v := s.text(key, "")
	if v == "" {
		return time.Time{}
	}
	t, err := ParseMoment(v)
	if err != nil {
		s.wrong(key, "write a date such as 2027-01-15, or one with time and zone: 2027-01-15T06:00:00+01:00", "%q is no date", v)
	}
	return t
}

// ParseMoment reads a date, which begins at midnight UTC, or a date with time
// and zone (RFC 3339): both sides of an agreement must mean the same instant.
func ParseMoment(v string) (time.Time, error) {
	for _, layout := range []string{time.DateOnly, time.RFC3339} {
		if t, err := time.Parse(layout, v); err == nil {
			return t.UTC(), nil
		}
	}
	return time.Time{}, errors.New("neither a date nor one with time and zone")
}
