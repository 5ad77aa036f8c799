package as2

import (
	"net/http"
	"strings"
)

// parseReceiptRequest reads Disposition-Notification-To, -Options and
// Receipt-Delivery-Option (RFC 4130 section 7.3). Anything it cannot
// understand is left out, or noted as unknown where that matters.
func parseReceiptRequest(h http.Header) ReceiptRequest {
	r := ReceiptRequest{Mode: NoReceipt}
	to, asked := h["Disposition-Notification-To"]
	if !asked {
		return r
	}
	r.Mode = SyncReceipt
	if len(to) > 0 {
		r.To = strings.TrimSpace(to[0])
	}
	if u := strings.Trim(h.Get("Receipt-Delivery-Option"), " \t\"<>"); u != "" {
		r.Mode, r.URL = AsyncReceipt, u
	}
	for name, values := range parseOptions(h.Get("Disposition-Notification-Options")) {
		required := len(values) > 0 && strings.EqualFold(values[0], "required")
		if len(values) > 0 && (required || strings.EqualFold(values[0], "optional")) {
			values = values[1:]
		}
		switch name {
		case "signed-receipt-protocol":
			known := false
			for _, v := range values {
				known = known || strings.EqualFold(v, "pkcs7-signature") || strings.EqualFold(v, "application/pkcs7-signature")
			}
			r.Signed = r.Signed || known || len(values) == 0
			r.UnknownProtocols = !known && len(values) > 0
			r.Required = r.Required || required
		case "signed-receipt-micalg":
			r.Signed = r.Signed || len(values) > 0
			for _, v := range values {
				if d, err := ParseDigest(v); err == nil {
					r.Digests = append(r.Digests, d)
				} else if v != "" {
					r.UnknownDigests = append(r.UnknownDigests, v)
				}
			}
			r.RequiredDigests = required
		}
	}
	if r.UnknownProtocols {
		r.Signed = false
	}
	return r
}

// parseOptions splits "name=importance, value, value; name=..." into lower
// case names and trimmed values without quotes.
func parseOptions(v string) map[string][]string {
	out := map[string][]string{}
	for _, part := range strings.Split(v, ";") {
		name, values, ok := strings.Cut(part, "=")
		name = strings.ToLower(strings.TrimSpace(name))
		if !ok || name == "" {
			continue
		}
		if _, twice := out[name]; twice {
			continue
		}
		list := []string{}
		for _, value := range strings.Split(values, ",") {
			if value = strings.Trim(value, " \t\"'"); value != "" {
				list = append(list, value)
			}
		}
		out[name] = list
	}
	return out
}

// fields writes what parseReceiptRequest reads.
func (r ReceiptRequest) fields() []field {
	if !r.Wanted() {
		return nil
	}
	to := r.To
	if to == "" {
		to = "as2@localhost"
	}
	f := []field{{"Disposition-Notification-To", to}}
	if r.Signed {
		names := make([]string, 0, len(r.Digests))
		for _, d := range r.Digests {
			names = append(names, string(d))
		}
		importance, digestImportance := "optional", "optional"
		if r.Required {
			importance = "required"
		}
		if r.RequiredDigests {
			digestImportance = "required"
		}
		f = append(f, field{
			"Disposition-Notification-Options",
			"signed-receipt-protocol=" + importance + ", pkcs7-signature; signed-receipt-micalg=" + digestImportance + ", " + strings.Join(names, ", "),
		})
	}
	if r.Mode == AsyncReceipt {
		f = append(f, field{"Receipt-Delivery-Option", r.URL})
	}
	return f
}

// spelled returns the sender's own spelling of digest d in its receipt
// options, so that it gets back the label it knows; else the RFC 8551 name.
func spelled(h http.Header, d Digest) string {
	for _, v := range parseOptions(h.Get("Disposition-Notification-Options"))["signed-receipt-micalg"] {
		if p, err := ParseDigest(v); err == nil && p == d {
			return v
		}
	}
	return string(d)
}
