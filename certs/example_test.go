package certs_test

import (
	"fmt"
	"log"
	"time"

	"tradepost/certs"
)

// A partner's old certificate ends in January; the new one is announced for
// the first of December. Nobody has to be at a telephone.
func ExampleSet() {
	generate := func(name string, from time.Time) certs.Entry {
		p, err := certs.Generate(certs.Request{CommonName: name, Type: certs.P256, NotBefore: from, Validity: 365 * 24 * time.Hour}, nil)
		if err != nil {
			log.Fatal(err)
		}
		return certs.Entry{Certificate: p.Certificate}
	}
	day := func(y int, m time.Month, d int) time.Time { return time.Date(y, m, d, 0, 0, 0, 0, time.UTC) }
	old, next := generate("old", day(2026, 1, 10)), generate("next", day(2026, 11, 1))
	next.GoLive = day(2026, 12, 1)
	set := certs.Set{old, next}

	for _, t := range []time.Time{day(2026, 11, 21), day(2026, 12, 1), day(2027, 1, 11)} {
		sending, err := set.ForSending(certs.Encrypt, t)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Printf("%s: encrypt to %s, accept signatures of", t.Format("2 Jan"), sending.Certificate.Subject.CommonName)
		for _, e := range set.ForVerifying(certs.Sign, t) {
			fmt.Print(" ", e.Certificate.Subject.CommonName)
		}
		fmt.Println()
	}
	// Output:
	// 21 Nov: encrypt to old, accept signatures of next old
	// 1 Dec: encrypt to next, accept signatures of next old
	// 11 Jan: encrypt to next, accept signatures of next
}
