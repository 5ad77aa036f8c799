package as2

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"tradepost/as2/cms"
)

// section is an entity to be written: header fields and what writes the body.
type section struct {
	fields []field
	write  func(w io.Writer) error
	about  int64 // how many octets the body has, more or less; -1 when not known
}

// writeTo writes header and body.
func (s section) writeTo(w io.Writer) error {
	if _, err := w.Write(appendFields(nil, s.fields)); err != nil {
		return err
	}
	return s.write(w)
}

// builder holds what the layers of one transmission share.
type builder struct {
	stop func() error // tells why to stop, nil to go on
	rel  Relation
	o    Options
	mic  *micHasher // over what the receipt's MIC covers
	bare *micHasher // over the payload of unsigned content
}

// build is Build.
func build(ctx context.Context, rel Relation, p Payload, o Options) (*Outgoing, error) {
	if err := checkBuild(&rel, &o); err != nil {
		return nil, err
	}
	b := &builder{stop: ctx.Err, rel: rel, o: o}
	b.mic = newMICHasher(o.Receipt.Digests, o.Sign)
	content, err := b.content(p)
	if err != nil {
		return nil, err
	}
	content, err = b.wrap(content)
	if err != nil {
		return nil, err
	}
	body := o.Spool.create()
	if err := content.write(body); err != nil {
		_ = body.Close()
		return nil, fmt.Errorf("as2: build %s: %w", o.MessageID, err)
	}
	out := &Outgoing{
		Sent: Sent{
			From: rel.Station.ID, To: rel.Partner.ID, MessageID: o.MessageID,
			Signed: o.Sign != "", Encrypted: o.Encrypt != "",
			MICs: b.mic.mics(), Request: o.Receipt,
		},
		Header:  b.headers(content.fields),
		Size:    body.size,
		spooled: []io.Closer{body},
	}
	if b.bare != nil {
		out.BareMICs = b.bare.mics()
	}
	out.Open = func() (io.ReadCloser, error) {
		if body.closed {
			return nil, &SpoolError{errors.New("the transmission was closed")}
		}
		return sectionBody{io.NewSectionReader(body, 0, body.size)}, nil
	}
	return out, nil
}

// sectionBody is a body that can be read from anywhere (see PostRestartable).
type sectionBody struct{ *io.SectionReader }

// Close implements io.Closer.
func (sectionBody) Close() error { return nil }

// checkBuild refuses what cannot be built, and fills in defaults.
func checkBuild(rel *Relation, o *Options) error {
	if err := checkID("station", rel.Station.ID); err != nil {
		return err
	}
	if err := checkID("partner", rel.Partner.ID); err != nil {
		return err
	}
	if err := checkMessageID(o.MessageID); err != nil {
		return err
	}
	if o.Now.IsZero() {
		return errors.New("as2: build: Now is not set")
	}
	if o.Sign != "" {
		if !o.Sign.Valid() || o.Sign == MD5 {
			return fmt.Errorf("as2: build: cannot sign with %q", o.Sign)
		}
		if len(rel.Station.Keys) == 0 || rel.Station.Keys[0].Private == nil || rel.Station.Keys[0].Certificate == nil {
			return fmt.Errorf("as2: build: station %q has no key to sign with", rel.Station.ID)
		}
	}
	if o.Encrypt != "" {
		if !o.Encrypt.Valid() {
			return fmt.Errorf("as2: build: unknown cipher %q", o.Encrypt)
		}
		if rel.Partner.Encrypt == nil {
			return fmt.Errorf("as2: build: partner %q has no certificate to encrypt to", rel.Partner.ID)
		}
	}
	switch o.Compress {
	case NoCompression, BeforeSigning, AfterSigning:
	default:
		return fmt.Errorf("as2: build: unknown compression %q: want before-signing or after-signing", o.Compress)
	}
	switch o.Receipt.Mode {
	case "", NoReceipt, SyncReceipt:
	case AsyncReceipt:
		if o.Receipt.URL == "" {
			return errors.New("as2: build: an asynchronous receipt needs the URL it shall come to")
		}
	default:
		return fmt.Errorf("as2: build: unknown receipt mode %q: want none, sync or async", o.Receipt.Mode)
	}
	if o.Receipt.Signed && len(o.Receipt.Digests) == 0 {
		o.Receipt.Digests = []Digest{SHA256}
		if o.Sign != "" {
			o.Receipt.Digests[0] = o.Sign
		}
	}
	if o.Rand == nil {
		o.Rand = rand.Reader
	}
	if o.Product == "" {
		o.Product = defaultProduct
	}
	return nil
}

