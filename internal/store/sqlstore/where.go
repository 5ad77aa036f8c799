package sqlstore

import (
	"context"
	"strings"
	"time"

	"tradepost/tracking"
)

// Bounds of a page.
const (
	defaultPage = 50
	largestPage = 1000
)

// pageLimit is the number of rows of a page; zero asks for the default.
func pageLimit(n int) int {
	if n <= 0 {
		return defaultPage
	}
	return min(n, largestPage)
}

// where collects the conditions of a select.
type where struct {
	conditions []string
	args       []any
}

func (w *where) and(condition string, args ...any) {
	w.conditions = append(w.conditions, condition)
	w.args = append(w.args, args...)
}

// equal adds column = value unless value is empty.
func (w *where) equal(column, value string) {
	if value != "" {
		w.and(column+" = ?", value)
	}
}

// between adds the bounds of a time; zero times bound nothing.
func (w *where) between(column string, since, until time.Time) {
	if !since.IsZero() {
		w.and(column+" >= ?", since)
	}
	if !until.IsZero() {
		w.and(column+" < ?", until)
	}
}

// before adds the bound of a page: what is older than the row of id. Rows are
// in the order of their making by their clock, and then of their ids. An id
// without a row stands for the moment it was made.
func (w *where) before(ctx context.Context, c Conn, table, alias string, id tracking.ID) error {
	if id == 0 {
		return nil
	}
	at, found, err := selectOne(ctx, c, "page", `select created_at from `+table+` where id = ?`, scanTime, id)
	if err != nil {
		return err
	}
	if !found {
		at = id.Time()
	}
	w.and("("+alias+".created_at, "+alias+".id) < (?, ?)", at, id)
	return nil
}

func (w *where) String() string {
	if len(w.conditions) == 0 {
		return ""
	}
	return " where " + strings.Join(w.conditions, " and ")
}

// oneOf adds column in (values) unless there are none.
func oneOf[T any](w *where, column string, values []T) {
	if len(values) > 0 {
		args := anyOf(values)
		w.and(column+" in ("+list(len(args))+")", args...)
	}
}

// only tells whether values holds nothing but allowed ones, and something.
func only[T comparable](values []T, allowed ...T) bool {
	for _, v := range values {
		found := false
		for _, a := range allowed {
			found = found || v == a
		}
		if !found {
			return false
		}
	}
	return len(values) > 0
}

// afterPrefix is a text that sorts, byte by byte, after every text that begins
// with prefix.
func afterPrefix(prefix string) string { return prefix + "\U0010FFFF" }

// spellings are the texts to look for when a person typed text: as it is, and
// in capitals, because EDI data mostly is.
func spellings(text string) []string {
	if upper := strings.ToUpper(text); upper != text {
		return []string{text, upper}
	}
	return []string{text}
}
