package as2

import (
	"io"
	"net/http"
)

// ReadStored splits a stored request or receipt (header lines, empty line,
// body) into headers and body. Header lines may end with CRLF or LF and may be
// folded; a first line that is an HTTP request or status line is skipped. The
// body follows byte for byte. The error is a *MalformedError.
func ReadStored(r io.Reader, l Limits) (http.Header, io.Reader, error) { return readStored(r, l) }

// WriteStored writes what ReadStored reads: header lines in alphabetical order
// with CRLF, an empty line and the body.
func WriteStored(w io.Writer, header http.Header, body io.Reader) error {
	return writeStored(w, header, body)
}
