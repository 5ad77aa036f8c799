package tracking

import (
	"encoding/binary"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"
)

// ID names one tracked thing. It is made by the application, not by the
// database, so that no round trip waits for one, and it grows with time, so
// that newer rows sort after older ones: 41 bits of milliseconds since
// 2025-01-01 UTC, 10 bits of node, 12 bits of sequence. Zero means none.
//
// People and JSON see it as 13 letters of Crockford's base 32.
type ID int64

const (
	idNodeBits = 10
	idSeqBits  = 12
	idAlphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
	idLength   = 13
)

var idEpoch = time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)

// String returns the 13-letter form, or "" for zero.
func (id ID) String() string {
	if id == 0 {
		return ""
	}
	var b [idLength]byte
	v := uint64(id) //nolint:gosec // ids are never negative
	for i := idLength - 1; i >= 0; i-- {
		b[i] = idAlphabet[v&31]
		v >>= 5
	}
	return string(b[:])
}

// Time returns the moment the ID was made, to the millisecond.
func (id ID) Time() time.Time {
	return idEpoch.Add(time.Duration(int64(id)>>(idNodeBits+idSeqBits)) * time.Millisecond)
}

// FirstIDAt returns the smallest ID that could have been made at t, for range
// queries by time.
func FirstIDAt(t time.Time) ID {
	ms := t.Sub(idEpoch).Milliseconds()
	if ms < 0 {
		return 0
	}
	return ID(ms << (idNodeBits + idSeqBits))
}

// ParseID reads the 13-letter form, in either case; I, L and O are read as
// 1, 1 and 0 because people write them so.
func ParseID(s string) (ID, error) {
	if len(s) != idLength {
		return 0, fmt.Errorf("%q is not an id: ids have %d letters and digits, as `document list` prints them", s, idLength)
	}
	var v uint64
	for i := range len(s) {
		c := s[i]
		if c >= 'a' && c <= 'z' {
			c -= 'a' - 'A'
		}
		switch c {
		case 'I', 'L':
			c = '1'
		case 'O':
			c = '0'
		}
		n := strings.IndexByte(idAlphabet, c)
		if n < 0 {
			return 0, fmt.Errorf("%q is not an id: %q at position %d is no letter of one", s, s[i], i+1)
		}
		if i == 0 && n > 7 {
			return 0, fmt.Errorf("%q is not an id: too large", s)
		}
		v = v<<5 | uint64(n)
	}
	return ID(v), nil
}

// MarshalText writes the 13-letter form, empty for zero.
func (id ID) MarshalText() ([]byte, error) { return []byte(id.String()), nil }

// UnmarshalText reads the 13-letter form; empty gives zero.
func (id *ID) UnmarshalText(b []byte) error {
	if len(b) == 0 {
		*id = 0
		return nil
	}
	v, err := ParseID(string(b))
	if err != nil {
		return err
	}
	*id = v
	return nil
}

// IDs makes IDs for one node. It is safe for concurrent use.
type IDs struct {
	now  func() time.Time
	node int64

	mu   sync.Mutex
	last int64 // the last milliseconds<<seqBits|sequence handed out
}

// NewIDs returns a maker of IDs for a node number of 0 to 1023; nodes that
// write to one database at the same time need different numbers.
func NewIDs(now func() time.Time, node int) *IDs {
	return &IDs{now: now, node: int64(node) & (1<<idNodeBits - 1)}
}

// RandomNode draws a node number, for stores with a single writer.
func RandomNode(random io.Reader) (int, error) {
	var b [2]byte
	if _, err := io.ReadFull(random, b[:]); err != nil {
		return 0, fmt.Errorf("draw a node number: %w", err)
	}
	return int(binary.BigEndian.Uint16(b[:])) & (1<<idNodeBits - 1), nil
}

// Next returns a new ID, larger than every one it returned before, also when
// the clock steps back.
func (g *IDs) Next() ID {
	g.mu.Lock()
	defer g.mu.Unlock()
	v := g.now().Sub(idEpoch).Milliseconds() << idSeqBits
	if v <= g.last {
		v = g.last + 1
	}
	g.last = v
	return ID(v>>idSeqBits<<(idNodeBits+idSeqBits) | g.node<<idSeqBits | v&(1<<idSeqBits-1))
}
