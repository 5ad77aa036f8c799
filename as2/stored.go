package as2

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sort"
	"strings"
)

// ReadStored splits a stored request or receipt (header lines, empty line,
// body) into headers and body. Header lines may end with CRLF or LF and may be
// folded; a first line that is an HTTP request or status line is skipped. The
// body follows byte for byte. The error is a *MalformedError.
func ReadStored(r io.Reader, l Limits) (http.Header, io.Reader, error) {
	l = l.withDefaults()
	br := bufio.NewReaderSize(r, firstBuffer)
	if peek, _ := br.Peek(4 << 10); isStartLine(peek) {
		if _, err := br.ReadSlice('\n'); err != nil {
			return nil, nil, &MalformedError{Status: http.StatusBadRequest, Err: fmt.Errorf("first line: %w", err)}
		}
	}
	h, err := readHeader(br, l.Headers)
	if err != nil {
		var syntax *mimeError
		if errors.As(err, &syntax) {
			return nil, nil, &MalformedError{Status: http.StatusBadRequest, Err: err}
		}
		return nil, nil, fmt.Errorf("as2: read stored request: %w", err)
	}
	if len(h.fields) == 0 {
		return nil, nil, &MalformedError{Status: http.StatusBadRequest, Err: errors.New("there are no header lines")}
	}
	// Some stored headers have every value quoted as a whole.
	for name, values := range h.fields {
		for i, v := range values {
			if name != "As2-From" && name != "As2-To" && len(v) > 1 && v[0] == '"' && v[len(v)-1] == '"' {
				values[i], _ = unquote(v)
			}
		}
	}
	return h.fields, br, nil
}

// isStartLine tells whether b begins with an HTTP request or status line,
// or something meant as one.
func isStartLine(b []byte) bool {
	line, _, ok := bytes.Cut(b, []byte("\n"))
	if !ok {
		return false
	}
	if bytes.HasPrefix(line, []byte("HTTP/")) || bytes.HasPrefix(line, []byte("HTTP ")) {
		return true
	}
	method, rest, ok := bytes.Cut(line, []byte(" "))
	return ok && len(method) > 0 && bytes.Equal(method, bytes.ToUpper(method)) &&
		!bytes.Contains(method, []byte(":")) && bytes.Contains(rest, []byte(" HTTP/"))
}

// WriteStored writes what ReadStored reads: header lines in alphabetical order
// with CRLF, an empty line and the body.
func WriteStored(w io.Writer, header http.Header, body io.Reader) error {
	names := make([]string, 0, len(header))
	for name := range header {
		names = append(names, name)
	}
	sort.Strings(names)
	var fields []field
	for _, name := range names {
		for _, value := range header[name] {
			fields = append(fields, field{wireName(name), value})
		}
	}
	if _, err := w.Write(appendFields(nil, fields)); err != nil {
		return fmt.Errorf("as2: write stored request: %w", err)
	}
	if _, err := io.Copy(w, body); err != nil {
		return fmt.Errorf("as2: write stored request: %w", err)
	}
	return nil
}

// wireName spells a header name the way RFC 4130 does. Names are compared
// without regard to case, but some products only claim to.
func wireName(name string) string {
	switch strings.ToLower(name) {
	case "as2-version":
		return "AS2-Version"
	case "as2-from":
		return "AS2-From"
	case "as2-to":
		return "AS2-To"
	case "as2-product":
		return "AS2-Product"
	case "etag":
		return "ETag"
	case "ediint-features":
		return "EDIINT-Features"
	case "message-id":
		return "Message-ID"
	case "mime-version":
		return "MIME-Version"
	}
	return name
}
