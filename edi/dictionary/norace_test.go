//go:build unix && !race

package dictionary_test

const watched = false
