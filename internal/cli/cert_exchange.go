package cli

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"tradepost/certs"
	"tradepost/internal/config"
	"tradepost/partners"
	"tradepost/processes/certificates"
	"tradepost/tracking"

	"github.com/spf13/cobra"
)

func newCertExchangeCommand(env *Env) *cobra.Command {
	return group(&cobra.Command{
		Use:   "exchange",
		Short: "Exchange certificates with partners over AS2 (CEM)",
		Long: `EDIINT certificate exchange (draft-meadors-certificate-exchange): one side offers
its next certificate over AS2, signed with the present one, and the other accepts
or refuses it.

For a station: offer, list, accept, refuse. What a partner offers is used only
when you accept it, unless the partner's profile says certificate_exchange:
accept. On files, without a station: request, respond, read.`,
	},
		newExchangeOfferCommand(env),
		newExchangeListCommand(env),
		newExchangeDecideCommand(env, true),
		newExchangeDecideCommand(env, false),
		newExchangeRequestCommand(env),
		newExchangeRespondCommand(env),
		newExchangeReadCommand(env),
	)
}

// withExchange opens store and archive of the station for the time of do.
func (s *station) withExchange(cmd *cobra.Command, env *Env, do func(*config.Config, *certificates.Exchange) error) error {
	return s.withStore(cmd, env, func(cfg *config.Config, store Store) (err error) {
		ids, ok := store.(interface{ IDs() *tracking.IDs })
		if !ok {
			return errors.New("this store makes no ids of its own")
		}
		archive, err := env.OpenArchive(cfg)
		if err != nil {
			return err
		}
		defer func() {
			if closeErr := archive.Close(); err == nil {
				err = closeErr
			}
		}()
		ring, err := cfg.Certificates()
		if err != nil {
			return err
		}
		sets := setsOf(cfg, ring)
		return do(cfg, &certificates.Exchange{
			Store: store, Archive: archive, IDs: ids.IDs(), Now: env.Now, Random: env.Random, Directory: cfg.Directory,
			ResponseURL: cfg.Listen.AS2URL, Sets: func() map[string]certs.Set { return sets },
		})
	})
}

// exchangeError gives refusals their exit code.
func exchangeError(err error) error {
	var refused *certificates.RefusedError
	if errors.As(err, &refused) {
		return exit(ExitFailed, "%w", err)
	}
	return err
}

