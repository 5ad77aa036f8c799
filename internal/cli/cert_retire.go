package cli

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"tradepost/certs"
	"tradepost/internal/config"
	"tradepost/processes/certificates"
	"tradepost/tracking"

	"github.com/spf13/cobra"
)

func newCertRetireCommand(env *Env) *cobra.Command {
	var (
		st      station
		form    output
		partner string
		own     bool
		at      string
		force   bool
		actor   string
	)
	cmd := &cobra.Command{
		Use:   "retire FINGERPRINT",
		Short: "End the use of a certificate, now or on a day, and say what depends on it",
		Long: `Ends the use of a certificate before its validity does: of the station or of a
partner, named by its SHA-256 fingerprint or the beginning of it. A partner's is
then neither encrypted to nor accepted in signatures; with one of the station
nothing is signed, and what is encrypted to it is not read. The files stay.

It says what takes its place, which partners still use it, and which transmissions
on their way were made with it. When nothing would take its place the command
does nothing without --force.`,
		Example: `  tradepost cert retire AB:CD:EF:01
  tradepost cert retire AB:CD:EF:01 --partner supplier --at 2027-01-15`,
		Args: want("the SHA-256 FINGERPRINT of a certificate, or its beginning (`tradepost cert list -o json` prints them)"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := form.check(cmd); err != nil {
				return err
			}
			mark, err := certs.ParseFingerprint(args[0])
			if err != nil {
				return usage(cmd, err)
			}
			now := env.Now()
			end := now.Truncate(time.Second)
			if at != "" {
				if end, err = config.ParseMoment(at); err != nil {
					return usage(cmd, fmt.Errorf("--at %s: write a date such as 2027-01-15, or one with time and zone: 2027-01-15T06:00:00+01:00", at))
				}
			}
			if own && partner != "" {
				return usage(cmd, errors.New("--own and --partner: give one of the two"))
			}
			return st.withExchange(cmd, env, func(cfg *config.Config, x *certificates.Exchange) error {
				s := retiring{env: env, cfg: cfg, x: x, end: end}
				if partner != "" {
					if _, err := cfg.Directory.Partner(partner); err != nil {
						return err
					}
				}
				err := s.find(cmd, func(party string) bool { return partner == party || partner == "" && (!own || party == "") }, mark)
				if err != nil {
					return err
				}
				if len(s.what.Without) > 0 && !force {
					return exit(ExitFailed, "%s", s.refusal())
				}
				if err := s.retire(cmd, actor); err != nil {
					return err
				}
				if form.format == formJSON {
					return writeJSON(env.Stdout, s.what)
				}
				return s.tell()
			})
		},
	}
	st.flags(env, cmd)
	f := cmd.Flags()
	f.StringVar(&partner, "partner", "", "only a certificate of a partner, by its `NAME`")
	f.BoolVar(&own, "own", false, "only one of the station")
	f.StringVar(&at, "at", "", "`DATE` from which it is not used (2027-01-15, or with time and zone; default: now)")
	f.BoolVar(&force, "force", false, "even when nothing takes its place")
	f.StringVar(&actor, "user", userName(), "`NAME` of who ends it, where the store notes it")
	form.flag(cmd, formTable, formJSON)
	return cmd
}

// retiring is one `cert retire`.
type retiring struct {
	env   *Env
	cfg   *config.Config
	x     *certificates.Exchange
	end   time.Time
	entry certs.Entry
	offer tracking.ID // by which it was taken over; zero when it is configured
	what  certificates.Retirement
}

// find finds the certificate and what depends on it.
func (s *retiring) find(cmd *cobra.Command, of func(party string) bool, mark string) error {
	now := s.env.Now()
	seen := evidence{since: now.AddDate(0, 0, -90), newest: 500}
	if err := seen.from(cmd.Context(), s.x.Store, s.cfg); err != nil {
		return fmt.Errorf("who uses the certificates: %w", err)
	}
	ring, err := s.cfg.Certificates()
	if err != nil {
		return err
	}
	sets := setsOf(s.cfg, ring)
	seen.add(sets)
	party, index, found := "", -1, []string{}
	for name, set := range sets {
		for i, e := range set {
			if of(name) && !e.Serves(certs.TLS) && strings.HasPrefix(certs.Fingerprint(e.Certificate), mark) {
				party, index = name, i
				found = append(found, fmt.Sprintf("%s  %s, of %s", certs.Fingerprint(e.Certificate), e.Certificate.Subject, partyName(name)))
			}
		}
	}
	switch {
	case len(found) == 0:
		return exit(ExitNotFound, "no certificate has a fingerprint that begins with %s: `tradepost cert list -o json` shows them whole", mark)
	case len(found) > 1:
		return exit(ExitFailed, "%d certificates have a fingerprint that begins with %s: give more of it, or --partner or --own\n  %s", len(found), mark, strings.Join(found, "\n  "))
	}
	set := sets[party]
	s.entry = set[index]
	if !s.end.Before(s.entry.End()) {
		return exit(ExitFailed, "it ends on %s anyway: nothing was done", s.env.clock(s.entry.End()))
	}
	for _, o := range seen.taken {
		if e, err := certificates.EntryOf(o); err == nil && o.Partner == party && e.Source == s.entry.Source {
			s.offer = o.ID
		}
	}
	var beside []string
	for i, e := range set {
		if i != index && s.offer == 0 && e.Source == s.entry.Source && e.End().After(s.end) {
			beside = append(beside, e.Certificate.Subject.String())
		}
	}
	if len(beside) > 0 {
		return exit(ExitFailed, "%s holds %s as well: give each a file of its own, and name that in the configuration", s.entry.Source, strings.Join(beside, ", "))
	}
	open, err := openTransmissions(cmd, s.x.Store, party)
	if err != nil {
		return err
	}
	s.what = certificates.Retire(party, set, index, s.end, seen.uses, open, now)
	s.what.Source = seenFrom(s.cfg.Dir, s.what.Source)
	return nil
}

