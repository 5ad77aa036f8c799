package console

import (
	"time"

	"tradepost/processes"
	"tradepost/tracking"
)

// Chip is a state as people see it: a drawing, a word and a tone, so that
// colour never stands alone.
type Chip struct {
	Tone string // good, info, wait, warn, bad, mute
	Icon string
	Word string
}

// typeName says in our own words what a type of document is for.
func typeName(typ string) string {
	switch typ {
	case "180":
		return "Return authorization"
	case "204":
		return "Load tender"
	case "210", "IFCSUM":
		return "Freight bill"
	case "214", "IFTSTA":
		return "Shipment status"
	case "753":
		return "Request for routing"
	case "754":
		return "Routing instructions"
	case "810", "INVOIC":
		return "Invoice"
	case "820", "REMADV":
		return "Payment advice"
	case "824", "APERAK":
		return "Application advice"
	case "830", "DELFOR":
		return "Delivery forecast"
	case "832", "PRICAT":
		return "Price catalog"
	case "846", "INVRPT":
		return "Inventory report"
	case "850", "ORDERS", "875":
		return "Purchase order"
	case "852", "SLSRPT":
		return "Sales report"
	case "855", "ORDRSP":
		return "Order response"
	case "856":
		return "Ship notice"
	case "DESADV":
		return "Despatch advice"
	case "860", "865", "ORDCHG":
		return "Order change"
	case "861", "RECADV":
		return "Receiving advice"
	case "862", "DELJIT":
		return "Shipping schedule"
	case "864":
		return "Text"
	case "870":
		return "Order status"
	case "880":
		return "Grocery invoice"
	case "940":
		return "Warehouse order"
	case "943":
		return "Warehouse transfer"
	case "944":
		return "Warehouse receipt"
	case "945":
		return "Warehouse shipment"
	case "990":
		return "Load tender response"
	case "TA1", "997", "999", "CONTRL":
		return "Acknowledgement"
	}
	return "Document"
}

// isAck tells whether a type of document is itself an acknowledgement.
func isAck(typ string) bool { return tracking.IsAcknowledgement(typ) }

func documentChip(s tracking.DocumentState) Chip {
	switch s {
	case tracking.DocumentReceived:
		return Chip{"info", "inbox", "Received"}
	case tracking.DocumentInvalid:
		return Chip{"bad", "octagon", "Invalid"}
	case tracking.DocumentReady:
		return Chip{"wait", "clock", "Ready"}
	case tracking.DocumentSending:
		return Chip{"info", "send", "Sending"}
	case tracking.DocumentDelivered:
		return Chip{"good", "check", "Delivered"}
	case tracking.DocumentSettled:
		return Chip{"good", "check", "Settled"}
	case tracking.DocumentFailed:
		return Chip{"bad", "alert", "Failed"}
	}
	return Chip{"mute", "dot", string(s)}
}

// ackChip tells how a document's acknowledgement stands, seen from us.
func ackChip(d *tracking.Document, now time.Time) Chip {
	switch d.Ack {
	case tracking.AckNone, "":
		return Chip{"mute", "minus", "None expected"}
	case tracking.AckAwaited:
		switch {
		case overdue(d, now):
			return Chip{"warn", "late", "Overdue"}
		case d.Direction == tracking.Inbound:
			return Chip{"wait", "hourglass", "To be sent"}
		}
		return Chip{"wait", "hourglass", "Awaited"}
	case tracking.AckAccepted:
		return Chip{"good", "double-check", "Accepted"}
	case tracking.AckWithErrors:
		return Chip{"warn", "double-check", "Accepted with errors"}
	case tracking.AckPartial:
		return Chip{"warn", "double-check", "Partly accepted"}
	case tracking.AckRejected:
		return Chip{"bad", "cross", "Rejected"}
	}
	return Chip{"mute", "dot", string(d.Ack)}
}

// overdue tells whether a partner's acknowledgement is late.
func overdue(d *tracking.Document, now time.Time) bool {
	return d.Direction == tracking.Outbound && d.Ack == tracking.AckAwaited && !d.AckDue.IsZero() && d.AckDue.Before(now)
}

