// Package deploy holds what installs a station to the program: the unit of
// systemd, and the contents of the image.
package deploy

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"tradepost/internal/freeport"
)

// asked skips what needs more than Go, unless it is asked for.
func asked(t *testing.T) {
	t.Helper()
	if os.Getenv("TRADEPOST_DEPLOY") == "" {
		t.Skip("TRADEPOST_DEPLOY is not set: `make deploy` installs a station")
	}
}

// TestUnit has systemd read the unit, and judge what it leaves a station that
// somebody has taken over.
func TestUnit(t *testing.T) {
	asked(t)
	text, err := os.ReadFile("systemd/tradepost.service")
	if err != nil {
		t.Fatal(err)
	}
	program, err := os.Executable() // systemd asks that there is one
	if err != nil {
		t.Fatal(err)
	}
	unit := filepath.Join(t.TempDir(), "tradepost.service")
	if err := os.WriteFile(unit, bytes.ReplaceAll(text, []byte("/usr/local/bin/tradepost"), []byte(program)), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{
		{"verify", "--man=no", unit},
		{"security", "--offline=true", "--no-pager", "--threshold=20", unit}, // of 100, which is no protection at all
	} {
		if out, err := exec.CommandContext(t.Context(), "systemd-analyze", args...).CombinedOutput(); err != nil || args[0] == "verify" && len(out) > 0 {
			t.Errorf("systemd-analyze %s: %v\n%s", args[0], err, out)
		}
	}
}

// image is what the Dockerfile makes.
type image struct {
	build      string            // the command that builds the program
	copies     map[string]string // path in the image to path in the build
	user       int
	dir        string
	entrypoint []string
	cmd        []string
}

// readImage reads the Dockerfile as far as ours goes.
func readImage(t *testing.T) image {
	t.Helper()
	text, err := os.ReadFile("docker/Dockerfile")
	if err != nil {
		t.Fatal(err)
	}
	i := image{copies: map[string]string{}}
	list := func(s string) (words []string) {
		if err := json.Unmarshal([]byte(s), &words); err != nil {
			t.Fatalf("%s: %v", s, err)
		}
		return words
	}
	for line := range strings.Lines(string(text)) {
		instruction, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		switch instruction {
		case "RUN":
			if strings.Contains(rest, "go build") {
				i.build = rest
			}
		case "COPY":
			if words := strings.Fields(rest); strings.HasPrefix(words[0], "--from=") {
				i.copies[words[len(words)-1]] = words[len(words)-2]
			}
		case "USER":
			user, _, _ := strings.Cut(rest, ":")
			if i.user, err = strconv.Atoi(user); err != nil {
				t.Fatal(err)
			}
		case "WORKDIR":
			i.dir = rest
		case "ENTRYPOINT":
			i.entrypoint = list(rest)
		case "CMD":
			i.cmd = list(rest)
		}
	}
	return i
}

// TestImage makes the image's contents by what the Dockerfile says, and a
// station in it, as its user: an empty root is all the program needs.
func TestImage(t *testing.T) {
	asked(t)
	i := readImage(t)
	root := t.TempDir()
	for _, dir := range []string{filepath.Dir(root), root} { // for the user of the image
		if err := os.Chmod(dir, 0o755); err != nil { //nolint:gosec // holds nothing secret
			t.Fatal(err)
		}
	}
	for to, from := range i.copies {
		place := filepath.Join(root, to)
		if err := os.MkdirAll(filepath.Dir(place), 0o755); err != nil { //nolint:gosec // as in the image
			t.Fatal(err)
		}
		switch {
		case strings.Contains(i.build, "-o "+from+" "):
			build := exec.CommandContext(t.Context(), "sh", "-c", strings.Replace(i.build, from, place, 1))
			build.Dir = ".."
			if out, err := build.CombinedOutput(); err != nil {
				t.Fatalf("%s: %v\n%s", i.build, err, out)
			}
		case to == i.dir:
			if err := os.Mkdir(place, 0o700); err != nil {
				t.Fatal(err)
			}
			if os.Geteuid() == 0 {
				if err := os.Chown(place, i.user, i.user); err != nil {
					t.Fatal(err)
				}
			}
		default:
			text, err := os.ReadFile(from)
			if err == nil {
				err = os.WriteFile(place, text, 0o644) //nolint:gosec // public, as in the image
			}
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	port := func() string {
		p, err := freeport.Reserve()
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = p.Release() })
		return p.Address()
	}
	admin := port()
	if out, err := i.command(t, root, "init", "--name", "buyer", "--as2-address", port(), "--admin-address", admin).CombinedOutput(); err != nil {
		t.Fatalf("init: %v\n%s", err, out)
	}
	serve := i.command(t, root, i.cmd...)
	var log bytes.Buffer
	serve.Stderr = &log
	if err := serve.Start(); err != nil {
		t.Fatal(err)
	}
	if err := ready("http://" + admin + "/readyz"); err != nil {
		t.Error(err)
	}
	if out, err := i.command(t, root, "doctor").CombinedOutput(); err != nil {
		t.Errorf("doctor: %v\n%s", err, out)
	}
	if err := serve.Process.Signal(syscall.SIGTERM); err != nil {
		t.Error(err)
	}
	if err := serve.Wait(); err != nil {
		t.Errorf("serve: %v\n%s", err, log.String())
	}
}

// command is a run of the image's program with nothing of this machine but its
// network: another root, no environment.
func (i image) command(t *testing.T, root string, args ...string) *exec.Cmd {
	t.Helper()
	c := exec.CommandContext(t.Context(), i.entrypoint[0], append(slices.Clone(i.entrypoint[1:]), args...)...) //nolint:gosec // ours
	c.Dir, c.Env = i.dir, []string{"TZ=Europe/Berlin"}
	c.SysProcAttr = &syscall.SysProcAttr{Chroot: root, Pdeathsig: syscall.SIGKILL}
	id := uint32(i.user) //nolint:gosec // 65532
	if os.Geteuid() == 0 {
		c.SysProcAttr.Credential = &syscall.Credential{Uid: id, Gid: id, NoSetGroups: true}
		return c
	}
	c.SysProcAttr.Cloneflags = syscall.CLONE_NEWUSER
	c.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: i.user, HostID: os.Geteuid(), Size: 1}}
	c.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{ContainerID: i.user, HostID: os.Getegid(), Size: 1}}
	return c
}

