package directory

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"sync"
	"time"

	"tradepost/transport"
)

// Notes of what was sent are kept for keepSent, so that a Send after a crash
// finds them; staged files nobody sent for keepStaged, and Send stages them
// again when it is called even later. A new Sender sweeps nothing for the first
// firstSweep, in which the deliveries that a crash interrupted are sent again.
const (
	keepSent   = 30 * 24 * time.Hour
	keepStaged = 30 * 24 * time.Hour
	firstSweep = 24 * time.Hour
	everySweep = time.Hour
)

// fileMode lets the group of the gateway's user read what was delivered.
const fileMode = 0o640

// Sender delivers into the folder of one connection. It is safe for concurrent
// use.
type Sender struct {
	conn transport.Connection
	set  Settings
	cfg  Config

	mu    sync.Mutex // one rename at a time, for where it has to look first
	sweep time.Time  // when to sweep next
}

// NewSender makes the Sender of a connection with a deliver folder. Errors of
// the settings are *transport.SettingsError; whether the folder is there is
// found out by Prepare and Send.
func NewSender(conn transport.Connection, c Config) (*Sender, error) {
	s, err := ParseSettings(conn)
	if err != nil {
		return nil, err
	}
	if s.Deliver == "" {
		return nil, &transport.SettingsError{Connection: conn.Name, Path: "deliver", Msg: "is not set: name the folder to put files into"}
	}
	if err := c.check(); err != nil {
		return nil, err
	}
	return &Sender{conn: conn, set: s, cfg: c, sweep: c.Now().Add(firstSweep)}, nil
}

// Prepare stages the bytes in the folder, invisible yet, and fixes the final
// name: it is the MessageID of the result. Wire is nil, since the bytes are the
// content's. Prepared again, the delivery is staged anew.
func (s *Sender) Prepare(ctx context.Context, d *transport.Delivery) (*transport.Prepared, error) {
	root, err := openFolder(s.cfg.at(s.set.Deliver), stagedDir, sentDir)
	if err != nil {
		return nil, s.failed(err)
	}
	defer root.Close() //nolint:errcheck // a handle on a folder
	s.sweepOld(root)
	if err := stage(ctx, root, safeID(d.ID), d.Content.Body); err != nil {
		return nil, s.failed(err)
	}
	return &transport.Prepared{
		MessageID: finalName(s.set.Name, d.ID, d.Partner, d.Content.Filename),
		Content:   d.Content,
		Evidence:  transport.Evidence{Remote: s.set.Deliver},
	}, nil
}

// Send makes the staged file appear under its final name. Called again after
// the file appeared, it finds that out and says so, whether the file is still
// there or was taken. Errors are *transport.AttemptError and temporary, unless
// p is not of this connector's making.
func (s *Sender) Send(ctx context.Context, id string, p *transport.Prepared) (*transport.Outcome, error) {
	final := p.MessageID
	if final == "" || final != safeName(final, maxName) || unfinished(final) {
		return nil, transport.Permanent(fmt.Errorf("connection %s: %q is no name this connector would choose: prepare the delivery again", s.conn.Name, final))
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	root, err := openFolder(s.cfg.at(s.set.Deliver), stagedDir, sentDir)
	if err != nil {
		return nil, s.failed(err)
	}
	defer root.Close() //nolint:errcheck // a handle on a folder
	id = safeID(id)
	here, whole, err := s.staged(root, id, p)
	if err != nil {
		return nil, s.failed(err)
	}
	if !here {
		name, err := sentAs(root, id)
		if err == nil {
			err = durable(root)
		}
		if err == nil {
			return s.delivered("had been written as " + name + " before"), nil
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return nil, s.failed(err)
		}
	}
	if !whole {
		if err := stage(ctx, root, id, p.Content.Body); err != nil {
			return nil, s.failed(err)
		}
	}
	if err := s.appear(root, id, final); err != nil {
		return nil, s.failed(err)
	}
	return s.delivered("written as " + final), nil
}

// staged tells whether p is staged, and whether all of it is.
func (s *Sender) staged(root *os.Root, id string, p *transport.Prepared) (here, whole bool, err error) {
	fi, err := root.Lstat(stagedDir + "/" + id)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return false, false, nil
	case err != nil:
		return false, false, advise(err)
	case !fi.Mode().IsRegular():
		return false, false, fmt.Errorf("%s/%s is %s: move it away", stagedDir, id, kind(fi.Mode()))
	}
	return true, p.Content.Body == nil || fi.Size() == p.Content.Body.Size(), nil
}

