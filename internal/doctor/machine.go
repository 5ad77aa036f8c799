package doctor

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"runtime/debug"
	"time"

	"tradepost/internal/store"
	"tradepost/partners"
	"tradepost/tracking"
)

// Bounds of what is enough.
const (
	diskFail  = 64 << 20
	diskWarn  = 1 << 30
	skewWarn  = time.Minute
	askWithin = 5 * time.Second
)

// clock checks the time of the machine against whatever is known to be past.
func (d *Doctor) clock(_ context.Context, r *report) {
	now := d.Now()
	past, from := time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC), "the ids of this program begin"
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			if t, err := time.Parse(time.RFC3339, s.Value); s.Key == "vcs.time" && err == nil && t.After(past) {
				past, from = t, "this program was written"
			}
		}
	}
	if now.Before(past) {
		r.add(Fail, "set the clock (timedatectl set-ntp true): control numbers, certificates and ids depend on it", "the clock says %s, before %s (%s)", now.UTC().Format(time.RFC3339), past.UTC().Format(time.RFC3339), from)
		return
	}
	r.add(OK, "", "the clock says %s", now.UTC().Format(time.RFC3339))
}

// disk checks that the data folder can be written and has room.
func (d *Doctor) disk(_ context.Context, r *report) {
	dir := d.Config.Store.Data
	if _, err := os.Stat(dir); errors.Is(err, os.ErrNotExist) {
		r.add(OK, "", "%s is made at the first start", dir)
		dir = filepath.Dir(dir)
	}
	if err := probe(dir); err != nil {
		r.add(Fail, "give the user that runs the station the right to write there", "%s cannot be written: %v", dir, err)
		return
	}
	free, known := freeSpace(dir)
	switch {
	case !known:
		r.add(OK, "", "%s can be written", dir)
	case free < diskFail:
		r.add(Fail, "make room: nothing can be received on a full disk", "%s has %d MB free", dir, free>>20)
	case free < diskWarn:
		r.add(Warn, "make room soon", "%s has only %d MB free", dir, free>>20)
	default:
		r.add(OK, "", "%s can be written and has %d GB free", dir, free>>30)
	}
}

// probe writes, renames and removes a file in dir.
func probe(dir string) (err error) {
	f, err := os.CreateTemp(dir, ".tradepost-doctor-*")
	if err != nil {
		return err
	}
	name := f.Name()
	defer func() {
		if removeErr := os.Remove(name); err == nil {
			err = removeErr
		}
	}()
	if err := f.Close(); err != nil {
		return err
	}
	if err := os.Rename(name, name+".renamed"); err != nil {
		return err
	}
	name += ".renamed"
	return nil
}

// store opens the store and asks it something. A store that does not exist yet
// is left unmade.
func (d *Doctor) store(ctx context.Context, r *report) {
	if !d.stored() {
		r.add(OK, "", "the embedded store is made at the first start")
		return
	}
	s, err := d.open(ctx)
	if err != nil {
		var newer *store.NewerVersionError
		var older *store.OlderVersionError
		if errors.As(err, &older) {
			r.add(Warn, "copy the store before, if you may want to go back to the older program", "the store was made by an older program (version %d, this one works with %d): the next start of `tradepost serve` brings it up to date", older.Have, older.Need)
			return
		}
		advice := "restore the folder from a backup, or choose another with store.data"
		switch {
		case d.Config.Store.Database != "":
			advice = "check that Postgres runs, and user, password and database in store.database"
		case errors.Is(err, fs.ErrPermission), errors.Is(probe(d.Config.Store.Data), fs.ErrPermission):
			advice = "give the user that runs the station the right to read and write " + d.Config.Store.Data + " and all that is in it"
		}
		if errors.As(err, &newer) {
			advice = "a newer tradepost has changed this store: run that one, or restore a backup of before"
		}
		r.add(Fail, advice, "the store cannot be opened: %v", err)
		return
	}
	defer func() {
		if err := d.close(); err != nil {
			r.add(Warn, "", "the store did not close well: %v", err)
		}
	}()
	page, err := s.Documents(ctx, tracking.DocumentQuery{Limit: 1, Now: d.Now()})
	switch {
	case err != nil:
		r.add(Fail, "look into the log of the station or of Postgres", "the store does not answer: %v", err)
	case len(page.Documents) > 0 && page.Documents[0].CreatedAt.After(d.Now().Add(skewWarn)):
		r.add(Warn, "check the clock: it was ahead once, or is behind now", "the newest document is of %s, which is still to come", page.Documents[0].CreatedAt.UTC().Format(time.RFC3339))
	default:
		r.add(OK, "", "the store opens and answers")
	}
}

