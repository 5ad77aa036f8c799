package auth

import (
	"net/http"
	"strconv"
	"time"
)

// headers sets what every answer of the admin listener carries. Pages load
// their own style, scripts and pictures and talk to their own origin; nothing
// else, no inline script or style, no framing. Handlers may tighten it.
func headers(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "+
			"form-action 'self'; base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Referrer-Policy", "same-origin") // with no-referrer old browsers send "Origin: null"
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()")
		h.Set("Cache-Control", "no-store")
		next.ServeHTTP(w, r)
	})
}

// retryAfter writes whole seconds, at least one.
func retryAfter(d time.Duration) string {
	return strconv.FormatInt(max(1, int64((d+time.Second-1)/time.Second)), 10)
}

// people writes a wait for a person.
func people(d time.Duration) string {
	if d < time.Minute {
		return "less than a minute"
	}
	n := int((d + time.Minute - 1) / time.Minute)
	if n == 1 {
		return "one minute"
	}
	return strconv.Itoa(n) + " minutes"
}
