package cli

import (
	"crypto"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"tradepost/certs"
	"tradepost/internal/config"

	"github.com/spf13/cobra"
)

// sealing are the flags that say what a private key is sealed with.
type sealing struct{ file string }

func (s *sealing) flags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&s.file, "seal-with", "", "configuration `FILE` of the station whose sealing key is used (default: the key is plain)")
}

// sealer is nil when the key is to be plain.
func (s *sealing) sealer(env *Env) (*certs.Sealer, error) {
	if s.file == "" {
		return nil, nil
	}
	cfg, err := config.Load(s.file, config.Overrides{Env: env.LookupEnv, NoFiles: true})
	if err != nil {
		return nil, err
	}
	sealer, err := cfg.Sealer()
	if err == nil && sealer == nil {
		err = exit(ExitConfig, "%s has no section secrets, so there is no key to seal with", s.file)
	}
	return sealer, err
}

// absent refuses to overwrite what is there.
func absent(files ...string) error {
	for _, f := range files {
		if _, err := os.Lstat(f); !errors.Is(err, fs.ErrNotExist) {
			if err != nil {
				return err
			}
			return exit(ExitFailed, "%s is there already, and nothing is ever overwritten: choose another --out", f)
		}
	}
	return nil
}

func newCertNewCommand(env *Env) *cobra.Command {
	var (
		n    names
		seal sealing
		out  string
		form output
	)
	cmd := &cobra.Command{
		Use:   "new",
		Short: "Make a key and a self-signed certificate",
		Long: `Makes a private key and a self-signed certificate for it, PREFIX.key (for its
owner only) and PREFIX.crt. Nothing is overwritten, and no station is changed:
for a station's next pair there is ` + "`cert roll`" + `.`,
		Example: `  tradepost cert new --name BUYER --out keys/buyer
  tradepost cert new --name edi.example.com --dns edi.example.com --out keys/tls`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := form.check(cmd); err != nil {
				return err
			}
			if err := n.check(env.Now()); err != nil {
				return usage(cmd, err)
			}
			if err := absent(out+".key", out+".crt"); err != nil {
				return err
			}
			sealer, err := seal.sealer(env)
			if err != nil {
				return err
			}
			pair, err := certs.Generate(n.Request, env.Random)
			if err != nil {
				return usage(cmd, err)
			}
			if err := certs.WriteKeyFile(out+".key", pair, sealer, env.Random); err != nil {
				return err
			}
			if err := env.writeOutput(out+".crt", writeBytes(certs.EncodeCertificate(pair.Certificate))); err != nil {
				return errors.Join(err, os.Remove(out+".key"))
			}
			return env.tellMade(form.format, made{Certificate: out + ".crt", Key: out + ".key", Description: certs.Describe(pair.Certificate)})
		},
	}
	n.flags(cmd, "; required")
	n.validity(cmd)
	seal.flags(cmd)
	cmd.Flags().StringVar(&out, "out", "station", "`PREFIX` of the two files")
	form.flag(cmd, formTable, formJSON)
	return cmd
}

// made is what a command wrote.
type made struct {
	Certificate string `json:"certificate"`
	Key         string `json:"keyFile"`
	certs.Description
}

func (e *Env) tellMade(format string, m made) error {
	if format == formJSON {
		return writeJSON(e.Stdout, m)
	}
	if err := writeRows(e.Stdout, append([]row{{"certificate", m.Certificate}, {"private key", m.Key}}, descriptionRows(m.Description)...)); err != nil {
		return err
	}
	e.say("\nGive the certificate to your partners, and the private key to nobody.")
	return nil
}

