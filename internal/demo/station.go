package demo

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"tradepost/tracking"
)

// station is a running station: a child process that serves one side, and the
// client that asks it over its API.
type station struct {
	*side
	token string
	http  *http.Client
	log   string // file of the child's log lines

	mu  sync.Mutex
	pid int
}

// start serves the side in a process of its own until ctx ends. A station that
// dies is started again, as a service manager would; report tells of both.
func (d *demo) start(ctx context.Context, s *side) (*station, error) {
	token, err := os.ReadFile(s.token())
	if err != nil {
		return nil, err
	}
	st := &station{side: s, token: lastWord(string(token)), http: &http.Client{Timeout: 10 * time.Second}, log: filepath.Join(s.dir, "serve.log")}
	d.children.Go(func() { d.supervise(ctx, st) })
	return st, st.ready(ctx)
}

// supervise runs the child again and again until ctx ends.
func (d *demo) supervise(ctx context.Context, st *station) {
	for ctx.Err() == nil {
		err := d.serve(ctx, st)
		if ctx.Err() != nil {
			return
		}
		d.say(line{Event: "station.died", From: st.Name, Detail: fmt.Sprintf("%v; starting it again (its log: %s)", err, st.log)})
		select {
		case <-ctx.Done():
		case <-time.After(300 * time.Millisecond):
		}
	}
}

// serve runs the child once, with the same command a person would use.
func (d *demo) serve(ctx context.Context, st *station) error {
	logFile, err := os.OpenFile(st.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer func() { _ = logFile.Close() }()
	cmd := exec.CommandContext(ctx, d.Executable, "serve", "--config", st.config(), "--exit-with-parent") //nolint:gosec // our own executable
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = 15 * time.Second
	cmd.Stdout, cmd.Stderr = logFile, logFile
	stdin, err := cmd.StdinPipe() // closed by the system when we die, which ends the child
	if err != nil {
		return err
	}
	defer func() { _ = stdin.Close() }()
	if err := cmd.Start(); err != nil {
		return err
	}
	st.mu.Lock()
	st.pid = cmd.Process.Pid
	st.mu.Unlock()
	d.say(line{Event: "station.started", From: st.Name, Detail: fmt.Sprintf("AS2 on http://%s/as2, process %d", st.AS2Address, cmd.Process.Pid)})
	if err := cmd.Wait(); err != nil {
		return err
	}
	return errors.New("exited by itself")
}

// startWithin bounds the start of a station: it takes a fraction of a second,
// and longer on a machine that is busy with other things.
const startWithin = 2 * time.Minute

// ready waits until the station answers that it is.
func (st *station) ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startWithin)
	defer cancel()
	for {
		var answer json.RawMessage
		err := st.get(ctx, "/readyz", nil, &answer)
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("the %s's station does not become ready: %w\n%s", st.Name, err, tail(st.log, 15))
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// get asks the station's API and decodes the answer.
func (st *station) get(ctx context.Context, path string, query url.Values, into any) error {
	u := url.URL{Scheme: "http", Host: st.Admin, Path: path, RawQuery: query.Encode()}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+st.token)
	resp, err := st.http.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(io.LimitReader(resp.Body, 2000))
		return fmt.Errorf("%s answers %s: %s", path, resp.Status, text)
	}
	return json.NewDecoder(resp.Body).Decode(into)
}

// documents lists the station's documents that a query selects, newest first.
func (st *station) documents(ctx context.Context, query url.Values) ([]tracking.DocumentRow, error) {
	var page tracking.DocumentPage
	err := st.get(ctx, "/api/v1/documents", query, &page)
	return page.Documents, err
}

// document returns everything the station knows of one document.
func (st *station) document(ctx context.Context, id tracking.ID) (*tracking.DocumentView, error) {
	var v tracking.DocumentView
	err := st.get(ctx, "/api/v1/documents/"+id.String(), nil, &v)
	return &v, err
}

// transmission returns everything the station knows of one transmission.
func (st *station) transmission(ctx context.Context, id tracking.ID) (*tracking.TransmissionView, error) {
	var v tracking.TransmissionView
	err := st.get(ctx, "/api/v1/transmissions/"+id.String(), nil, &v)
	return &v, err
}

// lastWord returns the last word of a token file: its only token.
func lastWord(s string) string {
	words := strings.Fields(s)
	if len(words) == 0 {
		return ""
	}
	return words[len(words)-1]
}

// tail returns the last lines of a file, for error messages.
func tail(file string, lines int) string {
	b, err := os.ReadFile(file)
	if err != nil {
		return ""
	}
	all := strings.Split(strings.TrimRight(string(b), "\n"), "\n")
	return strings.Join(all[max(0, len(all)-lines):], "\n")
}
