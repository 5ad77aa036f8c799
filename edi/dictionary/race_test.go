//go:build unix && race

package dictionary_test

// slower is how much more the race detector makes everything cost.
const slower = 10
