//go:build unix && !race

package dictionary_test

const slower = 1
