package config

import (
	"encoding/json"
	"fmt"
	"math"
	"net"
	"net/netip"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml/ast"
)

// duration reads "30s", "24h" or "30d"; "none" is zero.
func (s *section) duration(key string, fallback time.Duration) time.Duration {
	v := s.text(key, "")
	if v == "" {
		return fallback
	}
	if v == "none" {
		return 0
	}
	d, err := ParseDuration(v)
	if err != nil {
		s.wrong(key, "write a number and a unit: 30s, 15m, 24h or 7d; or none", "%q is no duration", v)
		return fallback
	}
	return d
}

// ParseDuration reads what time.ParseDuration reads, and days: "7d". It is not
// negative.
func ParseDuration(v string) (time.Duration, error) {
	if days, ok := strings.CutSuffix(v, "d"); ok {
		n, err := strconv.ParseUint(days, 10, 16)
		return time.Duration(n) * 24 * time.Hour, err
	}
	d, err := time.ParseDuration(v)
	if err == nil && d < 0 {
		err = strconv.ErrRange
	}
	return d, err
}

// size reads a number of bytes: "64KB", "10MB", "2GB" (powers of 1024).
func (s *section) size(key string, fallback int64) int64 {
	v := s.text(key, "")
	if v == "" {
		return fallback
	}
	m := regexp.MustCompile(`^([0-9]{1,9})\s*([KMG]?)B?$`).FindStringSubmatch(strings.ToUpper(v))
	if m == nil {
		s.wrong(key, "write a number and a unit: 512KB, 64MB or 2GB", "%q is no size", v)
		return fallback
	}
	n, err := strconv.ParseInt(m[1], 10, 64)
	shift := map[string]uint{"": 0, "K": 10, "M": 20, "G": 30}[m[2]]
	if err != nil || n == 0 || n > math.MaxInt64>>shift {
		s.wrong(key, "write a number above zero", "%q cannot be a size", v)
		return fallback
	}
	return n << shift
}

// number reads a whole number between least and most.
func (s *section) number(key string, fallback, least, most int) int {
	v := s.text(key, "")
	if v == "" {
		return fallback
	}
	n, err := strconv.Atoi(v)
	if err != nil || n < least || n > most {
		s.wrong(key, "", "%q: a whole number from %d to %d is wanted", v, least, most)
		return fallback
	}
	return n
}

// choice reads one of some words.
func (s *section) choice(key, fallback string, words ...string) string {
	v := s.text(key, fallback)
	for _, w := range words {
		if v == w {
			return v
		}
	}
	s.wrong(key, "write one of "+strings.Join(words, ", "), "%q is not known here", v)
	return fallback
}

// address reads "host:port".
func (s *section) address(key, fallback string) string {
	v := s.text(key, fallback)
	_, port, err := net.SplitHostPort(v)
	if err == nil {
		_, err = strconv.ParseUint(port, 10, 16)
	}
	if err != nil {
		s.wrong(key, `write host and port: "127.0.0.1:4080", or ":4080" for every address of the machine`, "%q is no address to listen on", v)
		return fallback
	}
	return v
}

// file reads a path and makes it absolute, seen from dir.
func (s *section) file(key, fallback, dir string) string {
	return absolute(dir, s.text(key, fallback))
}

func absolute(dir, path string) string {
	if path == "" || filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(dir, path)
}

// rest takes every key not asked for yet as JSON: the settings of a connector,
// which the connector itself decodes.
func (s *section) rest() json.RawMessage {
	m := map[string]any{}
	for _, k := range s.keys {
		if !slices.Contains(s.asked, k) {
			m[k] = s.r.value(s.child(k), s.values[k])
		}
	}
	s.asked = append(s.asked, s.keys...)
	out, err := json.Marshal(m)
	if err != nil {
		s.r.problem(s.path, s.r.at(s.path), "", "the settings cannot be read: %v", err)
		return nil
	}
	return out
}

// value turns a node into what encoding/json writes, noting places as it goes.
func (r *reader) value(path string, n ast.Node) any {
	at := placeOfNode(n)
	if n.Type() != ast.NullType {
		r.places[path] = at
	}
	switch n := n.(type) {
	case *ast.MappingNode, *ast.MappingValueNode:
		s := r.section(path, n)
		m := map[string]any{}
		for _, k := range s.keys {
			m[k] = r.value(s.child(k), s.values[k])
		}
		return m
	case *ast.SequenceNode:
		out := []any{}
		for i, item := range n.Values {
			out = append(out, r.value(path+"["+strconv.Itoa(i)+"]", item))
		}
		return out
	case *ast.StringNode:
		v, _ := r.expand(path, at, n.Value)
		return v
	case *ast.LiteralNode:
		v, _ := r.expand(path, at, n.Value.Value)
		return v
	case *ast.BoolNode:
		return n.Value
	case *ast.IntegerNode:
		return n.Value
	case *ast.FloatNode:
		return n.Value
	case *ast.NullNode:
		return nil
	}
	r.problem(path, at, "", "a value is wanted here, not %s", kind(n))
	return nil
}

// networks reads a list of addresses and networks.
func (s *section) networks(key string) []netip.Prefix {
	var out []netip.Prefix
	for i, v := range s.texts(key) {
		p, err := netip.ParsePrefix(v)
		if a, aerr := netip.ParseAddr(v); err != nil && aerr == nil {
			p, err = netip.PrefixFrom(a.Unmap(), a.Unmap().BitLen()), nil
		}
		if err != nil {
			path := fmt.Sprintf("%s[%d]", s.child(key), i)
			s.r.problem(path, s.r.at(path), "write an address such as 10.0.0.5, or a network such as 10.0.0.0/8", "%q is neither an address nor a network", v)
			continue
		}
		out = append(out, p.Masked())
	}
	return out
}
