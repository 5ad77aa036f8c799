package as2

import (
	"bytes"
	"crypto/x509"
	"errors"
	"fmt"
	"hash"
	"time"

	"tradepost/as2/cms"
)

// check is Receipt.Check. The order matters: what a receipt says counts only
// once it is clear which transmission it speaks of and who says it.
func (rc *Receipt) check(sent Sent, verify []*x509.Certificate) Outcome {
	o := Outcome{Warnings: append([]string(nil), rc.Warnings...)}
	fail := func(code OutcomeCode, format string, args ...any) Outcome {
		o.Code, o.Reason = code, fmt.Sprintf(format, args...)
		return o
	}
	warn := func(format string, args ...any) { o.Warnings = append(o.Warnings, fmt.Sprintf(format, args...)) }

	if rc.contradictory != "" {
		return fail(OutcomeAmbiguous, "the receipt contradicts itself: %s", rc.contradictory)
	}
	if !sameMessageID(rc.OriginalMessageID, sent.MessageID) {
		return fail(OutcomeUnknownOriginal, "the receipt answers %q, not %q", clip(rc.OriginalMessageID), sent.MessageID)
	}
	if rc.OriginalMessageID != sent.MessageID {
		warn("Original-Message-ID is written differently: %q", clip(rc.OriginalMessageID))
	}
	switch {
	case rc.From == "" && rc.To == "":
		warn("the receipt has no AS2-From and AS2-To")
	case rc.From != sent.To || rc.To != sent.From:
		return fail(OutcomeWrongPartner, "the receipt is from %q to %q, the transmission was from %q to %q", clip(rc.From), clip(rc.To), sent.From, sent.To)
	}
	if rc.FinalRecipient != "" && rc.FinalRecipient != sent.To {
		warn("Final-Recipient is %q, not %q", clip(rc.FinalRecipient), sent.To)
	}
	o.MICMatches = rc.micMatches(sent)

	if rc.Signed {
		signer, err := rc.signature.verify(verify)
		if err != nil {
			return fail(OutcomeBadSignature, "the receipt's signature does not count: %v", err)
		}
		o.Signer = signer
	} else if sent.Request.Signed {
		return fail(OutcomeUnsigned, "a signed receipt was asked for, this one is unsigned (it says %q)", rc.Disposition)
	}
	if !rc.Disposition.Positive() {
		return fail(OutcomeRefused, "the partner did not accept the transmission: %s", rc.Disposition)
	}
	if rc.Disposition.Severity == SeverityWarning {
		warn("the partner warns: %s", rc.Disposition.Modifier)
	}
	switch {
	case o.MICMatches:
	case rc.MIC == "" && !sent.Request.Signed:
		// RFC 4130 section 7.4.3 demands a MIC of signed receipts only.
		warn("the unsigned receipt carries no MIC: it tells of receipt, and proves nothing about the content")
	case rc.MIC == "" && !sent.Signed && sent.Request.MICOptional:
		warn("the receipt carries no MIC, as this partner's receipts for unsigned content do not: it proves nothing about the content")
	case rc.MIC == "":
		return fail(OutcomeMICMissing, "the receipt carries no Received-Content-MIC")
	case rc.MICDigest == "" || sent.MICs[rc.MICDigest] == "":
		return fail(OutcomeMICMissing, "the receipt's MIC is under an algorithm that was not kept: %q", clip(rc.micRaw))
	default:
		return fail(OutcomeMICMismatch, "the receipt's MIC %s is not that of what was sent (%s): the partner holds something else", clip(rc.micRaw), sent.MICs[rc.MICDigest])
	}
	o.Delivered, o.Code = true, OutcomeDelivered
	return o
}

// micMatches compares the MIC under its own label. For unsigned content some
// products leave the header out, or put it in; either digest proves the same
// content.
func (rc *Receipt) micMatches(sent Sent) bool {
	if rc.MIC == "" {
		return false
	}
	return sent.MICs.Match(rc.MICDigest, rc.MIC) || sent.BareMICs.Match(rc.MICDigest, rc.MIC)
}

// sumOf finishes a digest with the exact bytes.
func sumOf(h hash.Hash, b []byte) []byte {
	_, _ = h.Write(b) // a hash never fails
	return h.Sum(nil)
}

// verify returns which of the certificates made the signature.
func (s *receiptSignature) verify(trusted []*x509.Certificate) (*x509.Certificate, error) {
	if s == nil {
		return nil, errors.New("it was not kept")
	}
	if s.err != nil {
		return nil, s.err
	}
	if len(trusted) == 0 {
		return nil, errors.New("no certificate of the partner is configured to verify with")
	}
	var first error
	for _, form := range append([]canonicalForm{{}}, canonicalForms()...) {
		sums := map[Digest][]byte{}
		for _, d := range s.data.Digests() {
			if !d.Valid() {
				continue
			}
			h := d.New()
			if form == (canonicalForm{}) {
				sums[d] = sumOf(h, s.part)
				continue
			}
			if err := form.copy(h, bytes.NewReader(s.part)); err != nil {
				return nil, err
			}
			sums[d] = h.Sum(nil)
		}
		got, err := s.data.Verify(sums, trusted, time.Time{})
		if err == nil {
			if got.Digest == MD5 || got.SignatureDigest == MD5 {
				return nil, errors.New("it uses MD5")
			}
			return got.Certificate, nil
		}
		if first == nil {
			first = err
		}
		if !errors.Is(err, cms.ErrContentChanged) {
			break
		}
	}
	return nil, first
}
