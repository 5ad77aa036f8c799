//go:build unix

package directory

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"tradepost/transport"
	"tradepost/transport/transporttest"
)

// desk is a pickup folder whose passes are made one by one under a clock that
// only moves when told to.
type desk struct {
	t      *testing.T
	dir    string
	now    time.Time
	sink   *transporttest.Sink
	p      *pickup
	events []string // troubles
}

func newDesk(t *testing.T, settings string) *desk {
	d := &desk{t: t, dir: t.TempDir(), now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC), sink: transporttest.NewSink()}
	d.restart(settings)
	return d
}

// restart forgets everything that is not on the disk.
func (d *desk) restart(settings string) {
	d.t.Helper()
	raw := `{"pickup":"` + d.dir + `","settle":"10s","poll":"5s"` + settings + `}`
	l, err := NewListener(transport.Connection{Name: "office", Partner: "ACME", Settings: json.RawMessage(raw)}, d.sink, Config{
		Now: func() time.Time { return d.now }, Rand: rand.Reader,
		OnTrouble: func(err error) { d.events = append(d.events, err.Error()) },
	})
	d.ok(err)
	if d.p != nil {
		d.p.release() // as the end of the process does
	}
	d.p = &pickup{Listener: l, seen: map[string]*sighting{}, claims: map[string]*claim{}, told: map[string]bool{}, dirty: true}
}

func (d *desk) ok(err error) {
	d.t.Helper()
	if err != nil {
		d.t.Fatal(err)
	}
}

// pass moves the clock on and looks once; it returns the wait.
func (d *desk) pass(on time.Duration) time.Duration {
	d.t.Helper()
	d.now = d.now.Add(on)
	wait, err := d.p.pass(context.Background(), context.Background())
	d.ok(err)
	return wait
}

func (d *desk) write(name, content string) {
	d.t.Helper()
	d.ok(os.WriteFile(filepath.Join(d.dir, name), []byte(content), 0o600))
}

// taken lists what arrived, as name=content.
func (d *desk) taken() []string {
	out := []string{}
	for _, a := range d.sink.Accepted() {
		out = append(out, a.Content.Filename+"="+string(a.Bytes))
	}
	return out
}

func (d *desk) want(want ...string) {
	d.t.Helper()
	if got := d.taken(); !slices.Equal(got, want) {
		d.t.Fatalf("taken %q, want %q", got, want)
	}
}

// names lists what is in a folder below the pickup folder.
func (d *desk) names(below string) []string {
	d.t.Helper()
	entries, err := os.ReadDir(filepath.Join(d.dir, below))
	d.ok(err)
	out := []string{}
	for _, e := range entries {
		out = append(out, e.Name())
	}
	return out
}

func TestHalfAFileIsNeverTaken(t *testing.T) {
	t.Parallel()
	d := newDesk(t, "")
	d.write("a.edi", "ISA")
	if wait := d.pass(0); wait != 5*time.Second {
		t.Errorf("looks again after %v", wait)
	}
	for i := range 10 { // a slow writer
		d.write("a.edi", "ISA"+strings.Repeat("*", i+1))
		d.pass(9 * time.Second)
		d.want()
	}
	if wait := d.pass(9 * time.Second); wait != time.Second {
		t.Errorf("looks again after %v, want when it has settled", wait)
	}
	d.want()
	d.pass(time.Second)
	d.want("a.edi=ISA**********")
	if got := d.names("."); !slices.Equal(got, []string{".tradepost"}) || len(d.names(claimedDir)) != 0 {
		t.Errorf("left: %q and %q", got, d.names(claimedDir))
	}
	a := d.sink.Seen()[0]
	if a.Partner != "ACME" || a.Connection != "office" || a.Connector != "directory" || a.Evidence.Remote != d.dir ||
		!strings.HasPrefix(a.Key, "directory:office:") || a.Wire != nil || a.Receipt != nil {
		t.Errorf("%+v", a.Arrival)
	}
}

func TestSameSizeButRewrittenWaits(t *testing.T) {
	t.Parallel()
	d := newDesk(t, "")
	d.write("a.edi", "AAA")
	d.pass(0)
	d.write("a.edi", "BBB")
	d.ok(os.Chtimes(filepath.Join(d.dir, "a.edi"), d.now, d.now.Add(time.Second)))
	d.pass(10 * time.Second)
	d.want()
	d.pass(10 * time.Second)
	d.want("a.edi=BBB")
}