// headers are the HTTP headers around content.
func (b *builder) headers(content []field) http.Header {
	h := http.Header{}
	set := func(name, value string) { h.Set(name, oneLine(value)) }
	set("AS2-Version", Version)
	set("AS2-From", FormatID(b.rel.Station.ID))
	set("AS2-To", FormatID(b.rel.Partner.ID))
	set("AS2-Product", b.o.Product)
	set("User-Agent", b.o.Product)
	set("EDIINT-Features", featureList(b.o.Features))
	set("Message-ID", b.o.MessageID)
	set("Date", b.o.Now.UTC().Format(time.RFC1123Z))
	set("MIME-Version", "1.0")
	if b.o.Subject != "" {
		set("Subject", b.o.Subject)
	}
	for _, f := range b.o.Receipt.fields() {
		set(f.name, f.value)
	}
	for _, f := range content {
		set(f.name, f.value)
	}
	return h
}

// content is the innermost entity: the payload, or several as multipart/related.
func (b *builder) content(p Payload) (section, error) {
	first := b.payload(p)
	if len(b.o.Attachments) == 0 {
		return first, nil
	}
	boundary, err := b.boundary()
	if err != nil {
		return section{}, err
	}
	parts := []section{first}
	for _, a := range b.o.Attachments {
		parts = append(parts, b.payload(a))
	}
	return section{
		fields: []field{{"Content-Type", "multipart/related; type=" + quoteParam(parseMediaType(first.fields[0].value).full) + "; boundary=" + quoteParam(boundary)}},
		write: func(w io.Writer) error {
			for i, part := range parts {
				lead := crlf
				if i == 0 {
					lead = ""
				}
				if _, err := io.WriteString(w, lead+"--"+boundary+crlf); err != nil {
					return err
				}
				if err := part.writeTo(w); err != nil {
					return err
				}
			}
			_, err := io.WriteString(w, crlf+"--"+boundary+"--"+crlf)
			return err
		},
		about: -1,
	}, nil
}

// payload is one document. Its bytes go through as they are.
func (b *builder) payload(p Payload) section {
	contentType := oneLine(p.ContentType)
	if contentType == "" {
		contentType = "application/octet-stream"
	}
	fields := []field{{"Content-Type", contentType}, {"Content-Transfer-Encoding", "binary"}}
	if p.Filename != "" {
		fields = append(fields, field{"Content-Disposition", "attachment; " + filenameParam(p.Filename)})
	}
	about := p.Size
	if about == 0 { // often means that nobody has said
		about = -1
	}
	return section{fields: fields, about: about, write: func(w io.Writer) error {
		r, err := p.Open()
		if err != nil {
			return fmt.Errorf("open payload: %w", err)
		}
		n, err := copyContent(w, &stoppableReader{b.stop, r})
		if cerr := r.Close(); err == nil {
			err = cerr
		}
		if err != nil {
			return fmt.Errorf("payload: %w", err)
		}
		if p.Size > 0 && n != p.Size {
			return fmt.Errorf("payload has %d bytes, its Size says %d", n, p.Size)
		}
		return nil
	}}
}

// stoppableReader ends reading when stop says so.
type stoppableReader struct {
	stop func() error
	r    io.Reader
}

func (s *stoppableReader) Read(p []byte) (int, error) {
	if err := s.stop(); err != nil {
		return 0, err
	}
	return s.r.Read(p)
}

// wrap puts the layers around the content, from the inside out.
func (b *builder) wrap(s section) (section, error) {
	if b.o.Sign == "" {
		wrapped := b.o.Encrypt != "" || b.o.Compress != NoCompression
		b.bare = newMICHasher(b.o.Receipt.Digests)
		s = b.unsignedMIC(s, wrapped)
	}
	if b.o.Compress == BeforeSigning || b.o.Compress != NoCompression && b.o.Sign == "" {
		s = b.compressed(s)
	}
	if b.o.Sign != "" {
		var err error
		if s, err = b.signed(s); err != nil {
			return section{}, err
		}
		if b.o.Compress == AfterSigning {
			s = b.compressed(s)
		}
	}
	if b.o.Encrypt != "" {
		s = b.encrypted(s)
	}
	return s, nil
}

// unsignedMIC hashes unsigned content: with its header when something is
// wrapped around it, else without (RFC 4130 section 7.4.3, RFC 5402 section 4).
func (b *builder) unsignedMIC(s section, wrapped bool) section {
	write, fields := s.write, s.fields
	s.write = func(w io.Writer) error {
		if wrapped {
			_, _ = b.mic.Write(appendFields(nil, fields))
			return write(hashed(w, b.mic, b.bare))
		}
		return write(hashed(w, b.mic))
	}
	if !wrapped {
		b.bare = nil
	}
	return s
}

