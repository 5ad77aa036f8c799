// Negative serial numbers are against RFC 5280, and were certified. The
// program allows them in the same way.
//go:debug x509negativeserial=1

package certs

import "testing"

// TestDrummondCertificates reads certificates that were a problem between
// certified products.
func TestDrummondCertificates(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"usa.crt", "serial-zero.crt", "serial-negative.crt", "ia5-ou.crt"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, err := ParseCertificate(fixture(t, name))
			if err != nil {
				t.Fatal(err)
			}
			if c.PublicKey == nil || c.Subject.String() == "" {
				t.Error("unusable")
			}
		})
	}
}