func TestNamesThatAreNotTaken(t *testing.T) {
	t.Parallel()
	d := newDesk(t, `,"include":["*.edi","*.tmp","*.x12*"],"exclude":["skip*"]`)
	for _, n := range []string{"a.edi", ".hidden.edi", "b.tmp", "c.edi.part", "d.x12.FilePart", "e.x12.TMP", "skip.edi", "f.csv", "g.x12"} {
		d.write(n, "x")
	}
	d.pass(0)
	d.pass(time.Hour)
	d.want("a.edi=x", "g.x12=x")
	if len(d.events) != 0 {
		t.Errorf("troubles: %q", d.events)
	}
}

func TestEmptyFileWaitsForItsContent(t *testing.T) {
	t.Parallel()
	d := newDesk(t, "")
	d.write("a.edi", "")
	d.pass(0)
	d.pass(time.Hour)
	d.want()
	d.write("a.edi", "late")
	d.pass(time.Second)
	d.pass(10 * time.Second)
	d.want("a.edi=late")
}

func TestOldestFirst(t *testing.T) {
	t.Parallel()
	d := newDesk(t, "")
	for i, n := range []string{"c", "a", "b"} {
		d.write(n, n)
		d.ok(os.Chtimes(filepath.Join(d.dir, n), d.now, d.now.Add(time.Duration(i)*time.Second)))
	}
	d.pass(0)
	d.pass(10 * time.Second)
	d.want("c=c", "a=a", "b=b")
}

func TestOnlyPlainFilesAndEachComplaintOnce(t *testing.T) {
	t.Parallel()
	d := newDesk(t, "")
	secret := filepath.Join(t.TempDir(), "secret")
	d.ok(os.WriteFile(secret, []byte("secret"), 0o600))
	d.ok(os.Symlink(secret, filepath.Join(d.dir, "link.edi")))
	d.ok(os.Symlink("nowhere", filepath.Join(d.dir, "dangling.edi")))
	d.ok(os.Mkdir(filepath.Join(d.dir, "folder"), 0o700))
	d.ok(syscall.Mkfifo(filepath.Join(d.dir, "pipe.edi"), 0o600))
	d.write("plain.edi", "x")
	for range 5 {
		d.pass(10 * time.Second)
	}
	d.want("plain.edi=x")
	slices.Sort(d.events)
	want := []string{"dangling.edi: is a symbolic link", "folder: is a folder", "link.edi: is a symbolic link", "pipe.edi: is a pipe"}
	if len(d.events) != len(want) {
		t.Fatalf("troubles: %q", d.events)
	}
	for i, w := range want {
		if !strings.Contains(d.events[i], w) {
			t.Errorf("trouble %q, want %q", d.events[i], w)
		}
	}
	// Removed and made again, it is reported again.
	d.ok(os.Remove(filepath.Join(d.dir, "pipe.edi")))
	d.pass(time.Second)
	d.ok(syscall.Mkfifo(filepath.Join(d.dir, "pipe.edi"), 0o600))
	d.pass(time.Second)
	if len(d.events) != 5 {
		t.Errorf("troubles: %q", d.events)
	}
}

// TestExchangedUnderOurHands: what was a plain file a moment ago is opened as
// one or not at all, and opening does not wait for a writer.
func TestExchangedUnderOurHands(t *testing.T) {
	t.Parallel()
	d := newDesk(t, "")
	d.write("plain", "x")
	d.ok(os.Symlink("plain", filepath.Join(d.dir, "link")))
	d.ok(syscall.Mkfifo(filepath.Join(d.dir, "pipe"), 0o600))
	d.ok(os.Mkdir(filepath.Join(d.dir, "folder"), 0o700))
	root, err := os.OpenRoot(d.dir)
	d.ok(err)
	defer func() { d.ok(root.Close()) }()
	for _, name := range []string{"link", "pipe", "folder"} {
		if _, err := openPlain(root, name); !errors.Is(err, errNotRegular) {
			t.Errorf("%s: %v", name, err)
		}
	}
	f, err := openPlain(root, "plain")
	d.ok(err)
	d.ok(f.Close())
}

