package as2

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"tradepost/as2/cms"
)

// maxText is how much of the text for a person is kept.
const maxText = 4 << 10

// receiptSignature is the signature of a receipt, parsed but not verified.
type receiptSignature struct {
	data *cms.SignedData
	err  error  // why the signature part cannot be read
	part []byte // the exact signed bytes
}

// unreadable makes the error of a receipt without a disposition.
func unreadable(format string, args ...any) error {
	return &MalformedError{Status: http.StatusBadRequest, Err: fmt.Errorf("receipt: "+format, args...)}
}

// parseReceipt is ParseReceipt.
func parseReceipt(header http.Header, body io.Reader, l Limits) (*Receipt, error) {
	l = l.withDefaults()
	raw, err := io.ReadAll(io.LimitReader(body, l.Receipt+1))
	if err != nil {
		return nil, fmt.Errorf("as2: read receipt: %w", err)
	}
	if int64(len(raw)) > l.Receipt {
		return nil, unreadable("larger than the limit of %d bytes", l.Receipt)
	}
	rc := &Receipt{
		Header: header, Body: raw,
		From:      ParseID(header.Get("AS2-From")),
		To:        ParseID(header.Get("AS2-To")),
		MessageID: strings.Trim(header.Get("Message-ID"), ` "`),
	}
	if err := rc.readEntity(header, raw, l, 0); err != nil {
		return nil, err
	}
	if rc.dispositions == 0 {
		return nil, unreadable("there is no Disposition field")
	}
	return rc, nil
}

// readEntity descends through multipart/signed to the multipart/report.
func (rc *Receipt) readEntity(h http.Header, body []byte, l Limits, depth int) error {
	if depth > l.Depth {
		return unreadable("more than %d layers", l.Depth)
	}
	t := parseMediaType(h.Get("Content-Type"))
	switch t.full {
	case "multipart/signed":
		return rc.readSigned(body, t, l, depth)
	case "multipart/report":
		return rc.readReport(body, t, l)
	case "message/disposition-notification":
		return rc.readNotification(h, body)
	}
	return unreadable("content type %q is neither multipart/report nor multipart/signed", clip(t.full))
}

// readSigned opens the multipart/signed around a report.
func (rc *Receipt) readSigned(body []byte, t mediaType, l Limits, depth int) error {
	if rc.signature != nil {
		return unreadable("it is signed twice")
	}
	parts, err := splitParts(body, t, l)
	if err != nil {
		return err
	}
	if len(parts) < 2 {
		return unreadable("multipart/signed has %d parts, want 2", len(parts))
	}
	if len(parts) > 2 {
		rc.Warnings = append(rc.Warnings, "parts behind the signature are ignored")
	}
	rc.Signed = true
	rc.signature = &receiptSignature{part: parts[0]}
	if len(parts[1]) > maxSignature {
		rc.signature.err = fmt.Errorf("the signature is larger than %d bytes", maxSignature)
	} else {
		rc.signature.data, rc.signature.err = readSignature(parts[1], l)
	}
	h, inner, err := splitEntity(parts[0], l)
	if err != nil {
		return err
	}
	return rc.readEntity(h, inner, l, depth+1)
}

// readReport finds the notification among the parts of a multipart/report.
func (rc *Receipt) readReport(body []byte, t mediaType, l Limits) error {
	if rt := t.params["report-type"]; rt != "" && !strings.EqualFold(rt, "disposition-notification") {
		rc.Warnings = append(rc.Warnings, fmt.Sprintf("report-type is %q", clip(rt)))
	}
	parts, err := splitParts(body, t, l)
	if err != nil {
		return err
	}
	for _, part := range parts {
		h, content, err := splitEntity(part, l)
		if err != nil {
			return err
		}
		switch ct := parseMediaType(h.Get("Content-Type")).full; {
		case ct == "message/disposition-notification":
			if err := rc.readNotification(h, content); err != nil {
				return err
			}
		case (ct == "text/plain" || ct == "") && rc.Text == "":
			rc.Text = decodeText(h, content)
		}
	}
	return nil
}

