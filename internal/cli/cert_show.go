package cli

import (
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"

	"tradepost/certs"

	"github.com/spf13/cobra"
)

// bundle is what a file of certificates holds.
type bundle struct {
	certificates []*x509.Certificate
	pair         *certs.Pair // when the private key is inside
}

// readBundle reads PEM, DER, .p7b and PKCS #12.
func (e *Env) readBundle(name string, p *password) (*bundle, error) {
	f, err := openInput(e.Stdin, name)
	if err != nil {
		return nil, err
	}
	data, err := readSmall(f, name)
	if err != nil {
		return nil, err
	}
	list, err := certs.ParseCertificates(data)
	if err == nil {
		b := &bundle{certificates: list}
		if strings.Contains(string(data), "PRIVATE KEY-----") {
			secret, err := p.read(e)
			if err != nil {
				return nil, err
			}
			key, err := certs.ParseEncryptedKey(data, secret)
			if err != nil {
				return nil, bundleError(name, err)
			}
			if b.pair, err = certs.NewPair(key, list); err != nil {
				return nil, bundleError(name, err)
			}
		}
		return b, nil
	}
	if block, _ := pem.Decode(data); block != nil || len(data) == 0 {
		return nil, bundleError(name, err) // PKCS #12 is never PEM
	}
	secret, passwordErr := p.read(e)
	if passwordErr != nil {
		return nil, passwordErr
	}
	pair, p12Err := certs.ParsePKCS12(data, secret)
	switch {
	case p12Err == nil:
		return &bundle{certificates: append([]*x509.Certificate{pair.Certificate}, pair.Chain...), pair: pair}, nil
	case errors.Is(p12Err, certs.ErrNoKey): // what Java programs keep certificates of partners in
		list, err := certs.ParseTrustStore(data, secret)
		return &bundle{certificates: list}, err
	case errors.Is(p12Err, certs.ErrPassword) && secret == "":
		return nil, exit(ExitFailed, "%s is protected by a password: give it with --password-env NAME or --password-file FILE", name)
	case errors.Is(p12Err, certs.ErrPassword):
		return nil, bundleError(name, p12Err)
	}
	return nil, bundleError(name, err)
}

// bundleError names the file, and how to give a password.
func bundleError(name string, err error) error {
	if errors.Is(err, certs.ErrPassword) {
		return exit(ExitFailed, "%s: %w: give it with --password-env NAME or --password-file FILE", name, err)
	}
	return fmt.Errorf("%s: %w", name, err)
}

func newCertShowCommand(env *Env) *cobra.Command {
	var (
		out    output
		secret password
	)
	cmd := &cobra.Command{
		Use:   "show FILE|-",
		Short: "Say what is in a file of certificates",
		Example: `  tradepost cert show supplier.crt
  tradepost cert show buyer.p12 --password-env P12_PASSWORD`,
		Long: `Reads PEM, DER, PKCS #7 (.p7b) or PKCS #12 (.p12, .pfx) and says what is in it.
Compare the SHA-256 fingerprint with your partner over the telephone.`,
		Args: want("FILE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := out.check(cmd); err != nil {
				return err
			}
			b, err := env.readBundle(args[0], &secret)
			if err != nil {
				return err
			}
			list := make([]certs.Description, 0, len(b.certificates))
			for _, c := range b.certificates {
				list = append(list, certs.Describe(c))
			}
			if out.format != formTable {
				return writeList(env.Stdout, out.format, descriptionColumns(), list)
			}
			for i, d := range list {
				if i > 0 {
					if _, err := fmt.Fprintln(env.Stdout); err != nil {
						return err
					}
				}
				if err := writeRows(env.Stdout, descriptionRows(d)); err != nil {
					return err
				}
			}
			if b.pair != nil {
				env.say("\nThe private key of %s is inside: keep the file to yourself.", b.pair.Certificate.Subject)
			}
			return nil
		},
	}
	secret.flags(cmd)
	out.flag(cmd, listForms()...)
	return cmd
}

func descriptionColumns() []column[certs.Description] {
	type d = certs.Description
	return []column[d]{
		{"subject", func(c d) string { return c.Subject }, nil},
		{"issuer", func(c d) string { return c.Issuer }, nil},
		{"serial", func(c d) string { return c.Serial }, nil},
		{"notBefore", func(c d) string { return stamp(c.NotBefore) }, nil},
		{"notAfter", func(c d) string { return stamp(c.NotAfter) }, nil},
		{"key", func(c d) string { return c.Key }, nil},
		{"sha256", func(c d) string { return c.SHA256 }, nil},
	}
}
