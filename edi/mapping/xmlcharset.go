package mapping

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"tradepost/edi/edifact"
)

// xmlCharset reads XML whose declaration names another set than UTF-8: those of
// one byte a character that business systems write.
func xmlCharset(name string, r io.Reader) (io.Reader, error) {
	ids := map[string]string{
		"iso-8859-1": "UNOC", "latin1": "UNOC", "iso-8859-2": "UNOD", "iso-8859-3": "UNOG", "iso-8859-4": "UNOH", "iso-8859-5": "UNOE",
		"iso-8859-7": "UNOF", "iso-8859-9": "UNOK", "iso-8859-15": "UNOL", "windows-1252": "UNOC", "cp1252": "UNOC",
	}
	switch name = strings.ToLower(name); name {
	case "us-ascii", "ascii", "utf8", "utf-16", "utf-16le", "utf-16be": // ASCII is UTF-8, and UTF-16 was read before its declaration was
		return r, nil
	}
	id, ok := ids[name]
	if !ok {
		return nil, fmt.Errorf("encoding %q is not read; write it as UTF-8", clip(name))
	}
	set, _ := edifact.CharsetOf(id)
	var table [256]string
	for b := range table {
		if text, err := set.Decode(nil, []byte{byte(b)}); err == nil {
			table[b] = string(text)
		}
	}
	for _, c := range "\t\n\r" {
		table[c] = string(c)
	}
	if strings.HasSuffix(name, "1252") {
		for i, r := range []rune("€\uFFFD‚ƒ„…†‡ˆ‰Š‹Œ\uFFFDŽ\uFFFD\uFFFD‘’“”•–—˜™š›œ\uFFFDžŸ") {
			if b := byte(0x80 + i); r != utf8.RuneError { //nolint:gosec // there are 32
				table[b] = string(r)
			}
		}
	}
	in := bufio.NewReader(r)
	return &textReader{next: func() (string, error) {
		b, err := in.ReadByte()
		if err != nil {
			return "", err
		}
		if table[b] == "" {
			return "", fmt.Errorf("byte %#02x is in encoding %s no character", b, name)
		}
		return table[b], nil
	}}, nil
}

// xmlBytes reads XML in UTF-16, as its byte order mark tells, as UTF-8; all else
// stays as it is.
func xmlBytes(r io.Reader) io.Reader {
	in := bufio.NewReader(r)
	head, _ := in.Peek(2)
	low := string(head) == "\xff\xfe"
	if !low && string(head) != "\xfe\xff" {
		return in
	}
	unit := func() (rune, error) {
		var pair [2]byte
		if n, err := io.ReadFull(in, pair[:]); err != nil {
			if n == 1 {
				err = io.ErrUnexpectedEOF
			}
			return 0, err
		}
		if low {
			pair[0], pair[1] = pair[1], pair[0]
		}
		return rune(pair[0])<<8 | rune(pair[1]), nil
	}
	_, _ = unit() // the mark
	return &textReader{next: func() (string, error) {
		c, err := unit()
		if err == nil && utf16.IsSurrogate(c) {
			var second rune
			if second, err = unit(); err == nil {
				if c = utf16.DecodeRune(c, second); c == utf8.RuneError {
					err = errors.New("half a character of UTF-16")
				}
			}
		}
		return string(c), err
	}}
}

// textReader reads the characters that next gives.
type textReader struct {
	next func() (string, error)
	left string
}

func (t *textReader) Read(p []byte) (n int, err error) {
	for n < len(p) {
		if t.left == "" {
			if t.left, err = t.next(); err != nil {
				t.left = ""
				return n, err
			}
		}
		k := copy(p[n:], t.left)
		n, t.left = n+k, t.left[k:]
	}
	return n, nil
}
