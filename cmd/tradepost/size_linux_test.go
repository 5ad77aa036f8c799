package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"tradepost/internal/cli"
)

// asCommand makes the test binary the command, for tests that look at a process
// from outside.
const asCommand = "TRADEPOST_TEST_AS_COMMAND"

func TestMain(m *testing.M) {
	if os.Getenv(asCommand) != "" {
		os.Exit(cli.Main())
	}
	os.Exit(m.Run())
}

// endless writes EDI of at least so many bytes.
type endless struct {
	name           string
	open, document string // what is #########, a number of nine digits, counts the documents
	line           string // when set, document is this many times over: one document
	close          string
}

const isa = "ISA*00*          *00*          *ZZ*BUYER          *ZZ*SELLER         *260301*1200*U*00401*000000001*0*P*>~\n"

// kinds are the inputs: many documents of either standard, and one document
// without an end in sight.
func kinds() []endless {
	order := "ST*850*#########~\nBEG*00*NE*45#########**20260301~\nCUR*BY*USD~\nREF*DP*038~\nDTM*002*20260315~\n" +
		"N1*ST*Main Street Store*92*00042~\nN3*1 Main Street*Dock 4~\nN4*Springfield*IL*62701*US~\n" +
		strings.Repeat("PO1*1*10*EA*9.95*PE*UP*012345678905*VN*W-00001~\nPID*F****Widget, blue, with a longer description~\n", 20) +
		"CTT*20~\nSE*50*#########~\n"
	message := "UNH+#########+ORDERS:D:96A:UN'BGM+220+PO#########+9'DTM+137:20260801:102'NAD+BY+5412345000013::9'NAD+SU+4012345000094::9'CUX+2:EUR:9'" +
		strings.Repeat("LIN+1++4012345000009:EN'IMD+F++:::WIDGET ?+ CO'QTY+21:5'PRI+AAA:9.95'", 20) + "UNS+S'CNT+2:20'UNT+89+#########'"
	return []endless{
		{"X12 documents", isa + "GS*PO*BUYERGS*SELLERGS*20260301*1200*1*X*004010~\n", order, "", "GE*%d*1~\nIEA*1*000000001~\n"},
		{"EDIFACT messages", "UNA:+.? 'UNB+UNOC:3+4012345000009:14+5412345000013:14+260801:1200+1'", message, "", "UNZ+%d+1'"},
		{"one document", isa + "GS*SC*BUYERGS*SELLERGS*20260301*1200*1*X*004010~\nST*832*0001~\nBCT*PC*1~\n", "", "LIN*1*UP*012345678905~\nPID*F****Widget, blue, with a longer description~\n", "SE*%d*0001~\nGE*1*1~\nIEA*1*000000001~\n"},
	}
}

// write writes to w until there are size bytes, and ends the interchange.
func (e endless) write(w io.Writer, size int64) error {
	if _, err := io.WriteString(w, e.open); err != nil {
		return err
	}
	unit := []byte(e.document)
	if e.line != "" {
		unit = bytes.Repeat([]byte(e.line), 512)
	}
	var places []int
	for at := 0; ; at++ {
		i := bytes.Index(unit[at:], []byte("#########"))
		if i < 0 {
			break
		}
		at += i
		places = append(places, at)
	}
	n := 0
	for written := int64(0); written < size; written += int64(len(unit)) {
		n++
		for _, at := range places {
			copy(unit[at:], fmt.Sprintf("%09d", n))
		}
		if _, err := w.Write(unit); err != nil {
			return err
		}
	}
	if e.line != "" {
		_, err := fmt.Fprintf(w, e.close, 2*512*n+3) // two segments a line, ST, BCT and SE
		return err
	}
	_, err := fmt.Fprintf(w, e.close, n)
	return err
}

