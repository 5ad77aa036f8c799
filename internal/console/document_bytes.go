package console

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"tradepost/internal/api"
	"tradepost/tracking"
)

// maxShown is how much of a document a page shows; the rest is a download.
const maxShown = 256 << 10

// Excerpt is the beginning of a document's bytes.
type Excerpt struct {
	body  []byte
	Shown int64
	Size  int64
	Cut   bool
	Gone  string // why there are no bytes, "" where there are
}

// excerpt reads a document's bytes, up to maxShown.
func (c *Console) excerpt(ctx context.Context, d *tracking.Document) (*Excerpt, error) {
	x := &Excerpt{Size: d.Length, Shown: min(d.Length, maxShown), Cut: d.Length > maxShown}
	if d.Payload.None() {
		x.Gone = "No bytes are recorded for this document."
		return x, nil
	}
	body, err := c.slice(ctx, d.Payload, d.Offset, x.Shown)
	if errors.Is(err, tracking.ErrNotFound) {
		x.Gone = "The bytes of this document are no longer in the archive. What is known of it stays."
		return x, nil
	}
	x.body = body
	return x, err
}

func (c *Console) slice(ctx context.Context, p tracking.Payload, offset, length int64) ([]byte, error) {
	r, err := api.OpenSlice(ctx, c.cfg.Archive, p, offset, length)
	if err != nil {
		return nil, err
	}
	defer func() { _ = r.Close() }()
	b, err := io.ReadAll(r)
	if err == nil && int64(len(b)) < length {
		err = fmt.Errorf("payload %s: %w", p.SHA256, io.ErrUnexpectedEOF)
	}
	return b, err
}

// head reads the first bytes of the interchange a document lies in.
func (c *Console) head(ctx context.Context, v *tracking.DocumentView) ([]byte, error) {
	d := &v.Document
	offset := int64(0)
	if i := v.Interchange; i != nil && i.Payload == d.Payload {
		offset = i.Offset
	}
	return c.slice(ctx, d.Payload, offset, min(1024, d.Payload.Size-offset))
}

// reading reads the document's segments; a reading that is nil means that they
// cannot be told, for the reason.
func (c *Console) reading(ctx context.Context, l *loaded, x *Excerpt) (*Reading, string, error) {
	if c.cfg.Segments == nil {
		return nil, "This station shows documents as they are; it has no guides to read them by.", nil
	}
	if x.Gone != "" {
		return nil, x.Gone, nil
	}
	if isForm(l.DocumentView) {
		return nil, "The back office handed it over in a form of its own, and no document could be made of it.", nil
	}
	head, err := c.head(ctx, l.DocumentView)
	if err != nil {
		return nil, "", err
	}
	r, err := c.cfg.Segments.Read(&l.Document, head, x.body, x.Cut)
	if err != nil && (r == nil || len(r.Segments) == 0) {
		return nil, "It cannot be taken apart into segments: " + err.Error(), nil
	}
	if err != nil {
		return r, "From here on it cannot be taken apart into segments: " + err.Error(), nil
	}
	return r, "", nil
}

// isForm tells a document that is none yet: what the back office handed over,
// and the map could not make into one.
func isForm(v *tracking.DocumentView) bool {
	return v.Document.State == tracking.DocumentInvalid && len(v.Issues) > 0 && v.Issues[0].Level == tracking.LevelMap
}

// Raw is the tab with the exact bytes.
type Raw struct {
	*Excerpt
	Pieces    []Piece
	Downloads []Download
}

// Piece is a run of bytes; a Mark is a byte that has no letter.
type Piece struct {
	Text string
	Mark bool
	Line bool // a line ends behind it
}

// Download is a link to bytes.
type Download struct{ Name, Note, Link string }

func (c *Console) rawTab(ctx context.Context, l *loaded) (any, error) {
	x, err := c.excerpt(ctx, &l.Document)
	if err != nil {
		return nil, err
	}
	raw := Raw{Excerpt: x, Pieces: pieces(x.body)}
	if x.Gone == "" {
		raw.Downloads = append(raw.Downloads, Download{"This document", size(l.Document.Length) + ", from its first segment to its last", l.head.Content})
	}
	raw.Downloads = append(raw.Downloads, transmissionDownloads("brought", l.Source)...)
	if l.Delivery != nil && (l.Source == nil || l.Delivery.ID != l.Source.ID) {
		raw.Downloads = append(raw.Downloads, transmissionDownloads("carried on", l.Delivery)...)
	}
	return raw, nil
}

func transmissionDownloads(how string, t *tracking.Transmission) []Download {
	if t == nil {
		return nil
	}
	var list []Download
	base := "/api/v1/transmissions/" + t.ID.String()
	if !t.Content.None() {
		list = append(list, Download{"Content " + how, size(t.Content.Size) + ", with the envelopes", base + "/content"})
	}
	if !t.Wire.None() && t.Wire != t.Content {
		list = append(list, Download{"Wire bytes " + how, size(t.Wire.Size) + ", as they crossed the wire", base + "/wire"})
	}
	return list
}

// pieces makes every byte visible: letters as they are, control characters by
// their pictures, bytes that are no UTF-8 by their number.
func pieces(b []byte) []Piece {
	var list []Piece
	var plain strings.Builder
	flush := func() {
		if plain.Len() > 0 {
			list = append(list, Piece{Text: plain.String()})
			plain.Reset()
		}
	}
	for len(b) > 0 {
		r, n := utf8.DecodeRune(b)
		switch {
		case r == utf8.RuneError && n == 1:
			flush()
			list = append(list, Piece{Text: fmt.Sprintf("%02X", b[0]), Mark: true})
		case r < 0x20:
			flush()
			list = append(list, Piece{Text: string(0x2400 + r), Mark: true, Line: r == '\n'})
		case r == 0x7f:
			flush()
			list = append(list, Piece{Text: "\u2421", Mark: true})
		case hidden(r):
			flush()
			list = append(list, Piece{Text: fmt.Sprintf("U+%04X", r), Mark: true})
		default:
			plain.WriteRune(r)
		}
		b = b[n:]
	}
	flush()
	return list
}
