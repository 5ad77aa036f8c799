package gateway

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"tradepost/tracking"
	transportas2 "tradepost/transport/as2"
)

// evidence tells what is known of a partner from what crossed before.
type evidence struct{ store tracking.Reader }

// newestLooked is how many of a partner's newest transmissions are looked at for
// a word of its own.
const newestLooked = 20

// modern tells whether the newest that a partner wrote, transmission or receipt,
// says AS2-Version 1.3 or later, where AES-GCM is recommended. What was refused
// may be anybody's, and does not count.
func (v evidence) modern(ctx context.Context, partner string) (bool, error) {
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

// nameUsed tells whether a partner used a file name before, in another
// transmission than the one named. What was refused does not count.
func (v evidence) nameUsed(ctx context.Context, partner, name, messageID string) (bool, error) {
	if utf8.RuneCountInString(strings.TrimSpace(name)) < 2 { // too short to be looked up
		return false, nil
	}
	page, err := v.store.Transmissions(ctx, tracking.TransmissionQuery{
		Text: name, Partner: partner, Direction: tracking.Inbound, Connector: transportas2.Connector, Limit: 1000,
		States: []tracking.TransmissionState{tracking.TransmissionReceived, tracking.TransmissionProcessed},
	})
	if err != nil {
		return false, fmt.Errorf("the file names of %s: %w", partner, err)
	}
	return slices.ContainsFunc(page.Transmissions, func(t tracking.Transmission) bool {
		return t.Filename == name && t.MessageID != messageID
	}), nil
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
