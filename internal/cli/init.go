package cli

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"tradepost/certs"
	"tradepost/internal/config"
	"tradepost/partners"

	"github.com/spf13/cobra"
)

func newInitCommand(env *Env) *cobra.Command {
	var (
		n                 config.New
		p                 config.NewPartner
		seal              bool
		sealFile, sealEnv string
	)
	cmd := &cobra.Command{
		Use:   "init [DIR]",
		Short: "Make a station: a folder with configuration, keys and token",
		Long: `Make a station in DIR (by default the present folder): one commented
tradepost.yaml, a key with its certificate, a token for the API and the folders
of the back office. Nothing that is there is overwritten, and nothing is asked.

With --partner the first partner is written in as well; without, the
configuration shows in comments how one is.`,
		Example: `  tradepost init my-station --name buyer --as2-id BUYER --identifier ZZ:BUYER
  tradepost init my-station --partner supplier --partner-certificate supplier.crt \
      --partner-url http://edi.supplier.example:4080/as2`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 1 {
				return fmt.Errorf("%q is one argument too many", args[1])
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			dir := "."
			if len(args) == 1 {
				dir = args[0]
			}
			if err := completeNew(cmd, &n, &p, dir); err != nil {
				return usage(cmd, err)
			}
			var err error
			if n.Seal, err = sealOf(env, seal, sealFile, sealEnv, cmd.Flags().Changed("seal-file")); err != nil {
				return usage(cmd, err)
			}
			cfg, err := config.Create(dir, n, env.Now(), env.Random)
			if err != nil {
				return fmt.Errorf("make a station in %s: %w", dir, err)
			}
			return env.tellNext(cfg, dir, n.Partner)
		},
	}
	f := cmd.Flags()
	f.StringVar(&n.Name, "name", "", "`NAME` of the station (default: that of the folder)")
	f.StringVar(&n.AS2ID, "as2-id", "", "AS2 `ID` of the station (default: its name in capitals)")
	f.StringVar(&n.Identifier, "identifier", "", "EDI address of the station, `QUALIFIER:ID` (default: ZZ and its name in capitals)")
	f.StringVar(&n.AS2Address, "as2-address", "127.0.0.1:4080", "`HOST:PORT` to listen on for partners")
	f.StringVar(&n.AdminAddress, "admin-address", "127.0.0.1:4081", "`HOST:PORT` of console and API")
	f.StringVar(&n.Database, "database", "", "`DSN` of a Postgres, in place of the embedded store")
	f.StringVar((*string)(&n.KeyType), "key-type", string(certs.RSA2048), "`KIND` of key: rsa-2048, rsa-3072, rsa-4096")
	f.BoolVar(&seal, "seal", false, "seal the private key (AES-256-GCM)")
	f.StringVar(&sealFile, "seal-file", "keys/sealing.key", "`FILE` that the new sealing key goes into, with --seal")
	f.StringVar(&sealEnv, "seal-env", "", "environment variable `NAME` that holds the sealing key, with --seal, in place of a file")
	f.StringVar(&p.Name, "partner", "", "`NAME` of the first partner")
	f.StringVar(&p.AS2ID, "partner-as2-id", "", "its AS2 `ID` (default: its name in capitals)")
	f.StringVar(&p.Identifier, "partner-identifier", "", "its EDI address, `QUALIFIER:ID` (default: ZZ and its name in capitals)")
	f.StringVar(&p.URL, "partner-url", "", "`URL` it receives AS2 at")
	f.StringVar(&p.Certificate, "partner-certificate", "", "`FILE` with its certificate (PEM, DER or .p7b); it is copied")
	f.StringVar(&p.Contact, "partner-contact", "", "`WHO` to call there")
	f.StringSliceVar(&p.Receive, "receive", []string{"855", "856", "810"}, "`TYPES` of documents the partner sends us")
	f.StringSliceVar(&p.Send, "send", []string{"850"}, "`TYPES` of documents we send the partner")
	return cmd
}

