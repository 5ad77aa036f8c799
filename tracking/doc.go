// Package tracking is the system of record: what crossed the wire
// (transmissions, receipts), what was in it (interchanges, groups, documents,
// acknowledgements), what was wrong with it (issues) and what happened to it
// and when (events). Nothing in it is ever silently overwritten: states move
// only along the state machine in state.go, and every move appends an event.
//
// The package owns the vocabulary and the small store interfaces; SQL lives in
// internal/store. It imports nothing of ours.
package tracking