// openTransmissions are those of ours that are not delivered yet.
func openTransmissions(cmd *cobra.Command, store tracking.Reader, partner string) ([]tracking.Transmission, error) {
	q := tracking.TransmissionQuery{
		Partner: partner, Direction: tracking.Outbound, Connector: "as2", States: []tracking.TransmissionState{tracking.TransmissionPrepared}, Limit: 1000,
	}
	var out []tracking.Transmission
	for {
		page, err := store.Transmissions(cmd.Context(), q)
		if err != nil {
			return nil, fmt.Errorf("what is on its way: %w", err)
		}
		out = append(out, page.Transmissions...)
		if q.Before = page.Next; q.Before == 0 {
			return out, nil
		}
	}
}

// refusal says why nothing is done without --force.
func (s *retiring) refusal() string {
	var words []string
	for _, p := range s.what.Without {
		words = append(words, string(p))
	}
	purposes := strings.Join(words, " and ")
	if s.what.Party == "" {
		return fmt.Sprintf("nothing would take the place of %s to %s: make the next pair first (`tradepost cert roll --now`), or say --force", s.what.Subject, purposes)
	}
	return fmt.Sprintf("nothing would take the place of %s to %s: nothing could be sent to %s encrypted, or accepted from it signed. Import its next certificate first (`tradepost cert import FILE --partner %s`), or say --force",
		s.what.Subject, purposes, s.what.Party, s.what.Party)
}

// retire does it: what is configured in the configuration, what was taken over
// by an exchange in the store.
func (s *retiring) retire(cmd *cobra.Command, actor string) error {
	if s.offer == 0 {
		return s.cfg.Retire(s.what.Party, s.entry.Source, s.end)
	}
	if s.end.After(s.env.Now()) {
		return exit(ExitFailed, "it was taken over by an exchange (offer %s), and can only be ended now: leave --at out", s.offer)
	}
	_, err := s.x.Decide(cmd.Context(), certificates.Decision{Offer: s.offer, Actor: actor, Comment: "retired"})
	return exchangeError(err)
}

// tell says to a person what was done and what depends on it.
func (s *retiring) tell() error {
	w := s.what
	if err := writeRows(s.env.Stdout, append([]row{{"certificate", w.Source}, {"of", partyName(w.Party)}}, descriptionRows(w.Description)...)); err != nil {
		return err
	}
	say, when := s.env.say, s.env.clock(w.At)
	say("\nIt is not used from %s on.", when)
	for _, p := range w.Purposes {
		if next, ok := w.Successors[p]; ok {
			say("  to %-8s %s takes its place (SHA-256 %s...)", string(p)+":", next.Subject, next.SHA256[:11])
		} else {
			say("  to %-8s nothing takes its place", string(p)+":")
		}
	}
	for _, name := range w.Unswitched {
		contact := ""
		if p, err := s.cfg.Directory.Partner(name); err == nil {
			contact = p.Contact
		}
		what := "encrypted the last thing it sent to it: what else it encrypts to it cannot be read"
		if w.Party != "" {
			what = "signed the last thing it sent with it: what else it signs with it is refused"
		}
		say("  %s %s", plain(joinNonEmpty(name, contact)), what)
	}
	if len(w.Open) > 0 {
		say("  on their way, made with it, and going out as they are: %s", ids(w.Open))
	}
	s.env.tellRunning(s.cfg)
	return nil
}

// ids are the first of some ids, for people.
func ids(list []tracking.ID) string {
	var words []string
	for i, id := range list {
		if i == 10 {
			words = append(words, "...")
			break
		}
		words = append(words, id.String())
	}
	return strings.Join(words, ", ")
}

// partyName is the station, or a partner.
func partyName(party string) string {
	if party == "" {
		return "the station"
	}
	return party
}