// appear notes the intent and renames. The note goes again when the rename
// surely did not happen.
func (s *Sender) appear(root *os.Root, id, final string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	err := writeDurable(root, sentDir, id, 0o600, func(w io.Writer) error {
		_, err := io.WriteString(w, final+"\n")
		return err
	})
	if err != nil {
		return err
	}
	if err := renameNew(root, stagedDir, id, ".", final); err != nil {
		_, still := root.Lstat(stagedDir + "/" + id)
		switch {
		case errors.Is(still, fs.ErrNotExist): // it happened after all (NFS), or by a second Send
			return durable(root)
		case still == nil:
			if rerr := root.Remove(sentDir + "/" + id); rerr != nil {
				err = errors.Join(err, rerr)
			}
		}
		if errors.Is(err, fs.ErrExist) {
			return fmt.Errorf("%s is there already and is not this delivery: it is left alone; take it away, or put {id} in the name pattern: %w", final, err)
		}
		return advise(err)
	}
	return durable(root)
}

// durable makes the rename survive a loss of power.
func durable(root *os.Root) error {
	return advise(errors.Join(syncFolder(root, "."), syncFolder(root, stagedDir)))
}

// delivered is the Outcome of every good end.
func (s *Sender) delivered(how string) *transport.Outcome {
	return &transport.Outcome{
		Delivered: true,
		Evidence:  transport.Evidence{Remote: s.set.Deliver, Response: how},
	}
}

// failed is err as a temporary failure of this connection.
func (s *Sender) failed(err error) error {
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return &transport.AttemptError{
		Err:      fmt.Errorf("connection %s: %s: %w", s.conn.Name, s.set.Deliver, err),
		Evidence: transport.Evidence{Remote: s.set.Deliver},
	}
}

// stage writes the bytes of a delivery where nobody looks.
func stage(ctx context.Context, root *os.Root, id string, b transport.Body) error {
	if b == nil {
		return errors.New("there is nothing to deliver: the content has no bytes")
	}
	return writeDurable(root, stagedDir, id, fileMode, func(w io.Writer) error {
		r, err := b.Open()
		if err != nil {
			return err
		}
		defer r.Close()
		n, err := io.Copy(w, reader(func(p []byte) (int, error) {
			if err := ctx.Err(); err != nil {
				return 0, err
			}
			return r.Read(p)
		}))
		if err == nil && n != b.Size() {
			err = fmt.Errorf("the content has %d bytes instead of %d", n, b.Size())
		}
		return err
	})
}

// reader is a function that reads.
type reader func([]byte) (int, error)

func (r reader) Read(p []byte) (int, error) { return r(p) }

// sentAs reads the note of a delivery: the name it was given.
func sentAs(root *os.Root, id string) (string, error) {
	b, err := root.ReadFile(sentDir + "/" + id)
	if err != nil {
		return "", err
	}
	return safeName(strings.TrimSpace(string(b)), maxName), nil
}

// sweepOld removes old notes and staged files, now and then. What cannot be
// removed is left to the next time.
func (s *Sender) sweepOld(root *os.Root) {
	now := s.cfg.Now()
	s.mu.Lock()
	due := !now.Before(s.sweep)
	if due {
		s.sweep = now.Add(everySweep)
	}
	s.mu.Unlock()
	if !due {
		return
	}
	for dir, keep := range map[string]time.Duration{sentDir: keepSent, stagedDir: keepStaged} {
		err := eachEntry(root, dir, func(e fs.DirEntry) error {
			fi, err := root.Lstat(dir + "/" + e.Name())
			if err == nil && fi.Mode().IsRegular() && now.Sub(fi.ModTime()) > keep {
				return root.Remove(dir + "/" + e.Name())
			}
			return nil
		})
		if err != nil {
			s.cfg.OnTrouble(&TroubleError{Connection: s.conn.Name, Folder: s.set.Deliver, Name: dir, Err: err, Next: now.Add(everySweep)})
		}
	}
}
