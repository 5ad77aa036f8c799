package as2

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/x509"
	"errors"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"

	"tradepost/as2/cms"
)

// TestReceiveReturned takes an asynchronous receipt in at the same door.
func TestReceiveReturned(t *testing.T) {
	t.Parallel()
	for _, signed := range []bool{true, false} {
		out := mustBuild(t, order, Options{Sign: SHA256, Encrypt: AES128CBC, Receipt: ReceiptRequest{
			Mode: AsyncReceipt, URL: "https://alice.test/as2", Signed: signed,
		}})
		r := receiveAt(t, relation("bob", "alice"), out.Header, bodyOf(t, out))
		if r.Request.Mode != AsyncReceipt || r.Request.URL != "https://alice.test/as2" {
			t.Fatalf("request %+v", r.Request)
		}
		made, err := r.Receipt(ReceiptOptions{MessageID: "<r@bob.test>", Now: testNow})
		if err != nil {
			t.Fatal(err)
		}
		back, err := Receive(context.Background(), made.Header, bytes.NewReader(made.Body), ReceiveOptions{
			Lookup: func(string, string) (*Relation, error) {
				t.Error("a receipt needs no relation to be read")
				return nil, ErrUnknownRelation
			},
		})
		if err != nil {
			t.Fatal(err)
		}
		if back.Returned == nil || back.From != "bob" || len(back.Payloads) != 0 {
			t.Fatalf("got %+v", back)
		}
		if o := back.Returned.Check(out.Sent, relation("alice", "bob").Partner.Verify); !o.Delivered {
			t.Errorf("outcome %+v", o)
		}
		if _, err := back.Receipt(ReceiptOptions{MessageID: "<x@y>", Now: testNow}); err == nil {
			t.Error("a receipt was answered by a receipt")
		}
		t.Run("without a Message-ID of its own", func(t *testing.T) {
			made.Header.Del("Message-ID")
			back := receiveAt(t, relation("alice", "bob"), made.Header, made.Body)
			if back.Returned == nil || back.Returned.MessageID != "" {
				t.Fatalf("got %+v", back)
			}
			if o := back.Returned.Check(out.Sent, relation("alice", "bob").Partner.Verify); !o.Delivered {
				t.Errorf("outcome %+v", o)
			}
		})
	}
}

