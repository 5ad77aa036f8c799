package as2

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"tradepost/as2"
	"tradepost/transport"
)

// This file keeps what has arrived of transmissions whose connection broke, so
// that the partner can go on from there (AS2 Restart,
// draft-harding-as2-restart-07). A partner names a transmission by an ETag of
// its own choice; it can only ever name its own. The bytes lie in a file, and
// beside it what is known of them. When a transmission has come to its end, the
// answer is kept in place of the bytes: a partner that missed it sends the last
// byte once more and gets the same again.

// partialMemory is how much of a transmission is held in memory before it has a
// file. What breaks off earlier is not worth to be gone on with.
const partialMemory = 64 << 10

// partialSync is after how many bytes a file is brought to the disk: this much
// at most is sent again after a crash.
const partialSync = 64 << 20

// partials are the transmissions that may be gone on with.
type partials struct {
	dir     string
	each    int   // per partner
	bytes   int64 // of all together
	age     time.Duration
	now     func() time.Time
	trouble func(error)

	mu   sync.Mutex
	held map[string]*partial
}

// partial is one of them. Its exported fields are what lies beside the bytes.
type partial struct {
	Partner   string    `json:"partner"`
	MessageID string    `json:"message_id"`
	Held      int64     `json:"held"`  // bytes that are surely there
	Total     int64     `json:"total"` // of the whole body, -1 when it was not told
	Touched   time.Time `json:"touched"`
	Answer    *stored   `json:"answer,omitempty"` // to a transmission that has come to its end

	key  string
	busy bool // a request is at work on it
}

// stored is an answer that was given.
type stored struct {
	Status  int                     `json:"status"`
	Text    string                  `json:"text,omitempty"`
	Headers []transport.HeaderField `json:"headers,omitempty"`
	Body    []byte                  `json:"body,omitempty"`
	Refused bool                    `json:"refused,omitempty"`
}

func (s *stored) answer() answer {
	return answer{status: s.Status, text: s.Text, headers: s.Headers, body: s.Body, refused: s.Refused, again: true}
}

// newPartials takes over what an earlier process left.
func newPartials(c Config) (*partials, error) {
	if !c.restartable() {
		return nil, nil //nolint:nilnil // nil keeps nothing
	}
	p := &partials{
		dir: filepath.Join(c.TempDir, "partial"), each: c.Limits.Partials, bytes: c.Limits.PartialBytes, age: c.Limits.PartialAge,
		now: c.Now, trouble: c.OnTrouble, held: map[string]*partial{},
	}
	return p, p.load()
}

