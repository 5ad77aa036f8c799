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
	"slices"
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

// against measures ours beside a floor, in turns, and reports how much of the
// floor's speed ours reaches, by the medians.
func against(b *testing.B, ours, floor func()) {
	b.Helper()
	b.ReportAllocs()
	var spent, least []time.Duration
	timed := func(f func()) time.Duration {
		start := time.Now()
		f()
		return time.Since(start)
	}
	for b.Loop() {
		spent = append(spent, timed(ours))
		b.StopTimer()
		least = append(least, timed(floor))
		b.StartTimer()
	}
	slices.Sort(spent)
	slices.Sort(least)
	b.ReportMetric(100*least[len(least)/2].Seconds()/spent[len(spent)/2].Seconds(), "%floor")
}

// privateOperations makes n operations with a private RSA-2048 key: signatures,
// which cost what a decryption does.
func privateOperations(b *testing.B, n int) func() {
	key := keys()["BOB"].Private.(*rsa.PrivateKey)
	sum := sha256.Sum256(nil)
	return func() {
		for range n {
			_, err := rsa.SignPKCS1v15(nil, key, crypto.SHA256, sum[:])
			must(b, err)
		}
	}
}

// BenchmarkReceive is what a 1 KB transmission costs over a real connection,
// signed receipt included, beside the floor: a decryption and a signature. The
// client that posts, in the same process, is part of the cost.
func BenchmarkReceive(b *testing.B) {
	url := benchListener(b)
	r := build(b, "D1", usual, "ALICE", "BOB")
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 16}}
	against(b, func() {
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
	}, privateOperations(b, 2))
}

// BenchmarkRoundTrip is Prepare and Send to a listener of our own, both sides,
// compressed; the floor is two signatures and a decryption.
func BenchmarkRoundTrip(b *testing.B) {
	for _, size := range []int{1 << 10, 1 << 20} {
		b.Run(fmt.Sprintf("%dKiB", size>>10), func(b *testing.B) {
			s := sender(b, endpoint(b, between("ALICE", "BOB", usual), nil), "to-BOB", benchListener(b), "")
			content := bytes.Repeat([]byte("N1*BY*0123456789~"), size/17+1)[:size]
			b.SetBytes(int64(size))
			against(b, func() {
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
			}, privateOperations(b, 3))
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
