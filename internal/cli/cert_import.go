package cli

import (
	"crypto/x509"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"tradepost/certs"
	"tradepost/internal/config"

	"github.com/spf13/cobra"
)

func newCertImportCommand(env *Env) *cobra.Command {
	var (
		st      station
		form    output
		partner string
		own     bool
		key     string
		mark    string
		at      bool
		when    dates
		secret  password
	)
	cmd := &cobra.Command{
		Use:   "import FILE|-",
		Short: "Take up a partner's certificate, or a pair of our own",
		Long: `Reads PEM, DER, PKCS #7 (.p7b) or PKCS #12 (.p12, .pfx), copies the certificate
into the station's folder of keys and adds it to the configuration. It is
accepted from then on; what goes to the partner is encrypted to it from --go-live
on, or at once. The one before stays.

With --own it is a pair of the station: a PKCS #12 file, or a certificate with
its private key in --key, as an authority sends it. A key that lies outside the
station's folder, or is not sealed where the station's keys are, is copied. The
pair reads at once what partners encrypt to it; we sign with it from --go-live on
(without it a month from now, or a week before the present one ends).

Compare the fingerprint with the partner first, and give it with --sha256: then
nothing else is taken.`,
		Example: `  tradepost cert import supplier-2027.crt --partner supplier --go-live 2027-01-15 --sha256 AB:CD:EF:01
  tradepost cert import buyer.p12 --own --password-env P12_PASSWORD --go-live 2027-01-15`,
		Args: want("FILE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := form.check(cmd); err != nil {
				return err
			}
			use, err := when.use()
			switch {
			case err != nil:
			case own == (partner != ""):
				err = errors.New("say whose it is: --partner NAME, or --own")
			case key != "" && !own:
				err = errors.New("--key goes with --own: nobody has the private key of a partner")
			case at && !own:
				err = errors.New("--now goes with --own: what is encrypted to a partner's is so at once without --go-live")
			case at && !use.GoLive.IsZero():
				err = errors.New("--now and --go-live: give one of the two")
			}
			if err != nil {
				return usage(cmd, err)
			}
			cfg, err := st.loadForStore(env)
			if err != nil {
				return err
			}
			b, err := env.readBundle(args[0], &secret)
			if err != nil {
				return err
			}
			i := config.Import{Partner: partner, Certificates: b.certificates, Use: use, Now: at}
			switch {
			case own && key != "":
				if err := withKey(env, cfg, &i, key, &secret); err != nil {
					return err
				}
			case own && b.pair != nil:
				i.Pair = b.pair
			case own:
				return usage(cmd, fmt.Errorf("%s holds no private key: name its file with --key", args[0]))
			}
			if err := only(&i, mark); err != nil {
				return err
			}
			a, err := cfg.Import(i, env.Now(), env.Random)
			if err := env.tellAdded(form.format, cfg, partner, a, err); err != nil {
				return err
			}
			if own && key != "" && i.Pair != nil {
				env.say("%s is not used: keep it as a copy elsewhere, or remove it.", key)
			}
			return nil
		},
	}
	st.flags(env, cmd)
	f := cmd.Flags()
	f.StringVar(&partner, "partner", "", "the partner whose certificate it is, by its `NAME`")
	f.BoolVar(&own, "own", false, "it is a pair of our own")
	f.BoolVar(&at, "now", false, "sign with it at once, with --own: partners that have not got it refuse what we send")
	f.StringVar(&key, "key", "", "`FILE` of the private key, with --own")
	f.StringVar(&mark, "sha256", "", "`FINGERPRINT` it must have, or its beginning")
	when.flags(cmd, "from which sending uses it")
	secret.flags(cmd)
	form.flag(cmd, formTable, formJSON)
	return cmd
}

// withKey takes the private key of a pair from a file. One that lies in the
// station's folder as the station keeps its keys stays where it is; any other is
// taken into the pair, and with it into a file of its own.
func withKey(env *Env, cfg *config.Config, i *config.Import, file string, secret *password) error {
	data, err := readInput(file)
	if err != nil {
		return err
	}
	sealer, err := cfg.Sealer()
	if err != nil {
		return err
	}
	if certs.IsSealed(data) && sealer == nil {
		return exit(ExitFailed, "%s is sealed, and %s does not say with what: add a section secrets", file, cfg.File)
	}
	text, err := secret.read(env)
	if err != nil {
		return err
	}
	for _, c := range i.Certificates {
		signer, err := certs.OpenKey(data, c, sealer)
		if err != nil && text != "" && !certs.IsSealed(data) {
			signer, err = certs.ParseEncryptedKey(data, text)
		}
		switch {
		case errors.Is(err, certs.ErrMismatch), errors.Is(err, certs.ErrSealed):
			continue // another certificate of the chain, perhaps
		case err != nil:
			return bundleError(file, err)
		}
		if i.Pair, err = certs.NewPair(signer, i.Certificates); err != nil {
			return bundleError(file, err)
		}
		abs, err := filepath.Abs(file)
		if err != nil {
			return err
		}
		inside, err := filepath.Rel(cfg.Dir, abs)
		if err == nil && filepath.IsLocal(inside) && text == "" && certs.IsSealed(data) == (sealer != nil) {
			i.Certificates, i.Pair, i.KeyFile = append([]*x509.Certificate{i.Pair.Certificate}, i.Pair.Chain...), nil, abs
		}
		return nil
	}
	return exit(ExitFailed, "%s does not belong to the certificate, or was sealed with another key than that of %s", file, cfg.File)
}

