package gateway

import (
	"testing"
	"time"
)

func TestZonesAreNamedAsPeopleWriteThem(t *testing.T) {
	for tz, want := range map[string]string{"Etc/UTC": "UTC", "UTC": "UTC", "Europe/Berlin": "Europe/Berlin", ":Asia/Tokyo": "Asia/Tokyo"} {
		t.Setenv("TZ", tz)
		if _, err := time.LoadLocation(want); err != nil {
			t.Skipf("this machine knows no time zones: %v", err)
		}
		if got := zone(time.Now()).String(); got != want {
			t.Errorf("TZ=%s is shown as %s, want %s", tz, got, want)
		}
	}
}