// ready waits until the station takes work.
func ready(url string) error {
	var err error
	for deadline := time.Now().Add(2 * time.Minute); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		var resp *http.Response
		if resp, err = http.Get(url); err != nil { //nolint:gosec,noctx // ours, on loopback
			continue
		}
		_, err = io.Copy(io.Discard, resp.Body)
		_ = resp.Body.Close()
		if err == nil && resp.StatusCode == http.StatusOK {
			return nil
		}
	}
	return err
}

// TestOneStory: unit, image, compose file and this folder's README agree with
// each other and with the module.
func TestOneStory(t *testing.T) {
	t.Parallel()
	text := func(name string) string {
		t.Helper()
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	find := func(name, pattern string) string {
		t.Helper()
		m := regexp.MustCompile(pattern).FindStringSubmatch(text(name))
		if m == nil {
			t.Fatalf("%s has no %s", name, pattern)
		}
		return m[1]
	}
	i := readImage(t)
	if in, of := find("docker/Dockerfile", `FROM golang:(\S+)`), find("../go.mod", `(?m)^go (\d+\.\d+)`); in != of {
		t.Errorf("the image is built with Go %s, the module asks for %s", in, of)
	}
	ports := find("docker/Dockerfile", `EXPOSE (.*)`)
	for _, port := range strings.Fields(ports) {
		for _, name := range []string{"docker/compose.yaml", "README.md", "../internal/cli/init.go"} {
			if !strings.Contains(text(name), ":"+port) {
				t.Errorf("%s does not know port %s of the image", name, port)
			}
		}
	}
	for name, word := range map[string]string{
		"docker/compose.yaml": "station:" + i.dir + "\n",
		"README.md":           strconv.Itoa(i.user),
	} {
		if !strings.Contains(text(name), word) {
			t.Errorf("%s does not know %q of the image", name, word)
		}
	}
	if !strings.Contains(text("README.md"), find("systemd/tradepost.service", `WorkingDirectory=(\S+)`)) {
		t.Error("README.md does not know the folder of the unit")
	}
}
