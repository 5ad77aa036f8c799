package directory_test

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"tradepost/transport"
	"tradepost/transport/directory"
)

// BenchmarkDeliver is Prepare and Send of 1 KB, with everything made durable.
func BenchmarkDeliver(b *testing.B) {
	s, err := directory.NewSender(transport.Connection{Name: "out", Settings: json.RawMessage(`{"deliver":"."}`)},
		directory.Config{Base: b.TempDir(), Now: time.Now, Rand: rand.Reader})
	if err != nil {
		b.Fatal(err)
	}
	ctx := context.Background()
	content := transport.Part{Filename: "po.edi", Body: transport.Bytes(make([]byte, 1024))}
	i := 0
	for b.Loop() {
		i++
		id := fmt.Sprintf("D%d", i)
		p, err := s.Prepare(ctx, &transport.Delivery{ID: id, Content: content})
		if err != nil {
			b.Fatal(err)
		}
		if _, err := s.Send(ctx, id, p); err != nil {
			b.Fatal(err)
		}
	}
}
