package interop

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"tradepost/as2"
)

// writeReport makes TestLive write docs/interop.md instead of comparing with it:
//
//	go test ./interop -args -write
var writeReport = flag.Bool("write", false, "write docs/interop.md")

// chapter is all that was tried with a product.
type chapter struct {
	product product
	about   string
	results []result
}

// report is docs/interop.md in the making.
type report struct {
	mu       sync.Mutex
	chapters []chapter
}

func (r *report) add(c chapter) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.chapters = append(r.chapters, c)
}

// compare fails when docs/interop.md tells another outcome. It does nothing
// when a product was left out or a trial went wrong.
func (r *report) compare(t *testing.T) {
	t.Helper()
	if anotherRelease() {
		return
	}
	if len(r.chapters) != len(products()) {
		if *writeReport {
			t.Error("docs/interop.md is not written: some trials were left out or went wrong")
		}
		return
	}
	slices.SortFunc(r.chapters, func(a, b chapter) int { return strings.Compare(a.product.name, b.product.name) })
	file := filepath.Join("..", "docs", "interop.md")
	text := r.text(time.Now())
	if *writeReport {
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	old, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	// Date and versions may be others on another day and machine.
	versions := regexp.MustCompile(`(?m)^Last run: .*$`)
	if versions.ReplaceAllString(string(old), "") != versions.ReplaceAllString(text, "") {
		t.Error("docs/interop.md tells another outcome: run `go test ./interop -args -write`, and look at what has changed")
	}
}

// text is the whole of docs/interop.md.
func (r *report) text(now time.Time) string {
	var b strings.Builder
	b.WriteString(`# Interoperability

` + "`make interop`" + ` starts other AS2 products on this machine and trades with them,
over HTTP and HTTPS on the loopback interface and in both directions. It needs a Java
runtime with Maven, Python with pip and OpenSSL, and fetches the products
through Maven and pip into the user's cache once. What is missing is left out
and said; with CI=true it is a failure. OpenAS2 is the newest release in Maven
Central; TRADEPOST_OPENAS2 names a folder with the libraries of another one.

This page is written by such a run (` + "`go test ./interop -args -write`" + `), and a run
fails when it comes to another outcome than this page. An exchange is good when
the document arrived byte for byte, made exactly as agreed (digest, cipher,
compression), and the receipt asked for came back, signed by the right
certificate, with the MIC that the sender had computed. No exchange has a MIC
mismatch that is ours. Numbers stand for deviations of the product, explained
at the end of its chapter; the run fails as well when one of them is gone.

`)
	var names []string
	for _, c := range r.chapters {
		names = append(names, c.about)
	}
	fmt.Fprintf(&b, "Last run: %s, %s; ours built with %s.\n\n", now.UTC().Format(time.DateOnly), strings.Join(names, ", "), runtime.Version())
	b.WriteString("| Product | Direction | Exchanges | Good | Deviations of the product |\n|---|---|---:|---:|---:|\n")
	for _, c := range r.chapters {
		for _, direction := range []string{toPeer, fromPeer} {
			all := c.only(func(tr trial) bool { return tr.direction == direction })
			deviating := slices.DeleteFunc(slices.Clone(all), func(x result) bool { return x.deviation == nil })
			fmt.Fprintf(&b, "| %s | %s | %d | %d | %d |\n", c.product.name, direction, len(all), len(all)-len(deviating), len(deviating))
		}
	}
	b.WriteString(`
The contents go round through the cells of each matrix, so that each of them
meets each digest with each cipher, and each compression with each receipt:
an X12 interchange with LF after its segments, 128 KB with every pair of bytes,
1 byte, 1 MB, and Latin-1 text with LF. Receipts: *sync* in the HTTP answer and
*async* on a connection of its own, both signed; *plain* in the HTTP answer and
unsigned; *none*. SHA-1 and 3DES are written only because a partner's agreement
names them.

What openssl and the Python library asn1crypto make of our CMS, and we of
theirs, is tested beside this (` + "`interop/openssl_test.go`, `interop/openssl_cms_test.go`, `interop/asn1crypto_test.go`" + `):
every digest with RSA, RSA-PSS and ECDSA on P-256, P-384 and P-521, every cipher
with RSA, RSA-OAEP and ECDH, in BER and in DER, detached and enveloping, by
certificate and by key identifier, for one recipient and for many; asn1crypto
also reads and writes CompressedData, which Debian's openssl cannot, and says
whether our DER is DER. Certificate exchange (CEM), which neither product knows, is
tried in both directions (` + "`interop/cem_test.go`" + `) with a partner made of Python's
email and ElementTree, asn1crypto and openssl.
`)
	for _, c := range r.chapters {
		c.text(&b)
	}
	return b.String()
}

// only are the results of some trials.
func (c chapter) only(which func(trial) bool) []result {
	var out []result
	for _, r := range c.results {
		if which(r.trial) {
			out = append(out, r)
		}
	}
	return out
}

// text writes the chapter.
func (c chapter) text(b *strings.Builder) {
	fmt.Fprintf(b, "\n## %s\n", c.product.name)
	for _, direction := range []string{toPeer, fromPeer} {
		c.grid(b, direction)
	}
	for _, s := range []struct {
		part  part
		title string
	}{
		{further, "Beyond the matrix"},
		{wrong, "What must not be taken over"},
		{inProgram, "Through the whole program (`tradepost serve`)"},
	} {
		fmt.Fprintf(b, "\n### %s\n\n| Direction | Exchange | Outcome |\n|---|---|---|\n", s.title)
		for _, r := range c.only(func(tr trial) bool { return tr.part == s.part }) {
			fmt.Fprintf(b, "| %s | %s | %s |\n", r.direction, strings.Join(r.title, ", "), r.outcome())
		}
	}
	fmt.Fprintf(b, "\n### Deviations of %s\n\n", c.product.name)
	for _, d := range deviations() {
		if d.product == c.product.name {
			fmt.Fprintf(b, "%d. %s\n", d.number(), d.why)
		}
	}
	for _, note := range c.product.notes {
		fmt.Fprintf(b, "\n%s\n", note)
	}
}

// outcome is a cell of a table.
func (r result) outcome() string {
	if r.deviation == nil {
		return "good"
	}
	return fmt.Sprintf("(%d)", r.deviation.number())
}

// grid writes the matrix of a direction: a row for each digest and cipher, a
// column for each compression and receipt.
func (c chapter) grid(b *strings.Builder, direction string) {
	fmt.Fprintf(b, "\n### %s: every way to sign, encrypt, compress and ask for a receipt\n\n", strings.ToUpper(direction[:1])+direction[1:])
	outcomes := map[cell]string{}
	for _, r := range c.only(func(tr trial) bool { return tr.part == inMatrix && tr.direction == direction }) {
		key := r.cell
		key.content = ""
		outcomes[key] = r.outcome()
	}
	d := everything()
	b.WriteString("| Signature | Encryption |")
	for _, compress := range d.compress {
		for _, receipt := range d.receipt {
			where := map[as2.Compression]string{as2.NoCompression: "", as2.BeforeSigning: "zip, sign: ", as2.AfterSigning: "sign, zip: "}[compress]
			fmt.Fprintf(b, " %s%s |", where, map[wish]string{syncSigned: "sync", asyncSigned: "async", syncPlain: "plain", noReceipt: "none"}[receipt])
		}
	}
	b.WriteString("\n|---|---|" + strings.Repeat("---|", len(d.compress)*len(d.receipt)) + "\n")
	for _, sign := range d.sign {
		for _, encrypt := range d.encrypt {
			v := cell{sign: sign, encrypt: encrypt}.values()
			fmt.Fprintf(b, "| %s | %s |", v[0], v[1])
			for _, compress := range d.compress {
				for _, receipt := range d.receipt {
					o, ok := outcomes[cell{sign: sign, encrypt: encrypt, compress: compress, receipt: receipt}]
					if !ok {
						o = "cannot"
					}
					fmt.Fprintf(b, " %s |", o)
				}
			}
			b.WriteString("\n")
		}
	}
}