func TestOwnFoldersMustBeReal(t *testing.T) {
	t.Parallel()
	for _, planted := range []string{workDir, claimedDir} {
		for _, inside := range []bool{true, false} { // os.Root alone would follow a link inside
			d := newDesk(t, "")
			elsewhere := t.TempDir()
			link := elsewhere
			if inside {
				elsewhere = filepath.Join(d.dir, "elsewhere")
				d.ok(os.Mkdir(elsewhere, 0o700))
				link = strings.Repeat("../", strings.Count(planted, "/")) + "elsewhere"
			}
			d.ok(os.MkdirAll(filepath.Dir(filepath.Join(d.dir, planted)), 0o700))
			d.ok(os.Symlink(link, filepath.Join(d.dir, planted)))
			if _, err := d.p.pass(context.Background(), context.Background()); err == nil {
				t.Errorf("%s is a link to %s and was followed", planted, link)
			}
			if got, _ := os.ReadDir(elsewhere); len(got) != 0 {
				t.Errorf("%s: wrote through the link to %s", planted, link)
			}
		}
	}
}

func TestMissingFolderIsReportedNotMade(t *testing.T) {
	t.Parallel()
	d := newDesk(t, "")
	d.ok(os.Remove(d.dir))
	_, err := d.p.pass(context.Background(), context.Background())
	if !errors.Is(err, os.ErrNotExist) || !strings.Contains(err.Error(), "mount") {
		t.Errorf("%v", err)
	}
	if _, err := os.Stat(d.dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the folder was made: %v", err)
	}
}

func TestFailedAcceptIsTriedAgainWithBackOff(t *testing.T) {
	t.Parallel()
	d := newDesk(t, "")
	d.sink.FailNext(3, errors.New("database is away"))
	d.write("a.edi", "x")
	d.pass(0)
	for i, wait := range []time.Duration{10 * time.Second, time.Second, 2 * time.Second} {
		d.pass(wait - time.Millisecond)
		if d.sink.Failed() != i {
			t.Fatalf("failed %d times before its time", d.sink.Failed())
		}
		d.pass(time.Millisecond)
		if d.sink.Failed() != i+1 || len(d.names(claimedDir)) != 1 {
			t.Fatalf("failed %d times, claimed %q", d.sink.Failed(), d.names(claimedDir))
		}
	}
	d.pass(4 * time.Second)
	d.want("a.edi=x")
	if len(d.events) != 3 || !strings.Contains(d.events[0], "database is away") || !strings.Contains(d.events[0], "next attempt at") {
		t.Errorf("troubles: %q", d.events)
	}
	var te *TroubleError
	if err := error(&TroubleError{Err: os.ErrClosed}); !errors.As(err, &te) || !errors.Is(err, os.ErrClosed) {
		t.Error("TroubleError hides its cause")
	}
}

// TestCrashAtEveryPoint stops the gateway at each moment of a pick-up, with
// everything in memory lost, and starts it again.
func TestCrashAtEveryPoint(t *testing.T) {
	t.Parallel()
	claimOnly := func(d *desk) {
		root, err := openFolder(d.dir, claimedDir)
		d.ok(err)
		defer func() { d.ok(root.Close()) }()
		next := d.now
		_, err = d.p.claimAll(root, &next)
		d.ok(err)
	}
	cases := []struct {
		name  string
		crash func(d *desk)
	}{
		{"before it was claimed", func(d *desk) { d.pass(time.Second) }},
		{"after the claim", func(d *desk) { d.now = d.now.Add(10 * time.Second); claimOnly(d) }},
		{"accepted, but not yet removed", func(d *desk) {
			d.now = d.now.Add(10 * time.Second)
			claimOnly(d)
			name := d.names(claimedDir)[0]
			copied, err := os.ReadFile(filepath.Join(d.dir, claimedDir, name))
			d.ok(err)
			d.pass(0)
			d.want("a.edi=x")
			d.write(claimedDir+"/"+name, string(copied)) // the removal was lost
		}},
		{"after it was removed", func(d *desk) { d.pass(10 * time.Second) }},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			d := newDesk(t, "")
			d.write("a.edi", "x")
			d.pass(0)
			c.crash(d)
			d.restart("")
			d.pass(0)
			d.pass(10 * time.Second)
			d.want("a.edi=x")
			if n := len(d.names(claimedDir)); n != 0 || len(d.names(".")) != 1 {
				t.Errorf("%d claimed files and %q are left", n, d.names("."))
			}
			for _, a := range d.sink.Seen() {
				if a.Key != d.sink.Seen()[0].Key {
					t.Errorf("came under two keys, %q and %q", a.Key, d.sink.Seen()[0].Key)
				}
			}
		})
	}
}

// lateWriter is a Sink during whose Accept the writer goes on writing.
type lateWriter struct {
	*transporttest.Sink
	write func()
}

