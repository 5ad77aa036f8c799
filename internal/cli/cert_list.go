package cli

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"tradepost/certs"
	"tradepost/internal/config"
	"tradepost/processes/certificates"
	"tradepost/tracking"

	"github.com/spf13/cobra"
)

func newCertListCommand(env *Env) *cobra.Command {
	var (
		st      station
		out     output
		partner string
		own     bool
		since   string
		newest  int
	)
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List certificates: who uses which until when, and who still uses the old one",
		Example: `  tradepost cert list
  tradepost cert list --partner supplier -o json`,
		Long: `Lists the certificates of the station and its partners: those of the
configuration, and those taken over from partners by an exchange.

  live   sending uses it now
  next   accepted; sending switches to it on its day
  old    still accepted; sending uses another
  ended  past its end, or retired

Who uses a certificate is read from the evidence of the newest transmissions. A
partner stands under STILL USED BY when the last thing it sent was made with a
certificate that has a successor.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := out.check(cmd); err != nil {
				return err
			}
			from, err := moment(since, env.Now())
			if err != nil {
				return usage(cmd, fmt.Errorf("--since %w", err))
			}
			if own && partner != "" {
				return usage(cmd, fmt.Errorf("--own and --partner: give one of the two"))
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
				env.say("tradepost: %v\n", err) // the others are worth a look all the same
			}
			sets := setsOf(cfg, ring)
			evidence := &evidence{since: from, newest: newest}
			if err := evidence.read(cmd.Context(), env, cfg); err != nil {
				env.say("tradepost: the store of %s cannot be read, so nothing is known of who uses what: %v\n", cfg.File, err)
			}
			evidence.add(sets)
			if own {
				sets = map[string]certs.Set{"": sets[""]}
			}
			if partner != "" {
				sets = map[string]certs.Set{partner: sets[partner]}
			}
			rows := certificates.Overview(sets, evidence.uses, env.Now())
			for i := range rows {
				rows[i].Source = seenFrom(cfg.Dir, rows[i].Source)
			}
			if err := writeList(env.Stdout, out.format, env.certColumns(), rows); err != nil {
				return err
			}
			if out.format == formTable {
				env.tellOffers(evidence.open, partner, own)
			}
			return nil
		},
	}
	st.flags(env, cmd)
	f := cmd.Flags()
	f.StringVar(&partner, "partner", "", "only those of a partner, by its `NAME`")
	f.BoolVar(&own, "own", false, "only those of the station")
	f.StringVar(&since, "since", "90d", "how far back the evidence is read: `TIME` or duration")
	f.IntVar(&newest, "newest", 500, "at most `N` transmissions of each partner are looked at")
	out.flag(cmd, listForms()...)
	return cmd
}

// setsOf are the certificates of all parties, the station's under "". A partner
// without any has an empty set.
func setsOf(cfg *config.Config, ring *config.Keyring) map[string]certs.Set {
	sets := map[string]certs.Set{"": append(certs.Set(nil), ring.Own...)}
	if ring.TLS != nil {
		sets[""] = append(sets[""], certs.Entry{Certificate: ring.TLS.Leaf, Purposes: []certs.Purpose{certs.TLS}, Source: cfg.Listen.TLS.Certificate})
	}
	for _, p := range cfg.Directory.Partners() {
		sets[p.Name] = append(certs.Set(nil), ring.Partners[p.Name]...)
	}
	return sets
}

// evidence is what the store knows about certificates.
type evidence struct {
	since  time.Time
	newest int

	uses []tracking.CertificateUse
	// taken are certificates that partners offered and that are in use, open
	// those that wait for a decision.
	taken, open []tracking.CertificateOffer
}

func (e *evidence) read(ctx context.Context, env *Env, cfg *config.Config) (err error) {
	store, err := env.OpenStore(ctx, cfg)
	if err != nil {
		return err
	}
	defer func() {
		if closeErr := store.Close(); err == nil {
			err = closeErr
		}
	}()
	return e.from(ctx, store, cfg)
}

// from reads it from an open store.
func (e *evidence) from(ctx context.Context, store tracking.CertificateReader, cfg *config.Config) (err error) {
	var partners []string
	for _, p := range cfg.Directory.Partners() {
		partners = append(partners, p.Name)
	}
	if e.uses, err = store.CertificateUses(ctx, tracking.CertificateUseQuery{Partners: partners, Since: e.since, Newest: e.newest}); err != nil {
		return err
	}
	if e.taken, err = store.CertificateOffers(ctx, tracking.OfferQuery{Direction: tracking.Inbound, States: []tracking.OfferState{tracking.OfferAccepted}}); err != nil {
		return err
	}
	e.open, err = store.CertificateOffers(ctx, tracking.OfferQuery{Direction: tracking.Inbound, States: []tracking.OfferState{tracking.OfferOpen}})
	return err
}

// add puts what was taken over from partners beside what is configured.
func (e *evidence) add(sets map[string]certs.Set) {
	for _, o := range e.taken {
		if set, known := sets[o.Partner]; known {
			if entry, err := certificates.EntryOf(o); err == nil {
				sets[o.Partner] = certificates.With(set, entry)
			}
		}
	}
}

// seenFrom shortens a path below the folder of the configuration.
func seenFrom(dir, path string) string {
	if rel, err := filepath.Rel(dir, path); err == nil && filepath.IsAbs(path) && filepath.IsLocal(rel) {
		return rel
	}
	return path
}

func (e *Env) certColumns() []column[certificates.Row] {
	type row = certificates.Row
	date := func(t time.Time) string { return t.Format("2006-01-02") }
	return []column[row]{
		{"party", func(r row) string {
			if r.Party == "" {
				return "(station)"
			}
			return r.Party
		}, func(r row) string { return r.Party }},
		{"state", func(r row) string { return string(r.Standing) }, nil},
		{"from", func(r row) string { return date(r.GoesLive) }, func(r row) string { return stamp(r.GoesLive) }},
		{"until", func(r row) string { return date(r.Ends) }, func(r row) string { return stamp(r.Ends) }},
		{"days", daysLeft, func(r row) string { return fmt.Sprint(r.DaysLeft) }},
		{"subject", func(r row) string { return r.Subject }, nil},
		{"key", func(r row) string { return r.Key }, nil},
		{"for", func(r row) string { return join(r.Purposes) }, func(r row) string { return strings.ReplaceAll(join(r.Purposes), ", ", " ") }},
		{"sha256", func(r row) string { return r.SHA256[:11] }, func(r row) string { return r.SHA256 }},
		{"used by", e.usedBy, func(r row) string { return machineUsage(r) }},
		{"still used by", func(r row) string { return strings.Join(r.StillUsedBy, ", ") }, func(r row) string { return strings.Join(r.StillUsedBy, " ") }},
		{"source", func(r row) string { return r.Source }, nil},
	}
}

// daysLeft marks what ends without a successor.
func daysLeft(r certificates.Row) string {
	if r.DaysLeft < 60 && !r.Covered {
		return fmt.Sprintf("%d !", r.DaysLeft)
	}
	return fmt.Sprint(r.DaysLeft)
}

// usedBy names the last uses, one a partner and role.
func (e *Env) usedBy(r certificates.Row) string {
	var words []string
	for i, u := range r.UsedBy {
		if i == 4 {
			words = append(words, fmt.Sprintf("and %d more", len(r.UsedBy)-i))
			break
		}
		words = append(words, fmt.Sprintf("%s: %s, %s", u.Partner, u.What, u.LastAt.In(e.Now().Location()).Format("2006-01-02")))
	}
	return strings.Join(words, "; ")
}

func machineUsage(r certificates.Row) string {
	var words []string
	for _, u := range r.UsedBy {
		words = append(words, fmt.Sprintf("%s/%s/%d/%s", u.Partner, strings.ReplaceAll(u.What, " ", "-"), u.Count, stamp(u.LastAt)))
	}
	return strings.Join(words, " ")
}

// tellOffers reminds of what waits for a decision.
func (e *Env) tellOffers(open []tracking.CertificateOffer, partner string, own bool) {
	for _, o := range open {
		if own || partner != "" && o.Partner != partner {
			continue
		}
		e.say("%s offers a new certificate, %s, since %s: `tradepost cert exchange accept %s` or `refuse`", o.Partner, o.Certificate.Subject, e.clock(o.OfferedAt), o.ID)
	}
}
