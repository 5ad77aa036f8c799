package cli

import (
	"crypto/x509"
	"fmt"
	"io"
	"strings"

	"tradepost/certs"

	"github.com/spf13/cobra"
)

// writeBytes writes what is at hand.
func writeBytes(b []byte) func(io.Writer) error {
	return func(w io.Writer) error {
		_, err := w.Write(b)
		return err
	}
}

func newCertExportCommand(env *Env) *cobra.Command {
	var (
		st                  station
		partner, mark, form string
		out                 string
		all                 bool
	)
	cmd := &cobra.Command{
		Use:   "export",
		Short: "Write a certificate for a partner: PEM, DER or .p7b",
		Long: `Writes the certificate that the station signs with now, or another that is named
by its fingerprint. Private keys are never exported.`,
		Example: `  tradepost cert export --out buyer.crt
  tradepost cert export --all --format p7b --out buyer.p7b     # the present and the next one
  tradepost cert export --partner supplier --sha256 AB:CD:EF:01`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if form != "pem" && form != "der" && form != "p7b" {
				return usage(cmd, fmt.Errorf("--format %s: write pem, der or p7b", form))
			}
			cfg, err := st.loadForStore(env)
			if err != nil {
				return err
			}
			if partner != "" {
				if _, err := cfg.Directory.Partner(partner); err != nil {
					return err
				}
			}
			ring, err := cfg.Certificates()
			if err != nil {
				return err
			}
			set, purpose := ring.Own, certs.Sign
			if partner != "" {
				set, purpose = ring.Partners[partner], certs.Encrypt
			}
			list, err := choose(env, set, purpose, mark, all)
			if err != nil {
				return err
			}
			data, err := encode(list, form)
			if err != nil {
				return usage(cmd, err)
			}
			if err := env.writeOutput(out, writeBytes(data)); err != nil {
				return err
			}
			for _, c := range list {
				env.say("%s, good until %s\nSHA-256 %s", c.Subject, c.NotAfter.UTC().Format("2006-01-02"), certs.Fingerprint(c))
			}
			return nil
		},
	}
	st.flags(env, cmd)
	f := cmd.Flags()
	f.StringVar(&partner, "partner", "", "a partner's certificate, by its `NAME`, in place of our own")
	f.StringVar(&mark, "sha256", "", "the certificate with this `FINGERPRINT`, or its beginning")
	f.BoolVar(&all, "all", false, "every one that has not ended, the next ones included")
	f.StringVar(&form, "format", "pem", "`FORM` of the file: pem, der, p7b")
	f.StringVar(&out, "out", "-", "write to `FILE` instead of standard output")
	return cmd
}

// choose picks certificates out of a set.
func choose(env *Env, set certs.Set, p certs.Purpose, mark string, all bool) ([]*x509.Certificate, error) {
	if mark != "" {
		prefix, err := certs.ParseFingerprint(mark)
		if err != nil {
			return nil, &ExitError{Code: ExitUsage, Err: err}
		}
		var found []*x509.Certificate
		for _, e := range set {
			if strings.HasPrefix(certs.Fingerprint(e.Certificate), prefix) {
				found = append(found, e.Certificate)
			}
		}
		if len(found) != 1 {
			return nil, exit(ExitNotFound, "%d certificates have a fingerprint that begins with %s: `tradepost cert list -o json` shows them whole", len(found), prefix)
		}
		return found, nil
	}
	now := env.Now()
	if all {
		var found []*x509.Certificate
		for _, e := range set {
			if now.Before(e.End()) {
				found = append(found, e.Certificate)
			}
		}
		if len(found) == 0 {
			return nil, exit(ExitNotFound, "no certificate is left that has not ended")
		}
		return found, nil
	}
	live, err := set.ForSending(p, now)
	if err != nil {
		return nil, exit(ExitNotFound, "no certificate is live now: `tradepost cert list` shows what there is")
	}
	return []*x509.Certificate{live.Certificate}, nil
}

// encode writes certificates in a form.
func encode(list []*x509.Certificate, form string) ([]byte, error) {
	switch {
	case form == "p7b":
		return certs.EncodeBag(list)
	case form == "der" && len(list) > 1:
		return nil, fmt.Errorf("--format der holds one certificate, here are %d: write --format p7b", len(list))
	case form == "der":
		return list[0].Raw, nil
	}
	var b strings.Builder
	for _, c := range list {
		b.Write(certs.EncodeCertificate(c))
	}
	return []byte(b.String()), nil
}
