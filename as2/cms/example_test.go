package cms_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"fmt"
	"io"
	"log"
	"math/big"
	"time"

	"tradepost/as2/cms"
)

// newPartner makes a key and a certificate for it.
func newPartner() (*x509.Certificate, *ecdsa.PrivateKey) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		log.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Date(2040, 1, 1, 0, 0, 0, 0, time.UTC)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		log.Fatal(err)
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		log.Fatal(err)
	}
	return certificate, key
}

func ExampleEncrypt() {
	certificate, key := newPartner()

	var sent bytes.Buffer
	w, err := cms.Encrypt(rand.Reader, &sent, []cms.Recipient{{Certificate: certificate}}, cms.EncryptOptions{Cipher: cms.AES256GCM})
	if err != nil {
		log.Fatal(err)
	}
	if _, err := io.WriteString(w, "ISA*00*~"); err != nil {
		log.Fatal(err)
	}
	if err := w.Close(); err != nil {
		log.Fatal(err)
	}

	d, err := cms.Decrypt(rand.Reader, &sent, []cms.DecryptionKey{{Certificate: certificate, Key: key}}, cms.Limits{Content: 1 << 30})
	if err != nil {
		log.Fatal(err)
	}
	var spool bytes.Buffer // nothing leaves it before Copy has ended well
	if _, err := io.Copy(&spool, d); err != nil {
		log.Fatal(err)
	}
	fmt.Println(d.Cipher, d.Scheme, spool.String())
	// Output: aes-256-gcm ecdh ISA*00*~
}

func ExampleSignedData_Verify() {
	certificate, key := newPartner()
	content := []byte("Content-Type: application/edi-x12\r\n\r\nISA*00*~")
	digest := sha256.Sum256(content)

	signature, err := cms.SignDetached(rand.Reader, cms.Signer{Certificate: certificate, Key: key, Digest: cms.SHA256}, digest[:], cms.OIDData)
	if err != nil {
		log.Fatal(err)
	}

	signed, err := cms.ParseSignedData(bytes.NewReader(signature), cms.Limits{})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("needs", signed.Digests())
	verified, err := signed.Verify(map[cms.Digest][]byte{cms.SHA256: digest[:]}, []*x509.Certificate{certificate}, time.Time{})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(verified.Scheme, verified.Digest)
	// Output:
	// needs [sha-256]
	// ecdsa sha-256
}
