package api

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"tradepost/tracking"
)

// OpenSlice returns length bytes of a payload from offset on. A negative
// length means up to its end. tracking.ErrNotFound (wrapped) means that the
// bytes are not kept.
func OpenSlice(ctx context.Context, archive Opener, p tracking.Payload, offset, length int64) (io.ReadCloser, error) {
	if p.None() {
		return nil, fmt.Errorf("%w: there are no bytes to show", tracking.ErrNotFound)
	}
	if length < 0 {
		length = max(0, p.Size-offset)
	}
	if offset < 0 || offset > p.Size || length > p.Size-offset {
		return nil, fmt.Errorf("bytes %d to %d do not lie in a payload of %d bytes", offset, offset+length, p.Size)
	}
	whole, err := archive.Open(ctx, p)
	if err != nil {
		return nil, fmt.Errorf("open payload %s: %w", p.SHA256, err)
	}
	if _, err := io.CopyN(io.Discard, whole, offset); err != nil {
		_ = whole.Close()
		if errors.Is(err, io.EOF) {
			err = fmt.Errorf("it ends before byte %d: %w", offset, io.ErrUnexpectedEOF)
		}
		return nil, fmt.Errorf("read payload %s: %w", p.SHA256, err)
	}
	return struct {
		io.Reader
		io.Closer
	}{io.LimitReader(whole, length), whole}, nil
}

// documentContent sends one document, ST to SE or UNH to UNT, as it lies in
// its interchange.
func (s *service) documentContent(w http.ResponseWriter, r *http.Request) {
	v, err := s.documentView(r)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	d := &v.Document
	name := fmt.Sprintf("%s-%s.edi", plainName(d.Type), d.ID)
	s.send(w, r, download{payload: d.Payload, offset: d.Offset, length: d.Length, name: name, contentType: ediType(d.Standard)})
}

// transmissionContent sends the business payload of a transmission.
func (s *service) transmissionContent(w http.ResponseWriter, r *http.Request) {
	v, err := s.transmissionView(r)
	if err == nil {
		err = allow(r)
	}
	if err != nil {
		s.fail(w, r, err)
		return
	}
	t := &v.Transmission
	s.send(w, r, download{payload: t.Content, length: -1, name: t.ID.String() + ".content", contentType: t.ContentType})
}

// transmissionWire sends what crossed the wire: the exact bytes of the body,
// or with form=stored the header lines, an empty line and the body, the form
// that the offline command `as2 receive` reads.
func (s *service) transmissionWire(w http.ResponseWriter, r *http.Request) {
	v, err := s.transmissionView(r)
	var stored bool
	if err == nil {
		stored, err = form(r)
	}
	if err != nil {
		s.fail(w, r, err)
		return
	}
	t := &v.Transmission
	d := download{payload: t.Wire, length: -1, name: t.ID.String() + ".wire", contentType: "application/octet-stream"}
	if stored {
		d.headers, d.name = t.Evidence.Headers, t.ID.String()+".request"
	}
	s.send(w, r, d)
}

// attachment sends a part that travelled beside the payload, counted from 1.
func (s *service) attachment(w http.ResponseWriter, r *http.Request) {
	v, err := s.transmissionView(r)
	if err == nil {
		err = allow(r)
	}
	if err != nil {
		s.fail(w, r, err)
		return
	}
	t := &v.Transmission
	n, err := strconv.Atoi(r.PathValue("number"))
	if err != nil || n < 1 || n > len(t.Attachments) {
		s.fail(w, r, fmt.Errorf("%w: transmission %s has %d attachments, and no number %q", tracking.ErrNotFound, t.ID, len(t.Attachments), r.PathValue("number")))
		return
	}
	a := &t.Attachments[n-1]
	s.send(w, r, download{payload: a.Payload, length: -1, name: fmt.Sprintf("%s-%d.attachment", t.ID, n), contentType: a.ContentType})
}