// TestReceivePolicy refuses what is less secure than agreed.
func TestReceivePolicy(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		o      Options
		policy Policy
		want   Modifier
	}{
		"unsigned":              {Options{Encrypt: AES128CBC}, Policy{RequireSigned: true}, InsufficientMessageSecurity},
		"unencrypted":           {Options{Sign: SHA256}, Policy{RequireEncrypted: true}, InsufficientMessageSecurity},
		"digest":                {Options{Sign: SHA1}, Policy{Digests: []Digest{SHA256, SHA384}}, InsufficientMessageSecurity},
		"cipher":                {Options{Encrypt: TripleDES}, Policy{Ciphers: []Cipher{AES128CBC, AES256CBC}}, InsufficientMessageSecurity},
		"as agreed":             {Options{Sign: SHA256, Encrypt: AES256CBC}, Policy{RequireSigned: true, RequireEncrypted: true, Digests: []Digest{SHA256}, Ciphers: []Cipher{AES256CBC}}, ""},
		"plain, nothing agreed": {Options{}, Policy{}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			out := mustBuild(t, order, c.o)
			rel := relation("bob", "alice")
			rel.Policy = c.policy
			r := receiveAt(t, rel, out.Header, bodyOf(t, out))
			if got := modifierOf(r.Failure); got != c.want {
				t.Errorf("failure %v, want %q", r.Failure, c.want)
			}
			if c.want != "" && len(r.Payloads) > 0 {
				t.Error("payload of a refused transmission")
			}
		})
	}
	t.Run("MD5 needs to be named", func(t *testing.T) {
		t.Parallel()
		key, part := testKeys()["alice"], append([]byte("\r\n"), order...)
		h := MD5.New()
		h.Write(part)
		signature, err := cms.SignDetached(rand.Reader, cms.Signer{Certificate: key.Certificate, Key: key.Private, Digest: MD5}, h.Sum(nil), cms.OIDData)
		if err != nil {
			t.Fatal(err)
		}
		var b bytes.Buffer
		b.WriteString("--hand\r\n")
		b.Write(part)
		if err := writeSignaturePart(&b, "hand", signature, false); err != nil {
			t.Fatal(err)
		}
		rel := relation("bob", "alice")
		if r := receiveAt(t, rel, baseHeader(signedType("hand", MD5)), b.Bytes()); modifierOf(r.Failure) != InsufficientMessageSecurity {
			t.Errorf("failure %v", r.Failure)
		}
		rel.Policy.Digests = []Digest{MD5}
		if r := receiveAt(t, rel, baseHeader(signedType("hand", MD5)), b.Bytes()); r.Failure != nil {
			t.Errorf("failure %v", r.Failure)
		}
	})
	t.Run("MD5 over the signed attributes counts as MD5", func(t *testing.T) {
		t.Parallel()
		h, body := signHandMD5Attributes(t, testKeys()["alice"], append([]byte("\r\n"), order...))
		rel := relation("bob", "alice")
		if r := receiveAt(t, rel, h, body); modifierOf(r.Failure) != InsufficientMessageSecurity {
			t.Errorf("failure %v", r.Failure)
		}
		rel.Policy.Digests = []Digest{SHA256}
		if r := receiveAt(t, rel, h, body); modifierOf(r.Failure) != InsufficientMessageSecurity {
			t.Errorf("failure %v", r.Failure)
		}
		rel.Policy.Digests = []Digest{SHA256, MD5}
		if r := receiveAt(t, rel, h, body); r.Failure != nil || r.Digest != SHA256 {
			t.Errorf("digest %s, failure %v", r.Digest, r.Failure)
		}
	})
	t.Run("illegal file names", func(t *testing.T) {
		t.Parallel()
		rel := relation("bob", "alice")
		rel.Policy.FileNames = true
		for name, legal := range map[string]bool{
			"order.edi": true, "Bestellung Nr. 5.edi": true, "": true,
			"../../etc/passwd": false, "a/b": false, `a\b`: false, "..": false, "C:x": false, "a\x01b": false, strings.Repeat("x", 300): false,
		} {
			h, body := signHand(t, testKeys()["alice"], []byte("Content-Disposition: attachment; filename="+quoteParam(name)+"\r\n\r\nx"))
			r := receiveAt(t, rel, h, body)
			want := IllegalFilename
			if legal {
				want = ""
			}
			if modifierOf(r.Failure) != want {
				t.Errorf("%q: %v", name, r.Failure)
			}
		}
	})
}

