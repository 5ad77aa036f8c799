package directory

import (
	"fmt"
	"io"
	"path"
	"path/filepath"
	"strings"
	"time"

	"tradepost/transport"
)

// Connector is the name connections of this package use.
const Connector = "directory"

// The durations used where settings or Config say nothing.
const (
	DefaultSettle = 3 * time.Second
	DefaultPoll   = 2 * time.Second
	DefaultDrain  = 30 * time.Second
	DefaultRetry  = time.Second
	maxRetry      = 5 * time.Minute
)

// Settings are the settings of a directory connection. One that picks up needs
// Pickup, one that delivers needs Deliver; a connection may do both.
type Settings struct {
	// Pickup is the folder to take files from.
	Pickup string `json:"pickup"`
	// Include and Exclude are shell patterns (path.Match) on file names, upper
	// and lower case apart. No Include takes every file; Exclude wins.
	Include []string `json:"include"`
	Exclude []string `json:"exclude"`
	// Settle is how long size and time of change must have stood still before a
	// file is taken; 3s when not set.
	Settle transport.Duration `json:"settle"`
	// Poll is how often the folder is looked at; 2s when not set. Hints of the
	// operating system make it faster where they work, never slower.
	Poll transport.Duration `json:"poll"`

	// Deliver is the folder to put files into.
	Deliver string `json:"deliver"`
	// Name is the pattern of the final name; "{stem}-{id}{ext}" when not set.
	// {name} is the file name of what is delivered, {stem} and {ext} its two
	// halves, {id} the id of the delivery, {partner} the partner. Without {id}
	// two deliveries can want one name: the second then waits until the first
	// was taken away.
	Name string `json:"filename"`
}

// Config is what the connector gets from the gateway beside the settings.
type Config struct {
	// Base is what relative folders in settings are relative to; "" is the
	// working folder.
	Base string
	// Now and Rand are required.
	Now  func() time.Time
	Rand io.Reader
	// OnTrouble hears of everything that needs a person or was tried in vain,
	// mostly as *TroubleError; nil ignores it. It must not block.
	OnTrouble func(error)
	// Drain is how long a stopping Listener lets the file in hand finish; 30 s
	// when zero.
	Drain time.Duration
	// Retry is the wait after the first failure to bring a file to the Sink; it
	// doubles up to 5 min. 1 s when zero.
	Retry time.Duration
}

// TroubleError tells what is wrong with which entry of which connection.
type TroubleError struct {
	Connection string
	Folder     string // as in the settings
	Name       string // of the entry, "" for the folder itself
	Err        error
	// Next is when it will be tried again; zero when it is simply left alone.
	Next time.Time
}

// Error describes the trouble.
func (e *TroubleError) Error() string {
	where := path.Join(e.Folder, e.Name)
	if e.Next.IsZero() {
		return fmt.Sprintf("connection %s: %s: %v", e.Connection, where, e.Err)
	}
	return fmt.Sprintf("connection %s: %s: %v (next attempt at %s)", e.Connection, where, e.Err, e.Next.UTC().Format(time.RFC3339))
}

// Unwrap returns the cause.
func (e *TroubleError) Unwrap() error { return e.Err }

// ParseSettings reads and checks the settings of c. Errors are
// *transport.SettingsError.
func ParseSettings(c transport.Connection) (Settings, error) {
	s := Settings{
		Settle: transport.Duration(DefaultSettle),
		Poll:   transport.Duration(DefaultPoll),
		Name:   "{stem}-{id}{ext}",
	}
	if err := transport.DecodeSettings(c, &s); err != nil {
		return s, err
	}
	wrong := func(path, format string, args ...any) (Settings, error) {
		return s, &transport.SettingsError{Connection: c.Name, Path: path, Msg: fmt.Sprintf(format, args...)}
	}
	if s.Pickup == "" && s.Deliver == "" {
		return wrong("pickup", "neither pickup nor deliver is set: name the folder to take files from or to put them into")
	}
	if s.Pickup != "" && s.Deliver != "" && filepath.Clean(s.Pickup) == filepath.Clean(s.Deliver) {
		return wrong("deliver", "is the pickup folder: what is delivered would be picked up again")
	}
	if s.Settle <= 0 {
		return wrong("settle", "must be more than 0s, or half a file may be taken")
	}
	if s.Poll <= 0 {
		return wrong("poll", "must be more than 0s")
	}
	for i, p := range s.Include {
		if _, err := path.Match(p, "x"); err != nil || strings.Contains(p, "/") {
			return wrong(fmt.Sprintf("include.%d", i), "%q is no pattern for file names: *, ? and [a-z] are understood", p)
		}
	}
	for i, p := range s.Exclude {
		if _, err := path.Match(p, "x"); err != nil || strings.Contains(p, "/") {
			return wrong(fmt.Sprintf("exclude.%d", i), "%q is no pattern for file names: *, ? and [a-z] are understood", p)
		}
	}
	if err := checkPattern(s.Name); err != nil {
		return wrong("filename", "%v", err)
	}
	return s, nil
}

// wants tells whether a name is one to pick up.
func (s *Settings) wants(name string) bool {
	if unfinished(name) {
		return false
	}
	match := func(patterns []string) bool {
		for _, p := range patterns {
			if ok, _ := path.Match(p, name); ok { // the pattern was checked
				return true
			}
		}
		return false
	}
	return (len(s.Include) == 0 || match(s.Include)) && !match(s.Exclude)
}

// unfinished tells whether a name is one that writers use until they are done.
func unfinished(name string) bool {
	n := strings.ToLower(name)
	return strings.HasPrefix(n, ".") || strings.HasSuffix(n, ".tmp") ||
		strings.HasSuffix(n, ".part") || strings.HasSuffix(n, ".filepart")
}

// at is a folder of the settings as the operating system needs it.
func (c *Config) at(folder string) string {
	if filepath.IsAbs(folder) {
		return folder
	}
	return filepath.Join(c.Base, folder)
}

// check completes c.
func (c *Config) check() error {
	if c.Now == nil || c.Rand == nil {
		return fmt.Errorf("directory: Config.Now and Config.Rand must be set")
	}
	if c.OnTrouble == nil {
		c.OnTrouble = func(error) {}
	}
	if c.Drain == 0 {
		c.Drain = DefaultDrain
	}
	if c.Retry == 0 {
		c.Retry = DefaultRetry
	}
	return nil
}