// load reads what lies beside the bytes, and removes what belongs to nothing.
func (p *partials) load() error {
	entries, err := os.ReadDir(p.dir)
	if err != nil && !errors.Is(err, os.ErrNotExist) { // it is made when needed
		return fmt.Errorf("folder for transmissions that broke off: %w", err)
	}
	for _, e := range entries {
		key, ok := strings.CutSuffix(e.Name(), ".json")
		if !ok {
			continue
		}
		one := &partial{key: key}
		b, err := os.ReadFile(filepath.Join(p.dir, e.Name()))
		if err == nil {
			err = json.Unmarshal(b, one)
		}
		if err == nil && one.Answer == nil {
			var there os.FileInfo
			if there, err = os.Stat(p.file(key)); err == nil && there.Size() < one.Held {
				err = errors.New("bytes are missing")
			}
		}
		if err == nil {
			p.held[key] = one
		}
	}
	for _, e := range entries {
		key, _, _ := strings.Cut(e.Name(), ".")
		if p.held[key] == nil {
			_ = os.Remove(filepath.Join(p.dir, e.Name())) // tried again at the next start
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.sweep()
	return nil
}

func (p *partials) file(key string) string { return filepath.Join(p.dir, key+".part") }

// keyOf names a transmission: ETags of different partners never meet.
func keyOf(rel *Relation, etag string) string {
	sum := sha256.Sum256([]byte(transport.Key(rel.Station.ID, rel.Relation.Partner.ID, etag)))
	return hex.EncodeToString(sum[:])
}

// sweep removes what is too old. The caller holds mu.
func (p *partials) sweep() {
	oldest := p.now().Add(-p.age)
	for _, one := range p.held {
		if !one.busy && one.Touched.Before(oldest) {
			p.remove(one)
		}
	}
}

// sweepUntil removes what is too old, now and again, until done is closed.
func (p *partials) sweepUntil(done <-chan struct{}) {
	if p == nil {
		return
	}
	often := time.NewTicker(max(time.Second, min(p.age/10, 10*time.Minute)))
	defer often.Stop()
	for {
		select {
		case <-done:
			return
		case <-often.C:
			p.mu.Lock()
			p.sweep()
			p.mu.Unlock()
		}
	}
}

// remove forgets one. The caller holds mu.
func (p *partials) remove(one *partial) {
	delete(p.held, one.key)
	for _, name := range []string{p.file(one.key), filepath.Join(p.dir, one.key+".json")} {
		if err := os.Remove(name); err != nil && !errors.Is(err, os.ErrNotExist) {
			p.trouble(fmt.Errorf("as2 listener: remove a transmission that broke off: %w", err))
		}
	}
}

// write puts down what is known of one. The caller holds mu.
func (p *partials) write(one *partial) error {
	b, err := json.Marshal(one)
	if err != nil {
		return err
	}
	name := filepath.Join(p.dir, one.key+".json")
	if err := os.WriteFile(name+".new", b, 0o600); err != nil {
		return err
	}
	return os.Rename(name+".new", name)
}

// asked tells how much of a transmission is there, for HEAD. busy means that a
// request is at work on it.
func (p *partials) asked(key string) (held int64, busy bool) {
	if p == nil {
		return 0, false
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.sweep()
	one := p.held[key]
	switch {
	case one == nil:
		return 0, false
	case one.Answer != nil:
		return max(one.Total, 0), false
	}
	return one.Held, one.busy
}

// begin gives a request its place. part is nil for a body that begins at its
// beginning. The caller must end the partial it gets. Instead of one there may
// be an answer, or neither when there is no room: the transmission is then
// received as if it had no ETag.
func (p *partials) begin(rel *Relation, etag, messageID string, total int64, part *as2.ContentRange) (*partial, *answer) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.sweep()
	key := keyOf(rel, etag)
	one := p.held[key]
	switch {
	case one != nil && one.busy:
		return nil, stillInHand()
	case one != nil && (one.MessageID != messageID || part != nil && one.Total >= 0 && one.Total != part.Size):
		p.remove(one) // the name was used for something else
		one = nil
	}
	switch {
	case part == nil && one == nil:
		if one = p.room(rel.Partner); one == nil {
			return nil, nil
		}
		one.key, one.MessageID, one.Total = key, messageID, total
		p.held[key] = one
	case part == nil: // from its beginning once more
		one.Held, one.Total, one.Answer = 0, total, nil
	case one == nil:
		return nil, outOfRange(0)
	case one.Answer != nil:
		out := one.Answer.answer()
		return nil, &out
	case part.First > one.Held:
		return nil, outOfRange(one.Held)
	default:
		one.Held, one.Total = part.First, part.Size
	}
	one.busy, one.Touched = true, p.now()
	return one, nil
}

// stillInHand is the answer while a request is at work on the transmission. It
// is 500 because the draft says so.
func stillInHand() *answer {
	return &answer{
		status: http.StatusInternalServerError, text: "an earlier attempt at this transmission is still in hand; try again",
		after: 5 * time.Second,
	}
}

// room makes a place for one more of a partner's, nil when it has too many or
// all together are too large. The caller holds mu.
func (p *partials) room(partner string) *partial {
	var bytes int64
	own := 0
	for _, one := range p.held {
		if one.Partner == partner {
			own++
		}
		if one.Answer == nil {
			bytes += one.Held
		}
	}
	if own >= p.each || bytes >= p.bytes {
		return nil
	}
	if err := os.Mkdir(p.dir, 0o700); err != nil && !errors.Is(err, os.ErrExist) {
		p.trouble(fmt.Errorf("as2 listener: folder for transmissions that break off: %w", err))
		return nil
	}
	return &partial{Partner: partner}
}

// outOfRange is the answer to a part that does not fit, with the start that
// does.
func outOfRange(start int64) *answer {
	return &answer{
		status: http.StatusRequestedRangeNotSatisfiable, text: fmt.Sprintf("go on with byte %d", start),
		headers: []transport.HeaderField{{Name: "Content-Range", Value: fmt.Sprintf("bytes */%d", start)}},
	}
}

// settled notes how much of a file is on the disk for sure.
func (p *partials) settled(one *partial, held int64) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	one.Held, one.Touched = held, p.now()
	return p.write(one)
}

// lost ends a request whose file is gone.
func (p *partials) lost(one *partial) {
	p.mu.Lock()
	defer p.mu.Unlock()
	one.busy = false
	p.remove(one)
}

// forget forgets a transmission that has come to its end, so that it is taken
// from its beginning.
func (p *partials) forget(key string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if one := p.held[key]; one != nil && !one.busy {
		p.remove(one)
	}
}

// broken ends a request whose transmission is not complete, or could not be
// taken: w holds what there is of it.
func (p *partials) broken(one *partial, w *wire) {
	err := w.sync()
	p.mu.Lock()
	defer p.mu.Unlock()
	one.busy = false
	if !w.onDisk() || err != nil || w.err != nil {
		p.remove(one)
		return
	}
	one.Held, one.Touched = w.Size(), p.now()
	if err := p.write(one); err != nil {
		p.trouble(fmt.Errorf("as2 listener: keep a transmission that broke off: %w", err))
		p.remove(one)
	}
}

// done ends a request whose transmission was answered.
func (p *partials) done(one *partial, w *wire, a answer) {
	p.mu.Lock()
	defer p.mu.Unlock()
	one.busy = false
	if !w.onDisk() {
		p.remove(one) // small enough to come again whole
		return
	}
	one.Total, one.Held, one.Touched = w.Size(), w.Size(), p.now()
	one.Answer = &stored{Status: a.status, Text: a.text, Headers: a.headers, Body: a.body, Refused: a.refused}
	err := os.Remove(p.file(one.key))
	if err == nil {
		err = p.write(one)
	}
	if err != nil {
		p.trouble(fmt.Errorf("as2 listener: keep the answer to a transmission: %w", err))
		p.remove(one)
	}
}
