package directory

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"regexp"
	"sort"
	"time"

	"tradepost/transport"
)

// claim is what is remembered of a claimed file.
type claim struct {
	seen     stamp // as it stood when it was claimed
	attempts int
	next     time.Time // not to be tried before
}

// claimID is the form of an id: time in milliseconds, then randomness, in hex.
var claimID = regexp.MustCompile(`^([0-9a-f]{32})-(.+)$`)

// newClaimID makes an id; later ones sort after earlier ones.
func (p *pickup) newClaimID() (string, error) {
	random := make([]byte, 10)
	if _, err := io.ReadFull(p.cfg.Rand, random); err != nil {
		return "", fmt.Errorf("no randomness for a claim: %w", err)
	}
	p.last = max(p.last+1, p.cfg.Now().UnixMilli())
	return fmt.Sprintf("%012x%s", p.last&(1<<48-1), hex.EncodeToString(random)), nil
}

// claimName is what a file is called while it is claimed.
func claimName(id, name string) string {
	name = safeName(name, maxName-len(id)-1)
	if name == "" {
		name = "unnamed"
	}
	return id + "-" + name
}

// workAll brings everything that is claimed to the Sink, in the order it was
// claimed. An error is one of the folder.
func (p *pickup) workAll(ctx, accept context.Context, root *os.Root, next *time.Time) error {
	if p.dirty {
		// Before anything is accepted under the new keys, the files must not be
		// able to come back under their old names.
		if err := errors.Join(syncFolder(root, claimedDir), syncFolder(root, ".")); err != nil {
			return advise(err)
		}
		p.dirty = false
	}
	var names []string
	present := map[string]bool{}
	err := eachEntry(root, claimedDir, func(e fs.DirEntry) error {
		names = append(names, e.Name())
		present[e.Name()] = true
		return nil
	})
	if err != nil {
		return advise(err)
	}
	sort.Strings(names)
	for name := range p.claims {
		if !present[name] {
			delete(p.claims, name)
		}
	}
	for _, name := range names {
		if ctx.Err() != nil {
			return nil
		}
		c := p.claims[name]
		if c == nil { // left by a crash, or by another node
			c = &claim{}
			p.claims[name] = c
		}
		if c.next.After(p.cfg.Now()) {
			*next = earlier(*next, c.next)
			continue
		}
		if err := p.work(accept, root, name, c); err != nil {
			return err
		}
		if left := p.claims[name]; left != nil && !left.next.IsZero() {
			*next = earlier(*next, left.next)
		}
	}
	return nil
}

// work brings one claimed file to the Sink and removes it. An error is one of
// the folder.
func (p *pickup) work(accept context.Context, root *os.Root, name string, c *claim) error {
	shown := claimedDir + "/" + name
	parts := claimID.FindStringSubmatch(name)
	if parts == nil {
		p.once(name, fmt.Errorf("does not belong into %s: move it away", claimedDir))
		return nil
	}
	fi, err := root.Lstat(shown)
	switch {
	case errors.Is(err, fs.ErrNotExist): // another node has done it
		delete(p.claims, name)
		return nil
	case err != nil:
		return advise(err)
	case !fi.Mode().IsRegular():
		p.once(name, fmt.Errorf("is %s: it was exchanged after it was claimed; move it away", kind(fi.Mode())))
		return nil
	}
	switch st := stampOf(fi); {
	case c.seen == stamp{}:
		c.seen = st
	case !st.same(c.seen): // its writer still has it open
		c.seen, c.next = st, p.cfg.Now().Add(time.Duration(p.set.Settle))
		return nil
	}
	_, err = p.sink.Accept(accept, &transport.Arrival{
		Connection: p.conn.Name,
		Connector:  Connector,
		Partner:    p.conn.Partner,
		Key:        transport.Key(Connector, p.conn.Name, parts[1]),
		Content:    transport.Part{Filename: parts[2], Body: plainFile{root: root, name: shown, size: fi.Size()}},
		Evidence:   transport.Evidence{Remote: p.set.Pickup},
	})
	if err != nil {
		if accept.Err() != nil {
			return nil // stopping; it waits where it is
		}
		c.attempts++
		c.next = p.cfg.Now().Add(p.backoff(c.attempts))
		p.trouble(name, err, c.next)
		return nil
	}
	return p.done(root, name, parts[2], c)
}

// done removes an accepted file, unless it is not the file that was accepted.
func (p *pickup) done(root *os.Root, name, original string, c *claim) error {
	shown := claimedDir + "/" + name
	fi, err := root.Lstat(shown)
	if err == nil && !stampOf(fi).same(c.seen) {
		return p.again(root, name, original, fi)
	}
	if err == nil {
		err = root.Remove(shown)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		// It stays, is accepted again under its key, found to be a duplicate and
		// removed then.
		c.attempts++
		c.next = p.cfg.Now().Add(p.backoff(c.attempts))
		p.trouble(name, fmt.Errorf("was accepted but cannot be removed: %w", advise(err)), c.next)
		return nil
	}
	delete(p.claims, name)
	return nil
}

// again claims anew a file that its writer changed while it was accepted, so
// that the whole of it arrives, too.
func (p *pickup) again(root *os.Root, name, original string, fi fs.FileInfo) error {
	id, err := p.newClaimID()
	if err != nil {
		return err
	}
	to := claimName(id, original)
	if err := root.Rename(claimedDir+"/"+name, claimedDir+"/"+to); err != nil {
		return advise(err)
	}
	p.dirty = true
	delete(p.claims, name)
	next := p.cfg.Now().Add(time.Duration(p.set.Settle))
	p.claims[to] = &claim{seen: stampOf(fi), next: next}
	p.trouble(original, errors.New("was still being written when it was taken, and will be taken again whole: "+
		"let the writer use another name until it is done, or make settle longer"), next)
	return nil
}
