package directory

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"tradepost/transport"
)

// tray is a deliver folder and a Sender for it.
type tray struct {
	t    *testing.T
	dir  string
	now  time.Time
	s    *Sender
	seen []error
}

func newTray(t *testing.T, settings string) *tray {
	y := &tray{t: t, dir: t.TempDir(), now: time.Now()}
	y.restart(settings)
	return y
}

func (y *tray) restart(settings string) {
	y.t.Helper()
	var err error
	y.s, err = NewSender(transport.Connection{Name: "office", Settings: json.RawMessage(`{"deliver":"` + y.dir + `"` + settings + `}`)},
		Config{Now: func() time.Time { return y.now }, Rand: rand.Reader, OnTrouble: func(err error) { y.seen = append(y.seen, err) }})
	y.ok(err)
}

func (y *tray) ok(err error) {
	y.t.Helper()
	if err != nil {
		y.t.Fatal(err)
	}
}

func (y *tray) prepare(id, name, content string) *transport.Prepared {
	y.t.Helper()
	p, err := y.s.Prepare(context.Background(), &transport.Delivery{
		ID: id, Partner: "ACME", Content: transport.Part{Filename: name, Body: transport.Bytes(content)},
	})
	y.ok(err)
	return p
}

func (y *tray) send(id string, p *transport.Prepared) *transport.Outcome {
	y.t.Helper()
	o, err := y.s.Send(context.Background(), id, p)
	y.ok(err)
	if !o.Delivered || o.Evidence.Remote != y.dir || o.Evidence.Response == "" {
		y.t.Fatalf("outcome %+v", o)
	}
	return o
}

// visible lists what the back office sees, as name=content.
func (y *tray) visible() []string {
	y.t.Helper()
	entries, err := os.ReadDir(y.dir)
	y.ok(err)
	out := []string{}
	for _, e := range entries {
		if e.Name() == workDir {
			continue
		}
		b, err := os.ReadFile(filepath.Join(y.dir, e.Name()))
		y.ok(err)
		out = append(out, e.Name()+"="+string(b))
	}
	return out
}

func (y *tray) want(want ...string) {
	y.t.Helper()
	if got := y.visible(); !slices.Equal(got, want) {
		y.t.Fatalf("visible %q, want %q", got, want)
	}
}

func TestNothingIsVisibleBeforeSend(t *testing.T) {
	t.Parallel()
	y := newTray(t, "")
	p := y.prepare("D1", "po.edi", "ISA")
	y.want()
	if p.MessageID != "po-D1.edi" || p.Wire != nil || p.WantReceipt {
		t.Errorf("%+v", p)
	}
	y.send("D1", p)
	y.want("po-D1.edi=ISA")
	if got, _ := os.ReadDir(filepath.Join(y.dir, stagedDir)); len(got) != 0 {
		t.Errorf("still staged: %v", got)
	}
}

