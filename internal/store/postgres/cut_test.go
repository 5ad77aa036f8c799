package postgres

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"tradepost/internal/store"
	"tradepost/internal/store/postgrestest"
	"tradepost/processes"
	"tradepost/tracking"
)

// cutter is a network that breaks when the server says something. It stands
// between a store and its server.
type cutter struct {
	listener net.Listener
	dial     func() (net.Conn, error)
	word     atomic.Pointer[string] // break at this, once; nil breaks nothing
	cuts     atomic.Int32
	wg       sync.WaitGroup
}

// newCutter returns a cutter and the address of the database through it.
func newCutter(t *testing.T, address string) (*cutter, string) {
	t.Helper()
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	q := u.Query()
	folder := q.Get("host")
	if !strings.HasPrefix(folder, "/") {
		t.Skip("the server of " + postgrestest.Variable + " may speak TLS, which cannot be listened to")
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c := &cutter{listener: l, dial: func() (net.Conn, error) { return net.Dial("unix", folder+"/.s.PGSQL.5432") }}
	q.Del("host")
	q.Set("sslmode", "disable")
	u.Host, u.RawQuery = l.Addr().String(), q.Encode()
	c.wg.Go(c.serve)
	t.Cleanup(func() {
		_ = l.Close()
		c.wg.Wait()
	})
	return c, u.String()
}

func (c *cutter) serve() {
	for {
		client, err := c.listener.Accept()
		if err != nil {
			return
		}
		server, err := c.dial()
		if err != nil {
			_ = client.Close()
			continue
		}
		c.wg.Go(func() {
			_, _ = io.Copy(server, client)
			_ = server.Close()
		})
		c.wg.Go(func() {
			c.answer(client, server)
			_ = client.Close()
			_ = server.Close()
		})
	}
}

// answer passes on what the server says, up to the word.
func (c *cutter) answer(client io.Writer, server io.Reader) {
	buffer := make([]byte, 64<<10)
	for {
		n, err := server.Read(buffer)
		if word := c.word.Load(); word != nil && bytes.Contains(buffer[:n], []byte(*word)) && c.word.CompareAndSwap(word, nil) {
			c.cuts.Add(1)
			return
		}
		if _, werr := client.Write(buffer[:n]); err != nil || werr != nil {
			return
		}
	}
}

func (c *cutter) at(word string) { c.word.Store(&word) }

// testNetworkBreaks breaks the network before the commit and during it.
func testNetworkBreaks(t *testing.T, server *postgrestest.Server) {
	ctx := context.Background()
	c, address := newCutter(t, server.Address(t))
	s, err := Open(ctx, address, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	calls := 0
	insert := func() (tracking.ID, error) {
		d := &tracking.Document{ID: s.IDs().Next(), CreatedAt: time.Now()}
		calls = 0
		return d.ID, s.Update(ctx, func(ctx context.Context, tx processes.Tx) error {
			calls++
			if _, err := tx.NextControl(ctx, "scope"); err != nil {
				return err
			}
			return tx.InsertDocument(ctx, d)
		})
	}
	if _, err := insert(); err != nil {
		t.Fatal(err)
	}
	cuts := c.cuts.Load()

	// Before the commit nothing has taken effect, so it is done again.
	c.at("BEGIN\x00")
	id, err := insert()
	if err != nil || calls != 2 {
		t.Errorf("a break before the commit: %v after %d calls, want success after 2", err, calls)
	}
	if _, err := s.DocumentView(ctx, id); err != nil {
		t.Errorf("its document: %v", err)
	}

	// During the commit nobody knows; here it had taken effect.
	c.at("COMMIT\x00")
	id, err = insert()
	if !errors.Is(err, store.ErrCommitUnknown) || calls != 1 {
		t.Errorf("a break during the commit: %v after %d calls, want ErrCommitUnknown after 1", err, calls)
	}
	if _, err := s.DocumentView(ctx, id); err != nil {
		t.Errorf("its document: %v", err)
	}
	if n := c.cuts.Load() - cuts; n != 2 {
		t.Errorf("the network broke %d times, want 2", n)
	}
	if _, err := insert(); err != nil {
		t.Errorf("after it: %v", err)
	}
}