// TestReceiveErrors are the cases no receipt can answer.
func TestReceiveErrors(t *testing.T) {
	t.Parallel()
	out := mustBuild(t, order, Options{Sign: SHA256, Encrypt: AES256CBC})
	body := bodyOf(t, out)
	o := ReceiveOptions{Lookup: lookup(relation("bob", "alice"))}
	for _, missing := range []string{"AS2-From", "AS2-To", "Message-ID"} {
		h := out.Header.Clone()
		h.Del(missing)
		_, err := Receive(context.Background(), h, bytes.NewReader(body), o)
		var malformed *MalformedError
		if !errors.As(err, &malformed) || malformed.Status != http.StatusBadRequest || !strings.Contains(err.Error(), missing) {
			t.Errorf("without %s: %v", missing, err)
		}
	}
	broken := errors.New("connection lost")
	for cut := 0; cut < len(body); cut += 97 {
		src := io.MultiReader(bytes.NewReader(body[:cut]), iotest.ErrReader(broken))
		if _, err := Receive(context.Background(), out.Header, src, o); !errors.Is(err, broken) {
			t.Fatalf("broken at byte %d: %v", cut, err)
		}
	}
	down := errors.New("database is down")
	if _, err := Receive(context.Background(), out.Header, bytes.NewReader(body), ReceiveOptions{
		Lookup: func(string, string) (*Relation, error) { return nil, down },
	}); !errors.Is(err, down) {
		t.Errorf("look-up fails: %v", err)
	}
	if _, err := Receive(context.Background(), out.Header, bytes.NewReader(body), ReceiveOptions{}); err == nil {
		t.Error("no look-up: no error")
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := Receive(ctx, out.Header, bytes.NewReader(body), o); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	o.Spool = Spool{Dir: filepath.Join(t.TempDir(), "gone"), Threshold: 16}
	var local *SpoolError
	if _, err := Receive(context.Background(), out.Header, bytes.NewReader(body), o); !errors.As(err, &local) {
		t.Errorf("no spool folder: %v", err)
	}
}

// TestReceiveSlowly gives the body a byte at a time.
func TestReceiveSlowly(t *testing.T) {
	t.Parallel()
	for _, opts := range []Options{{}, {Sign: SHA256}, {Sign: SHA256, Encrypt: AES256GCM, Compress: BeforeSigning}} {
		out := mustBuild(t, order, opts)
		r, err := Receive(context.Background(), out.Header, iotest.OneByteReader(bytes.NewReader(bodyOf(t, out))), ReceiveOptions{Lookup: lookup(relation("bob", "alice"))})
		if err != nil || r.Failure != nil {
			t.Fatalf("%v, %v", err, r.Failure)
		}
		if !bytes.Equal(open(t, r.Payloads[0]), order) {
			t.Error("payload changed")
		}
	}
}

// TestTruncated cuts a transmission anywhere: it is refused, never taken over.
func TestTruncated(t *testing.T) {
	t.Parallel()
	for name, o := range map[string]Options{
		"signed":         {Sign: SHA256},
		"encrypted":      {Encrypt: AES256CBC},
		"authenticated":  {Encrypt: AES128GCM},
		"compressed":     {Compress: AfterSigning},
		"all":            {Sign: SHA256, Encrypt: AES256CBC, Compress: BeforeSigning},
		"signed, zipped": {Sign: SHA256, Compress: AfterSigning},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			out := mustBuild(t, order, o)
			body := bodyOf(t, out)
			step := 1
			if o.Encrypt != "" {
				step = 41 // every cut costs an RSA operation
			}
			accepted := 0
			for cut := 0; cut < len(body)-4; cut += step {
				r, err := Receive(context.Background(), out.Header, bytes.NewReader(body[:cut]), ReceiveOptions{Lookup: lookup(relation("bob", "alice"))})
				if err != nil {
					t.Fatal(err)
				}
				if r.Failure == nil {
					accepted++
					if !bytes.Equal(open(t, r.Payloads[0]), order) {
						t.Fatalf("cut at %d: accepted with another payload", cut)
					}
				}
				_ = r.Close()
			}
			// A signed transmission is whole once its signature is; only the
			// closing boundary may be missing.
			if limit := len("\r\n--\r\n") + 60; accepted > limit || !strings.HasPrefix(name, "signed") && accepted > 0 || name == "signed, zipped" && accepted > 0 {
				t.Errorf("%d cuts were accepted", accepted)
			}
		})
	}
}