// settings are the settings of connections that the doctor understands.
type settings struct {
	Pickup  string `json:"pickup"`
	Deliver string `json:"deliver"`
	URL     string `json:"url"`
	TLS     struct {
		Certificate string `json:"certificate"`
		Key         string `json:"key"`
	} `json:"tls"`
}

// folders checks the folders of directory connections.
func (d *Doctor) folders(_ context.Context, r *report) {
	for _, c := range d.Config.Directory.Connections() {
		if c.Connector != "directory" {
			continue
		}
		var s settings
		if err := json.Unmarshal(c.Settings, &s); err != nil {
			r.add(Fail, "write pickup and deliver as texts", "connection %s: its settings cannot be read: %v", c.Name, err)
			continue
		}
		for _, f := range []string{s.Pickup, s.Deliver} {
			if f == "" {
				continue
			}
			if !filepath.IsAbs(f) {
				f = filepath.Join(d.Config.Dir, f)
			}
			d.folder(r, c.Name, f)
		}
	}
}

func (d *Doctor) folder(r *report, connection, dir string) {
	info, err := os.Stat(dir)
	switch {
	case errors.Is(err, os.ErrNotExist):
		r.add(Fail, "mkdir -p "+dir, "connection %s: there is no folder %s", connection, dir)
	case err != nil:
		r.add(Fail, "check the rights of the folders above it", "connection %s: %v", connection, err)
	case !info.IsDir():
		r.add(Fail, "name a folder", "connection %s: %s is no folder", connection, dir)
	default:
		if err := probe(dir); err != nil {
			r.add(Fail, "give the user that runs the station the right to write there", "connection %s: %s cannot be written: %v", connection, dir, err)
			return
		}
		if other, known := otherDevice(dir, filepath.Join(dir, ".tradepost")); known && other {
			r.add(Fail, "unmount it: files are staged there and renamed into place", "connection %s: %s is another file system than %s", connection, filepath.Join(dir, ".tradepost"), dir)
			return
		}
		r.add(OK, "", "connection %s: %s can be written", connection, dir)
	}
}

// ports checks that the listeners can be opened, or are open and ours.
func (d *Doctor) ports(ctx context.Context, r *report) {
	l := d.Config.Listen
	running := d.answers(ctx, l.Admin)
	for _, p := range []struct{ name, address string }{{"admin", l.Admin}, {"as2", l.AS2}} {
		ln, err := (&net.ListenConfig{}).Listen(ctx, "tcp", p.address)
		switch {
		case err == nil:
			_ = ln.Close() // nothing was sent over it
			r.add(OK, "", "%s: %s is free", p.name, p.address)
		case running && inUse(err):
			r.add(OK, "", "%s: %s is open: a station is running here", p.name, p.address)
		case inUse(err):
			r.add(Fail, "stop the other program, or choose another port under listen", "%s: %s is taken by another program", p.name, p.address)
		default:
			r.add(Fail, "choose another address under listen", "%s: %s cannot be opened: %v", p.name, p.address, err)
		}
	}
	if host, _, err := net.SplitHostPort(l.Admin); err == nil {
		if ip := net.ParseIP(host); host == "" || ip != nil && !ip.IsLoopback() {
			r.add(Warn, "listen on 127.0.0.1 and reach it through a tunnel or a proxy with TLS", "admin: %s can be reached from the network, without TLS", l.Admin)
		}
	}
}

