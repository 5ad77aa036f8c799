package cms

import (
	"bytes"
	"crypto/rand"
	"crypto/x509"
	"io"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

// TestOpenSSLReadsWhatWeEncrypt and the three after it hold this package against
// the openssl program, in both directions.
func TestOpenSSLReadsWhatWeEncrypt(t *testing.T) {
	t.Parallel()
	p := testParties(t)
	plain := sample(chunkSize + 1000)
	for name, r := range map[string]struct {
		to Recipient
		by party
	}{
		"pkcs1":              {Recipient{Certificate: p.bob.cert}, p.bob},
		"pkcs1 by key id":    {Recipient{Certificate: p.bob.cert, KeyIdentifier: true}, p.bob},
		"oaep":               {Recipient{Certificate: p.bob.cert, OAEP: &OAEP{}}, p.bob},
		"oaep sha512 label":  {Recipient{Certificate: p.bob.cert, OAEP: &OAEP{Digest: SHA512, Label: []byte("label")}}, p.bob},
		"oaep sha256 sha1":   {Recipient{Certificate: p.bob.cert, OAEP: &OAEP{Digest: SHA256, MGF: SHA1}}, p.bob},
		"ecdh p256":          {Recipient{Certificate: p.p256.cert}, p.p256},
		"ecdh p256 by keyid": {Recipient{Certificate: p.p256.cert, KeyIdentifier: true}, p.p256},
		"ecdh p384":          {Recipient{Certificate: p.p384.cert}, p.p384},
		"ecdh p521":          {Recipient{Certificate: p.p521.cert}, p.p521},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cert, key := r.by.pemFiles(t)
			for _, c := range Ciphers() {
				for _, definite := range []bool{false, true} {
					b := encryptAll(t, plain, EncryptOptions{Cipher: c, AllowTripleDES: true, Definite: definite}, Recipient{Certificate: p.alice.cert}, r.to)
					got, stderr, err := tryOpenssl(t, b, "cms", "-decrypt", "-binary", "-inform", "DER", "-recip", cert, "-inkey", key)
					if err != nil || !bytes.Equal(got, plain) {
						t.Errorf("%s definite=%v: %d octets, %v\n%s", c, definite, len(got), err, stderr)
					}
				}
			}
		})
	}
}

func TestWeReadWhatOpenSSLEncrypts(t *testing.T) {
	t.Parallel()
	p := testParties(t)
	plain := sample(40_000)
	for name, c := range map[string]struct {
		by   party
		args []string
	}{
		"pkcs1 by key id":        {p.bob, []string{"-aes-256-cbc", "-keyid"}},
		"aes-128-gcm":            {p.bob, []string{"-aes-128-gcm"}},
		"aes-192-gcm":            {p.bob, []string{"-aes-192-gcm"}},
		"aes-256-gcm stream":     {p.bob, []string{"-aes-256-gcm", "-stream"}},
		"aes-128-cbc":            {p.bob, []string{"-aes-128-cbc"}},
		"aes-192-cbc stream":     {p.bob, []string{"-aes-192-cbc", "-stream"}},
		"3des stream":            {p.bob, []string{"-des3", "-stream"}},
		"oaep default":           {p.bob, []string{"-aes-256-cbc", "@oaep"}},
		"oaep sha256":            {p.bob, []string{"-aes-256-cbc", "@oaep", "-keyopt", "rsa_oaep_md:sha256"}},
		"oaep sha512 mgf1 sha1":  {p.bob, []string{"-aes-256-cbc", "@oaep", "-keyopt", "rsa_oaep_md:sha512", "-keyopt", "rsa_mgf1_md:sha1"}},
		"oaep label":             {p.bob, []string{"-aes-256-cbc", "@oaep", "-keyopt", "rsa_oaep_md:sha384", "-keyopt", "rsa_oaep_label:6c6162656c"}},
		"ecdh p256":              {p.p256, []string{"-aes-128-cbc"}},
		"ecdh p256 gcm":          {p.p256, []string{"-aes-256-gcm"}},
		"ecdh p256 by key id":    {p.p256, []string{"-aes-256-cbc", "-keyid"}},
		"ecdh p256 kdf sha256":   {p.p256, []string{"-aes-256-cbc", "-keyopt", "ecdh_kdf_md:sha256"}},
		"ecdh p384 kdf sha384":   {p.p384, []string{"-aes-192-cbc", "-keyopt", "ecdh_kdf_md:sha384"}},
		"ecdh p521 kdf sha512":   {p.p521, []string{"-aes-256-cbc", "-keyopt", "ecdh_kdf_md:sha512"}},
		"ecdh kdf sha224":        {p.p521, []string{"-aes-256-cbc", "-keyopt", "ecdh_kdf_md:sha224"}},
		"ecdh cofactor":          {p.p256, []string{"-aes-256-cbc", "-keyopt", "ecdh_cofactor_mode:1", "-keyopt", "ecdh_kdf_md:sha256"}},
		"ecdh 3des, 3des wrap":   {p.p256, []string{"-des3"}},
		"ecdh 3des, 3des wrap 2": {p.p256, []string{"-des3", "-des3-wrap"}},
		"ecdh 3des, aes wrap":    {p.p256, []string{"-des3", "-aes128-wrap"}},
		"ecdh aes, larger wrap":  {p.p384, []string{"-aes-128-cbc", "-aes256-wrap"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cert, _ := c.by.pemFiles(t)
			args := []string{"cms", "-encrypt", "-binary", "-outform", "DER"}
			for _, a := range c.args {
				if a == "@oaep" {
					continue
				}
				if a == "-keyopt" {
					break
				}
				args = append(args, a)
			}
			args = append(args, "-recip", cert)
			for i, a := range c.args {
				switch {
				case a == "@oaep":
					args = append(args, "-keyopt", "rsa_padding_mode:oaep")
				case a == "-keyopt":
					args = append(args, a, c.args[i+1])
				}
			}
			b := openssl(t, plain, args...)
			got, d, err := decryptAll(b, Limits{}, c.by.decryption())
			if err != nil || !bytes.Equal(got, plain) {
				t.Errorf("%v: %d octets, %v", args, len(got), err)
				return
			}
			t.Logf("%s, %s", d.Cipher, d.Scheme)
		})
	}
}