func newCertRequestCommand(env *Env) *cobra.Command {
	var (
		n      names
		seal   sealing
		key    string
		out    string
		secret password
	)
	cmd := &cobra.Command{
		Use:   "request",
		Short: "Make a certificate request (CSR) for an authority",
		Long: `Makes a PKCS #10 certificate request, PREFIX.csr, for a new private key
(PREFIX.key) or for one that is there, so that a certificate is renewed without a
new key. What the authority sends back goes in by
` + "`cert import FILE --own --key PREFIX.key`" + `.

A sealed key is opened by the sealing key of the station in --seal-with. It is
bound to its public key, which is looked up in the certificate or the request
beside it (PREFIX.crt, PREFIX.csr).`,
		Example: `  tradepost cert request --name BUYER --organization "Buyer Inc" --country US --out keys/buyer-2027`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := n.check(env.Now()); err != nil {
				return usage(cmd, err)
			}
			files := []string{out + ".csr"}
			if key == "" {
				files = append(files, out+".key")
			}
			if err := absent(files...); err != nil {
				return err
			}
			sealer, err := seal.sealer(env)
			if err != nil {
				return err
			}
			signer, err := requestKey(env, key, sealer, &secret, n.Request)
			if err != nil {
				return err
			}
			csr, err := certs.SigningRequest(n.Request, signer, env.Random)
			if err != nil {
				return usage(cmd, err)
			}
			if key == "" {
				if err := certs.WriteKeyFile(out+".key", &certs.Pair{Key: signer}, sealer, env.Random); err != nil {
					return err
				}
			}
			if err := env.writeOutput(out+".csr", writeBytes(csr)); err != nil {
				return err
			}
			if _, err := fmt.Fprintln(env.Stdout, out+".csr"); err != nil {
				return err
			}
			if key == "" {
				key = out + ".key"
			}
			env.say("Send %s to the authority, and keep %s to yourself.\nWhat comes back: tradepost cert import FILE --own --key %s", filepath.Base(out)+".csr", key, key)
			return nil
		},
	}
	n.flags(cmd, "; required")
	seal.flags(cmd)
	cmd.Flags().StringVar(&key, "key", "", "`FILE` of a private key that is there (default: a new one)")
	cmd.Flags().StringVar(&out, "out", "station", "`PREFIX` of the files")
	secret.flags(cmd)
	return cmd
}

// requestKey reads the private key of a request, or makes it.
func requestKey(env *Env, file string, sealer *certs.Sealer, secret *password, q certs.Request) (crypto.Signer, error) {
	if file == "" {
		return certs.GenerateKey(q.Type, env.Random)
	}
	data, err := readInput(file)
	if err != nil {
		return nil, err
	}
	if certs.IsSealed(data) {
		return openSealed(file, data, sealer)
	}
	text, err := secret.read(env)
	if err != nil {
		return nil, err
	}
	key, err := certs.ParseEncryptedKey(data, text)
	if err != nil {
		return nil, bundleError(file, err)
	}
	return key, nil
}

// openSealed opens a sealed private key. It is bound to its public key, which
// stands in the certificate or the request that lies beside it.
func openSealed(file string, data []byte, sealer *certs.Sealer) (crypto.Signer, error) {
	if sealer == nil {
		return nil, exit(ExitUsage, "%s is sealed: name the configuration of its station with --seal-with", file)
	}
	stem := strings.TrimSuffix(file, filepath.Ext(file))
	var keys []crypto.PublicKey
	if beside, err := readInput(stem + ".crt"); err == nil {
		if list, err := certs.ParseCertificates(beside); err == nil {
			for _, c := range list {
				keys = append(keys, c.PublicKey)
			}
		}
	}
	if beside, err := readInput(stem + ".csr"); err == nil {
		if q, err := certs.ParseSigningRequest(beside); err == nil {
			keys = append(keys, q.PublicKey)
		}
	}
	for _, k := range keys {
		if signer, err := certs.OpenKeyOf(data, k, sealer); err == nil {
			return signer, nil
		}
	}
	if len(keys) == 0 {
		return nil, exit(ExitFailed, "%s is sealed, and neither %s.crt nor %s.csr is beside it to tell whose key it is", file, stem, stem)
	}
	return nil, exit(ExitFailed, "%s cannot be opened: it was sealed with another key, or is not that of %s.crt", file, stem)
}