// answers tells whether a station answers at an admin address.
func (d *Doctor) answers(ctx context.Context, address string) bool {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return false
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	a, err := d.ask(ctx, http.MethodGet, "http://"+net.JoinHostPort(host, port)+"/livez")
	return err == nil && a.status == http.StatusOK
}

// answer is what somebody said to a request, without the body.
type answer struct {
	status int
	date   string
	tls    *tls.ConnectionState
}

// ask makes one request.
func (d *Doctor) ask(ctx context.Context, method, to string) (answer, error) {
	ctx, cancel := context.WithTimeout(ctx, askWithin)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, to, nil)
	if err != nil {
		return answer{}, err
	}
	res, err := d.Client.Do(req)
	if err != nil {
		return answer{}, err
	}
	return answer{res.StatusCode, res.Header.Get("Date"), res.TLS}, res.Body.Close()
}

// reach asks the partner at the other end of a connection.
func (d *Doctor) reach(ctx context.Context, c partners.Connection, to string) (answer, error) {
	if d.Reach == nil {
		return d.ask(ctx, http.MethodHead, to)
	}
	ctx, cancel := context.WithTimeout(ctx, askWithin)
	defer cancel()
	res, err := d.Reach(ctx, c)
	if err != nil {
		return answer{}, err
	}
	return answer{res.StatusCode, res.Header.Get("Date"), res.TLS}, res.Body.Close()
}

// refusal tells that a partner answered, but not to us.
func refusal(status int) string {
	switch status {
	case http.StatusUnauthorized, http.StatusForbidden:
		return "it does not take our user, password or certificate"
	case http.StatusProxyAuthRequired:
		return "the proxy wants a user and password"
	case http.StatusNotFound:
		return "nothing is at this path"
	}
	return ""
}

// partners calls every partner that has a URL. Any answer at all shows that it
// can be reached; its Date also shows how far the clocks are apart.
func (d *Doctor) partners(ctx context.Context, r *report) {
	for _, c := range d.Config.Directory.Connections() {
		var s settings
		if err := json.Unmarshal(c.Settings, &s); err != nil || s.URL == "" || c.Partner == "" {
			continue
		}
		contact := "check URL, firewall and proxy with the partner"
		if p, err := d.Config.Directory.Partner(c.Partner); err == nil && p.Contact != "" {
			contact += ": " + p.Contact
		}
		if u, err := url.Parse(s.URL); err != nil || u.Host == "" {
			r.add(Fail, "write the whole URL, such as https://edi.example.com/as2", "connection %s: %q is no URL", c.Name, s.URL)
			continue
		}
		a, err := d.reach(ctx, c, s.URL)
		if err != nil {
			r.add(Fail, contact, "connection %s: partner %s cannot be reached: %v", c.Name, c.Partner, unwrapped(err))
			continue
		}
		if why := refusal(a.status); why != "" {
			r.add(Warn, contact, "connection %s: partner %s answers %d at %s: %s", c.Name, c.Partner, a.status, s.URL, why)
			continue
		}
		r.add(OK, "", "connection %s: partner %s answers at %s%s", c.Name, c.Partner, s.URL, tlsText(a.tls))
		if date, err := http.ParseTime(a.date); err == nil {
			if skew := d.Now().Sub(date).Abs(); skew > skewWarn {
				r.add(Warn, "compare both clocks with a time server", "connection %s: our clock and the partner's are %s apart", c.Name, skew.Round(time.Second))
			}
		}
	}
}

func tlsText(s *tls.ConnectionState) string {
	if s == nil {
		return ""
	}
	return fmt.Sprintf(" (%s, %s)", tls.VersionName(s.Version), tls.CipherSuiteName(s.CipherSuite))
}

// unwrapped leaves out the method and URL that net/http puts before an error.
func unwrapped(err error) error {
	var ue *url.Error
	if errors.As(err, &ue) {
		return ue.Err
	}
	return err
}
