package interop

import (
	"bytes"
	"compress/zlib"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"tradepost/as2"
	"tradepost/as2/cms"
)

// asn1Crypto is the library asn1crypto as a second opinion: the program of
// folder asn1crypto, and the keys of some parties as files.
type asn1Crypto struct {
	python, dir string
	parties     map[string]as2.Key
}

// keyFile and certificateFile are where the program finds a party's.
func (a *asn1Crypto) keyFile(name string) string { return filepath.Join(a.dir, name+".key") }

func (a *asn1Crypto) certificateFile(name string) string { return filepath.Join(a.dir, name+".crt") }

// newASN1Crypto is started by make interop alone, as the products are.
func newASN1Crypto(t *testing.T) *asn1Crypto {
	t.Helper()
	if os.Getenv("TRADEPOST_INTEROP") == "" {
		t.Skip("TRADEPOST_INTEROP is not set: `make interop` compares with asn1crypto")
	}
	a := &asn1Crypto{python: pythonWith(t), dir: t.TempDir()}
	a.parties = newParties(t, a.dir, "rsa", "other", "p256", "p384", "p521")
	return a
}

// job is what the program is asked, opinion what it says.
type job map[string]any

type opinion struct {
	CMS, Content         []byte
	Type, Digest, Cipher string
	Scheme, Key, Inside  string
	Certificates         int
	Error                string
}

// ask has the program do jobs.
func (a *asn1Crypto) ask(t *testing.T, jobs []job) []opinion {
	t.Helper()
	b, err := json.Marshal(jobs)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(a.dir, "jobs.json")
	write(t, file, b)
	out, err := command(t.Context(), "", a.python, filepath.Join("asn1crypto", "oracle.py"), file)
	if err != nil {
		t.Fatal(err)
	}
	var said []opinion
	if err := json.Unmarshal(out, &said); err != nil || len(said) != len(jobs) {
		t.Fatalf("%d answers to %d questions, %v: %s", len(said), len(jobs), err, last(out, 2000))
	}
	return said
}

// asn1Digests and asn1Ciphers are what asn1crypto calls the algorithms.
var asn1Digests = map[cms.Digest]string{cms.SHA1: "sha1", cms.SHA224: "sha224", cms.SHA256: "sha256", cms.SHA384: "sha384", cms.SHA512: "sha512"}

var asn1Ciphers = map[cms.Cipher]string{
	cms.AES128CBC: "aes128_cbc", cms.AES192CBC: "aes192_cbc", cms.AES256CBC: "aes256_cbc", cms.TripleDES: "tripledes_3key",
	cms.AES128GCM: "aes128_gcm", cms.AES192GCM: "aes192_gcm", cms.AES256GCM: "aes256_gcm",
}

// question is a job with what its answer must be.
type question struct {
	title string
	job   job
	check func(opinion) error
}

// TestASN1CryptoReadsOurs has asn1crypto read everything that package cms
// writes, and say whether DER is DER.
func TestASN1CryptoReadsOurs(t *testing.T) {
	t.Parallel()
	a := newASN1Crypto(t)
	var all []question
	for _, signer := range []string{"rsa", "p256", "p384", "p521"} {
		for digest := range asn1Digests {
			for _, pss := range []bool{false, true} {
				if !pss || signer == "rsa" {
					all = append(all, a.signedByUs(t, signer, digest, pss)...)
				}
			}
		}
	}
	for cipher := range asn1Ciphers {
		all = append(all, a.encryptedByUs(t, cipher)...)
	}
	all = append(all, a.compressedByUs(t)...)
	a.settle(t, all)
}

// settle asks all questions at once, and judges the answers one by one.
func (a *asn1Crypto) settle(t *testing.T, all []question) {
	t.Helper()
	jobs := make([]job, len(all))
	for i, q := range all {
		jobs[i] = q.job
	}
	for i, said := range a.ask(t, jobs) {
		t.Run(all[i].title, func(t *testing.T) {
			if said.Error != "" {
				t.Fatal(said.Error)
			}
			if err := all[i].check(said); err != nil {
				t.Error(err)
			}
		})
	}
}

// sameDocument compares what asn1crypto found inside.
func sameDocument(said opinion) error {
	if !bytes.Equal(said.Content, document) {
		return fmt.Errorf("asn1crypto found %q", said.Content)
	}
	return nil
}

func digestOf(d cms.Digest, b []byte) []byte {
	h := d.New()
	h.Write(b)
	return h.Sum(nil)
}