func TestOpenSSLVerifiesWhatWeSign(t *testing.T) {
	t.Parallel()
	p := testParties(t)
	content := sample(5000)
	dir := t.TempDir()
	file := filepath.Join(dir, "content")
	if err := os.WriteFile(file, content, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, s := range signers(p) {
		switch name {
		case "serial 0": // openssl reads the certificate's real serial number
			continue
		case "computed key identifier": // it wants the extension
			continue
		case "ed25519": // openssl 3.0 has it in certificates, not in CMS
			continue
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s.SigningTime = noon
			cert, _ := (party{cert: s.Certificate, key: s.Key}).pemFiles(t)
			verify := func(b []byte, args ...string) {
				t.Helper()
				args = append([]string{"cms", "-verify", "-binary", "-inform", "DER", "-noverify", "-certfile", cert}, args...)
				got, stderr, err := tryOpenssl(t, b, args...)
				if err != nil || !bytes.Equal(got, content) {
					t.Errorf("%v: %d octets, %v\n%s", args, len(got), err, stderr)
				}
			}
			der, _ := signDetached(t, s, content)
			verify(der, "-content", file, "-nointern")
			s.IncludeCertificates = []*x509.Certificate{s.Certificate, p.bob.cert}
			var out bytes.Buffer
			w, err := Sign(rand.Reader, &out, s, OIDData)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := w.Write(content); err != nil {
				t.Fatal(err)
			}
			if err := w.Close(); err != nil {
				t.Fatal(err)
			}
			verify(out.Bytes())
		})
	}
}

