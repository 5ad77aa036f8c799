package steps

import (
	"context"
	"fmt"

	"tradepost/edi"
	"tradepost/edi/schema"
	"tradepost/edi/validate"
	"tradepost/partners"
	"tradepost/processes"
	"tradepost/tracking"
)

// judgement is what a transmission's content was found to be: the validator's
// report and, for every interchange in it, whose it is.
type judgement struct {
	report *validate.Report
	owners []owner // as long as report.Interchanges
}

// owner tells whose an interchange is.
type owner struct {
	match *partners.Match
	// stranger says why the interchange is nobody's that may use this
	// connection; then nothing in it goes on and nothing is acknowledged.
	stranger string
	ack      string // the TA105 code that goes with it
	// duplicate is the interchange that used the control number before.
	duplicate tracking.ID
}

// refused tells whether the interchange as a whole goes no further.
func (o owner) refused() bool { return o.stranger != "" || o.duplicate != 0 }

// judge validates the content of a transmission against what was agreed with
// its partner. The result is kept for the later steps of the same execution;
// it depends on nothing but the content, the configuration and the control
// numbers accepted before, so it can be made again after a restart.
func (c Config) judge(ctx context.Context, x *processes.Execution, t *tracking.Transmission) (*judgement, error) {
	return memo(x, "judgement", func() (*judgement, error) {
		judged, err := content(x.Run, t)
		if err != nil {
			return nil, err
		}
		payload, err := c.Archive.Open(ctx, judged)
		if err != nil {
			return nil, err
		}
		defer payload.Close()
		way := c.wayOf(t)
		profile, except := c.profile(t)
		report, err := validate.Validate(ctx, payload, validate.Options{
			Profile: profile,
			Except:  except,
			Catalog: c.Guides.Catalog(),
			History: &history{c: c, t: t, way: way, here: make(map[string]bool)},
			GuideFor: func(choice validate.Choice) *schema.Guide {
				match, err := c.Directory.ByIdentifiers(identifier(choice.Sender), identifier(choice.Receiver))
				if err != nil || match.Direction != way {
					return nil
				}
				rule, _ := match.Partnership.Rule(way, choice.Type)
				return c.Guides.For(rule, choice.Version)
			},
		})
		if err != nil {
			return nil, err
		}
		j := &judgement{report: report}
		for _, i := range report.Interchanges {
			o, err := c.ownerOf(ctx, t, way, i)
			if err != nil {
				return nil, err
			}
			j.owners = append(j.owners, o)
			if o.refused() {
				i.Issues = append(i.Issues, refusalIssue(i, o))
				i.Accepted = false
			}
			refuseInside(i)
		}
		return j, nil
	})
}

// refuseInside carries the refusal of an interchange to its groups, and that of
// a group to its documents, as the TA1, 997 or CONTRL that says so does: the
// sender sends all of it again.
func refuseInside(i *validate.Interchange) {
	for _, g := range i.Groups {
		g.Accepted = g.Accepted && i.Accepted
		if g.Accepted {
			continue
		}
		g.Refused = len(g.Documents)
		for _, d := range g.Documents {
			d.Accepted = false
		}
	}
}

// refusalIssue states the refusal of a whole interchange as an issue.
func refusalIssue(i *validate.Interchange, o owner) *validate.Issue {
	out := &validate.Issue{
		Severity: validate.Error, Level: validate.LevelInterchange, Ack: o.ack, Segment: "ISA", Offset: i.Extent.Offset, Value: i.Sender, Text: o.stranger,
	}
	if o.duplicate != 0 {
		out.Ack, out.Value = "TA105=025", i.Control
		out.Text = fmt.Sprintf("control number %s was used before by interchange %s: the sender must take a new one for new content", i.Control, o.duplicate)
	}
	if i.Standard != edi.X12.String() {
		out.Segment, out.Ack = "UNB", edifactCode(out.Ack)
	}
	return out
}

// edifactCode gives the code of element 0085 for one of a TA1.
func edifactCode(ta1 string) string {
	switch ta1 {
	case "TA105=006":
		return "0085=23"
	case "TA105=009":
		return "0085=7"
	case "TA105=025":
		return "0085=26"
	}
	return "0085=18"
}

// wayOf tells which way the documents of a transmission go, seen from the
// partner: what comes over our own house's connection goes out.
func (c Config) wayOf(t *tracking.Transmission) partners.Direction {
	if conn, err := c.Directory.Connection(t.Connection); err == nil && conn.Partner == "" {
		return partners.Outbound
	}
	return partners.Inbound
}

// profile returns the validation profile agreed with the partner a
// transmission came from, and the rules excepted from it.
func (c Config) profile(t *tracking.Transmission) (validate.Profile, []string) {
	p, err := c.Directory.Partnership(t.Partner)
	switch {
	case err != nil:
		return validate.Tolerant, nil
	case p.Profile == string(validate.Strict):
		return validate.Strict, p.Except
	}
	return validate.Tolerant, p.Except
}

// ownerOf finds the partnership of an interchange and whether its control
// number was used before.
func (c Config) ownerOf(ctx context.Context, t *tracking.Transmission, way partners.Direction, i *validate.Interchange) (owner, error) {
	match, err := c.Directory.ByIdentifiers(identifier(i.From), identifier(i.To))
	switch {
	case err != nil:
		return owner{stranger: err.Error(), ack: strangerCode(c.Directory, i)}, nil
	case match.Direction != way:
		return owner{stranger: fmt.Sprintf("an interchange from %s to %s does not belong on connection %s", i.Sender, i.Receiver, t.Connection), ack: "TA105=006"}, nil
	case way == partners.Inbound && t.Partner != "" && match.Partner.Name != t.Partner:
		return owner{stranger: fmt.Sprintf("the sender %s is %s, but the transmission came from %s", i.Sender, match.Partner.Name, t.Partner), ack: "TA105=006"}, nil
	}
	o := owner{match: match}
	if policy := match.Partnership.Duplicates; way == partners.Inbound && !policy.AnyInterchange {
		o.duplicate, err = c.usedBefore(ctx, t, policy, controlScope(i), i.Control)
	}
	return o, err
}

// strangerCode returns the TA105 code for addresses that lead nowhere: 009
// when the receiver is not us, 006 when the sender is unknown.
func strangerCode(d *partners.Directory, i *validate.Interchange) string {
	for _, own := range d.Station().Identifiers {
		if own.Normal() == identifier(i.To).Normal() {
			return "TA105=006"
		}
	}
	return "TA105=009"
}

// identifier is a party of an envelope as the directory knows it.
func identifier(p edi.Party) partners.Identifier {
	return partners.Identifier{Qualifier: p.Qualifier, ID: p.ID}
}

// party is an address of the directory as an envelope writes it.
func party(i partners.Identifier) edi.Party {
	return edi.Party{Qualifier: i.Qualifier, ID: i.ID}
}

// controlScope is where an interchange's control number must be unique.
func controlScope(i *validate.Interchange) string {
	return "interchange " + i.Sender + " " + i.Receiver
}