// signedByUs are signatures of a signer in every shape.
func (a *asn1Crypto) signedByUs(t *testing.T, name string, digest cms.Digest, pss bool) []question {
	t.Helper()
	p := a.parties[name]
	var out []question
	for _, byKey := range []bool{false, true} {
		for _, certificates := range [][]*x509.Certificate{nil, {p.Certificate}} {
			s := cms.Signer{Certificate: p.Certificate, Key: p.Private, Digest: digest, PSS: pss, KeyIdentifier: byKey, IncludeCertificates: certificates, SigningTime: time.Now()}
			detached, err := cms.SignDetached(rand.Reader, s, digestOf(digest, document), cms.OIDData)
			if err != nil {
				t.Fatal(err)
			}
			var ber bytes.Buffer
			w, err := cms.Sign(rand.Reader, &ber, s, cms.OIDData)
			if err == nil {
				_, err = w.Write(document)
			}
			if err = errors.Join(err, w.Close()); err != nil {
				t.Fatal(err)
			}
			head, tail, err := cms.SignEnveloping(rand.Reader, s, digestOf(digest, document), int64(len(document)), cms.OIDData)
			if err != nil {
				t.Fatal(err)
			}
			for shape, made := range map[string]job{
				"detached":      {"read": detached, "content": document, "der": true},
				"enclosed, BER": {"read": ber.Bytes()},
				"enclosed, DER": {"read": bytes.Join([][]byte{head, document, tail}, nil), "der": true},
			} {
				made["certificate"] = a.certificateFile(name)
				scheme := map[bool]string{false: "rsa-pkcs1-v1.5", true: "rsa-pss"}[pss]
				if name != "rsa" {
					scheme = "ecdsa"
				}
				out = append(out, question{
					title: fmt.Sprintf("signed by %s, %s, PSS %v, key identifier %v, %d certificates, %s", name, digest, pss, byKey, len(certificates), shape),
					job:   made,
					check: func(said opinion) error {
						if said.Type != "signed_data" || said.Digest != asn1Digests[digest] || said.Scheme != scheme || said.Certificates != len(certificates) {
							return fmt.Errorf("asn1crypto says %+v", said)
						}
						return sameDocument(said)
					},
				})
			}
		}
	}
	return out
}

// encryptedByUs is encrypted to everybody, in every way, and to all at once.
func (a *asn1Crypto) encryptedByUs(t *testing.T, cipher cms.Cipher) []question {
	t.Helper()
	var out []question
	add := func(title string, to []cms.Recipient, readers ...string) {
		for _, definite := range []bool{false, true} {
			var b bytes.Buffer
			e, err := cms.Encrypt(rand.Reader, &b, to, cms.EncryptOptions{Cipher: cipher, AllowTripleDES: true, Definite: definite, Size: int64(len(document))})
			if err == nil {
				_, err = e.Write(document)
			}
			if err = errors.Join(err, e.Close()); err != nil {
				t.Fatal(err)
			}
			for _, reader := range readers {
				out = append(out, question{
					title: fmt.Sprintf("%s, %s, DER %v, read by %s", cipher, title, definite, reader),
					job:   job{"read": b.Bytes(), "key": a.keyFile(reader), "certificate": a.certificateFile(reader), "der": definite},
					check: func(said opinion) error {
						kind := map[bool]string{false: "enveloped_data", true: "authenticated_enveloped_data"}[cipher.Authenticated()]
						if said.Type != kind || said.Cipher != asn1Ciphers[cipher] {
							return fmt.Errorf("asn1crypto says %+v", said)
						}
						return sameDocument(said)
					},
				})
			}
		}
	}
	var everybody []cms.Recipient
	for _, name := range []string{"rsa", "p256", "p384", "p521"} {
		c := a.parties[name].Certificate
		add("to "+name, []cms.Recipient{{Certificate: c}}, name)
		add("to "+name+" by key identifier", []cms.Recipient{{Certificate: c, KeyIdentifier: true}}, name)
		everybody = append(everybody, cms.Recipient{Certificate: c})
	}
	for digest := range asn1Digests {
		add("RSA-OAEP with "+string(digest), []cms.Recipient{{Certificate: a.parties["rsa"].Certificate, OAEP: &cms.OAEP{Digest: digest}}}, "rsa")
	}
	add("to everybody", append(everybody, cms.Recipient{Certificate: a.parties["other"].Certificate, OAEP: &cms.OAEP{}}), "rsa", "p256", "p384", "p521", "other")
	return out
}

// compressedByUs is CompressedData in both forms.
func (a *asn1Crypto) compressedByUs(t *testing.T) []question {
	t.Helper()
	var ber, der, deflated bytes.Buffer
	w, err := cms.Compress(&ber, -1)
	if err == nil {
		_, err = w.Write(document)
	}
	z := zlib.NewWriter(&deflated)
	_, zerr := z.Write(document)
	if err = errors.Join(err, w.Close(), zerr, z.Close()); err != nil {
		t.Fatal(err)
	}
	if err := cms.WrapCompressed(&der, bytes.NewReader(deflated.Bytes()), int64(deflated.Len())); err != nil {
		t.Fatal(err)
	}
	check := func(said opinion) error {
		if said.Type != "compressed_data" || said.Inside != "data" {
			return fmt.Errorf("asn1crypto says %+v", said)
		}
		return sameDocument(said)
	}
	return []question{
		{"compressed, BER", job{"read": ber.Bytes()}, check},
		{"compressed, DER", job{"read": der.Bytes(), "der": true}, check},
	}
}

