package as2

import (
	"context"
	"errors"
	"fmt"
	"io"

	"tradepost/as2/cms"
)

// ErrUnreadable is the one answer of Unwrap to content that cannot be opened,
// whatever is wrong with it. The cause is not told on purpose: it would help
// whoever tries to decrypt something piece by piece.
var ErrUnreadable = errors.New("as2: the content cannot be opened: it is damaged, or made for another key")

// Unwrapped is the content of one CMS structure.
type Unwrapped struct {
	Payload
	// Encrypted or Compressed tells what was taken off.
	Encrypted, Compressed bool
	Cipher                Cipher

	spooled *spooled
}

// Close frees the content.
func (u *Unwrapped) Close() error { return u.spooled.Close() }

// Unwrap opens a bare EnvelopedData, AuthEnvelopedData or CompressedData, in
// BER, DER or base64, and hands the content out only when it is whole. The
// error is ErrUnreadable, or one of r, ctx or the spool.
func Unwrap(ctx context.Context, r io.Reader, keys []Key, o ReceiveOptions) (*Unwrapped, error) {
	o.Limits = o.Limits.withDefaults()
	u := &Unwrapped{spooled: o.Spool.create()}
	src := &requestBody{stop: ctx.Err, r: r, left: o.Limits.Body}
	err := u.read(src, keys, o)
	var local *SpoolError
	switch {
	case err == nil:
	case src.err != nil:
		err = src.err
	case errors.As(err, &local):
	default:
		err = ErrUnreadable
	}
	if err != nil {
		_ = u.Close()
		return nil, err
	}
	content := u.spooled
	u.Payload = Payload{
		ContentType: "application/octet-stream", Size: content.size,
		Open: func() (io.ReadCloser, error) { return io.NopCloser(content.section(0, content.size)), nil },
	}
	return u, nil
}

// read opens the structure and spools its content to the end.
func (u *Unwrapped) read(r io.Reader, keys []Key, o ReceiveOptions) error {
	p := &peeler{o: o, rel: &Relation{Station: Station{Keys: keys}}}
	br := cmsReader(r)
	kind, err := cms.Peek(br)
	if err != nil {
		return err
	}
	limits := cms.Limits{Content: o.Limits.Payload, Ratio: o.Limits.InflateRatio}
	switch kind {
	case cms.OIDEnvelopedData, cms.OIDAuthEnvelopedData:
		d, err := cms.Decrypt(o.rand(), br, p.decryptionKeys(), limits)
		if err != nil {
			return err
		}
		u.Encrypted, u.Cipher = true, d.Cipher
		_, err = copyContent(u.spooled, d)
		return err
	case cms.OIDCompressedData:
		d, err := cms.Decompress(br, limits)
		if err != nil {
			return err
		}
		u.Compressed = true
		_, err = copyContent(u.spooled, d)
		return err
	}
	return fmt.Errorf("content type %s", kind)
}
