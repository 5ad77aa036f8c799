// Package sqlstore holds the SQL of the gateway once for every database it
// runs on, a file a concept: transmission.go, interchange.go, document.go,
// event.go, receipt.go, run.go, queue.go and so on for what is written inside
// a database transaction; documents.go, view.go and summary.go for what people
// ask. It implements processes.Store.
//
// The SQL keeps to what SQLite and Postgres understand alike: ids made by the
// application, times as milliseconds since 1970 UTC, enumerations as text,
// lists and evidence as JSON text, zero for "none". What differs comes from a
// Backend and its Dialect: how a transaction is run, how rows are locked, how
// commits are ordered. Package sqlite and package postgres supply one each.
package sqlstore