// TestWeReadASN1Crypto reads what asn1crypto makes.
func TestWeReadASN1Crypto(t *testing.T) {
	t.Parallel()
	a := newASN1Crypto(t)
	var all []question
	for _, signer := range []string{"rsa", "p256", "p384", "p521"} {
		for digest, itsName := range asn1Digests {
			for how, more := range map[string]job{
				"detached": {}, "PSS": {"pss": true}, "enclosed": {"enclose": true}, "key identifier": {"by_key": true},
				"certificates": {"certificates": true}, "no attributes": {"bare": true, "enclose": true},
			} {
				if how == "PSS" && signer != "rsa" {
					continue
				}
				made := job{"write": "signed", "key": a.keyFile(signer), "certificate": a.certificateFile(signer), "content": document, "digest": itsName}
				for name, value := range more {
					made[name] = value
				}
				all = append(all, question{
					fmt.Sprintf("signed by %s, %s, %s", signer, digest, how), made,
					func(said opinion) error { return a.weVerify(said.CMS, signer, digest, made["enclose"] == true) },
				})
			}
		}
	}
	for cipher, itsName := range asn1Ciphers {
		for how, to := range map[string][]job{
			"RSA": {{"certificate": "rsa"}}, "RSA, key identifier": {{"certificate": "rsa", "by_key": true}},
			"OAEP with SHA-1": {{"certificate": "rsa", "oaep": "sha1"}}, "OAEP with SHA-256": {{"certificate": "rsa", "oaep": "sha256"}}, "OAEP with SHA-512": {{"certificate": "rsa", "oaep": "sha512"}},
			"P-256": {{"certificate": "p256", "kdf": "sha1"}}, "P-384": {{"certificate": "p384", "kdf": "sha384"}}, "P-521": {{"certificate": "p521", "kdf": "sha512"}},
			"P-256, key identifier": {{"certificate": "p256", "by_key": true}}, "P-384, user keying material": {{"certificate": "p384", "ukm": true}},
			"several recipients": {{"certificate": "other"}, {"certificate": "p256"}, {"certificate": "rsa"}},
		} {
			reader := to[len(to)-1]["certificate"].(string)
			for _, r := range to {
				r["certificate"] = a.certificateFile(r["certificate"].(string))
			}
			all = append(all, question{
				string(cipher) + ", " + how,
				job{"write": "encrypted", "content": document, "cipher": itsName, "recipients": to},
				func(said opinion) error { return a.weDecrypt(said.CMS, reader, cipher) },
			})
		}
	}
	all = append(all, question{"compressed", job{"write": "compressed", "content": document}, func(said opinion) error {
		r, err := cms.Decompress(bytes.NewReader(said.CMS), cms.Limits{})
		if err != nil {
			return err
		}
		return weFound(io.ReadAll(r))
	}})
	a.settle(t, all)
}

// weFound compares what we read.
func weFound(got []byte, err error) error {
	if err != nil {
		return err
	}
	if !bytes.Equal(got, document) {
		return fmt.Errorf("we found %q", got)
	}
	return nil
}

func (a *asn1Crypto) weVerify(made []byte, signer string, digest cms.Digest, enclosed bool) error {
	r, err := cms.OpenSignedData(bytes.NewReader(made), cms.Limits{})
	if err != nil {
		return err
	}
	content, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	if enclosed {
		if err := weFound(content, nil); err != nil {
			return err
		}
	}
	signed, err := r.SignedData()
	if err != nil {
		return err
	}
	sums := map[cms.Digest][]byte{digest: digestOf(digest, document)}
	v, err := signed.Verify(sums, []*x509.Certificate{a.parties["other"].Certificate, a.parties[signer].Certificate}, time.Now())
	if err != nil {
		return err
	}
	if v.Digest != digest || !v.Certificate.Equal(a.parties[signer].Certificate) {
		return fmt.Errorf("we say %+v", v)
	}
	sums[digest][0] ^= 1
	if _, err := signed.Verify(sums, []*x509.Certificate{a.parties[signer].Certificate}, time.Now()); err == nil {
		return errors.New("we take another content for it")
	}
	return nil
}

func (a *asn1Crypto) weDecrypt(made []byte, reader string, cipher cms.Cipher) error {
	p := a.parties[reader]
	d, err := cms.Decrypt(rand.Reader, bytes.NewReader(made), []cms.DecryptionKey{{Certificate: p.Certificate, Key: p.Private}}, cms.Limits{})
	if err != nil {
		return err
	}
	if d.Cipher != cipher || strings.HasSuffix(string(cipher), "-gcm") != d.Authenticated {
		return fmt.Errorf("we say %s", d.Cipher)
	}
	return weFound(io.ReadAll(d))
}
