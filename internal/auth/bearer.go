package auth

import (
	"bufio"
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"io"
	"strings"
)

// Bearer is a token that a program may present, known by its hash only.
type Bearer struct {
	Name string // shows up as the user "token:NAME"
	Hash [sha256.Size]byte
}

// minToken is the least number of letters of a bearer token: 128 bits in hex.
const minToken = 32

// ReadBearers reads a token file: one "NAME TOKEN" a line; # starts a comment
// line. A token has at least 32 letters and no blanks.
func ReadBearers(r io.Reader) ([]Bearer, error) {
	var list []Bearer
	seen := map[string]int{}
	lines := bufio.NewScanner(io.LimitReader(r, 1<<20))
	for n := 1; lines.Scan(); n++ {
		line := strings.TrimSpace(lines.Text())
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		fields := strings.Fields(line)
		if len(fields) != 2 {
			return nil, fmt.Errorf("token file, line %d: write a name, a blank and a token", n)
		}
		name, token := fields[0], fields[1]
		if !userName(name) {
			return nil, fmt.Errorf("token file, line %d: %q is no name: use 1 to 64 letters, digits, dots, underlines, hyphens or @", n, name)
		}
		if len(token) < minToken {
			return nil, fmt.Errorf("token file, line %d: the token of %s has %d letters, it needs at least %d: `openssl rand -hex 32` makes a good one", n, name, len(token), minToken)
		}
		if first, ok := seen[name]; ok {
			return nil, fmt.Errorf("token file, line %d: the name %s is taken by line %d", n, name, first)
		}
		seen[name] = n
		list = append(list, Bearer{Name: name, Hash: sha256.Sum256([]byte(token))})
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("token file: %w", err)
	}
	return list, nil
}

// bearer returns the name of the token in an Authorization header. It compares
// with every known token, so that the time taken tells nothing.
func (a *Auth) bearer(header string) (name string, ok bool) {
	scheme, token, _ := strings.Cut(header, " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return "", false
	}
	sum := sha256.Sum256([]byte(strings.TrimSpace(token)))
	found := -1
	for i := range a.cfg.Bearer {
		eq := subtle.ConstantTimeCompare(sum[:], a.cfg.Bearer[i].Hash[:])
		found = subtle.ConstantTimeSelect(eq, i, found)
	}
	if found < 0 {
		return "", false
	}
	return a.cfg.Bearer[found].Name, true
}
