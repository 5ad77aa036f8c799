package as2

import (
	"fmt"
	"strings"
)

// Modifier is a disposition modifier text: the reason of a failure or warning.
type Modifier string

// The modifiers of RFC 4130 section 7.5.3 and draft rfc4130bis.
const (
	AuthenticationFailed        Modifier = "authentication-failed"
	DecompressionFailed         Modifier = "decompression-failed"
	DecryptionFailed            Modifier = "decryption-failed"
	InsufficientMessageSecurity Modifier = "insufficient-message-security"
	IntegrityCheckFailed        Modifier = "integrity-check-failed"
	UnexpectedProcessingError   Modifier = "unexpected-processing-error"
	DuplicateFilename           Modifier = "duplicate-filename"
	IllegalFilename             Modifier = "illegal-filename"
	UnknownTradingRelationship  Modifier = "unknown-trading-relationship"
	InvalidMessageID            Modifier = "invalid-message-id"
	UnsupportedMICAlgorithm     Modifier = "unsupported-mic-algorithm"
	DuplicateDocument           Modifier = "duplicate-document" // warning only
	// The two reasons below belong to "failed/Failure".
	UnsupportedFormat        Modifier = "unsupported format"
	UnsupportedMICAlgorithms Modifier = "unsupported MIC-algorithms"
)

// Severity is what a disposition modifier stands for.
type Severity string

// The severities of a modifier; SeverityNone is a plain "processed".
const (
	SeverityNone    Severity = ""
	SeverityWarning Severity = "warning"
	SeverityError   Severity = "error"
	SeverityFailure Severity = "failure"
)

// Disposition is the outcome a receipt reports (RFC 8098 section 3.2.6,
// RFC 4130 section 7.4.3).
type Disposition struct {
	// Action is the disposition mode; empty is written as
	// "automatic-action/MDN-sent-automatically".
	Action string `json:"action,omitempty"`
	// Type is "processed" or "failed" in lower case.
	Type string `json:"type"`
	// Severity and Modifier are the part after "processed/".
	Severity Severity `json:"severity,omitempty"`
	Modifier Modifier `json:"modifier,omitempty"`
}

// Processed is the disposition of a transmission that was taken over.
func Processed() Disposition { return Disposition{Type: "processed"} }

// Positive reports whether the disposition says that the transmission was
// taken over: processed, with nothing worse than a warning.
func (d Disposition) Positive() bool {
	return d.Type == "processed" && (d.Severity == SeverityNone || d.Severity == SeverityWarning)
}

// DispositionError is why a transmission was refused, and what the receipt says.
type DispositionError struct {
	Disposition Disposition
	// Err is the cause in words for the operator. It is not sent to the
	// partner, who only learns the modifier.
	Err error
}

// Error describes the refusal.
func (e *DispositionError) Error() string {
	return fmt.Sprintf("as2: %s: %v", e.Disposition, e.Err)
}

// Unwrap returns the cause.
func (e *DispositionError) Unwrap() error { return e.Err }

// mode is what goes before the semicolon.
const mode = "automatic-action/MDN-sent-automatically"

// String writes the disposition as a receipt carries it:
// "automatic-action/MDN-sent-automatically; processed/error: decryption-failed".
func (d Disposition) String() string {
	s := d.Action
	if s == "" {
		s = mode
	}
	s += "; " + d.Type
	if d.Severity == SeverityNone {
		return s
	}
	severity := string(d.Severity)
	if d.Severity == SeverityFailure {
		severity = "Failure" // RFC 4130 spells only this one with a capital
	}
	s += "/" + severity
	if d.Modifier != "" {
		s += ": " + string(d.Modifier)
	}
	return s
}

// ParseDisposition reads a Disposition field in every form seen in the field:
// no space or a tab after the semicolon, capital or lower case words,
// "processed/Error:x" and "processed/error: x", no action at all. Words it does
// not know are never taken for success.
func ParseDisposition(v string) (Disposition, error) {
	v = strings.Join(strings.Fields(v), " ")
	d := Disposition{}
	rest := v
	if action, after, ok := strings.Cut(v, ";"); ok {
		d.Action, rest = strings.TrimSpace(action), strings.TrimSpace(after)
	}
	end := strings.IndexAny(rest, "/: ,;")
	if end < 0 {
		end = len(rest)
	}
	d.Type = strings.ToLower(rest[:end])
	switch d.Type {
	case "processed", "failed", "displayed", "dispatched", "deleted", "denied":
	default:
		return Disposition{}, &mimeError{fmt.Sprintf("disposition %q has no known type", clip(v))}
	}
	rest = strings.Trim(rest[end:], "/: ,;")
	if rest == "" {
		if d.Type == "failed" {
			d.Severity = SeverityFailure
		}
		return d, nil
	}
	word, text, _ := strings.Cut(rest, ":")
	switch severity := Severity(strings.ToLower(strings.TrimSpace(word))); severity {
	case SeverityWarning, SeverityError, SeverityFailure:
		d.Severity, d.Modifier = severity, normalModifier(text)
	default:
		// A modifier without its severity, or something unheard of: an error.
		d.Severity, d.Modifier = SeverityError, normalModifier(rest)
	}
	return d, nil
}

// normalModifier trims a modifier, and gives the known ones their spelling.
func normalModifier(s string) Modifier {
	s = strings.Trim(s, " \t.;\"")
	m := Modifier(strings.ToLower(s))
	switch m {
	case AuthenticationFailed, DecompressionFailed, DecryptionFailed, InsufficientMessageSecurity,
		IntegrityCheckFailed, UnexpectedProcessingError, DuplicateFilename, IllegalFilename,
		UnknownTradingRelationship, InvalidMessageID, UnsupportedMICAlgorithm, DuplicateDocument, UnsupportedFormat:
		return m
	case "decompresion-failed": // OpenAS2
		return DecompressionFailed
	case "unsupported mic-algorithms":
		return UnsupportedMICAlgorithms
	}
	return Modifier(s)
}
