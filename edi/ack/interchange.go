package ack

import (
	"bytes"
	"fmt"
	"strings"

	"tradepost/edi"
	"tradepost/edi/validate"
	"tradepost/edi/x12"
)

// InterchangeAnswer is a TA1 with the envelope it goes into, whose GS is
// unused: a TA1 stands between ISA and IEA.
type InterchangeAnswer struct {
	TA1      x12.TA1
	Envelope Envelope
}

// Interchange makes the TA1 of an interchange. The note is the code of the
// first fault of the interchange, 000 when there is none. An interchange that is
// accepted while a GS in it is wrong gets E, since a 997 has no code for that. A
// control number, date or time that the inbound interchange had wrong is given
// back as it was, as far as the delimiters can carry it.
func Interchange(ic *validate.Interchange) InterchangeAnswer {
	e := envelope(ic)
	repeat := func(value string) string { return clean(value, e.Delimiters) }
	t := x12.TA1{Control: repeat(ic.Control), Date: repeat(ic.Date), Time: repeat(ic.Time), Code: "A", Note: "000"}
	for _, is := range ic.Issues {
		if note, ok := strings.CutPrefix(is.Ack, "TA105="); ok && is.Severity == validate.Error {
			t.Code, t.Note = "R", note
			break
		}
	}
	if note, ok := strings.CutPrefix(ic.Noted, "TA105="); ok && t.Code == "A" {
		t.Code, t.Note = "E", note // its groups are refused by themselves
	}
	return InterchangeAnswer{TA1: t, Envelope: e}
}

// Bytes writes the TA1 segment.
func (a InterchangeAnswer) Bytes() ([]byte, error) {
	var b bytes.Buffer
	w := edi.NewWriter(&b, a.Envelope.Delimiters, edi.WriterOptions{})
	err := w.Write("TA1", a.TA1.Control, a.TA1.Date, a.TA1.Time, a.TA1.Code, a.TA1.Note)
	if err == nil {
		err = w.Flush()
	}
	if err != nil {
		return nil, fmt.Errorf("writing TA1: %w", err)
	}
	return b.Bytes(), nil
}

// Answerable tells whether an interchange names what an answer has to repeat:
// whom it is from, whom it is for, and its control number. The error, which
// wraps ErrNotAcknowledged, says what is missing; the sender has to be told by
// other means then (ISO 9735-10).
func Answerable(ic *validate.Interchange) error {
	header, number := "ISA", "control number (ISA13)"
	if ic.Standard != "X12" {
		header, number = "UNB", "control reference (0020)"
	}
	var lacks []string
	for _, part := range []struct{ value, name string }{{ic.From.ID, "sender"}, {ic.To.ID, "receiver"}, {ic.Control, number}} {
		if strings.TrimSpace(part.value) == "" {
			lacks = append(lacks, "no "+part.name)
		}
	}
	if len(lacks) == 0 {
		return nil
	}
	return fmt.Errorf("the interchange at byte %d: its %s has %s; tell its sender by other means: %w", ic.Offset, header, strings.Join(lacks, ", "), ErrNotAcknowledged)
}

// WantsTA1 tells whether an interchange is answered by a TA1: when its ISA14
// asks for one, when it is refused, and when a fault of a group has no other
// place. One that holds TA1 only is never answered, nor is one without an ISA13,
// which a TA1 has to repeat. Who the sender is may be known from the connection
// when ISA06 does not tell: the TA1 says so by its code.
func WantsTA1(ic *validate.Interchange) bool {
	return strings.TrimSpace(ic.Control) != "" && ic.Standard == "X12" && (ic.Received > 0 || ic.TA1 == 0) && (ic.AckRequested || !ic.Accepted || ic.Noted != "")
}
