package schema

import (
	"slices"
	"strings"
)

// Code is one value of a code list.
type Code struct {
	Value string
	Name  string // in plain words, may be empty
	From  int    // first day it is valid as CCYYMMDD, 0 for always
	Until int    // last day it is valid as CCYYMMDD, 0 for always
}

// Codes is a code list made for look-ups without allocation. A nil *Codes
// allows every value.
type Codes struct {
	// Open marks a list that names well-known values and does not claim to be
	// complete: values outside it are no fault.
	Open bool

	list  []Code
	keys  []uint64       // open addressing, 0 is an empty slot
	slots []uint32       // index into list for each key
	long  map[string]int // values of more than eight bytes
	dated bool
}

// NewCodes builds a list; a later entry for a value replaces an earlier one.
func NewCodes(open bool, list []Code) *Codes {
	c := &Codes{Open: open}
	at := make(map[string]int, len(list))
	for _, code := range list {
		if i, ok := at[code.Value]; ok {
			c.list[i] = code
			continue
		}
		at[code.Value] = len(c.list)
		c.list = append(c.list, code)
	}
	size := 4
	for size < 2*len(c.list) {
		size *= 2
	}
	c.keys, c.slots = make([]uint64, size), make([]uint32, size)
	for i, code := range c.list {
		c.dated = c.dated || code.From != 0 || code.Until != 0
		if len(code.Value) > 8 {
			if c.long == nil {
				c.long = make(map[string]int)
			}
			c.long[code.Value] = i
			continue
		}
		key := packString(code.Value)
		mask := uint64(size - 1) //nolint:gosec // a size is positive
		for s := spread(key) & mask; ; s = (s + 1) & mask {
			if c.keys[s] == 0 {
				c.keys[s], c.slots[s] = key, uint32(i) //nolint:gosec // i < len(list), far below 2^32
				break
			}
		}
	}
	return c
}

// Find returns the entry for a value.
func (c *Codes) Find(value []byte) (Code, bool) {
	if i := c.index(value); i >= 0 {
		return c.list[i], true
	}
	return Code{}, false
}

// Allows reports whether the value may be used on a day (CCYYMMDD; 0 leaves
// the dates out of it). An open list allows what it does not know.
func (c *Codes) Allows(value []byte, day int) bool {
	if c == nil {
		return true
	}
	i := c.index(value)
	if i < 0 {
		return c.Open
	}
	if c.dated && day != 0 {
		code := &c.list[i]
		return (code.From == 0 || day >= code.From) && (code.Until == 0 || day <= code.Until)
	}
	return true
}

// List returns the entries in the order of the text.
func (c *Codes) List() []Code {
	if c == nil {
		return nil
	}
	return slices.Clone(c.list)
}

// Len is the number of entries.
func (c *Codes) Len() int {
	if c == nil {
		return 0
	}
	return len(c.list)
}

// Hint names up to limit values, for the text of an issue.
func (c *Codes) Hint(limit int) string {
	if c == nil {
		return ""
	}
	var b strings.Builder
	for i, code := range c.list {
		if i == limit {
			b.WriteString(", ...")
			break
		}
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(code.Value)
		if code.Name != "" && len(c.list) <= limit {
			b.WriteString(" (" + code.Name + ")")
		}
	}
	return b.String()
}

func (c *Codes) index(value []byte) int {
	if c == nil || len(value) == 0 {
		return -1
	}
	if len(value) > 8 {
		if i, ok := c.long[string(value)]; ok {
			return i
		}
		return -1
	}
	var key uint64
	for _, b := range value {
		key = key<<8 | uint64(b)
	}
	mask := uint64(len(c.keys) - 1) //nolint:gosec // a length
	for s := spread(key) & mask; ; s = (s + 1) & mask {
		switch c.keys[s] {
		case key:
			return int(c.slots[s])
		case 0:
			return -1
		}
	}
}

func packString(value string) uint64 {
	var key uint64
	for i := 0; i < len(value); i++ {
		key = key<<8 | uint64(value[i])
	}
	return key
}

// spread mixes the bits so that neighbouring codes do not share slots.
func spread(key uint64) uint64 {
	key *= 0x9e3779b97f4a7c15
	return key >> 32
}
