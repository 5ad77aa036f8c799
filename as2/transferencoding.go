package as2

import (
	"bufio"
	"encoding/base64"
	"fmt"
	"io"
	"mime/quotedprintable"
	"net/http"
	"strings"
)

// transferDecoder undoes the Content-Transfer-Encoding of h. identity is true
// when there is nothing to undo, which is the default over HTTP.
func transferDecoder(h http.Header, r io.Reader) (decoded io.Reader, identity bool, err error) {
	switch enc := strings.ToLower(strings.Trim(h.Get("Content-Transfer-Encoding"), " \t\"'")); enc {
	case "", "binary", "8bit", "7bit":
		return r, true, nil
	case "base64":
		return newBase64Reader(r), false, nil
	case "quoted-printable":
		return quotedprintable.NewReader(r), false, nil
	default:
		return nil, false, &mimeError{fmt.Sprintf("unknown Content-Transfer-Encoding %q", clip(enc))}
	}
}

// newBase64Reader decodes base64 with any line ends and white space, with or
// without padding. What follows the padding is ignored.
func newBase64Reader(r io.Reader) io.Reader {
	return base64.NewDecoder(base64.RawStdEncoding, &base64Filter{r: r})
}

// base64Filter drops white space and ends at the padding.
type base64Filter struct {
	r    io.Reader
	done bool
}

func (f *base64Filter) Read(p []byte) (int, error) {
	for !f.done {
		n, err := f.r.Read(p)
		kept := 0
		for _, c := range p[:n] {
			switch c {
			case '\r', '\n', ' ', '\t':
				continue
			case '=':
				f.done = true
			}
			if f.done {
				break
			}
			p[kept] = c
			kept++
		}
		if kept > 0 || err != nil {
			return kept, err
		}
		if len(p) == 0 {
			return 0, nil
		}
	}
	return 0, io.EOF
}

// cmsReader gives the bytes of a CMS structure whether it travels as binary or
// as base64. The header is not asked: peers forget it, or get it wrong. BER
// begins with the byte 0x30, base64 of it with the letter M.
func cmsReader(r io.Reader) *bufio.Reader {
	br := bufio.NewReaderSize(r, firstBuffer)
	for {
		b, err := br.Peek(1)
		if err != nil {
			return br
		}
		switch b[0] {
		case '\r', '\n', ' ', '\t':
			_, _ = br.Discard(1)
			continue
		case 'M':
			return bufio.NewReaderSize(newBase64Reader(br), firstBuffer)
		}
		return br
	}
}