// TestSendAfterACrash: each moment of a Send at which everything may stop,
// with a new Sender afterwards.
func TestSendAfterACrash(t *testing.T) {
	t.Parallel()
	staged, sent := stagedDir+"/D1", sentDir+"/D1"
	cases := []struct {
		name  string
		crash func(y *tray, p *transport.Prepared)
		want  []string
		how   string
	}{
		{"before Send", func(*tray, *transport.Prepared) {}, []string{"po-D1.edi=ISA"}, "written as po-D1.edi"},
		{"with the intent noted", func(y *tray, _ *transport.Prepared) {
			y.ok(os.WriteFile(filepath.Join(y.dir, sent), []byte("po-D1.edi\n"), 0o600))
		}, []string{"po-D1.edi=ISA"}, "written as po-D1.edi"},
		{
			"after the rename", func(y *tray, p *transport.Prepared) { y.send("D1", p) },
			[]string{"po-D1.edi=ISA"},
			"had been written as po-D1.edi before",
		},
		{"after the back office has taken it", func(y *tray, p *transport.Prepared) {
			y.send("D1", p)
			y.ok(os.Remove(filepath.Join(y.dir, "po-D1.edi")))
		}, []string{}, "had been written as po-D1.edi before"},
		{"with the staged file lost", func(y *tray, _ *transport.Prepared) {
			y.ok(os.Remove(filepath.Join(y.dir, staged)))
		}, []string{"po-D1.edi=ISA"}, "written as po-D1.edi"},
		{"with the staged file damaged", func(y *tray, _ *transport.Prepared) {
			y.ok(os.WriteFile(filepath.Join(y.dir, staged), []byte("I"), 0o600))
		}, []string{"po-D1.edi=ISA"}, "written as po-D1.edi"},
		{"with all our folders lost", func(y *tray, _ *transport.Prepared) {
			y.ok(os.RemoveAll(filepath.Join(y.dir, workDir)))
		}, []string{"po-D1.edi=ISA"}, "written as po-D1.edi"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			y := newTray(t, "")
			p := y.prepare("D1", "po.edi", "ISA")
			c.crash(y, p)
			y.restart(`,"filename":"other-{id}"`) // the pattern may have changed meanwhile
			if o := y.send("D1", p); o.Evidence.Response != c.how {
				t.Errorf("%q, want %q", o.Evidence.Response, c.how)
			}
			y.want(c.want...)
			y.send("D1", p)
			y.want(c.want...)
		})
	}
}

func TestAnotherFileIsNeverOverwritten(t *testing.T) {
	t.Parallel()
	y := newTray(t, `,"filename":"{name}"`)
	theirs := filepath.Join(y.dir, "po.edi")
	y.ok(os.WriteFile(theirs, []byte("theirs"), 0o600))
	p := y.prepare("D1", "po.edi", "ours")
	for range 2 {
		_, err := y.s.Send(context.Background(), "D1", p)
		var ae *transport.AttemptError
		if !errors.As(err, &ae) || transport.IsPermanent(err) || !errors.Is(err, fs.ErrExist) || !strings.Contains(err.Error(), "po.edi is there already") {
			t.Fatalf("%v", err)
		}
		y.want("po.edi=theirs")
	}
	// That it was tried is no proof that it happened.
	y.ok(os.Remove(filepath.Join(y.dir, stagedDir, "D1")))
	if o, err := y.s.Send(context.Background(), "D1", p); !errors.Is(err, fs.ErrExist) {
		t.Fatalf("%+v, %v", o, err)
	}
	y.ok(os.Remove(theirs))
	y.send("D1", p)
	y.want("po.edi=ours")
	// The next one of that name waits, too, and the first stays what it is.
	q := y.prepare("D2", "po.edi", "second")
	if _, err := y.s.Send(context.Background(), "D2", q); !errors.Is(err, fs.ErrExist) {
		t.Fatalf("%v", err)
	}
	y.send("D1", p)
	y.want("po.edi=ours")
}

func TestRenameLookingDoesNotOverwrite(t *testing.T) {
	t.Parallel()
	y := newTray(t, "")
	y.ok(os.WriteFile(filepath.Join(y.dir, "a"), []byte("a"), 0o600))
	y.ok(os.WriteFile(filepath.Join(y.dir, "b"), []byte("b"), 0o600))
	root, err := os.OpenRoot(y.dir)
	y.ok(err)
	if err := renameLooking(root, "a", "b"); !errors.Is(err, fs.ErrExist) {
		t.Errorf("%v", err)
	}
	y.ok(renameLooking(root, "a", "c"))
	y.want("b=b", "c=a")
	y.ok(root.Close())
}

