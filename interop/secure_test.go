package interop

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"errors"
	"fmt"
	"math/big"
	"net"
	"path/filepath"
	"testing"
	"time"

	"tradepost/as2"
	"tradepost/certs"
)

// authority certifies the HTTPS servers of a bench; nobody else trusts it.
type authority struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
	file        string                       // of the certificate, in PEM
	issued      map[string]*x509.Certificate // by the server's name
}

func newAuthority(t testing.TB) *authority {
	t.Helper()
	a := &authority{file: filepath.Join(t.TempDir(), "authority.crt"), issued: map[string]*x509.Certificate{}}
	a.certificate, a.key = a.sign(t, &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "authority of the test"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(48 * time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	})
	write(t, a.file, certs.EncodeCertificate(a.certificate))
	return a
}

// sign makes a certificate with its key; the first one signs itself.
func (a *authority) sign(t testing.TB, template *x509.Certificate) (*x509.Certificate, *ecdsa.PrivateKey) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	issuer, by := a.certificate, a.key
	if issuer == nil {
		issuer, by = template, key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, issuer, key.Public(), by)
	if err != nil {
		t.Fatal(err)
	}
	c, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return c, key
}

// certify makes the key of a server on this machine.
func (a *authority) certify(t testing.TB, name string) as2.Key {
	t.Helper()
	c, key := a.sign(t, &x509.Certificate{
		SerialNumber: big.NewInt(int64(2 + len(a.issued))), Subject: pkix.Name{CommonName: name}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(48 * time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	})
	a.issued[name] = c
	return as2.Key{Certificate: c, Private: key}
}

// server is certify for a server of ours.
func (a *authority) server(t testing.TB, name string) tls.Certificate {
	t.Helper()
	key := a.certify(t, name)
	return tls.Certificate{Certificate: [][]byte{key.Certificate.Raw}, PrivateKey: key.Private}
}

// stationOf is our side of an agreement.
func (b *bench) stationOf(name string) *station {
	for _, p := range b.parties {
		if p.name == name {
			return p.with
		}
	}
	return b.station
}

// overHTTPS trades over HTTPS, with servers that an authority of our own
// certifies, and ours also the way around.
func (b *bench) overHTTPS() {
	later := usual
	later.receipt = asyncSigned
	for i, v := range []struct {
		title string
		cell  cell
		pin   bool
	}{
		{"over HTTPS, by an authority of our own", usual, false},
		{"over HTTPS, the server's certificate pinned", usual, true},
		{"over HTTPS, the receipt on a connection of its own, over HTTPS as well", later, false},
	} {
		p := newParty(fmt.Sprintf("PEER-HTTPS-TO-%d", i+1), v.cell, b.product)
		p.with, p.tls = b.secure, map[string]string{"ca": b.authority.file}
		p.pinned = v.pin
		b.party(p)
		b.trial(further, toPeer, v.cell, func(ctx context.Context) error { return b.weSend(ctx, p.name, v.cell) }, v.title)
		if v.pin {
			continue
		}
		from := newParty(fmt.Sprintf("PEER-HTTPS-FROM-%d", i+1), v.cell, b.product)
		from.with = b.secure
		b.party(from)
		b.trial(further, fromPeer, v.cell, func(ctx context.Context) error { return b.theySend(ctx, from.name, v.cell) },
			map[bool]string{false: "over HTTPS, by an authority of its own", true: "over HTTPS, its receipt on a connection of its own"}[v.cell.receipt == asyncSigned])
	}
	unknown := newParty("PEER-HTTPS-TO-NOBODY", usual, b.product)
	unknown.with, unknown.tls = b.secure, map[string]string{"pin": hex.EncodeToString(make([]byte, sha256.Size))}
	b.party(unknown)
	b.trial(wrong, toPeer, usual, func(ctx context.Context) error {
		switch o, err := b.secure.send(ctx, unknown.name, contentOf(binaryBytes)); {
		case err == nil:
			return fmt.Errorf("sent to a server that we do not trust: %+v", o)
		case !errors.As(err, new(*tls.CertificateVerificationError)):
			return err
		}
		return nil
	}, "over HTTPS, to a server with another certificate than the pinned one")
}

// onCurves trades with certificates on the curve P-256: ECDSA signatures, and
// ECDH for the content key (RFC 5753).
func (b *bench) onCurves() {
	clear := usual
	clear.encrypt = ""
	for i, v := range []struct {
		title     string
		direction string
		cell      cell
		ours      bool // the key is ours, else the peer's
	}{
		{"ECDSA signature", toPeer, usual, true},
		{"ECDSA signature of the receipt", toPeer, clear, false},
		{"encrypted to its P-256 certificate by ECDH", toPeer, usual, false},
		{"ECDSA signature", fromPeer, usual, false},
		{"ECDSA signature of our receipt", fromPeer, clear, true},
		{"encrypted to our P-256 certificate by ECDH", fromPeer, usual, true},
	} {
		if b.product.rsaOnly && i > 0 {
			break
		}
		p := newParty(fmt.Sprintf("PEER-CURVE-%d", i+1), v.cell, b.product)
		if v.ours {
			p.with = b.curved
		} else {
			p.key = "curved"
		}
		b.party(p)
		b.trial(further, v.direction, v.cell, func(ctx context.Context) error {
			if v.direction == toPeer {
				return b.weSend(ctx, p.name, v.cell)
			}
			return b.theySend(ctx, p.name, v.cell)
		}, v.title)
	}
}
