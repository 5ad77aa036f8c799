package steps

import (
	"context"
	"strings"
	"time"

	"tradepost/edi/validate"
	"tradepost/partners"
	"tradepost/processes"
	"tradepost/tracking"
)

// history answers the validator's question whether a group or document was
// accepted before, as far as it was agreed with the partner that its control
// number is new. Interchanges are judged with their owner.
type history struct {
	c    Config
	t    *tracking.Transmission
	way  partners.Direction
	here map[string]bool // numbers met in this transmission
}

// Seen implements validate.History.
func (h *history) Seen(ctx context.Context, ref validate.Reference) (bool, error) {
	if h.way != partners.Inbound || ref.Level == validate.LevelInterchange {
		return false, nil
	}
	match, err := h.c.Directory.ByIdentifiers(identifier(ref.Sender), identifier(ref.Receiver))
	if err != nil {
		return false, nil //nolint:nilerr // a stranger's interchange is refused as a whole
	}
	policy := match.Partnership.Duplicates
	if ref.Level == validate.LevelGroup && !policy.Groups || ref.Level == validate.LevelDocument && !policy.Documents {
		return false, nil
	}
	scope := numberScope(ref.Level, ref.Sender.String(), ref.Receiver.String(), strings.TrimSpace(ref.Group), ref.Type)
	key := scope + "\x00" + ref.Control
	if h.here[key] {
		return true, nil
	}
	h.here[key] = true
	first, err := h.c.usedBefore(ctx, h.t, policy, scope, ref.Control)
	return first != 0, err
}

// numberScope is where the control number of a group or document must be
// unique: kind is what the validator names it by, GS01 or GS01 and GS06.
func numberScope(level validate.Level, sender, receiver, kind, documentType string) string {
	scope := string(level) + " " + sender + " " + receiver + " " + kind
	if documentType != "" {
		scope += " " + documentType
	}
	return scope
}

// since is the time from which numbers count as used.
func (c Config) since(p partners.DuplicatePolicy) time.Time {
	if p.Window == 0 {
		return time.Time{}
	}
	return c.Now().Add(-p.Window)
}

// usedBefore returns the interchange of another transmission that used a
// control number, zero when there is none.
func (c Config) usedBefore(ctx context.Context, t *tracking.Transmission, p partners.DuplicatePolicy, scope, control string) (before tracking.ID, err error) {
	err = c.Store.Update(ctx, func(ctx context.Context, tx processes.Tx) error {
		first, err := tx.ControlSeen(ctx, scope, control, c.since(p))
		if err != nil || first == 0 {
			return err
		}
		// After a restart the judgement is made again behind the step that
		// recorded it: what the transmission itself used is no duplicate.
		used, err := tx.Interchange(ctx, first)
		if err == nil && used.TransmissionID != t.ID {
			before = first
		}
		return err
	})
	return before, err
}

// remembered is a control number that is used up.
type remembered struct {
	scope, control string
	interchange    tracking.ID
	since          time.Time
}

// numbers lists the control numbers that an interchange uses up.
func (r *recording) numbers(i *validate.Interchange, o owner, row *tracking.Interchange) {
	if row.State == tracking.VerdictRejected || o.match == nil {
		return
	}
	policy := o.match.Partnership.Duplicates
	add := func(scope, control string) {
		if control != "" {
			r.remember = append(r.remember, remembered{scope, control, row.ID, r.c.since(policy)})
		}
	}
	if !policy.AnyInterchange {
		add(controlScope(i), i.Control)
	}
	for _, g := range i.Groups {
		if !g.Accepted {
			continue
		}
		if policy.Groups {
			add(numberScope(validate.LevelGroup, i.Sender, i.Receiver, g.Type, ""), g.Control)
		}
		for _, d := range g.Documents {
			if policy.Documents && d.Accepted {
				add(numberScope(validate.LevelDocument, i.Sender, i.Receiver, strings.TrimSpace(g.Type+" "+g.Control), d.Type), d.Control)
			}
		}
	}
}