func TestTroubleNamesWhatToDo(t *testing.T) {
	t.Parallel()
	y := newTray(t, "")
	p := y.prepare("D1", "po.edi", "ISA")
	y.ok(os.Rename(y.dir, y.dir+"-away"))
	_, err := y.s.Send(context.Background(), "D1", p)
	if err == nil || transport.IsPermanent(err) || !strings.Contains(err.Error(), "make the folder, or mount") {
		t.Errorf("missing folder: %v", err)
	}
	if _, err := y.s.Prepare(context.Background(), &transport.Delivery{ID: "D2", Content: transport.Part{Body: transport.Bytes("x")}}); err == nil {
		t.Error("prepared into nowhere")
	}
	y.ok(os.WriteFile(y.dir, []byte("a file"), 0o600))
	if _, err := y.s.Send(context.Background(), "D1", p); err == nil || !strings.Contains(err.Error(), "not a folder") {
		t.Errorf("a file for a folder: %v", err)
	}
	y.ok(os.Remove(y.dir))
	y.ok(os.Rename(y.dir+"-away", y.dir))
	y.send("D1", p)

	for _, c := range []struct {
		err  error
		want string
	}{
		{syscall.ENOSPC, "make room"},
		{syscall.EDQUOT, "quota"},
		{syscall.EROFS, "read only"},
		{syscall.EACCES, "right to read, write"},
		{syscall.EPERM, "right to read, write"},
		{syscall.ESTALE, "mount it again"},
		{syscall.ENAMETOOLONG, "shorter name"},
		{syscall.ENOENT, "make the folder"},
		{syscall.EIO, "input/output error"},
	} {
		if got := advise(&fs.PathError{Op: "write", Path: "x", Err: c.err}); !errors.Is(got, c.err) || !strings.Contains(got.Error(), c.want) {
			t.Errorf("%v: %v", c.err, got)
		}
	}
}

func TestForeignPreparedIsPermanent(t *testing.T) {
	t.Parallel()
	y := newTray(t, "")
	for _, name := range []string{"", "../x", "a/b", ".hidden", "x.tmp", "<20260301@alice>", "a\x00b"} {
		_, err := y.s.Send(context.Background(), "D1", &transport.Prepared{MessageID: name, Content: transport.Part{Body: transport.Bytes("x")}})
		if !transport.IsPermanent(err) {
			t.Errorf("%q: %v", name, err)
		}
	}
	y.want()
}

// shortBody says that it is longer than it is.
type shortBody struct{ transport.Bytes }

func (s shortBody) Size() int64 { return int64(len(s.Bytes)) + 1 }

func TestShortContentIsNotDelivered(t *testing.T) {
	t.Parallel()
	y := newTray(t, "")
	_, err := y.s.Prepare(context.Background(), &transport.Delivery{ID: "D1", Content: transport.Part{Body: shortBody{transport.Bytes("abc")}}})
	if err == nil || !strings.Contains(err.Error(), "3 bytes instead of 4") {
		t.Errorf("%v", err)
	}
	if _, err := y.s.Prepare(context.Background(), &transport.Delivery{ID: "D1"}); err == nil {
		t.Error("prepared nothing")
	}
	left, err := os.ReadDir(filepath.Join(y.dir, stagedDir))
	y.ok(err)
	if len(left) != 0 {
		t.Errorf("left %v", left)
	}
}

func TestOldNotesAreSweptButNotAfterARestart(t *testing.T) {
	t.Parallel()
	y := newTray(t, "")
	y.send("D1", y.prepare("D1", "a.edi", "x"))
	y.prepare("D2", "b.edi", "never sent")
	y.now = y.now.Add(keepSent + time.Hour)
	y.restart("")
	y.prepare("D3", "c.edi", "y")
	notes := func() (n int) {
		for _, d := range []string{sentDir, stagedDir} {
			got, err := os.ReadDir(filepath.Join(y.dir, d))
			y.ok(err)
			n += len(got)
		}
		return n
	}
	if notes() != 3 {
		t.Fatalf("%d notes: swept right after a restart", notes())
	}
	y.now = y.now.Add(firstSweep)
	p := y.prepare("D4", "d.edi", "z")
	if notes() != 1 || len(y.seen) != 0 { // D3 is as old as D1 to this clock
		t.Errorf("%d notes are left, troubles %v", notes(), y.seen)
	}
	y.send("D4", p)
	y.want("a-D1.edi=x", "d-D4.edi=z")
}
