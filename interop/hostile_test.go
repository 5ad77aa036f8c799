package interop

import (
	"bytes"
	"compress/zlib"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"tradepost/as2/cms"
)

// TestHostileRequests gives `as2 receive` and `as2 verify` megabytes that would
// be dear to a reader that goes back and forth, that recurses, or that keeps
// everything: an answer or an error comes within the limits of corpusBench.run.
func TestHostileRequests(t *testing.T) {
	t.Parallel()
	b := newCorpusBench(t)
	alice := b.key(t, "alice")
	bob := b.key(t, "bob")
	const mega = 1 << 20
	head := func(contentType, more string) string {
		return "AS2-From: alice\r\nAS2-To: bob\r\nMessage-ID: <h@alice.test>\r\nDisposition-Notification-To: a\r\n" + more + "Content-Type: " + contentType + "\r\n\r\n"
	}
	repeat := func(s string, size int) string { return strings.Repeat(s, size/len(s)) }
	bomb := func(size int) []byte {
		var out bytes.Buffer
		w, err := cms.Compress(&out, zlib.BestCompression)
		if err != nil {
			t.Fatal(err)
		}
		zeros := make([]byte, mega)
		for ; size > 0; size -= mega {
			if _, err := w.Write(zeros); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		return out.Bytes()
	}
	sealed := func(content string) string {
		var out bytes.Buffer
		w, err := cms.Encrypt(rand.Reader, &out, []cms.Recipient{{Certificate: bob.Certificate}}, cms.EncryptOptions{})
		if err == nil {
			_, err = w.Write([]byte(content))
		}
		if err == nil {
			err = w.Close()
		}
		if err != nil {
			t.Fatal(err)
		}
		return out.String()
	}
	signature := func(of string) string {
		der, err := cms.SignDetached(rand.Reader, cms.Signer{Certificate: alice.Certificate, Key: alice.Private}, digestOf(cms.SHA256, []byte(of)), cms.OIDData)
		if err != nil {
			t.Fatal(err)
		}
		return base64.StdEncoding.EncodeToString(der)
	}
	signed := func(part, of string) string {
		return "--b\r\n" + part + "\r\n--b\r\nContent-Type: application/pkcs7-signature\r\nContent-Transfer-Encoding: base64\r\n\r\n" + signature(of) + "\r\n--b--\r\n"
	}
	nested := func(depth int) string {
		var out, end strings.Builder
		for i := range depth {
			fmt.Fprintf(&out, "Content-Type: multipart/signed; boundary=b%d\r\n\r\n--b%d\r\n", i, i)
			fmt.Fprintf(&end, "\r\n--b%d--\r\n", i)
		}
		return out.String() + end.String()
	}
	long := strings.Repeat("-", 70)
	const smime = "application/pkcs7-mime; smime-type=enveloped-data"
	for name, request := range map[string]string{
		"4 MB of header lines":               "AS2-From: alice\r\n" + repeat("X: y\r\n", 4*mega),
		"one header line of 4 MB":            "AS2-From: " + repeat("a", 4*mega) + "\r\n\r\n",
		"4 MB of folded lines":               "AS2-From: alice" + repeat("\r\n x", 4*mega) + "\r\n\r\n",
		"60 KB of parameters":                head("multipart/signed"+repeat(`; a="b"`, 60<<10), ""),
		"60 KB of words without a value":     head("multipart/signed"+repeat(";a", 60<<10), ""),
		"60 KB of digests":                   head("text/plain", "Disposition-Notification-Options: signed-receipt-micalg=optional"+repeat(",a", 60<<10)+"\r\n"),
		"60 KB of comments in an identifier": head("text/plain", "AS2-To: "+repeat(`"\"`, 60<<10)+"\r\n"),
		"4 MB that nearly is a boundary":     head(`multipart/signed; boundary="`+long+`"`, "") + repeat("\r\n--"+long[:69], 4*mega),
		"4 MB of dashes":                     head(`multipart/signed; boundary="`+long+`"`, "") + repeat("-", 4*mega),
		"4 MB of line ends":                  head("multipart/signed; boundary=b", "") + repeat("\r\n", 4*mega),
		"a million parts":                    head("multipart/related; boundary=b", "") + repeat("--b\r\n\r\n", 4*mega),
		"parts of header lines":              head("multipart/related; boundary=b", "") + repeat("--b\r\nA: b\r\n", 4*mega),
		"1000 layers of multipart":           head("multipart/signed; boundary=b", "") + "--b\r\n" + nested(1000),
		"1000 layers, encrypted":             head(smime, "") + sealed(nested(1000)),
		"4 MB with LF, signed with CRLF":     head("multipart/signed; boundary=b", "") + signed("\r\n"+repeat("a\n", 4*mega), "\r\n"+repeat("a\r\n", 4*mega)),
		"4 MB, signed as something else":     head("multipart/signed; boundary=b", "") + signed("\r\n"+repeat("a\n\r", 4*mega), "x"),
		"a signature part of 4 MB":           head("multipart/signed; boundary=b", "") + "--b\r\n\r\nx\r\n--b\r\n\r\n" + repeat("MIIA", 4*mega) + "\r\n--b--\r\n",
		"4 MB of base64 around nothing":      head(smime, "Content-Transfer-Encoding: base64\r\n") + repeat("AAAA\r\n", 4*mega),
		"4 MB of padding":                    head(smime, "Content-Transfer-Encoding: base64\r\n") + repeat("====", 4*mega),
		"4 MB of spaces in base64":           head(smime, "Content-Transfer-Encoding: base64\r\n") + repeat(" \t\r\n", 4*mega),
		"4 MB of nested BER":                 head(smime, "") + repeat("\x30\x80", 4*mega),
		"a bomb of 128 MB":                   head("application/pkcs7-mime; smime-type=compressed-data", "") + string(bomb(128*mega)),
		"a bomb, encrypted":                  head(smime, "") + sealed(head("application/pkcs7-mime; smime-type=compressed-data", "")+string(bomb(128*mega))),
		"a bomb in base64, signed":           head("multipart/signed; boundary=b", "") + signed("Content-Type: application/pkcs7-mime\r\nContent-Transfer-Encoding: base64\r\n\r\n"+base64.StdEncoding.EncodeToString(bomb(64*mega)), "x"),
		"a receipt with many dispositions":   head("multipart/report; boundary=b", "") + "--b\r\nContent-Type: message/disposition-notification\r\n\r\n" + repeat("Disposition: a; processed\r\n", 4*mega) + "\r\n--b--",
		"a receipt of folded lines":          head("multipart/report; boundary=b", "") + "--b\r\nContent-Type: message/disposition-notification\r\n\r\nDisposition: a; processed" + repeat("\r\n x", mega-1000) + "\r\n--b--",
		"a receipt with folded header lines": head("multipart/report; boundary=b", "") + "--b\r\nContent-Type: message/disposition-notification" + repeat("\r\n x", mega-1000) + "\r\n--b--",
		"a receipt of 1 MB of signatures":    head("multipart/signed; boundary=b", "") + "--b\r\nContent-Type: multipart/report; boundary=c\r\n\r\n--c--\r\n--b\r\n\r\n" + repeat("MIIA", mega-1000) + "\r\n--b--",
		"a receipt of 4 MB of text":          head("multipart/report; boundary=b", "") + "--b\r\nContent-Type: text/plain\r\n\r\n" + repeat("x", 4*mega) + "\r\n--b--",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			file := filepath.Join(t.TempDir(), "request")
			write(t, file, []byte(request))
			receive := b.run(t, append([]string{"receive", file, "-o", "json"}, b.identity()...)...)
			verify := b.run(t, append([]string{"verify", file, "--mic", "AAAA"}, b.identity()...)...)
			if verify.code == 0 {
				t.Error("it counts as a receipt")
			}
			t.Logf("receive: exit %d, %v of CPU, %d MB; verify: exit %d, %v, %d MB", receive.code, receive.cpu, receive.memory>>20, verify.code, verify.cpu, verify.memory>>20)
		})
	}
}
