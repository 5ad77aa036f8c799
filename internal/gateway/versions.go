package gateway

import (
	"context"
	"fmt"
	"strings"

	"tradepost/tracking"
	transportas2 "tradepost/transport/as2"
)

// versions tells from the evidence which AS2 a partner speaks.
type versions struct{ store tracking.Reader }

// newestLooked is how many of a partner's newest transmissions are looked at for
// a word of its own.
const newestLooked = 20

// modern tells whether the newest that a partner wrote, transmission or receipt,
// says AS2-Version 1.3 or later, where AES-GCM is recommended. What was refused
// may be anybody's, and does not count.
func (v versions) modern(ctx context.Context, partner string) (bool, error) {
	page, err := v.store.Transmissions(ctx, tracking.TransmissionQuery{Partner: partner, Connector: transportas2.Connector, Limit: newestLooked})
	if err != nil {
		return false, fmt.Errorf("which AS2 %s speaks: %w", partner, err)
	}
	for _, t := range page.Transmissions {
		switch {
		case t.Direction == tracking.Inbound && t.State != tracking.TransmissionRefused:
			return atLeast13(t.Evidence.Headers), nil
		case t.Direction == tracking.Outbound && t.State == tracking.TransmissionDelivered:
			view, err := v.store.TransmissionView(ctx, t.ID)
			if err != nil {
				return false, fmt.Errorf("which AS2 %s speaks: %w", partner, err)
			}
			for _, r := range view.Receipts {
				if r.Direction == tracking.Inbound && r.Signed {
					return atLeast13(r.Headers), nil
				}
			}
		}
	}
	return false, nil
}

// atLeast13 reads AS2-Version; none is 1.0.
func atLeast13(headers []tracking.HeaderField) bool {
	for _, h := range headers {
		if !strings.EqualFold(h.Name, "AS2-Version") {
			continue
		}
		major, minor, _ := strings.Cut(strings.TrimSpace(h.Value), ".")
		return major == "1" && len(minor) == 1 && minor >= "3"
	}
	return false
}
