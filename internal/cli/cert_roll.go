package cli

import (
	"fmt"
	"time"

	"tradepost/certs"
	"tradepost/internal/config"

	"github.com/spf13/cobra"
)

func newCertRollCommand(env *Env) *cobra.Command {
	var (
		st     station
		form   output
		goLive string
		at     bool
		kind   string
		days   int
	)
	cmd := &cobra.Command{
		Use:     "roll",
		Short:   "Make the station's next key and certificate, with the day it goes live",
		Example: `  tradepost cert roll --go-live 2027-01-15`,
		Long: `Makes the station's next pair, adds it to the configuration with the day on which
the station begins to sign with it, and says what to send to every partner and
who switches when. Until that day the present one signs; from now on both are
read, so that every partner can switch when it likes. Names and kind of key are
those of the present certificate.

Without --go-live the day is a month from now, or a week before the present
certificate ends.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := form.check(cmd); err != nil {
				return err
			}
			r := config.RollRequest{Type: certs.KeyType(kind), Now: at, Validity: time.Duration(days) * 24 * time.Hour}
			when := dates{goLive: goLive}
			use, err := when.use()
			switch {
			case err != nil:
			case at && goLive != "":
				err = fmt.Errorf("--now and --go-live: give one of the two")
			case days < 0 || days > 36500:
				err = fmt.Errorf("--days %d: write a number from 1 to 36500", days)
			}
			switch r.Type {
			case "", certs.RSA2048, certs.RSA3072, certs.RSA4096, certs.P256:
			default:
				err = fmt.Errorf("--type %s: write rsa-2048, rsa-3072, rsa-4096 or p-256", kind)
			}
			if err != nil {
				return usage(cmd, err)
			}
			r.GoLive = use.GoLive
			cfg, err := st.loadForStore(env)
			if err != nil {
				return err
			}
			a, err := cfg.Roll(r, env.Now(), env.Random)
			if err := addError(a, err); err != nil {
				return err
			}
			plan := planOf(cfg, a)
			if form.format == formJSON {
				return writeJSON(env.Stdout, plan)
			}
			return env.tellPlan(cfg, a, plan)
		},
	}
	st.flags(env, cmd)
	f := cmd.Flags()
	f.StringVar(&goLive, "go-live", "", "`DATE` from which we sign with it (2027-01-15, or with time and zone)")
	f.BoolVar(&at, "now", false, "sign with it at once: partners that have not got it refuse what we send")
	f.StringVar(&kind, "type", "", "`KIND` of key: rsa-2048, rsa-3072, rsa-4096, p-256 (default: as the present one)")
	f.IntVar(&days, "days", 0, "`DAYS` the certificate is good for (default: 3 years)")
	form.flag(cmd, formTable, formJSON)
	return cmd
}

// plan is who does what when.
type plan struct {
	added
	ReplacedEnds string     `json:"replacedEnds,omitempty"`
	Partners     []informed `json:"partners"`
}

// informed is a partner that has to get the certificate.
type informed struct {
	Name    string `json:"name"`
	Contact string `json:"contact,omitempty"`
}

func planOf(cfg *config.Config, a *config.Added) plan {
	p := plan{added: addedOf("", a), Partners: informedOf(cfg)}
	if a.Replaces != nil {
		p.ReplacedEnds = stamp(a.Replaces.End())
	}
	return p
}

// informedOf are the partners that are reached over AS2.
func informedOf(cfg *config.Config) []informed {
	out := []informed{}
	for _, s := range cfg.Directory.Partnerships() {
		c, err := cfg.Directory.Connection(s.Connection)
		if err != nil || c.Connector != "as2" {
			continue
		}
		if q, err := cfg.Directory.Partner(s.Partner); err == nil {
			out = append(out, informed{q.Name, q.Contact})
		}
	}
	return out
}

// tellPlan prints the plan for a person.
func (e *Env) tellPlan(cfg *config.Config, a *config.Added, p plan) error {
	rows := append([]row{{"certificate", a.File}, {"private key", a.Key}}, descriptionRows(p.Description)...)
	if err := writeRows(e.Stdout, rows); err != nil {
		return err
	}
	day := func(t time.Time) string { return t.UTC().Format("2006-01-02 15:04 MST") }
	now := e.Now()
	e.say("\nWho switches when:")
	e.say("  now           we read what is encrypted to it; partners may use it as soon as they have it")
	if a.GoLive.After(now) {
		e.say("  until then    send %s to every partner, and compare the SHA-256 fingerprint", a.File)
		e.say("  %s  we begin to sign with it: by then every partner has to accept it", day(a.GoLive))
	} else {
		e.say("  now           we sign with it: a partner that has not got it refuses what we send.\n                Send %s at once", a.File)
	}
	if a.Replaces != nil && now.Before(a.Replaces.End()) {
		e.say("  %s  the present one ends: by then every partner has to encrypt to the new one", day(a.Replaces.End()))
	}
	if len(p.Partners) > 0 {
		e.say("\nWho has to get it:")
		for _, q := range p.Partners {
			e.say("  %s", plain(joinNonEmpty(q.Name, q.Contact)))
		}
		e.say("")
		if a.GoLive.After(now) { // an offer is signed with the present one
			e.say("To partners that take part in certificate exchange: tradepost cert exchange offer")
		}
		e.say("Who still uses the old one: tradepost cert list --own")
	}
	e.say("")
	e.tellRunning(cfg)
	return nil
}

// joinNonEmpty puts a name and what is known of it on one line.
func joinNonEmpty(name, more string) string {
	if more == "" {
		return name
	}
	return name + "  (" + more + ")"
}