func TestWeVerifyWhatOpenSSLSigns(t *testing.T) {
	t.Parallel()
	p := testParties(t)
	content := sample(5000)
	type method struct {
		by   party
		args []string
	}
	methods := map[string]method{
		"no attributes":       {p.alice, []string{"-md", "sha256", "-noattr"}},
		"no attributes ec":    {p.p256, []string{"-md", "sha512", "-noattr"}},
		"key id":              {p.alice, []string{"-md", "sha256", "-keyid"}},
		"pss mgf1 sha1":       {p.alice, []string{"-md", "sha256", "-keyopt", "rsa_padding_mode:pss", "-keyopt", "rsa_mgf1_md:sha1"}},
		"pss salt 0":          {p.alice, []string{"-md", "sha256", "-keyopt", "rsa_padding_mode:pss", "-keyopt", "rsa_pss_saltlen:0"}},
		"pss salt 20":         {p.alice, []string{"-md", "sha1", "-keyopt", "rsa_padding_mode:pss", "-keyopt", "rsa_pss_saltlen:20"}},
		"pss no attributes":   {p.alice, []string{"-md", "sha384", "-noattr", "-keyopt", "rsa_padding_mode:pss"}},
		"cades, receipt":      {p.alice, []string{"-md", "sha256", "-cades", "-receipt_request_to", "a@example.com", "-receipt_request_all"}},
		"serial and no smime": {p.alice, []string{"-md", "sha256", "-nosmimecap"}},
	}
	for _, d := range Digests() {
		md := foldName(string(d))
		methods["rsa "+md] = method{p.alice, []string{"-md", md}}
		if d != MD5 {
			methods["pss "+md] = method{p.alice, []string{"-md", md, "-keyopt", "rsa_padding_mode:pss"}}
			methods["p256 "+md] = method{p.p256, []string{"-md", md}}
			methods["p521 "+md] = method{p.p521, []string{"-md", md}}
		}
	}
	for name, m := range methods {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cert, key := m.by.pemFiles(t)
			args := append([]string{"cms", "-sign", "-binary", "-outform", "DER", "-signer", cert, "-inkey", key}, m.args...)
			shapes := [][]string{{"-nocerts"}, {}, {"-nodetach"}, {"-nodetach", "-nocerts", "-stream"}}
			if slices.Contains(m.args, "rsa_padding_mode:pss") {
				shapes = shapes[:3] // openssl 3.0 cannot stream PSS: "illegal zero content"
			}
			for _, shape := range shapes {
				b := openssl(t, content, append(args, shape...)...)
				sr, err := OpenSignedData(bytes.NewReader(b), Limits{})
				if err != nil {
					t.Fatal(err)
				}
				got, err := io.ReadAll(sr)
				if err != nil {
					t.Fatal(err)
				}
				parsed, err := sr.SignedData()
				if err != nil {
					t.Fatal(err)
				}
				digests := map[Digest][]byte{}
				if parsed.Detached() {
					for _, d := range parsed.Digests() {
						digests[d] = digestBy(d, content)
					}
				} else if !bytes.Equal(got, content) {
					t.Errorf("%v: %d octets inside", shape, len(got))
				}
				v, err := parsed.Verify(digests, []*x509.Certificate{m.by.cert}, noon)
				if err != nil {
					t.Errorf("%v: %v", shape, err)
					continue
				}
				if v.SignedAttributes && v.SigningTime.IsZero() {
					t.Errorf("%v: %+v", shape, v)
				}
			}
		})
	}
}

// openssl finds the bag of certificates readable.
func TestOpenSSLReadsACertificateBag(t *testing.T) {
	t.Parallel()
	p := testParties(t)
	der, err := EncodeCertificates([]*x509.Certificate{p.alice.cert, p.p256.cert})
	if err != nil {
		t.Fatal(err)
	}
	out := openssl(t, der, "pkcs7", "-inform", "DER", "-print_certs")
	if n := bytes.Count(out, []byte("BEGIN CERTIFICATE")); n != 2 {
		t.Errorf("%d certificates\n%s", n, out)
	}
}

// An RSA certificate whose key is filed under RSASSA-PSS is one crypto/x509 does
// not take the key from; a partner may have one all the same.
func TestCertificateOfAnRSAPSSKey(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	cert, key := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	openssl(t, nil, "req", "-x509", "-newkey", "rsa-pss", "-pkeyopt", "rsa_keygen_bits:2048", "-nodes", "-subj", "/CN=pss", "-days", "3650", "-keyout", key, "-out", cert)
	content := []byte("content")
	b := openssl(t, content, "cms", "-sign", "-binary", "-outform", "DER", "-md", "sha256", "-signer", cert, "-inkey", key, "-keyopt", "rsa_padding_mode:pss")
	parsed, err := ParseSignedData(bytes.NewReader(b), Limits{})
	if err != nil {
		t.Fatal(err)
	}
	c, err := x509.ParseCertificate(pemBlock(t, cert))
	if err != nil {
		t.Fatal(err)
	}
	if c.PublicKey != nil {
		t.Log("crypto/x509 has learned to read these keys")
	}
	v, err := parsed.Verify(map[Digest][]byte{SHA256: digestBy(SHA256, content)}, []*x509.Certificate{c}, time.Time{})
	if err != nil || v.Scheme != RSAPSS {
		t.Errorf("%+v, %v", v, err)
	}
}
