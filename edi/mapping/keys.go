package mapping

import (
	"iter"
	"maps"
	"strconv"
	"strings"
)

// located is a text of the file with its place.
type located struct {
	text string
	at   position
}

// keys reads the keys of one mapping by name and reports those that have no
// meaning there.
type keys struct {
	n *node
	p *problems
}

func newKeys(n *node, p *problems, known ...string) *keys {
	if n.kind != mappingNode {
		p.at(n.at, "write `key: value` lines: "+strings.Join(known, ", "), "a mapping is wanted here, not %s", n.what())
		return &keys{&node{kind: mappingNode, at: n.at}, p}
	}
	is := make(map[string]bool, len(known))
	for _, k := range known {
		is[k] = true
	}
	for _, e := range n.entries {
		if !is[e.key] {
			p.at(e.at, choose(e.key, known), "unknown key %q", clip(e.key))
		}
	}
	return &keys{n, p}
}

// located returns a scalar, nil when the key is not there.
func (k *keys) located(key string) *located {
	v := k.n.get(key)
	if v == nil {
		return nil
	}
	if v.kind != scalarNode || v.null {
		k.p.at(v.at, "", "%s is a text, not %s", key, v.what())
		return nil
	}
	return &located{v.text, v.at}
}

func (k *keys) text(key string) string {
	if l := k.located(key); l != nil {
		return l.text
	}
	return ""
}

func (k *keys) flag(key string) bool {
	l := k.located(key)
	if l == nil {
		return false
	}
	if l.text != "true" && l.text != "false" {
		k.p.at(l.at, "", "%s is true or false, not %q", key, clip(l.text))
	}
	return l.text == "true"
}

// number returns a whole number, 0 when the key is not there.
func (k *keys) number(key string, low, top int) int {
	l := k.located(key)
	if l == nil {
		return 0
	}
	n, err := strconv.Atoi(l.text)
	if err != nil || n < low || n > top {
		k.p.at(l.at, "", "%s is a number from %d to %d, not %q", key, low, top, clip(l.text))
		return 0
	}
	return n
}

// texts returns a list of scalars; one scalar stands for a list of one.
func (k *keys) texts(key string) []located {
	v := k.n.get(key)
	if v == nil {
		return nil
	}
	items := v.items
	if v.kind == scalarNode && !v.null {
		items = []*node{v}
	} else if v.kind != sequenceNode || len(v.items) == 0 {
		k.p.at(v.at, "", "%s is a text or a list of texts, not %s", key, v.what())
		return nil
	}
	var out []located
	for _, i := range items {
		if i.kind != scalarNode || i.null {
			k.p.at(i.at, "", "%s is a list of texts, not of %s", key, i.what())
			continue
		}
		out = append(out, located{i.text, i.at})
	}
	return out
}

// mapping returns a mapping, nil when the key is not there.
func (k *keys) mapping(key string) *node {
	v := k.n.get(key)
	if v == nil {
		return nil
	}
	if v.kind != mappingNode {
		k.p.at(v.at, "indent `key: value` lines below it", "%s is a mapping, not %s", key, v.what())
		return nil
	}
	return v
}

func keysOf[K comparable, V any](m map[K]V) iter.Seq[K] { return maps.Keys(m) }