// only keeps the certificate with a fingerprint, with the others as its chain.
func only(i *config.Import, mark string) error {
	if mark == "" {
		return nil
	}
	prefix, err := certs.ParseFingerprint(mark)
	if err != nil {
		return &ExitError{Code: ExitUsage, Err: err}
	}
	if i.Pair != nil {
		if !strings.HasPrefix(certs.Fingerprint(i.Pair.Certificate), prefix) {
			return exit(ExitFailed, "the certificate has the fingerprint %s, which does not begin with %s: nothing was taken", certs.Fingerprint(i.Pair.Certificate), prefix)
		}
		return nil
	}
	var found []*x509.Certificate
	for _, c := range i.Certificates {
		if strings.HasPrefix(certs.Fingerprint(c), prefix) {
			found = append(found, c)
		}
	}
	if len(found) != 1 {
		var seen []string
		for _, c := range i.Certificates {
			seen = append(seen, certs.Fingerprint(c))
		}
		return exit(ExitFailed, "%d certificates in the file have a fingerprint that begins with %s: nothing was taken; there are\n  %s", len(found), prefix, strings.Join(seen, "\n  "))
	}
	for _, c := range i.Certificates {
		if !c.Equal(found[0]) && issuedBy(found[0], c) {
			found = append(found, c)
		}
	}
	i.Certificates = found
	return nil
}

// issuedBy tells whether by can be the issuer of c, by its name.
func issuedBy(c, by *x509.Certificate) bool {
	return string(c.RawIssuer) == string(by.RawSubject) && string(c.RawSubject) != string(c.RawIssuer)
}

// added is what import and roll print for programs.
type added struct {
	Party       string `json:"party"`
	Certificate string `json:"certificate"`
	Key         string `json:"keyFile,omitempty"`
	GoesLive    string `json:"goesLive"`
	Replaces    string `json:"replaces,omitempty"` // fingerprint
	certs.Description
}

func addedOf(partner string, a *config.Added) added {
	out := added{Party: partner, Certificate: a.File, Key: a.Key, GoesLive: stamp(a.GoLive), Description: certs.Describe(a.Certificate)}
	if a.Replaces != nil {
		out.Replaces = certs.Fingerprint(a.Replaces.Certificate)
	}
	return out
}

// tellAdded prints what was added to a configuration, or why it was not.
func (e *Env) tellAdded(format string, cfg *config.Config, partner string, a *config.Added, err error) error {
	if err := addError(a, err); err != nil {
		return err
	}
	if format == formJSON {
		return writeJSON(e.Stdout, addedOf(partner, a))
	}
	if partner == "" {
		return e.tellPlan(cfg, a, planOf(cfg, a))
	}
	rows := append([]row{{"certificate", a.File}, {"private key", a.Key}}, descriptionRows(certs.Describe(a.Certificate))...)
	if err := writeRows(e.Stdout, rows); err != nil {
		return err
	}
	whose, from := "what goes to "+partner+" is encrypted to it", "at once"
	if a.GoLive.After(e.Now()) {
		from = "from " + a.GoLive.Format("2006-01-02 15:04 MST") + " on"
	}
	e.say("\nIt is accepted at once; %s %s.", whose, from)
	if !certs.Strong(a.Certificate) {
		e.say("Its key is weak (%s): ask %s for one of at least 2048 bits.", certs.KeyName(a.Certificate.PublicKey), partner)
	}
	e.tellRunning(cfg)
	return nil
}

// addError says what to do where a configuration was not changed.
func addError(a *config.Added, err error) error {
	var edit *config.EditError
	var before *config.ImportedBeforeError
	switch {
	case errors.As(err, &edit) && a != nil && a.Key != "":
		return exit(ExitFailed, "%s and %s are written, but %w", a.File, a.Key, err)
	case errors.As(err, &edit) && a != nil:
		return exit(ExitFailed, "%s is written, but %w", a.File, err)
	case errors.As(err, &before):
		return exit(ExitFailed, "%w: nothing was done", err)
	}
	return err
}

// tellRunning says when a running station takes up what has changed.
func (e *Env) tellRunning(cfg *config.Config) {
	e.say("A running station takes it up within %s, or at once on SIGHUP.", cfg.Monitor.Every)
}
