package as2

import (
	"crypto/tls"
	"fmt"
	"os"
	"sync"
	"time"
)

// KeyPairFiles is a certificate with its key in PEM files, for a listener that
// goes on while they are replaced. Set its GetCertificate in a tls.Config.
type KeyPairFiles struct {
	certificate, key string
	now              func() time.Time
	trouble          func(error)

	mu     sync.Mutex
	pair   *tls.Certificate
	seen   [2]fileState // of the pair, or of the last one that would not do
	looked time.Time
}

// fileState tells whether a file is another than it was.
type fileState struct {
	changed time.Time
	size    int64
}

// lookEvery is how often the files are looked at.
const lookEvery = 5 * time.Second

// NewKeyPairFiles reads the files for the first time. Later a pair that cannot
// be used is told to trouble, once, and the last good one stays.
func NewKeyPairFiles(certificate, key string, now func() time.Time, trouble func(error)) (*KeyPairFiles, error) {
	f := &KeyPairFiles{certificate: certificate, key: key, now: now, trouble: trouble, looked: now()}
	f.seen = f.state()
	return f, f.load()
}

// state looks at the files; one that is not there is of no size.
func (f *KeyPairFiles) state() (out [2]fileState) {
	for i, name := range []string{f.certificate, f.key} {
		if info, err := os.Stat(name); err == nil {
			out[i] = fileState{info.ModTime(), info.Size()}
		}
	}
	return out
}

func (f *KeyPairFiles) load() error {
	pair, err := tls.LoadX509KeyPair(f.certificate, f.key)
	if err != nil {
		return fmt.Errorf("certificate %s with key %s: %w", f.certificate, f.key, err)
	}
	f.pair = &pair
	return nil
}

// GetCertificate is for tls.Config: the pair as it is in the files now.
func (f *KeyPairFiles) GetCertificate(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if now := f.now(); now.Sub(f.looked) >= lookEvery || now.Before(f.looked) {
		f.looked = now
		if state := f.state(); state != f.seen {
			f.seen = state
			if err := f.load(); err != nil {
				f.trouble(fmt.Errorf("as2 listener: the new certificate is of no use, the old one stays: %w", err))
			}
		}
	}
	return f.pair, nil
}