// TestAttachments sends several documents in one transmission (RFC 6362).
func TestAttachments(t *testing.T) {
	t.Parallel()
	for name, o := range map[string]Options{
		"plain":            {},
		"signed":           {Sign: SHA256},
		"signed encrypted": {Sign: SHA256, Encrypt: AES128CBC, Compress: BeforeSigning},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			picture := []byte("\x89PNG\r\n\x1a\n\x00\r\n--not a boundary\r\n")
			o.Attachments = []Payload{
				payloadOf(picture, "image/png", "Übersicht \"neu\".png"),
				payloadOf(nil, "application/pdf", "empty.pdf"),
			}
			o.Receipt = ReceiptRequest{Mode: SyncReceipt, Signed: true}
			out := mustBuild(t, order, o)
			r := receiveAt(t, relation("bob", "alice"), out.Header, bodyOf(t, out))
			if r.Failure != nil || len(r.Payloads) != 3 {
				t.Fatalf("%d payloads, %v", len(r.Payloads), r.Failure)
			}
			for i, want := range []struct {
				name, kind string
				content    []byte
			}{{"order 1.edi", "application/edi-x12", order}, {"Übersicht \"neu\".png", "image/png", picture}, {"empty.pdf", "application/pdf", nil}} {
				p := r.Payloads[i]
				if p.Filename != want.name || p.ContentType != want.kind || !bytes.Equal(open(t, p), want.content) {
					t.Errorf("payload %d is %q %q %q", i, p.Filename, p.ContentType, open(t, p))
				}
			}
			rc, err := r.Receipt(ReceiptOptions{MessageID: "<r@bob.test>", Now: testNow})
			if err != nil {
				t.Fatal(err)
			}
			if got := reparse(t, rc).Check(out.Sent, relation("alice", "bob").Partner.Verify); !got.Delivered {
				t.Errorf("outcome %+v", got)
			}
		})
	}
}

// TestFail answers with a reason the caller found.
func TestFail(t *testing.T) {
	t.Parallel()
	out := mustBuild(t, order, Options{Sign: SHA256, Receipt: ReceiptRequest{Mode: SyncReceipt, Signed: true}})
	r := receiveAt(t, relation("bob", "alice"), out.Header, bodyOf(t, out))
	r.Fail(DuplicateFilename, errors.New("order 1.edi came yesterday"))
	rc, err := r.Receipt(ReceiptOptions{MessageID: "<r@bob.test>", Now: testNow})
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(rc.Body), "yesterday") {
		t.Error("the partner was told the reason in our words")
	}
	o := reparse(t, rc).Check(out.Sent, relation("alice", "bob").Partner.Verify)
	if o.Code != OutcomeRefused || rc.Disposition.String() != "automatic-action/MDN-sent-automatically; processed/error: duplicate-filename" {
		t.Errorf("%s, %+v", rc.Disposition, o)
	}
}

// TestRollover verifies with any of the partner's certificates and decrypts
// with any of our keys.
func TestRollover(t *testing.T) {
	t.Parallel()
	keys := testKeys()
	old := relation("alice", "mallory") // mallory's key is bob's old one
	old.Partner.ID = "bob"
	out, err := Build(context.Background(), old, payloadOf(order, "", ""), Options{MessageID: "<o@alice.test>", Now: testNow, Sign: SHA256, Encrypt: AES128CBC})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = out.Close() }()
	rel := relation("bob", "alice")
	rel.Station.Keys = []Key{keys["bob"], keys["mallory"]}
	rel.Partner.Verify = []*x509.Certificate{keys["ec"].Certificate, keys["alice"].Certificate}
	if r := receiveAt(t, rel, out.Header, bodyOf(t, out)); r.Failure != nil || !r.Signer.Equal(keys["alice"].Certificate) {
		t.Errorf("failure %v", r.Failure)
	}
}

// TestDecryptionFailuresAlike: whoever tries to decrypt by questions gets one
// answer.
func TestDecryptionFailuresAlike(t *testing.T) {
	t.Parallel()
	entity := append([]byte("Content-Type: application/edi-x12\r\n\r\n"), order...)
	h, body := encryptHand(t, entity, AES256CBC)
	h.Set("Disposition-Notification-To", "x")
	answers := map[string]bool{}
	for i := 1; i < 40; i++ {
		changed := bytes.Clone(body)
		changed[len(changed)-5-7*i] ^= byte(i)
		r := receiveAt(t, relation("bob", "alice"), h, changed)
		if r.Failure == nil {
			continue // CBC protects nothing: what it hits may be the payload
		}
		rc, err := r.Receipt(ReceiptOptions{MessageID: "<r@bob.test>", Now: testNow})
		if err != nil {
			t.Fatal(err)
		}
		answers[string(rc.Body)] = true
	}
	if len(answers) != 1 {
		t.Errorf("%d different answers", len(answers))
	}
}

