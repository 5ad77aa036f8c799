package storetest

import (
	"context"
	"errors"
	"testing"
	"time"

	"tradepost/processes"
	"tradepost/tracking"

	"github.com/google/go-cmp/cmp"
)

func testCertificateOffers(t *testing.T, s Store) {
	roundTrip(t, s, kind[tracking.CertificateOffer]{
		id:     func(r *tracking.CertificateOffer) *tracking.ID { return &r.ID },
		insert: processes.Tx.InsertCertificateOffer, change: processes.Tx.UpdateCertificateOffer, read: processes.Tx.CertificateOffer,
	})
	ids := map[string]tracking.ID{}
	update(t, s, func(ctx context.Context, tx processes.Tx) error {
		for _, o := range []struct {
			name, partner, request string
			direction              tracking.Direction
			state                  tracking.OfferState
		}{
			{"first", "buyer", "r1", tracking.Inbound, tracking.OfferOpen},
			{"second", "buyer", "r1", tracking.Inbound, tracking.OfferAccepted},
			{"ours", "buyer", "r1", tracking.Outbound, tracking.OfferOpen},
			{"another's", "seller", "r1", tracking.Inbound, tracking.OfferOpen},
			{"later", "buyer", "r2", tracking.Inbound, tracking.OfferRefused},
		} {
			ids[o.name] = s.IDs().Next()
			err := tx.InsertCertificateOffer(ctx, &tracking.CertificateOffer{
				ID: ids[o.name], Direction: o.direction, Partner: o.partner, RequestID: o.request, State: o.state, OfferedAt: day,
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
	names := map[tracking.ID]string{}
	for name, id := range ids {
		names[id] = name
	}
	update(t, s, func(ctx context.Context, tx processes.Tx) error {
		list, err := tx.RequestedOffers(ctx, tracking.Inbound, "buyer", "r1")
		var got []string
		for _, o := range list {
			got = append(got, names[o.ID])
		}
		if diff := cmp.Diff([]string{"first", "second"}, got); diff != "" {
			t.Errorf("offers of a request (-want +got):\n%s", diff)
		}
		if _, missing := tx.CertificateOffer(ctx, s.IDs().Next()); !errors.Is(missing, tracking.ErrNotFound) {
			t.Errorf("an offer that is not there: %v", missing)
		}
		return err
	})
	for name, c := range map[string]struct {
		q    tracking.OfferQuery
		want []string
	}{
		"of a partner": {tracking.OfferQuery{Partner: "buyer", Direction: tracking.Inbound}, []string{"later", "second", "first"}},
		"to decide":    {tracking.OfferQuery{Direction: tracking.Inbound, States: []tracking.OfferState{tracking.OfferOpen}}, []string{"another's", "first"}},
		"of a request": {tracking.OfferQuery{RequestID: "r2"}, []string{"later"}},
		"newest":       {tracking.OfferQuery{Partner: "buyer", Limit: 1}, []string{"later"}},
		"none":         {tracking.OfferQuery{Partner: "nobody"}, nil},
	} {
		list, err := s.CertificateOffers(context.Background(), c.q)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, o := range list {
			got = append(got, names[o.ID])
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func testCertificateNotices(t *testing.T, s Store) {
	say := func(owner, sha, notice string) (first bool) {
		update(t, s, func(ctx context.Context, tx processes.Tx) (err error) {
			first, err = tx.NoteCertificate(ctx, owner, sha, notice, day)
			return err
		})
		return first
	}
	for i, c := range []struct {
		owner, sha, notice string
		first              bool
	}{
		{"buyer", "aa", "30", true}, {"buyer", "aa", "30", false}, {"buyer", "aa", "14", true}, {"", "aa", "30", true}, {"buyer", "bb", "30", true}, {"", "aa", "30", false},
	} {
		if got := say(c.owner, c.sha, c.notice); got != c.first {
			t.Errorf("notice %d: first is %v, want %v", i+1, got, c.first)
		}
	}
	// What is rolled back was not said.
	boom := errors.New("boom")
	err := s.Update(context.Background(), func(ctx context.Context, tx processes.Tx) error {
		if _, err := tx.NoteCertificate(ctx, "buyer", "cc", "30", day); err != nil {
			return err
		}
		return boom
	})
	if !errors.Is(err, boom) || !say("buyer", "cc", "30") {
		t.Errorf("a notice that was rolled back counts (%v)", err)
	}
}

func testCertificateUses(t *testing.T, s Store) {
	named := func(sha string) *tracking.Certificate {
		return &tracking.Certificate{Subject: "CN=" + sha, SHA256: sha}
	}
	at := func(minutes int) time.Time { return day.Add(time.Duration(minutes) * time.Minute) }
	ids := map[int]tracking.ID{}
	update(t, s, func(ctx context.Context, tx processes.Tx) error {
		for i, e := range []struct {
			partner           string
			direction         tracking.Direction
			signer, recipient string
			receipt           string // signer of theirs, about an outbound one
		}{
			{"buyer", tracking.Inbound, "their-old", "our-old", ""},
			{"buyer", tracking.Inbound, "their-old", "our-old", ""},
			{"buyer", tracking.Inbound, "their-new", "our-old", ""}, // has switched signing, not encryption
			{"buyer", tracking.Outbound, "our-new", "their-new", "their-newest"},
			{"seller", tracking.Inbound, "seller", "our-new", ""},
			{"buyer", tracking.Inbound, "", "", ""}, // unsigned and in the clear
		} {
			m := transmission(s, "")
			m.Partner, m.Direction, m.CreatedAt, m.State = e.partner, e.direction, at(i), tracking.TransmissionProcessed
			if e.signer != "" {
				m.Evidence.Signer, m.Evidence.Recipient = named(e.signer), named(e.recipient)
			}
			ids[i] = m.ID
			if err := tx.InsertTransmission(ctx, m); err != nil {
				return err
			}
			if e.receipt == "" {
				continue
			}
			for n, d := range []tracking.Direction{tracking.Inbound, tracking.Outbound} { // of ours nothing follows
				r := &tracking.Receipt{ID: s.IDs().Next(), TransmissionID: m.ID, Direction: d, At: at(60 + n), Signer: named(e.receipt)}
				if d == tracking.Outbound {
					r.Signer = named("nobody")
				}
				if err := tx.InsertReceipt(ctx, r); err != nil {
					return err
				}
			}
		}
		return nil
	})
	use := func(ours bool, purpose, sha string, count, first, last, id int) tracking.CertificateUse {
		return tracking.CertificateUse{
			Partner: "buyer", Ours: ours, Purpose: purpose, Certificate: *named(sha), Count: count, FirstAt: at(first), LastAt: at(last), LastID: ids[id],
		}
	}
	for name, c := range map[string]struct {
		q    tracking.CertificateUseQuery
		want []tracking.CertificateUse
	}{
		"all": {tracking.CertificateUseQuery{Partners: []string{"buyer"}}, []tracking.CertificateUse{
			use(false, "sign", "their-newest", 1, 60, 60, 3),
			use(false, "encrypt", "their-new", 1, 3, 3, 3),
			use(true, "sign", "our-new", 1, 3, 3, 3),
			use(true, "encrypt", "our-old", 3, 0, 2, 2),
			use(false, "sign", "their-new", 1, 2, 2, 2),
			use(false, "sign", "their-old", 2, 0, 1, 1),
		}},
		"since": {tracking.CertificateUseQuery{Partners: []string{"buyer"}, Since: at(2), Newest: 3}, []tracking.CertificateUse{
			use(false, "sign", "their-newest", 1, 60, 60, 3),
			use(false, "encrypt", "their-new", 1, 3, 3, 3),
			use(true, "sign", "our-new", 1, 3, 3, 3),
			use(true, "encrypt", "our-old", 1, 2, 2, 2),
			use(false, "sign", "their-new", 1, 2, 2, 2),
		}},
		"the newest one": {tracking.CertificateUseQuery{Partners: []string{"buyer"}, Newest: 1}, []tracking.CertificateUse{}},
		"nobody":         {tracking.CertificateUseQuery{Partners: []string{"nobody"}}, []tracking.CertificateUse{}},
	} {
		got, err := s.CertificateUses(context.Background(), c.q)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	both, err := s.CertificateUses(context.Background(), tracking.CertificateUseQuery{Partners: []string{"seller", "buyer"}})
	if err != nil || len(both) != 8 || both[0].Partner != "seller" {
		t.Errorf("of two partners: %d uses, %v", len(both), err)
	}
}
