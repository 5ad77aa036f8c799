package as2_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"fmt"
	"io"
	"net/http"
	"testing"
	"time"

	"tradepost/transport"
	connector "tradepost/transport/as2"
)

// nothing is a Sink that keeps nothing but the first receipt.
type nothing struct{}

func (nothing) Accept(_ context.Context, a *transport.Arrival) (*transport.Acceptance, error) {
	r, err := a.Content.Body.Open()
	if err != nil {
		return nil, err
	}
	if _, err := io.Copy(io.Discard, r); err != nil {
		return nil, err
	}
	return &transport.Acceptance{Receipt: a.Receipt}, r.Close()
}

// benchListener serves BOB with a Sink that costs nothing.
func benchListener(b *testing.B) string {
	return serve(b, endpoint(b, between("BOB", "ALICE", usual), nil), nothing{}, connector.ListenConfig{})
}

// BenchmarkReceive is what a 1 KB transmission costs the receiving side over a
// real connection, signed receipt included, beside the floor: two operations
// with an RSA-2048 key, as decryption and signature are.
func BenchmarkReceive(b *testing.B) {
	url := benchListener(b)
	r := build(b, "D1", usual, "ALICE", "BOB")
	key := keys()["BOB"].Private.(*rsa.PrivateKey)
	sum := sha256.Sum256(nil)
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 16}}
	b.ResetTimer()
	for b.Loop() {
		req, err := http.NewRequest(http.MethodPost, url, bytes.NewReader(r.body))
		must(b, err)
		req.Header = r.header
		resp, err := client.Do(req)
		must(b, err)
		_, err = io.Copy(io.Discard, resp.Body)
		must(b, err)
		must(b, resp.Body.Close())
		if resp.StatusCode != http.StatusOK {
			b.Fatal(resp.Status)
		}
	}
	whole := b.Elapsed() / time.Duration(b.N)
	begun := time.Now()
	for range 20 {
		for range 2 {
			_, err := rsa.SignPKCS1v15(nil, key, crypto.SHA256, sum[:])
			must(b, err)
		}
	}
	b.ReportMetric(float64(time.Since(begun)/20)/float64(whole), "floor/op")
}

// BenchmarkRoundTrip is Prepare and Send to a listener of our own, both sides.
func BenchmarkRoundTrip(b *testing.B) {
	for _, size := range []int{1 << 10, 1 << 20} {
		b.Run(fmt.Sprintf("%dKiB", size>>10), func(b *testing.B) {
			s := sender(b, endpoint(b, between("ALICE", "BOB", usual), nil), "to-BOB", benchListener(b), "")
			content := bytes.Repeat([]byte("N1*BY*0123456789~"), size/17+1)[:size]
			b.SetBytes(int64(size))
			b.ReportAllocs()
			for b.Loop() {
				d := order("D1")
				d.Content.Body = transport.Bytes(content)
				p, err := s.Prepare(context.Background(), d)
				must(b, err)
				o, err := s.Send(context.Background(), "D1", p)
				must(b, err)
				if !o.Delivered {
					b.Fatal(o.Reason)
				}
				must(b, transport.Release(p.Wire))
			}
		})
	}
}

// BenchmarkRefuse is what a stranger's request costs us.
func BenchmarkRefuse(b *testing.B) {
	e := endpoint(b, between("BOB", "ALICE", usual), func(c *connector.Config) { c.Limits.Refusals = 1 })
	url := serve(b, e, refusing{}, connector.ListenConfig{})
	r := build(b, "D1", usual, "MALLORY", "BOB")
	for b.Loop() {
		req, err := http.NewRequest(http.MethodPost, url, bytes.NewReader(r.body))
		must(b, err)
		req.Header = r.header
		resp, err := http.DefaultClient.Do(req)
		must(b, err)
		must(b, resp.Body.Close())
	}
}

// refusing is a Sink for what is refused.
type refusing struct{}

func (refusing) Accept(_ context.Context, a *transport.Arrival) (*transport.Acceptance, error) {
	return &transport.Acceptance{Receipt: a.Receipt}, nil
}