// TestBuildRefuses does not build what would not be understood.
func TestBuildRefuses(t *testing.T) {
	t.Parallel()
	good := Options{MessageID: "<a@b.c>", Now: testNow}
	with := func(change func(*Options)) Options {
		o := good
		change(&o)
		return o
	}
	rel := relation("alice", "bob")
	none := Relation{Station: Station{ID: "alice"}, Partner: Partner{ID: "bob"}}
	named := func(id string) Relation { r := rel; r.Partner.ID = id; return r }
	for name, c := range map[string]struct {
		rel Relation
		o   Options
	}{
		"no message id":           {rel, with(func(o *Options) { o.MessageID = "" })},
		"message id with space":   {rel, with(func(o *Options) { o.MessageID = "<a b@c>" })},
		"message id of two lines": {rel, with(func(o *Options) { o.MessageID = "<a@b>\r\nX: y>" })},
		"message id too long":     {rel, with(func(o *Options) { o.MessageID = "<" + strings.Repeat("a", 255) + ">" })},
		"no time":                 {rel, Options{MessageID: "<a@b.c>"}},
		"MD5":                     {rel, with(func(o *Options) { o.Sign = MD5 })},
		"unknown digest":          {rel, with(func(o *Options) { o.Sign = "crc" })},
		"unknown cipher":          {rel, with(func(o *Options) { o.Encrypt = "rot13" })},
		"unknown compression":     {rel, with(func(o *Options) { o.Compress = "maybe" })},
		"no key":                  {none, with(func(o *Options) { o.Sign = SHA256 })},
		"no certificate":          {none, with(func(o *Options) { o.Encrypt = AES128CBC })},
		"async without URL":       {rel, with(func(o *Options) { o.Receipt.Mode = AsyncReceipt })},
		"unknown receipt":         {rel, with(func(o *Options) { o.Receipt.Mode = "someday" })},
		"empty identifier":        {named(""), good},
		"long identifier":         {named(strings.Repeat("x", 129)), good},
		"identifier of two lines": {named("a\nb"), good},
		"identifier not ASCII":    {named("Müller"), good},
	} {
		if out, err := Build(context.Background(), c.rel, payloadOf(order, "", ""), c.o); err == nil {
			_ = out.Close()
			t.Errorf("%s: no error", name)
		}
	}
	lying := payloadOf(order, "", "")
	lying.Size++
	if _, err := Build(context.Background(), rel, lying, good); err == nil {
		t.Error("a payload of another size: no error")
	}
	broken := errors.New("disk")
	if _, err := Build(context.Background(), rel, Payload{Open: func() (io.ReadCloser, error) { return nil, broken }}, good); !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
	if _, err := Build(context.Background(), rel, Payload{Size: -1, Open: func() (io.ReadCloser, error) {
		return io.NopCloser(iotest.ErrReader(broken)), nil
	}}, good); !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
	// A header value cannot begin a new line.
	out, err := Build(context.Background(), rel, payloadOf(order, "text/plain\r\nX-Evil: 1", "a\r\nX-Evil: 1"), with(func(o *Options) { o.Subject = "a\r\nX-Evil: 1" }))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = out.Close() }()
	for name, values := range out.Header {
		if name == "X-Evil" || strings.ContainsAny(values[0], "\r\n") {
			t.Errorf("%s: %q", name, values)
		}
	}
}

func TestNewMessageID(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, host := range []string{"alice.test", "a b<c>@d", "", strings.Repeat("h", 500), "Müller"} {
		id, err := NewMessageID(testNow, nil, host)
		if err != nil {
			t.Fatal(err)
		}
		if err := checkMessageID(id); err != nil || seen[id] {
			t.Errorf("%q: %v", id, err)
		}
		seen[id] = true
	}
	if _, err := NewMessageID(testNow, iotest.ErrReader(io.ErrUnexpectedEOF), "x"); err == nil {
		t.Error("no error without randomness")
	}
}