// peak runs the command with size bytes of e on standard input and gives the
// largest memory it took, in MiB, and the end of what it wrote.
func peak(t *testing.T, e endless, size int64, args ...string) (mib int, tail string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], args...)
	cmd.Env = append(os.Environ(), asCommand+"=1")
	cmd.Stderr = os.Stderr
	out := &tailWriter{}
	cmd.Stdout = out
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	var watch sync.WaitGroup
	watch.Go(func() {
		for {
			if now := highWater(cmd.Process.Pid); now > mib {
				mib = now
			}
			select {
			case <-done:
				return
			case <-time.After(20 * time.Millisecond):
			}
		}
	})
	err = errors.Join(e.write(in, size), in.Close(), cmd.Wait())
	close(done)
	watch.Wait()
	if err != nil {
		t.Fatalf("%v\n%s", err, out.tail)
	}
	t.Logf("%s: %d MB of %s in %v (%.0f MB/s), %d MiB at most", strings.Join(args, " "), size/1e6, e.name,
		time.Since(began).Round(time.Millisecond), float64(size)/1e6/time.Since(began).Seconds(), mib)
	return mib, string(out.tail)
}

// highWater gives the largest memory a process has taken so far, in MiB.
func highWater(pid int) int {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(status), "VmHWM:")
	field, _, _ := strings.Cut(strings.TrimSpace(rest), " ")
	kib, err := strconv.Atoi(field)
	if err != nil {
		return 0
	}
	return kib >> 10
}

// tailWriter keeps the last bytes written.
type tailWriter struct{ tail []byte }

func (w *tailWriter) Write(p []byte) (int, error) {
	const keep = 200
	w.tail = append(w.tail, p[max(0, len(p)-keep):]...)
	w.tail = bytes.Clone(w.tail[max(0, len(w.tail)-keep):])
	return len(p), nil
}

// memoryLimit is what a command of edi may take, however long its input is.
const memoryLimit = 64 // MiB

func validateSize(t *testing.T, e endless, size int64) int {
	t.Helper()
	mib, tail := peak(t, e, size, "edi", "validate", "-", "-o", "json")
	if !strings.HasSuffix(strings.TrimSpace(tail), `"accepted":true,"errors":0,"warnings":0}`) {
		t.Errorf("%s was not accepted: ...%s", e.name, tail)
	}
	return mib
}

// TestMemoryDoesNotGrow: the memory of edi validate is the same for four times
// the input.
func TestMemoryDoesNotGrow(t *testing.T) {
	if info, ok := debug.ReadBuildInfo(); ok && slices.Contains(info.Settings, debug.BuildSetting{Key: "-race", Value: "true"}) {
		t.Skip("the race detector takes memory of its own")
	}
	for _, e := range kinds() {
		small, large := validateSize(t, e, 6e6), validateSize(t, e, 24e6)
		if large > small+12 || large >= memoryLimit {
			t.Errorf("%s: %d MiB for 6 MB of input, %d MiB for 24 MB", e.name, small, large)
		}
	}
}

// TestSoakFiveGigabytes: 5 GB on standard input in less than 64 MiB, for edi
// validate in each form; less of it for the slower commands, and for edi ack,
// which keeps what its acknowledgement says.
func TestSoakFiveGigabytes(t *testing.T) {
	if os.Getenv("TRADEPOST_SOAK") == "" {
		t.Skip("TRADEPOST_SOAK is not set: `make soak` validates 5 GB in each of three forms")
	}
	for _, e := range kinds() {
		if mib := validateSize(t, e, 5e9); mib >= memoryLimit {
			t.Errorf("edi validate: %d MiB for 5 GB of %s", mib, e.name)
		}
		for _, args := range [][]string{{"edi", "inspect", "-"}, {"edi", "convert", "-", "--to", "jsonl"}, {"edi", "convert", "-", "--to", "json"}, {"edi", "ack", "-"}} {
			if mib, _ := peak(t, e, 100e6, args...); mib >= memoryLimit {
				t.Errorf("%s: %d MiB for 100 MB of %s", strings.Join(args, " "), mib, e.name)
			}
		}
	}
}
