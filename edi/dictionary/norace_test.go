//go:build !race

package dictionary_test

const watched = false