func newExchangeOfferCommand(env *Env) *cobra.Command {
	var (
		st    station
		to    []string
		mark  string
		reply string
		actor string
	)
	cmd := &cobra.Command{
		Use:   "offer",
		Short: "Offer the station's next certificate to partners",
		Example: `  tradepost cert exchange offer
  tradepost cert exchange offer --partner supplier`,
		Long: `Sends a certificate exchange request to partners over AS2, signed with the present
certificate: the one that goes live next, or another by its fingerprint. Partners
that do not take part in exchanges refuse the request or set it aside; send those
the file. A running station carries the request; the answers stand in
` + "`cert exchange list`" + `.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return st.withExchange(cmd, env, func(cfg *config.Config, x *certificates.Exchange) error {
				if reply != "" {
					x.ResponseURL = reply
				}
				next, err := nextOf(x.Sets()[""], mark, env.Now())
				if err != nil {
					return err
				}
				if len(to) == 0 {
					to = as2Partners(cfg)
				}
				if len(to) == 0 {
					return exit(ExitNotFound, "no partner is reached over AS2")
				}
				var failed []error
				for _, partner := range to {
					id, err := x.Offer(cmd.Context(), partner, []certs.Entry{next}, next.Live(), actor)
					if err != nil {
						failed = append(failed, fmt.Errorf("offer it to %s: %w", partner, exchangeError(err)))
						continue
					}
					if _, err := fmt.Fprintf(env.Stdout, "%s\t%s\n", partner, id); err != nil {
						return err
					}
				}
				if len(failed) == 0 {
					env.say("%s (SHA-256 %s...) is queued for %s.", next.Certificate.Subject, certs.Fingerprint(next.Certificate)[:11], strings.Join(to, ", "))
				}
				return errors.Join(failed...)
			})
		},
	}
	st.flags(env, cmd)
	f := cmd.Flags()
	f.StringSliceVar(&to, "partner", nil, "`NAMES` of partners (default: every one that is reached over AS2)")
	f.StringVar(&mark, "sha256", "", "the certificate with this `FINGERPRINT`, or its beginning (default: the one that goes live next)")
	f.StringVar(&reply, "response-url", "", "`URL` the answer is to be posted to (default: listen.as2_url)")
	f.StringVar(&actor, "user", userName(), "`NAME` of who offers it")
	return cmd
}

// nextOf is the certificate to offer.
func nextOf(own certs.Set, mark string, now time.Time) (certs.Entry, error) {
	prefix := ""
	if mark != "" {
		var err error
		if prefix, err = certs.ParseFingerprint(mark); err != nil {
			return certs.Entry{}, &ExitError{Code: ExitUsage, Err: err}
		}
	}
	var next *certs.Entry
	for i, e := range own {
		switch {
		case e.Serves(certs.TLS) || !now.Before(e.End()):
		case prefix != "" && strings.HasPrefix(certs.Fingerprint(e.Certificate), prefix):
			return e, nil
		case prefix == "" && own.Standing(e, now) == certs.Next && (next == nil || e.Live().Before(next.Live())):
			next = &own[i]
		}
	}
	switch {
	case next != nil:
		return *next, nil
	case prefix != "":
		return certs.Entry{}, exit(ExitNotFound, "no certificate of the station has a fingerprint that begins with %s: `tradepost cert list --own` shows them", prefix)
	}
	return certs.Entry{}, exit(ExitNotFound, "no certificate is waiting to go live: `tradepost cert roll` makes one, or name one with --sha256")
}

// as2Partners are the partners that are reached over AS2.
func as2Partners(cfg *config.Config) []string {
	var out []string
	for _, q := range informedOf(cfg) {
		out = append(out, q.Name)
	}
	return out
}

func newExchangeListCommand(env *Env) *cobra.Command {
	var (
		st      station
		out     output
		partner string
		states  []string
	)
	cmd := &cobra.Command{
		Use:     "list",
		Short:   "List what partners offered us, and what we offered them",
		Example: `  tradepost cert exchange list --state open`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := out.check(cmd); err != nil {
				return err
			}
			q := tracking.OfferQuery{Partner: partner}
			for _, s := range states {
				switch tracking.OfferState(s) {
				case tracking.OfferOpen, tracking.OfferAccepted, tracking.OfferRefused:
					q.States = append(q.States, tracking.OfferState(s))
				default:
					return usage(cmd, fmt.Errorf("--state %s: write open, accepted or refused", s))
				}
			}
			return st.withStore(cmd, env, func(_ *config.Config, s Store) error {
				list, err := s.CertificateOffers(cmd.Context(), q)
				if err != nil {
					return fmt.Errorf("list certificate offers: %w", err)
				}
				return writeList(env.Stdout, out.format, env.offerColumns(), list)
			})
		},
	}
	st.flags(env, cmd)
	cmd.Flags().StringVar(&partner, "partner", "", "only those of a partner, by its `NAME`")
	cmd.Flags().StringSliceVar(&states, "state", nil, "only those that are: open, accepted, refused")
	out.flag(cmd, listForms()...)
	return cmd
}

func (e *Env) offerColumns() []column[tracking.CertificateOffer] {
	type row = tracking.CertificateOffer
	return []column[row]{
		{"id", func(o row) string { return o.ID.String() }, nil},
		{"time", func(o row) string { return e.clock(o.OfferedAt) }, func(o row) string { return stamp(o.OfferedAt) }},
		{"direction", func(o row) string { return string(o.Direction) }, nil},
		{"partner", func(o row) string { return o.Partner }, nil},
		{"state", func(o row) string { return string(o.State) }, nil},
		{"subject", func(o row) string { return o.Certificate.Subject }, nil},
		{"until", func(o row) string { return o.Certificate.NotAfter.Format("2006-01-02") }, func(o row) string { return stamp(o.Certificate.NotAfter) }},
		{"for", func(o row) string { return strings.Join(o.Purposes, ", ") }, func(o row) string { return strings.Join(o.Purposes, " ") }},
		{"from", func(o row) string { return e.clock(o.GoLive) }, func(o row) string { return stamp(o.GoLive) }},
		{"sha256", func(o row) string { return o.Certificate.SHA256 }, nil},
		{"by", func(o row) string { return o.Actor }, nil},
		{"reason", func(o row) string { return o.Reason }, nil},
	}
}

// newExchangeDecideCommand makes accept, or refuse.
func newExchangeDecideCommand(env *Env, accept bool) *cobra.Command {
	var (
		st station
		d  = certificates.Decision{Accept: accept}
		at string
	)
	cmd := &cobra.Command{
		Use: "accept ID", Short: "Accept a certificate that a partner offers",
		Long: `Takes a certificate that a partner offers into use: its signatures are accepted at
once, and what goes to the partner is encrypted to it from --go-live on, or from
the date the partner named. The partner gets the answer. Compare the fingerprint
with the partner first.`,
		Example: "  tradepost cert exchange accept 01ABCDEFGHJKM --go-live 2027-01-15",
		Args:    want("the ID of an offer (`tradepost cert exchange list` prints them)"),
		RunE: func(cmd *cobra.Command, args []string) error {
			id, err := tracking.ParseID(args[0])
			if err != nil {
				return &ExitError{Code: ExitNotFound, Err: err}
			}
			d.Offer = id
			if at != "" {
				if d.GoLive, err = config.ParseMoment(at); err != nil {
					return usage(cmd, fmt.Errorf("--go-live %s: write a date such as 2027-01-15, or one with time and zone", at))
				}
			}
			if !accept && d.Comment == "" {
				return usage(cmd, errors.New("--comment is missing: it tells the partner why"))
			}
			return st.withExchange(cmd, env, func(cfg *config.Config, x *certificates.Exchange) error {
				o, err := x.Decide(cmd.Context(), d)
				var missing *partners.NotFoundError
				switch {
				case errors.Is(err, tracking.ErrNotFound) && !errors.As(err, &missing):
					return exit(ExitNotFound, "there is no offer %s: `tradepost cert exchange list` shows what there is", id)
				case err != nil:
					return exchangeError(err)
				case o.State == tracking.OfferAccepted:
					env.say("%s of %s is accepted; what goes there is encrypted to it from %s on.", o.Certificate.Subject, o.Partner, o.GoLive.UTC().Format("2006-01-02 15:04 MST"))
					env.tellRunning(cfg)
				default:
					env.say("%s of %s is refused.", o.Certificate.Subject, o.Partner)
				}
				return nil
			})
		},
	}
	if !accept {
		cmd.Use, cmd.Short = "refuse ID", "Refuse a certificate that a partner offers, or stop using one that was accepted"
		cmd.Example = `  tradepost cert exchange refuse 01ABCDEFGHJKM --comment "the fingerprint is not yours"`
		cmd.Long = `Refuses a certificate that a partner offers; the partner gets the answer with the
comment. One that was accepted before is not used any more; the partner is not
told again.`
		cmd.Flags().StringVar(&d.Comment, "comment", "", "`WHY`, for the partner; required")
	} else {
		cmd.Flags().StringVar(&at, "go-live", "", "`DATE` from which what goes to the partner is encrypted to it")
	}
	st.flags(env, cmd)
	cmd.Flags().StringVar(&d.Actor, "user", userName(), "`NAME` of who decides")
	return cmd
}
