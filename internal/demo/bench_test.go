package demo

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"syscall"
	"testing"
	"time"
)

// BenchmarkColdStart starts a station as `tradepost serve` does and tells how
// long it takes until /readyz says yes, and how much memory the idle process
// holds. Beside it stands the same for `tradepost version`: a process that
// only starts.
func BenchmarkColdStart(b *testing.B) {
	file, err := program()
	if err != nil {
		b.Fatal(err)
	}
	dir := b.TempDir()
	buyer, supplier := newSides(dir, nil)
	defer buyer.release()
	defer supplier.release()
	if err := makeStations(dir, time.Now(), buyer, supplier); err != nil {
		b.Fatal(err)
	}
	var ready, bare time.Duration
	var resident int
	for b.Loop() {
		began := time.Now()
		if err := exec.Command(file, "version").Run(); err != nil {
			b.Fatal(err)
		}
		bare += time.Since(began)
		took, memory := coldStart(b, file, buyer)
		ready += took
		resident = max(resident, memory)
	}
	b.ReportMetric(float64(ready.Milliseconds())/float64(b.N), "ms-to-ready")
	b.ReportMetric(float64(bare.Milliseconds())/float64(b.N), "ms-bare-process")
	b.ReportMetric(float64(resident)/1024, "MB-resident-idle")
}

// coldStart serves a station until it is ready and has been idle for a second;
// it returns the time to readiness and the resident memory in KiB.
func coldStart(b *testing.B, file string, s *side) (time.Duration, int) {
	b.Helper()
	cmd := exec.Command(file, "serve", "--config", s.config())
	began := time.Now()
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	defer func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		_ = cmd.Wait()
	}()
	ctx, cancel := context.WithTimeout(b.Context(), 20*time.Second)
	defer cancel()
	for {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+s.Admin+"/readyz", nil)
		if err != nil {
			b.Fatal(err)
		}
		if resp, err := http.DefaultClient.Do(req); err == nil {
			_ = resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				break
			}
		}
		if ctx.Err() != nil {
			b.Fatal("the station does not become ready")
		}
		time.Sleep(2 * time.Millisecond)
	}
	took := time.Since(began)
	time.Sleep(time.Second)
	return took, residentKiB(cmd.Process.Pid)
}

var vmRSS = regexp.MustCompile(`VmRSS:\s+(\d+) kB`)

// residentKiB reads a process's resident memory where the system tells it.
func residentKiB(pid int) int {
	status, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "status"))
	if err != nil {
		return 0
	}
	m := vmRSS.FindSubmatch(status)
	if m == nil {
		return 0
	}
	n, _ := strconv.Atoi(string(m[1]))
	return n
}

// BenchmarkExchange plays the whole trade of the demonstration.
func BenchmarkExchange(b *testing.B) {
	file, err := program()
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		out, err := exec.Command(file, "demo", "--once", "-o", "jsonl").CombinedOutput()
		if err != nil {
			b.Fatal(fmt.Errorf("%w\n%s", err, out))
		}
	}
	b.ReportMetric(b.Elapsed().Seconds()/float64(b.N), "s-whole-trade")
}