func transmissionChip(s tracking.TransmissionState) Chip {
	switch s {
	case tracking.TransmissionReceived:
		return Chip{"info", "inbox", "Received"}
	case tracking.TransmissionProcessed:
		return Chip{"good", "check", "Processed"}
	case tracking.TransmissionDuplicate:
		return Chip{"mute", "copy", "Duplicate"}
	case tracking.TransmissionPrepared:
		return Chip{"info", "send", "On its way"}
	case tracking.TransmissionDelivered:
		return Chip{"good", "check", "Delivered"}
	case tracking.TransmissionRefused:
		return Chip{"bad", "octagon", "Refused"}
	case tracking.TransmissionFailed:
		return Chip{"bad", "alert", "Failed"}
	}
	return Chip{"mute", "dot", string(s)}
}

func verdictChip(v tracking.Verdict) Chip {
	switch v {
	case tracking.VerdictPending:
		return Chip{"wait", "hourglass", "Not acknowledged yet"}
	case tracking.VerdictAccepted:
		return Chip{"good", "double-check", "Accepted"}
	case tracking.VerdictPartial:
		return Chip{"warn", "double-check", "Partly accepted"}
	case tracking.VerdictRejected:
		return Chip{"bad", "cross", "Rejected"}
	}
	return Chip{"mute", "dot", string(v)}
}

func runChip(s processes.RunState) Chip {
	switch s {
	case processes.RunReady:
		return Chip{"info", "clock", "In the queue"}
	case processes.RunWaiting:
		return Chip{"warn", "retry", "Tried again"}
	case processes.RunDone:
		return Chip{"good", "check", "Done"}
	case processes.RunFailed:
		return Chip{"bad", "alert", "Given up"}
	}
	return Chip{"mute", "dot", string(s)}
}

func outcomeChip(outcome string) Chip {
	switch outcome {
	case "done":
		return Chip{"good", "check", "Done"}
	case "retry":
		return Chip{"warn", "retry", "Tried again"}
	case "failed":
		return Chip{"bad", "alert", "Failed"}
	}
	return Chip{"mute", "dot", outcome}
}

// eventChip gives the drawing and the tone of an event.
func eventChip(k tracking.EventKind) Chip {
	switch k {
	case tracking.EventReceived, tracking.EventDocReceived:
		return Chip{"info", "inbox", string(k)}
	case tracking.EventReceiptSent, tracking.EventReceiptIn:
		return Chip{"good", "receipt", string(k)}
	case tracking.EventDocValid, tracking.EventProcessed:
		return Chip{"good", "check", string(k)}
	case tracking.EventDelivered:
		return Chip{"good", "check", string(k)}
	case tracking.EventAckMade, tracking.EventAckIn:
		return Chip{"info", "double-check", string(k)} // of a verdict that may be bad
	case tracking.EventDocMapped:
		return Chip{"info", "copy", string(k)}
	case tracking.EventDocEnveloped:
		return Chip{"info", "envelope", string(k)}
	case tracking.EventDeliveryReady, tracking.EventDeliverySent:
		return Chip{"info", "send", string(k)}
	case tracking.EventDeliveryRetry:
		return Chip{"warn", "retry", string(k)}
	case tracking.EventDuplicate:
		return Chip{"mute", "copy", string(k)}
	case tracking.EventAckOverdue:
		return Chip{"warn", "late", string(k)}
	case tracking.EventDocInvalid, tracking.EventRefused, tracking.EventUnreadable, tracking.EventReceiptBad, tracking.EventReceiptUnsent, tracking.EventDeliveryFailed, tracking.EventAckUnmatched:
		return Chip{"bad", "alert", string(k)}
	case tracking.EventResent, tracking.EventReprocessed, tracking.EventResumed, tracking.EventJobRetried:
		return Chip{"info", "retry", string(k)}
	case tracking.EventLanePaused:
		return Chip{"warn", "pause", string(k)}
	case tracking.EventLaneResumed:
		return Chip{"info", "play", string(k)}
	}
	return Chip{"mute", "dot", string(k)}
}

// certificateChip tells how long a certificate holds.
func certificateChip(c *tracking.Certificate, now time.Time) Chip {
	days := int(c.NotAfter.Sub(now) / (24 * time.Hour))
	switch {
	case !now.Before(c.NotAfter):
		return Chip{"bad", "octagon", "Expired"}
	case now.Before(c.NotBefore):
		return Chip{"wait", "clock", "Valid from " + c.NotBefore.Format("2 January 2006")}
	case days < 30:
		return Chip{"warn", "late", "Expires in " + plural(days, "day", "days")}
	}
	return Chip{"good", "check", "Valid"}
}
