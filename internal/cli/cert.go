package cli

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"tradepost/certs"
	"tradepost/internal/config"
	"tradepost/partners"

	"github.com/spf13/cobra"
)

func newCertCommand(env *Env) *cobra.Command {
	return group(&cobra.Command{
		Use:   "cert",
		Short: "Keys and certificates: list, make, import, export, change over",
		Long: `Keys and certificates of the station and its partners.

To change over to a new certificate of your own: ` + "`cert roll`" + ` makes it, with the
day on which you begin to sign with it, and says what to send to your partners.
Until they have switched, the old one is read as well; ` + "`cert list`" + ` shows who still
uses it. A partner's next certificate goes in by ` + "`cert import`" + `. A running station
takes up both by itself. ` + "`cert retire`" + ` ends the use of one before its time.`,
	},
		newCertListCommand(env),
		newCertShowCommand(env),
		newCertNewCommand(env),
		newCertRequestCommand(env),
		newCertImportCommand(env),
		newCertExportCommand(env),
		newCertRollCommand(env),
		newCertRetireCommand(env),
		newCertExchangeCommand(env),
	)
}

// names are the flags that say whom a certificate is made for.
type names struct {
	certs.Request
	days int
}

func (n *names) flags(cmd *cobra.Command, common string) {
	f := cmd.Flags()
	f.StringVar(&n.CommonName, "name", "", "`NAME` in the certificate (common name)"+common)
	f.StringVar(&n.Organization, "organization", "", "`NAME` of the company")
	f.StringVar(&n.Unit, "unit", "", "`NAME` of the department")
	f.StringVar(&n.Country, "country", "", "two letters of the `COUNTRY`")
	f.StringSliceVar(&n.DNSNames, "dns", nil, "host `NAMES`, for a TLS server")
	f.StringSliceVar(&n.Addresses, "ip", nil, "`ADDRESSES`, for a TLS server")
	f.StringVar((*string)(&n.Type), "type", string(certs.RSA2048), "`KIND` of key: rsa-2048, rsa-3072, rsa-4096, p-256 (few partners can encrypt to it)")
}

// validity adds --days.
func (n *names) validity(cmd *cobra.Command) {
	cmd.Flags().IntVar(&n.days, "days", 3*365, "`DAYS` the certificate is good for")
}

// check fills what the flags say.
func (n *names) check(now time.Time) error {
	switch n.Type {
	case certs.RSA2048, certs.RSA3072, certs.RSA4096, certs.P256:
	default:
		return fmt.Errorf("--type %s: write rsa-2048, rsa-3072, rsa-4096 or p-256", n.Type)
	}
	if n.CommonName == "" {
		return errors.New("--name is missing: the name your partners will see, as a rule your AS2 id")
	}
	if n.days < 0 || n.days > 36500 {
		return fmt.Errorf("--days %d: write a number from 1 to 36500", n.days)
	}
	n.NotBefore, n.Validity = now.Add(-time.Hour), time.Duration(n.days)*24*time.Hour
	return nil
}

// dates are the flags that say when a certificate is used and what for.
type dates struct {
	goLive, retire string
	purposes       []string
}

func (d *dates) flags(cmd *cobra.Command, goLive string) {
	f := cmd.Flags()
	f.StringVar(&d.goLive, "go-live", "", "`DATE` "+goLive+" (2027-01-15, or with time and zone)")
	f.StringVar(&d.retire, "retire", "", "`DATE` from which it is not accepted any more (default: its end)")
	f.StringSliceVar(&d.purposes, "purposes", nil, "what it is for: sign, encrypt (default: both)")
}

func (d *dates) use() (partners.Use, error) {
	var u partners.Use
	for _, x := range []struct {
		flag, text string
		to         *time.Time
	}{{"go-live", d.goLive, &u.GoLive}, {"retire", d.retire, &u.Retire}} {
		if x.text == "" {
			continue
		}
		t, err := config.ParseMoment(x.text)
		if err != nil {
			return u, fmt.Errorf("--%s %s: write a date such as 2027-01-15, or one with time and zone: 2027-01-15T06:00:00+01:00", x.flag, x.text)
		}
		*x.to = t
	}
	for _, p := range d.purposes {
		switch certs.Purpose(p) {
		case certs.Sign, certs.Encrypt:
			u.Purposes = append(u.Purposes, p)
		default:
			return u, fmt.Errorf("--purposes %s: write sign, encrypt, or both", p)
		}
	}
	if !u.Retire.IsZero() && !u.Retire.After(u.GoLive) {
		return u, errors.New("--retire is before --go-live")
	}
	return u, nil
}

// password are the flags that say where a password comes from: never from the
// command line itself, which others on the machine can read.
type password struct{ env, file string }

func (p *password) flags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&p.env, "password-env", "", "environment variable `NAME` that holds the password")
	cmd.Flags().StringVar(&p.file, "password-file", "", "`FILE` whose first line is the password")
}

func (p *password) read(env *Env) (string, error) {
	switch {
	case p.env != "" && p.file != "":
		return "", exit(ExitUsage, "--password-env and --password-file: give one of the two")
	case p.env != "":
		v, ok := env.LookupEnv(p.env)
		if !ok {
			return "", exit(ExitUsage, "--password-env: the environment has no %s", p.env)
		}
		return v, nil
	case p.file != "":
		b, err := readInput(p.file)
		if err != nil {
			return "", err
		}
		line, _, _ := strings.Cut(string(b), "\n")
		return strings.TrimSuffix(line, "\r"), nil
	}
	return "", nil
}

// descriptionRows shows a certificate to a person.
func descriptionRows(d certs.Description) []row {
	kind := "signed by " + d.Issuer
	if d.SelfSigned {
		kind = "self-signed"
	}
	if d.Authority {
		kind += ", an authority"
	}
	return []row{
		{"subject", d.Subject},
		{"issuer", kind},
		{"serial", d.Serial},
		{"valid", d.NotBefore.Format("2006-01-02") + " to " + d.NotAfter.Format("2006-01-02 15:04 MST")},
		{"key", d.Key + ", " + d.Signature},
		{"for", strings.Join(d.Usages, ", ")},
		{"SHA-256", d.SHA256},
		{"SHA-1", d.SHA1},
	}
}
