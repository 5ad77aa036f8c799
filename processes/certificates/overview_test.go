package certificates_test

import (
	"strings"
	"testing"

	"tradepost/certs"
	"tradepost/processes/certificates"
	"tradepost/tracking"

	"github.com/google/go-cmp/cmp"
)

// TestOverviewTellsWhoStillUsesTheOld is the question of every rollover.
func TestOverviewTellsWhoStillUsesTheOld(t *testing.T) {
	t.Parallel()
	generated := func(name string) certs.Entry {
		p, err := certs.Generate(certs.Request{CommonName: name, Type: certs.P256, NotBefore: day(-100), Validity: day(300).Sub(day(-100))}, nil)
		if err != nil {
			t.Fatal(err)
		}
		return certs.Entry{Certificate: p.Certificate, Source: name + ".crt"}
	}
	ownOld, ownNew, theirs, later := generated("OWN OLD"), generated("OWN NEW"), generated("SUPPLIER"), generated("LATER")
	ownNew.GoLive, later.GoLive = day(-10), day(10)
	plain := func(e certs.Entry) tracking.Certificate { // as evidence writes it
		return tracking.Certificate{SHA256: strings.ToLower(strings.ReplaceAll(certs.Fingerprint(e.Certificate), ":", ""))}
	}
	uses := []tracking.CertificateUse{
		{Partner: "carrier", Ours: true, Purpose: "encrypt", Certificate: plain(ownNew), Count: 3, LastAt: day(-1), LastID: 1},
		{Partner: "carrier", Ours: true, Purpose: "encrypt", Certificate: plain(ownOld), Count: 9, LastAt: day(-11), LastID: 2},
		{Partner: "supplier", Ours: true, Purpose: "encrypt", Certificate: plain(ownOld), Count: 5, LastAt: day(-2), LastID: 3},
		{Partner: "supplier", Ours: true, Purpose: "sign", Certificate: plain(ownNew), Count: 4, LastAt: day(-3), LastID: 4},
		{Partner: "supplier", Ours: false, Purpose: "sign", Certificate: plain(theirs), Count: 6, LastAt: day(-2), LastID: 3},
		{Partner: "supplier", Ours: false, Purpose: "encrypt", Certificate: plain(theirs), Count: 4, LastAt: day(-3), LastID: 4},
	}
	rows := certificates.Overview(map[string]certs.Set{"": {ownOld, ownNew}, "supplier": {theirs, later}}, uses, day0)
	type line struct {
		Party, Name string
		Standing    certs.Standing
		Covered     bool
		Used        []string
		Still       []string
	}
	var got []line
	for _, r := range rows {
		l := line{r.Party, r.Subject, r.Standing, r.Covered, nil, r.StillUsedBy}
		for _, u := range r.UsedBy {
			mark := ""
			if u.Newest {
				mark = "*"
			}
			l.Used = append(l.Used, u.Partner+" "+u.What+mark)
		}
		got = append(got, l)
	}
	want := []line{
		{"", "CN=OWN NEW", certs.Live, true, []string{"carrier they encrypt*", "supplier we sign*"}, []string{}},
		{"", "CN=OWN OLD", certs.Old, true, []string{"supplier they encrypt*", "carrier they encrypt"}, []string{"supplier"}},
		{"supplier", "CN=SUPPLIER", certs.Live, true, []string{"supplier they sign*", "supplier we encrypt*"}, []string{}},
		{"supplier", "CN=LATER", certs.Next, true, nil, []string{}},
	}
	for i := range want { // whether one outlasts the other is not the question here
		want[i].Covered = got[i].Covered
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if rows[0].DaysLeft != 300 || rows[0].Key != "p-256" || rows[0].Source != "OWN NEW.crt" || len(rows[0].Purposes) != 2 {
		t.Errorf("%+v", rows[0])
	}
}
