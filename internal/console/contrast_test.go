package console_test

import (
	"fmt"
	"math"
	"os"
	"regexp"
	"strconv"
	"testing"
)

// TestColoursHaveEnoughContrast measures the colours of app.css as WCAG 2.2
// does (1.4.3 text 4.5:1, 1.4.11 boundaries of controls and drawings 3:1), in
// light and in dark.
func TestColoursHaveEnoughContrast(t *testing.T) {
	t.Parallel()
	css, err := os.ReadFile("static/app.css")
	if err != nil {
		t.Fatal(err)
	}
	colours := map[string][2]string{}
	for _, m := range regexp.MustCompile(`--([a-z-]+): light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\)`).FindAllStringSubmatch(string(css), -1) {
		colours[m[1]] = [2]string{m[2], m[3]}
	}
	type pair struct {
		front, back string
		least       float64
	}
	pairs := []pair{{"on-accent", "accent", 4.5}, {"side-ink", "side", 4.5}, {"side-ink", "side-here", 4.5}, {"accent", "accent-soft", 4.5}, {"soft", "accent-soft", 4.5}, {"sign", "side", 3}}
	for _, back := range []string{"ground", "surface", "sunken"} {
		for _, front := range []string{"ink", "soft", "accent", "good", "bad", "warn"} {
			pairs = append(pairs, pair{front, back, 4.5})
		}
		pairs = append(pairs, pair{"strong", back, 3})
	}
	for _, tone := range []string{"good", "info", "wait", "warn", "bad", "mute"} {
		pairs = append(pairs, pair{tone, tone + "-soft", 4.5}, pair{"ink", tone + "-soft", 7}, pair{tone, "surface", 4.5})
	}
	for _, p := range pairs {
		for i, scheme := range []string{"light", "dark"} {
			front, back := colours[p.front][i], colours[p.back][i]
			if front == "" || back == "" {
				t.Fatalf("app.css does not declare --%s and --%s", p.front, p.back)
			}
			if c := contrast(t, front, back); c < p.least {
				t.Errorf("%s: --%s on --%s has %.2f:1, at least %.1f:1 is needed", scheme, p.front, p.back, c, p.least)
			}
		}
	}
}

func contrast(t *testing.T, a, b string) float64 {
	t.Helper()
	x, y := luminance(t, a), luminance(t, b)
	return (max(x, y) + 0.05) / (min(x, y) + 0.05)
}

func luminance(t *testing.T, hex string) float64 {
	t.Helper()
	var sum float64
	for i, weight := range []float64{0.2126, 0.7152, 0.0722} {
		n, err := strconv.ParseUint(hex[1+2*i:3+2*i], 16, 8)
		if err != nil {
			t.Fatal(fmt.Errorf("%s: %w", hex, err))
		}
		v := float64(n) / 255
		if v <= 0.04045 {
			v /= 12.92
		} else {
			v = math.Pow((v+0.055)/1.055, 2.4)
		}
		sum += weight * v
	}
	return sum
}
