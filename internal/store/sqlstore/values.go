package sqlstore

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math/bits"
	"strings"
	"time"
	"unicode/utf8"

	"tradepost/processes"
	"tradepost/processes/queue"
	"tradepost/tracking"
)

// asJSON marks an argument that is stored as JSON text.
type asJSON struct{ value any }

// bind turns the arguments of a statement into what every database takes.
func bind(args []any) ([]any, error) {
	out := make([]any, len(args))
	for i, a := range args {
		switch v := a.(type) {
		case nil, int64, bool:
			out[i] = v
		case int:
			out[i] = int64(v)
		case string:
			out[i] = storable(v)
		case indexed:
			out[i] = indexable(storable(string(v)))
		case tracking.ID:
			out[i] = int64(v)
		case time.Time:
			out[i] = millis(v)
		case time.Duration:
			out[i] = v.Milliseconds()
		case tracking.Direction:
			out[i] = storable(string(v))
		case tracking.TransmissionState:
			out[i] = storable(string(v))
		case tracking.DocumentState:
			out[i] = storable(string(v))
		case tracking.AckState:
			out[i] = storable(string(v))
		case tracking.Verdict:
			out[i] = storable(string(v))
		case tracking.OfferState:
			out[i] = storable(string(v))
		case tracking.EventKind:
			out[i] = storable(string(v))
		case processes.RunState:
			out[i] = storable(string(v))
		case queue.JobState:
			out[i] = storable(string(v))
		case json.RawMessage:
			out[i] = storable(string(v))
		case asJSON:
			b, err := json.Marshal(v.value)
			if err != nil {
				return nil, fmt.Errorf("argument %d: %w", i+1, err)
			}
			out[i] = string(b)
		default:
			return nil, fmt.Errorf("argument %d has type %T, which no column takes", i+1, a)
		}
	}
	return out, nil
}

// storable makes a text that every database keeps as it is: what is not UTF-8,
// and NUL, becomes \xNN. Partners name things as they like, and a name must
// not be able to make an insert fail on one database and not on the other.
func storable(s string) string {
	if utf8.ValidString(s) && strings.IndexByte(s, 0) < 0 {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); {
		r, size := utf8.DecodeRuneInString(s[i:])
		if r == 0 || r == utf8.RuneError && size == 1 {
			fmt.Fprintf(&b, `\x%02X`, s[i])
		} else {
			b.WriteString(s[i : i+size])
		}
		i += size
	}
	return b.String()
}

// indexed marks an argument for a column with an index whose text comes from
// outside.
type indexed string

// Postgres takes no more than 2,704 bytes into an entry of an index.
const (
	indexedLength = 1000
	keptLength    = 900
)

// indexable makes a text that an index takes: of a longer one the beginning and
// its SHA-256, so that different texts stay different.
func indexable(s string) string {
	if len(s) <= indexedLength {
		return s
	}
	sum := sha256.Sum256([]byte(s))
	return strings.ToValidUTF8(s[:keptLength], "") + "~" + hex.EncodeToString(sum[:])
}

// millis is the column form of a time: milliseconds since 1970 UTC, zero for
// the zero time.
func millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

// asTime scans a column of milliseconds.
type asTime struct{ to *time.Time }

// Scan implements sql.Scanner.
func (a asTime) Scan(src any) error {
	switch v := src.(type) {
	case nil:
		*a.to = time.Time{}
	case int64:
		*a.to = time.Time{}
		if v != 0 {
			*a.to = time.UnixMilli(v).UTC()
		}
	default:
		return fmt.Errorf("a time column holds %T", src)
	}
	return nil
}

// fromJSON scans a column of JSON text; empty text leaves the zero value.
type fromJSON struct{ to any }

// Scan implements sql.Scanner.
func (f fromJSON) Scan(src any) error {
	var text []byte
	switch v := src.(type) {
	case nil:
	case string:
		text = []byte(v)
	case []byte:
		text = v
	default:
		return fmt.Errorf("a JSON column holds %T", src)
	}
	if len(text) == 0 || string(text) == "null" {
		return nil
	}
	return json.Unmarshal(text, f.to)
}

// asRaw scans a column of JSON text as it is.
type asRaw struct{ to *json.RawMessage }

// Scan implements sql.Scanner.
func (a asRaw) Scan(src any) error {
	switch v := src.(type) {
	case nil:
		*a.to = nil
	case string:
		*a.to = nil
		if v != "" {
			*a.to = json.RawMessage(v)
		}
	case []byte:
		*a.to = append(json.RawMessage(nil), v...)
	default:
		return fmt.Errorf("a JSON column holds %T", src)
	}
	return nil
}

// list writes n placeholders for an IN list.
func list(n int) string {
	return strings.TrimSuffix(strings.Repeat("?, ", n), ", ")
}

// anyOf turns the values of an IN list into arguments. It repeats the last one
// up to the next power of two, so that lists of many lengths make few different
// statements to prepare.
func anyOf[T any](values []T) []any {
	n := len(values)
	if n == 0 {
		return nil
	}
	out := make([]any, 1<<bits.Len(uint(n-1)))
	for i := range out {
		out[i] = values[min(i, n-1)]
	}
	return out
}
