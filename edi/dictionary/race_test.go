//go:build race

package dictionary_test

// watched tells that the race detector is at work.
const watched = true