// completeNew fills what was not given and refuses what does not go together.
func completeNew(cmd *cobra.Command, n *config.New, p *config.NewPartner, dir string) error {
	if n.Name == "" {
		abs, err := filepath.Abs(dir)
		if err != nil {
			return err
		}
		n.Name = nameOf(filepath.Base(abs))
	}
	complete := func(name string, as2ID, identifier *string) error {
		if *as2ID == "" {
			*as2ID = strings.ToUpper(name)
		}
		if *identifier == "" {
			*identifier = "ZZ:" + strings.ToUpper(name[:min(15, len(name))])
		}
		_, err := partners.ParseIdentifier(*identifier)
		return err
	}
	if err := complete(n.Name, &n.AS2ID, &n.Identifier); err != nil {
		return err
	}
	switch n.KeyType {
	case certs.RSA2048, certs.RSA3072, certs.RSA4096:
	default:
		return fmt.Errorf("--key-type %s: write rsa-2048, rsa-3072 or rsa-4096: few partners can encrypt to another kind", n.KeyType)
	}
	if p.Name == "" {
		for _, flag := range []string{"partner-as2-id", "partner-identifier", "partner-url", "partner-certificate", "partner-contact", "receive", "send"} {
			if cmd.Flags().Changed(flag) {
				return fmt.Errorf("--%s needs --partner NAME", flag)
			}
		}
		return nil
	}
	if p.URL == "" || p.Certificate == "" {
		return errors.New("--partner needs --partner-url and --partner-certificate: ask the partner for both")
	}
	n.Partner = p
	return complete(p.Name, &p.AS2ID, &p.Identifier)
}

// sealOf reads how the private key is to be sealed; nil when it is not.
func sealOf(env *Env, seal bool, file, name string, fileGiven bool) (*config.Seal, error) {
	switch {
	case !seal && (name != "" || fileGiven):
		return nil, errors.New("--seal-file and --seal-env need --seal")
	case !seal:
		return nil, nil
	case name != "" && fileGiven:
		return nil, errors.New("--seal-file and --seal-env: give one of the two")
	case name == "" && fileGiven: // as it was meant from here
		abs, err := filepath.Abs(file)
		return &config.Seal{File: abs}, err
	case name == "":
		return &config.Seal{File: file}, nil
	}
	key, ok := env.LookupEnv(name)
	if !ok {
		return nil, fmt.Errorf("--seal-env: the environment has no %s: set it to a sealing key (`openssl rand -hex 32` makes one)", name)
	}
	return &config.Seal{Env: name, Key: key}, nil
}

// nameOf makes a name of a folder's.
func nameOf(folder string) string {
	name := strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9', r == '-':
			return r
		case r >= 'A' && r <= 'Z':
			return r + 'a' - 'A'
		}
		return '-'
	}, folder)
	if name = strings.Trim(name, "-"); name == "" {
		return "station"
	}
	return name[:min(64, len(name))]
}

// tellNext prints what was made and what to do with it.
func (e *Env) tellNext(cfg *config.Config, dir string, p *config.NewPartner) error {
	file := filepath.Join(dir, "tradepost.yaml")
	st := cfg.Directory.Station()
	pem, err := os.ReadFile(st.KeyFiles()[0].Certificate)
	if err != nil {
		return err
	}
	c, err := certs.ParseCertificate(pem)
	if err != nil {
		return err
	}
	if _, err := fmt.Fprintln(e.Stdout, file); err != nil {
		return err
	}
	e.say(`
Station %s is ready in %s.

What your partner needs from you:
  AS2 id        %s
  EDI address   %s
  URL           http://YOUR-HOST%s%s
  certificate   %s
                valid to %s
                SHA-256 %s
`, st.Name, dir, st.AS2ID, st.Identifiers[0], portOf(cfg.Listen.AS2), cfg.Listen.AS2Path,
		filepath.Join(dir, "keys", "station.crt"), c.NotAfter.Format("2006-01-02"), certs.Fingerprint(c))
	if f := cfg.Secrets.KeyFile; f != "" {
		e.say("The private key is sealed with %s. Without that file nobody can read it:\nkeep a copy elsewhere, and the file out of backups of the station's folder.\n", f)
	}
	if p == nil {
		e.say("Next:\n  1. Write your partner into %s: it shows how.", file)
	} else {
		e.say("Next:\n  1. Look through %s.", file)
	}
	e.say("  2. tradepost doctor --config %s\n  3. tradepost serve --config %s", file, file)
	return nil
}

// portOf is the ":port" of an address.
func portOf(address string) string {
	if i := strings.LastIndexByte(address, ':'); i >= 0 {
		return address[i:]
	}
	return ""
}
