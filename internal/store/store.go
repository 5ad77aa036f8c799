// Package store names what every store of the gateway has in common: the
// faults that a person must understand when a database cannot be used. The SQL
// lives in sqlstore, the two databases in sqlite and postgres, the suite that
// both pass in storetest.
package store

import (
	"errors"
	"fmt"
)

// ErrCommitUnknown is returned (wrapped) by Update when the connection broke
// after the commit was sent and before its answer came: the effects may be
// durable or not. The caller looks before it does the work again.
var ErrCommitUnknown = errors.New("the connection broke during the commit; whether it took effect is not known")

// NewerVersionError tells that the database was migrated by a newer program.
type NewerVersionError struct {
	Have int // version of the database
	Know int // newest version this program knows
}

func (e *NewerVersionError) Error() string {
	return fmt.Sprintf("the database has schema version %d, and this program knows versions up to %d: run the newer program that migrated it", e.Have, e.Know)
}

// OlderVersionError tells that the database was made by an older program, and
// was not to be brought up to date.
type OlderVersionError struct {
	Have int // version of the database
	Need int // version this program works with
}

func (e *OlderVersionError) Error() string {
	return fmt.Sprintf("the database has schema version %d, and this program works with version %d: stop the older program, and the next start of `tradepost serve` brings it up to date", e.Have, e.Need)
}

// ChangedMigrationError tells that a migration that the database has applied
// is not the one in this program.
type ChangedMigrationError struct {
	Version int
	Name    string
}

func (e *ChangedMigrationError) Error() string {
	return fmt.Sprintf("the database was migrated to version %d (%s) by a different build: run the build that did, or restore a backup", e.Version, e.Name)
}
