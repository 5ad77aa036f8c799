package certificates

import (
	"fmt"
	"slices"

	"tradepost/certs"
	"tradepost/tracking"
)

// EntryOf is an accepted offer as it is used.
func EntryOf(o tracking.CertificateOffer) (certs.Entry, error) {
	c, err := certs.ParseCertificate([]byte(o.PEM))
	if err != nil {
		return certs.Entry{}, fmt.Errorf("certificate offer %s of %s: %w", o.ID, o.Partner, err)
	}
	e := certs.Entry{Certificate: c, GoLive: o.GoLive, Source: "offer " + o.ID.String()}
	for _, p := range o.Purposes {
		e.Purposes = append(e.Purposes, certs.Purpose(p))
	}
	return e, nil
}

// With puts an entry beside those of a set. What the set says of the same
// certificate counts.
func With(s certs.Set, e certs.Entry) certs.Set {
	if slices.ContainsFunc(s, func(x certs.Entry) bool { return x.Certificate.Equal(e.Certificate) }) {
		return s
	}
	return append(s[:len(s):len(s)], e)
}
