package interop

import (
	"crypto/sha256"
	"fmt"
	"strings"
	"testing"

	"tradepost/as2"
)

// cell is one way to send a content: one row of the matrix.
type cell struct {
	sign     as2.Digest // "" is unsigned
	encrypt  as2.Cipher // "" is in the clear
	compress as2.Compression
	receipt  wish
	content  string // name of a content
}

// wish is the receipt that is asked for.
type wish string

const (
	noReceipt   wish = "none"
	syncSigned  wish = "sync"
	syncPlain   wish = "sync, unsigned"
	asyncSigned wish = "async"
)

func (c cell) String() string { return strings.Join(c.values(), " / ") }

// values are the five columns of a row.
func (c cell) values() []string {
	or := func(s, none string) string {
		if s == "" {
			return none
		}
		return s
	}
	return []string{or(string(c.sign), "unsigned"), or(string(c.encrypt), "clear"), or(string(c.compress), "uncompressed"), string(c.receipt), c.content}
}

// request is the receipt as package as2 asks for it. url is where it comes to
// when it comes later.
func (c cell) request(url string) as2.ReceiptRequest {
	switch c.receipt {
	case syncSigned:
		return as2.ReceiptRequest{Mode: as2.SyncReceipt, Signed: true}
	case syncPlain:
		return as2.ReceiptRequest{Mode: as2.SyncReceipt}
	case asyncSigned:
		return as2.ReceiptRequest{Mode: as2.AsyncReceipt, Signed: true, URL: url}
	}
	return as2.ReceiptRequest{Mode: as2.NoReceipt}
}

// dimensions are the values the columns of the matrix can take.
type dimensions struct {
	sign     []as2.Digest
	encrypt  []as2.Cipher
	compress []as2.Compression
	receipt  []wish
}

// everything is all there is to try.
func everything() dimensions {
	return dimensions{
		sign:     []as2.Digest{as2.SHA1, as2.SHA256, as2.SHA384, as2.SHA512, ""},
		encrypt:  []as2.Cipher{as2.TripleDES, as2.AES128CBC, as2.AES192CBC, as2.AES256CBC, ""},
		compress: []as2.Compression{as2.NoCompression, as2.BeforeSigning, as2.AfterSigning},
		receipt:  []wish{syncSigned, asyncSigned, syncPlain, noReceipt},
	}
}

// cells are all cells of d. The contents go round, so that each of them meets
// each digest with each cipher.
func (d dimensions) cells() []cell {
	var out []cell
	contents := contents()
	for i, sign := range d.sign {
		for j, encrypt := range d.encrypt {
			for k, compress := range d.compress {
				for l, receipt := range d.receipt {
					out = append(out, cell{sign, encrypt, compress, receipt, contents[(i+j+2*k+l)%len(contents)]})
				}
			}
		}
	}
	return out
}

func TestContentsMeetDigestsAndCiphers(t *testing.T) {
	t.Parallel()
	smaller := everything()
	smaller.compress = smaller.compress[:2]
	for _, d := range []dimensions{everything(), smaller} {
		met := map[string]bool{}
		for _, c := range d.cells() {
			met[fmt.Sprint(c.sign, c.encrypt, c.content)] = true
			met[fmt.Sprint(c.compress, c.receipt, c.content)] = true
		}
		for _, content := range contents() {
			for _, sign := range d.sign {
				for _, encrypt := range d.encrypt {
					if !met[fmt.Sprint(sign, encrypt, content)] {
						t.Errorf("%q, %q and %s do not meet", sign, encrypt, content)
					}
				}
			}
			for _, compress := range d.compress {
				for _, receipt := range d.receipt {
					if !met[fmt.Sprint(compress, receipt, content)] {
						t.Errorf("%q, %q and %s do not meet", compress, receipt, content)
					}
				}
			}
		}
	}
}

// The contents that travel.
const (
	x12Lines    = "X12 with LF"
	binaryBytes = "binary"
	oneByte     = "1 byte"
	oneMegabyte = "1 MB"
	latin1Text  = "Latin-1 text"
)

func contents() []string { return []string{x12Lines, binaryBytes, oneByte, oneMegabyte, latin1Text} }

// goods is a content as it travels.
type goods struct {
	filename, contentType string
	bytes                 []byte
}

// contentOf makes a content by its name.
func contentOf(name string) goods {
	switch name {
	case x12Lines:
		return goods{"order.x12", "application/edi-x12", []byte(
			"ISA*00*          *00*          *ZZ*BUYER          *ZZ*SUPPLIER       *261121*0915*U*00401*000000001*0*P*>~\n" +
				"GS*PO*BUYER*SUPPLIER*20261121*0915*1*X*004010~\nST*850*0001~\nBEG*00*SA*4500099001**20261121~\n" +
				"PO1*1*144*EA*4.95**VN*TRV-100~\nCTT*1~\nSE*5*0001~\nGE*1*1~\nIEA*1*000000001~\n")}
	case binaryBytes: // every byte beside every other, line ends of all kinds among them
		b := make([]byte, 0, 2*256*256)
		for i := range 256 {
			for j := range 256 {
				b = append(b, byte(i), byte(j))
			}
		}
		return goods{"picture.bin", "application/octet-stream", b}
	case oneByte:
		return goods{"flag.bin", "application/octet-stream", []byte("1")}
	case oneMegabyte: // half of it can be compressed
		b := make([]byte, 0, 1<<20)
		for i := 0; len(b) < 1<<20; i++ {
			sum := sha256.Sum256(fmt.Append(nil, i))
			b = append(append(b, sum[:]...), "PO1*1*144*EA*4.95**VN*TRV-100~\r\n"...)
		}
		return goods{"catalogue.bin", "application/octet-stream", b[:1<<20]}
	case latin1Text:
		return goods{"note.txt", "text/plain; charset=ISO-8859-1", []byte("Gr\xfc\xdfe aus K\xf6ln,\nprix: 5\xa4\x80\n\n \xe0 bient\xf4t")}
	}
	panic("there is no content " + name)
}
