//go:build !linux && !darwin && !freebsd

package doctor

import "strings"

// freeSpace is not known on this system.
func freeSpace(string) (bytes uint64, known bool) { return 0, false }

// otherDevice is not known on this system.
func otherDevice(string, string) (other, known bool) { return false, false }

// inUse tells whether an address is taken.
func inUse(err error) bool { return strings.Contains(err.Error(), "Only one usage of each socket") }
