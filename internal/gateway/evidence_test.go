package gateway

import (
	"context"
	"testing"

	"tradepost/tracking"
)

// crossed is a store with a partner's newest transmissions.
type crossed struct {
	tracking.Reader
	sent     []tracking.Transmission
	receipts map[tracking.ID][]tracking.Receipt
}

func (e crossed) Transmissions(context.Context, tracking.TransmissionQuery) (*tracking.TransmissionPage, error) {
	return &tracking.TransmissionPage{Transmissions: e.sent}, nil
}

func (e crossed) TransmissionView(_ context.Context, id tracking.ID) (*tracking.TransmissionView, error) {
	return &tracking.TransmissionView{Receipts: e.receipts[id]}, nil
}

func version(v string) []tracking.HeaderField {
	if v == "" {
		return nil
	}
	return []tracking.HeaderField{{Name: "Date", Value: "x"}, {Name: "as2-version", Value: v}}
}

// TestWhichAS2APartnerSpeaks reads it from the newest thing that is surely the
// partner's.
func TestWhichAS2APartnerSpeaks(t *testing.T) {
	t.Parallel()
	came := func(state tracking.TransmissionState, v string) tracking.Transmission {
		return tracking.Transmission{Direction: tracking.Inbound, State: state, Evidence: tracking.Evidence{Headers: version(v)}}
	}
	went := tracking.Transmission{ID: 7, Direction: tracking.Outbound, State: tracking.TransmissionDelivered}
	receipt := func(signed bool, v string) map[tracking.ID][]tracking.Receipt {
		return map[tracking.ID][]tracking.Receipt{7: {{Direction: tracking.Inbound, Signed: signed, Headers: version(v)}}}
	}
	for name, c := range map[string]struct {
		e    crossed
		want bool
	}{
		"nothing is known":              {crossed{}, false},
		"it sends 1.3":                  {crossed{sent: []tracking.Transmission{came(tracking.TransmissionProcessed, "1.3")}}, true},
		"it sends 1.4":                  {crossed{sent: []tracking.Transmission{came(tracking.TransmissionProcessed, " 1.4 ")}}, true},
		"it sends 1.2":                  {crossed{sent: []tracking.Transmission{came(tracking.TransmissionProcessed, "1.2")}}, false},
		"it says nothing, which is 1.0": {crossed{sent: []tracking.Transmission{came(tracking.TransmissionProcessed, "")}}, false},
		"the newest counts":             {crossed{sent: []tracking.Transmission{came(tracking.TransmissionProcessed, "1.1"), came(tracking.TransmissionProcessed, "1.3")}}, false},
		"what was refused does not":     {crossed{sent: []tracking.Transmission{came(tracking.TransmissionRefused, "1.3")}}, false},
		"its signed receipt":            {crossed{sent: []tracking.Transmission{went}, receipts: receipt(true, "1.3")}, true},
		"an unsigned receipt":           {crossed{sent: []tracking.Transmission{went}, receipts: receipt(false, "1.3")}, false},
		"nonsense":                      {crossed{sent: []tracking.Transmission{came(tracking.TransmissionProcessed, "one point three")}}, false},
		"another age":                   {crossed{sent: []tracking.Transmission{came(tracking.TransmissionProcessed, "2.0")}}, false},
	} {
		if got, err := (evidence{c.e}).modern(t.Context(), "supplier"); err != nil || got != c.want {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
}