// compressed wraps s into CompressedData.
func (b *builder) compressed(s section) section {
	return section{
		fields: []field{
			{"Content-Type", `application/pkcs7-mime; smime-type=compressed-data; name="smime.p7z"`},
			{"Content-Transfer-Encoding", "binary"},
			{"Content-Disposition", `attachment; filename="smime.p7z"`},
		},
		write: func(w io.Writer) error {
			if b.o.DER {
				return b.compressDER(w, s)
			}
			z, err := b.o.Deflaters.Compress(w, s.about)
			if err != nil {
				return fmt.Errorf("compress: %w", err)
			}
			if err := s.writeTo(z); err != nil {
				return err
			}
			if err := z.Close(); err != nil {
				return fmt.Errorf("compress: %w", err)
			}
			return nil
		},
	}
}

// compressDER writes s as CompressedData with definite lengths.
func (b *builder) compressDER(w io.Writer, s section) error {
	stream := b.o.Spool.create()
	defer func() { _ = stream.Close() }() // only frees it
	z := b.o.Deflaters.Deflate(stream, s.about)
	if err := s.writeTo(z); err != nil {
		return err
	}
	if err := z.Close(); err != nil {
		return fmt.Errorf("compress: %w", err)
	}
	if err := cms.WrapCompressed(w, stream.section(0, stream.size), stream.size); err != nil {
		return fmt.Errorf("compress: %w", err)
	}
	return nil
}

// signed wraps s into a multipart/signed; the MIC covers s as it is written.
func (b *builder) signed(s section) (section, error) {
	boundary, err := b.boundary()
	if err != nil {
		return section{}, err
	}
	key := b.rel.Station.Keys[0]
	signer := cms.Signer{
		Certificate: key.Certificate, Key: key.Private, Digest: b.o.Sign, PSS: b.o.PSS,
		SigningTime: b.o.Now,
	}
	signer.IncludeCertificates = append(signer.IncludeCertificates, key.Certificate)
	digest := signer.EffectiveDigest()
	if digest != b.o.Sign {
		b.mic = newMICHasher(b.o.Receipt.Digests, digest)
	}
	return section{
		fields: []field{{"Content-Type", signedType(boundary, digest)}},
		about:  s.about,
		write: func(w io.Writer) error {
			if _, err := io.WriteString(w, "--"+boundary+crlf); err != nil {
				return err
			}
			if err := s.writeTo(hashed(w, b.mic)); err != nil {
				return err
			}
			signature, err := cms.SignDetached(b.o.Rand, signer, b.mic.sum(digest), cms.OIDData)
			if err != nil {
				return fmt.Errorf("sign: %w", err)
			}
			return writeSignaturePart(w, boundary, signature, true)
		},
	}, nil
}

// encrypted wraps s into EnvelopedData, or AuthEnvelopedData for AES-GCM.
func (b *builder) encrypted(s section) section {
	smimeType := "enveloped-data"
	if b.o.Encrypt.Authenticated() {
		smimeType = "authEnveloped-data"
	}
	recipient := cms.Recipient{Certificate: b.rel.Partner.Encrypt}
	if b.o.OAEP {
		recipient.OAEP = &cms.OAEP{}
	}
	recipients := []cms.Recipient{recipient}
	if b.o.EncryptToSelf && len(b.rel.Station.Keys) > 0 {
		recipients = append(recipients, cms.Recipient{Certificate: b.rel.Station.Keys[0].Certificate})
	}
	return section{
		fields: []field{
			{"Content-Type", `application/pkcs7-mime; smime-type=` + smimeType + `; name="smime.p7m"`},
			{"Content-Transfer-Encoding", "binary"},
			{"Content-Disposition", `attachment; filename="smime.p7m"`},
		},
		write: func(w io.Writer) error {
			o := cms.EncryptOptions{Cipher: b.o.Encrypt, AllowTripleDES: b.o.Encrypt == TripleDES, Definite: b.o.DER}
			write := s.writeTo
			if b.o.DER {
				whole := b.o.Spool.create()
				defer func() { _ = whole.Close() }() // only frees it
				if err := s.writeTo(whole); err != nil {
					return err
				}
				o.Size = whole.size
				write = func(w io.Writer) error { _, err := copyContent(w, whole.section(0, whole.size)); return err }
			}
			e, err := cms.Encrypt(b.o.Rand, w, recipients, o)
			if err != nil {
				return fmt.Errorf("encrypt: %w", err)
			}
			if err := write(e); err != nil {
				return err
			}
			if err := e.Close(); err != nil {
				return fmt.Errorf("encrypt: %w", err)
			}
			return nil
		},
	}
}

// boundary makes a random boundary.
func (b *builder) boundary() (string, error) {
	r := make([]byte, 18)
	if _, err := io.ReadFull(b.o.Rand, r); err != nil {
		return "", fmt.Errorf("as2: build: boundary: %w", err)
	}
	return "=_" + strings.ToLower(hex.EncodeToString(r)), nil
}