// receipt sends a receipt exactly as it crossed the wire; form=stored as for
// transmissionWire, which `as2 verify` reads.
func (s *service) receipt(w http.ResponseWriter, r *http.Request) {
	v, err := s.transmissionView(r)
	var id tracking.ID
	if err == nil {
		id, err = pathID(r, "receipt")
	}
	var stored bool
	if err == nil {
		stored, err = form(r)
	}
	if err != nil {
		s.fail(w, r, err)
		return
	}
	i := slices.IndexFunc(v.Receipts, func(rc tracking.Receipt) bool { return rc.ID == id })
	if i < 0 {
		s.fail(w, r, fmt.Errorf("%w: transmission %s has no receipt %s", tracking.ErrNotFound, v.Transmission.ID, id))
		return
	}
	rc := &v.Receipts[i]
	d := download{payload: rc.Body, length: -1, name: rc.ID.String() + ".receipt", contentType: "application/octet-stream"}
	if stored {
		d.headers, d.name = rc.Headers, rc.ID.String()+".mdn"
	}
	s.send(w, r, d)
}

// form tells whether form=stored was asked for.
func form(r *http.Request) (stored bool, err error) {
	if err := allow(r, "form"); err != nil {
		return false, err
	}
	switch f := r.URL.Query().Get("form"); f {
	case "", "body":
		return false, nil
	case "stored":
		return true, nil
	default:
		return false, &ParamError{Name: "form", Value: f, Text: "is neither body nor stored"}
	}
}

// download is bytes to send under a name of ours. A negative length means up
// to the end.
type download struct {
	payload        tracking.Payload
	offset, length int64
	headers        []tracking.HeaderField // written in front, with an empty line
	name           string
	contentType    string // as the other side named it
}

func (s *service) send(w http.ResponseWriter, r *http.Request, d download) {
	body, err := OpenSlice(r.Context(), s.cfg.Archive, d.payload, d.offset, d.length)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	defer func() { _ = body.Close() }()
	if d.length < 0 {
		d.length = d.payload.Size
	}
	head := storedHead(d.headers)
	h := w.Header()
	h.Set("Content-Type", "application/octet-stream") // a browser shall save foreign bytes, never show them
	h.Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": d.name}))
	h.Set("Content-Security-Policy", "default-src 'none'; sandbox; frame-ancestors 'none'")
	h.Set("Content-Length", strconv.FormatInt(int64(len(head))+d.length, 10))
	if t := headerText(d.contentType); t != "" {
		h.Set("X-Original-Content-Type", t)
	}
	if d.offset == 0 && len(head) == 0 && d.length == d.payload.Size {
		h.Set("Repr-Digest", reprDigest(d.payload.SHA256))
	}
	if r.Method == http.MethodHead {
		return
	}
	out := bufio.NewWriter(w)
	_, err = out.WriteString(head)
	if err == nil {
		_, err = io.CopyN(out, body, d.length)
	}
	if err == nil {
		err = out.Flush()
	}
	if err != nil {
		if r.Context().Err() == nil {
			s.cfg.Log.ErrorContext(r.Context(), "send a payload", "path", r.URL.Path, "err", err)
		}
		panic(http.ErrAbortHandler) // the length is announced; a short body must not look whole
	}
}

// storedHead writes header lines and the empty line after them.
func storedHead(fields []tracking.HeaderField) string {
	if len(fields) == 0 {
		return ""
	}
	var b strings.Builder
	for _, f := range fields {
		b.WriteString(oneLine(f.Name) + ": " + oneLine(f.Value) + "\r\n")
	}
	b.WriteString("\r\n")
	return b.String()
}

// oneLine keeps a header field on its line.
func oneLine(s string) string {
	return strings.NewReplacer("\r\n", " ", "\r", " ", "\n", " ").Replace(s)
}

// headerText returns s where it is safe as a header value, else "".
func headerText(s string) string {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return ""
		}
	}
	return s[:min(len(s), 200)]
}

// plainName keeps letters and digits of a document type for a file name.
func plainName(s string) string {
	keep := func(r rune) rune {
		if '0' <= r && r <= '9' || 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' {
			return r
		}
		return -1
	}
	if s = strings.Map(keep, s); s == "" {
		return "document"
	}
	return s[:min(len(s), 10)]
}

// ediType is the media type of RFC 1767 for a standard.
func ediType(standard string) string {
	if standard == "EDIFACT" {
		return "application/EDIFACT"
	}
	return "application/EDI-X12"
}