func (l *lateWriter) Accept(ctx context.Context, a *transport.Arrival) (*transport.Acceptance, error) {
	acc, err := l.Sink.Accept(ctx, a)
	if l.write != nil {
		l.write()
		l.write = nil
	}
	return acc, err
}

func TestFileStillBeingWrittenArrivesWhole(t *testing.T) {
	t.Parallel()
	d := newDesk(t, "")
	d.write("a.edi", "half")
	f, err := os.OpenFile(filepath.Join(d.dir, "a.edi"), os.O_APPEND|os.O_WRONLY, 0)
	d.ok(err)
	defer func() { d.ok(f.Close()) }()
	d.p.sink = &lateWriter{Sink: d.sink, write: func() { _, err := f.WriteString(" and whole"); d.ok(err) }}
	d.pass(0)
	d.pass(10 * time.Second)
	d.want("a.edi=half")
	d.pass(9 * time.Second)
	d.want("a.edi=half")
	d.pass(time.Second)
	d.want("a.edi=half", "a.edi=half and whole")
	if len(d.events) != 1 || !strings.Contains(d.events[0], "still being written") {
		t.Errorf("troubles: %q", d.events)
	}
	if len(d.names(claimedDir)) != 0 {
		t.Errorf("left %q", d.names(claimedDir))
	}
}

func TestChangedAfterTheClaimWaitsAgain(t *testing.T) {
	t.Parallel()
	d := newDesk(t, "")
	d.write("a.edi", "half")
	f, err := os.OpenFile(filepath.Join(d.dir, "a.edi"), os.O_APPEND|os.O_WRONLY, 0)
	d.ok(err)
	defer func() { d.ok(f.Close()) }()
	d.pass(0)
	d.now = d.now.Add(10 * time.Second)
	root, err := openFolder(d.dir, claimedDir)
	d.ok(err)
	next := d.now
	_, err = d.p.claimAll(root, &next)
	d.ok(errors.Join(err, root.Close()))
	_, err = f.WriteString(" and whole")
	d.ok(err)
	d.pass(0)
	d.want()
	d.pass(10 * time.Second)
	d.want("a.edi=half and whole")
}

func TestStrangersInTheClaimedFolderAreLeftAlone(t *testing.T) {
	t.Parallel()
	d := newDesk(t, "")
	d.pass(0)
	d.write(claimedDir+"/notes.txt", "x")
	id := strings.Repeat("0", 32)
	d.ok(os.Symlink("/etc/passwd", filepath.Join(d.dir, claimedDir, id+"-link")))
	d.ok(os.Mkdir(filepath.Join(d.dir, claimedDir, id+"-folder"), 0o700))
	for range 3 {
		d.pass(time.Minute)
	}
	d.want()
	if len(d.events) != 3 || len(d.names(claimedDir)) != 3 {
		t.Errorf("troubles: %q, left %q", d.events, d.names(claimedDir))
	}
}

func TestMoreThanABatchIsWorkedOffAtOnce(t *testing.T) {
	t.Parallel()
	d := newDesk(t, "")
	for i := range batch + 10 {
		d.write(fmt.Sprintf("%04d.edi", i), "x")
	}
	d.pass(0)
	if wait := d.pass(10 * time.Second); wait != 0 {
		t.Errorf("waits %v with files left", wait)
	}
	if wait := d.pass(0); wait == 0 {
		t.Error("does not wait with nothing left")
	}
	if got := d.taken(); len(got) != batch+10 || !slices.IsSorted(got) {
		t.Errorf("took %d, sorted %v", len(got), slices.IsSorted(got))
	}
}

func TestStoppingDoesNotBeginAnother(t *testing.T) {
	t.Parallel()
	d := newDesk(t, "")
	d.write("a.edi", "x")
	d.write("b.edi", "y")
	d.pass(0)
	d.now = d.now.Add(10 * time.Second)
	ctx, cancel := context.WithCancel(context.Background())
	d.p.sink = &lateWriter{Sink: d.sink, write: cancel}
	_, err := d.p.pass(ctx, context.Background())
	d.ok(err)
	d.want("a.edi=x")
	d.restart("")
	d.pass(0)
	d.want("a.edi=x", "b.edi=y")
}

func TestDrainEndsAfterItsTime(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(context.Background())
	hand, finish := draining(ctx, 10*time.Millisecond)
	defer finish()
	if hand.Err() != nil {
		t.Fatal("ended before it began")
	}
	cancel()
	select {
	case <-hand.Done():
	case <-time.After(2 * time.Minute):
		t.Fatal("work in hand is never cut off")
	}
}
