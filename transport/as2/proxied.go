package as2

import (
	"net/http"
	"net/netip"
	"strings"
)

// BehindProxies is a ListenConfig.Source for a listener that stands behind
// proxies with these addresses: who sends is whom the outermost of them names
// in X-Forwarded-For. A request that comes past them is its own source,
// whatever its headers say.
func BehindProxies(proxies []netip.Prefix) func(*http.Request) string {
	known := func(address string) bool {
		a, err := address4or6(address)
		for _, p := range proxies {
			if err == nil && p.Contains(a.Unmap().WithZone("")) {
				return true
			}
		}
		return false
	}
	return func(r *http.Request) string {
		from := r.RemoteAddr
		hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
		for i := len(hops) - 1; i >= 0 && known(from); i-- {
			hop := strings.TrimSpace(hops[i])
			if _, err := address4or6(hop); err != nil {
				break // what stands before it says nothing either
			}
			from = hop
		}
		return source(from)
	}
}
