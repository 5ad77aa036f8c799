package interop

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/x509"
	"fmt"
	"io"
	"os/exec"
	"slices"
	"testing"
	"time"

	"tradepost/as2"
	"tradepost/certs"
	"tradepost/transport"
	connector "tradepost/transport/as2"
)

// BenchmarkOpenAS2 posts the same transmissions to our AS2 connector and to
// OpenAS2, in turns, and waits for the signed receipt: signed with SHA-256,
// encrypted with AES-256-CBC, RSA-2048. Neither notes anything in a database;
// OpenAS2 writes the payload into a file, ours only reads it. Java is given some
// time to compile. It needs Java and Maven, and says so where they are missing.
func BenchmarkOpenAS2(b *testing.B) {
	for _, name := range []string{"java", "keytool", "sh", "mvn", "openssl"} {
		if _, err := exec.LookPath(name); err != nil {
			b.Skipf("%s is not installed: OpenAS2 is left out, nothing stands beside our own figures", name)
		}
	}
	key := newKey(b, "tradepost", certs.RSA2048)
	s := &bench{product: product{name: "OpenAS2"}, authority: newAuthority(b), keys: map[string]as2.Key{"peer": newKey(b, "peer", certs.RSA2048)}}
	s.station = newStation(b, stationID, key, nil)
	s.curved, s.secure = s.station, s.station
	their := agreement{name: "PEER", cell: usual, with: s.station, key: "peer"}
	theirs := startOpenAS2(b, s, []agreement{their})
	ours := serveNothing(b, s.keys["peer"], key.Certificate)
	rounds := 1000 // until Java is fast
	for _, size := range []int{1 << 10, 100 << 10, 1 << 20} {
		b.Run(fmt.Sprintf("%dKB", size>>10), func(b *testing.B) {
			out, err := as2.Build(b.Context(), as2.Relation{
				Station: as2.Station{ID: stationID, Keys: []as2.Key{key}},
				Partner: as2.Partner{ID: their.name, Encrypt: theirs.certificate(), Verify: []*x509.Certificate{theirs.certificate()}},
			}, as2.Payload{ContentType: "application/edi-x12", Filename: "order.edi", Size: int64(size), Open: func() (io.ReadCloser, error) {
				return io.NopCloser(bytes.NewReader(purchaseOrders(size)[:size])), nil
			}}, as2.Options{
				MessageID: "<" + rand.Text() + "@tradepost.test>", Now: time.Now(), Sign: as2.SHA256, Encrypt: as2.AES256CBC,
				Receipt: as2.ReceiptRequest{Mode: as2.SyncReceipt, Signed: true},
			})
			if err != nil {
				b.Fatal(err)
			}
			b.Cleanup(func() { _ = out.Close() })
			client := as2.NewClient(as2.ClientConfig{ResponseTimeout: time.Minute})
			b.Cleanup(client.CloseIdle)
			post := func(url string) time.Duration {
				start := time.Now()
				resp, err := client.Post(b.Context(), url, out)
				if err != nil {
					b.Fatal(err)
				}
				took := time.Since(start)
				receipt, err := resp.Receipt()
				if err != nil {
					b.Fatal(err)
				}
				if o := receipt.Check(out.Sent, []*x509.Certificate{theirs.certificate()}); !o.Delivered || !o.MICMatches {
					b.Fatal(o.Reason)
				}
				return took
			}
			for range rounds {
				post(theirs.url())
			}
			rounds = 50
			b.SetBytes(int64(size))
			var mine, its []time.Duration
			for b.Loop() {
				mine = append(mine, post(ours))
				b.StopTimer()
				its = append(its, post(theirs.url()))
				b.StartTimer()
			}
			slices.Sort(mine)
			slices.Sort(its)
			m, i := mine[len(mine)/2].Seconds(), its[len(its)/2].Seconds()
			b.ReportMetric(1e6*m, "ours-us")
			b.ReportMetric(1e6*i, "OpenAS2-us")
			b.ReportMetric(i/m, "times-as-fast")
		})
	}
}

// nothing is a door behind which nothing is kept, as OpenAS2's files are not
// part of what is measured either.
type nothing struct{ rel connector.Relation }

func (n nothing) Accept(_ context.Context, a *transport.Arrival) (*transport.Acceptance, error) {
	_, err := readBody(a.Content.Body)
	return &transport.Acceptance{Receipt: a.Receipt}, err
}

func (n nothing) Receiving(context.Context, string, string) (*connector.Relation, error) {
	return &n.rel, nil
}

func (n nothing) Sending(context.Context, string) (*connector.Relation, error) { return &n.rel, nil }
func (nothing) StrangerKey(context.Context, string) (*as2.Key, error)          { return nil, nil }

// serveNothing is our connector under the name and with the key of the peer.
func serveNothing(b *testing.B, key as2.Key, partner *x509.Certificate) string {
	b.Helper()
	n := nothing{connector.Relation{Relation: as2.Relation{
		Station: as2.Station{ID: "PEER", Keys: []as2.Key{key}},
		Partner: as2.Partner{ID: stationID, Encrypt: partner, Verify: []*x509.Certificate{partner}},
		Policy:  as2.Policy{RequireSigned: true, RequireEncrypted: true},
	}, Partner: "tradepost", Connection: "to-tradepost"}}
	e, err := connector.New(connector.Config{Relations: n, Now: time.Now, Rand: rand.Reader, TempDir: b.TempDir()})
	if err != nil {
		b.Fatal(err)
	}
	l, err := e.Listener(connector.ListenConfig{Address: "127.0.0.1:0"}, n)
	if err != nil {
		b.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- l.Serve(ctx) }()
	b.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			b.Error(err)
		}
	})
	return "http://" + l.Addr().String() + "/as2"
}