// readNotification reads the fields of a message/disposition-notification.
// Empty lines among them are passed over, and so is what is no field.
func (rc *Receipt) readNotification(h http.Header, content []byte) error {
	decoded, identity, err := transferDecoder(h, bytes.NewReader(content))
	if err != nil {
		return unreadable("%w", err)
	}
	if !identity {
		if content, err = io.ReadAll(decoded); err != nil {
			return unreadable("transfer encoding: %w", err)
		}
	}
	for _, f := range notificationFields(content) {
		value := f.value
		switch f.name {
		case "reporting-ua":
			rc.ReportingUA = value
		case "original-recipient":
			rc.OriginalRecipient = address(value)
		case "final-recipient":
			rc.FinalRecipient = address(value)
		case "original-message-id":
			if rc.OriginalMessageID != "" && rc.OriginalMessageID != value {
				rc.contradictory = "two Original-Message-ID fields"
			}
			rc.OriginalMessageID = value
		case "disposition":
			d, err := ParseDisposition(value)
			if err != nil {
				return unreadable("%w", err)
			}
			if rc.dispositions++; rc.dispositions > 1 {
				rc.contradictory = "two Disposition fields"
				if rc.Disposition.Positive() {
					rc.Disposition = d // the worse of the two is shown
				}
				continue
			}
			rc.Disposition = d
		case "received-content-mic":
			if rc.micRaw != "" && rc.micRaw != value {
				rc.contradictory = "two Received-Content-MIC fields"
			}
			rc.readMIC(value)
		case "error", "failure", "warning":
			rc.Warnings = append(rc.Warnings, f.name+": "+clip(value))
		}
	}
	return nil
}

// readMIC splits "base64, algorithm" (space or not).
func (rc *Receipt) readMIC(value string) {
	rc.micRaw = value
	mic, label, ok := value, "", false
	if i := strings.LastIndexByte(value, ','); i >= 0 {
		mic, label, ok = value[:i], value[i+1:], true
	}
	rc.MIC = strings.Join(strings.Fields(mic), "")
	d, err := ParseDigest(label)
	switch {
	case !ok:
		rc.Warnings = append(rc.Warnings, "Received-Content-MIC names no algorithm")
	case err != nil:
		rc.Warnings = append(rc.Warnings, fmt.Sprintf("Received-Content-MIC names the unknown algorithm %q", clip(label)))
	default:
		rc.MICDigest = d
	}
}

// notificationFields splits field lines, unfolds them and puts the names into
// lower case.
func notificationFields(b []byte) []field {
	var out []field
	var value []byte // of the last field, with the lines it goes on in
	flush := func() {
		if len(out) > 0 {
			out[len(out)-1].value = string(bytes.TrimSpace(value))
		}
		value = nil
	}
	for line := range bytes.SplitSeq(b, []byte("\n")) {
		line = bytes.TrimSuffix(line, []byte("\r"))
		switch {
		case len(bytes.TrimSpace(line)) == 0:
		case (line[0] == ' ' || line[0] == '\t') && len(out) > 0:
			value = append(append(value, ' '), bytes.TrimSpace(line)...)
		default:
			name, begin, ok := bytes.Cut(line, []byte(":"))
			if !ok {
				continue
			}
			flush()
			out = append(out, field{name: strings.ToLower(string(bytes.TrimSpace(name)))})
			value = bytes.Clone(bytes.TrimSpace(begin))
		}
	}
	flush()
	return out
}

// address takes the type off "rfc822; name" and the quotes off the name.
func address(v string) string {
	if _, rest, ok := strings.Cut(v, ";"); ok {
		v = rest
	}
	return ParseID(v)
}

// splitParts returns the exact bytes of the parts of a multipart.
func splitParts(body []byte, t mediaType, l Limits) ([][]byte, error) {
	boundary := t.params["boundary"]
	if boundary == "" {
		return nil, unreadable("%w", errNoBoundary)
	}
	read := func(lenient bool) ([][]byte, error) {
		m := multipartOf(body, boundary, l.Parts)
		m.lenient = lenient
		var parts [][]byte
		for {
			if err := m.next(); err != nil {
				if errors.Is(err, io.EOF) || errors.Is(err, errUnclosed) && len(parts) > 1 {
					return parts, nil
				}
				return nil, unreadable("%w", err)
			}
			part, err := m.part()
			if err != nil {
				return nil, unreadable("%w", err)
			}
			part, _ = m.closedBy(part)
			parts = append(parts, part)
		}
	}
	parts, err := read(false)
	if err != nil {
		if again, err2 := read(true); err2 == nil {
			return again, nil
		}
	}
	return parts, err
}

// bufferOf reads what is in memory with a buffer no larger than it needs.
func bufferOf(b []byte) *bufio.Reader {
	return bufio.NewReaderSize(bytes.NewReader(b), min(len(b), firstBuffer))
}

// splitEntity separates header and content of a part.
func splitEntity(part []byte, l Limits) (http.Header, []byte, error) {
	h, err := readHeader(bufferOf(part), l.Headers)
	if err != nil {
		return nil, nil, unreadable("%w", err)
	}
	return h.fields, part[len(h.raw):], nil
}

// decodeText returns a text part, clipped, or as it stands when its encoding
// is broken.
func decodeText(h http.Header, content []byte) string {
	if r, identity, err := transferDecoder(h, bytes.NewReader(content)); err == nil && !identity {
		if b, err := io.ReadAll(io.LimitReader(r, maxText)); err == nil {
			content = b
		}
	}
	if len(content) > maxText {
		content = content[:maxText]
	}
	return strings.TrimSpace(strings.ToValidUTF8(string(content), "?"))
}
