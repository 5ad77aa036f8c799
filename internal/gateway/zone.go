package gateway

import (
	"os"
	"strings"
	"time"
)

// zone returns the time zone of this machine under its own name, so that pages
// can say which one they show; time.Local calls itself "Local" everywhere.
func zone(now time.Time) *time.Location {
	names := []string{strings.TrimPrefix(os.Getenv("TZ"), ":")}
	if target, err := os.Readlink("/etc/localtime"); err == nil {
		if _, name, found := strings.Cut(target, "zoneinfo/"); found {
			names = append(names, name)
		}
	}
	for _, name := range names {
		if name == "" {
			continue
		}
		l, err := time.LoadLocation(name)
		switch {
		case err != nil:
		case name == "Etc/UTC": // as people write it
			return time.UTC
		default:
			return l
		}
	}
	if _, offset := now.In(time.Local).Zone(); offset == 0 {
		return time.UTC
	}
	return time.Local
}
