package tracking

import "fmt"

// TransmissionState is where a transmission stands.
type TransmissionState string

// States of a transmission. Inbound: received, then processed or failed; or
// duplicate or refused from the start. Outbound: prepared, then delivered,
// refused or failed.
const (
	TransmissionReceived  TransmissionState = "received"  // committed, receipt answered, work queued
	TransmissionProcessed TransmissionState = "processed" // its content was worked off, whatever the verdict
	TransmissionDuplicate TransmissionState = "duplicate" // same key as an accepted one: kept, not processed
	TransmissionPrepared  TransmissionState = "prepared"  // bytes and ids are fixed; sending may have begun
	TransmissionDelivered TransmissionState = "delivered" // the other side has proven that it has it
	TransmissionRefused   TransmissionState = "refused"   // a negative receipt, theirs or ours: kept, not processed
	TransmissionFailed    TransmissionState = "failed"    // gave up; the error says why
)

// DocumentState is where a document stands on its way through us.
type DocumentState string

// States of a document.
const (
	DocumentReceived  DocumentState = "received"  // recorded, not yet judged
	DocumentInvalid   DocumentState = "invalid"   // judged and refused: goes no further
	DocumentReady     DocumentState = "ready"     // judged good, waits for delivery
	DocumentSending   DocumentState = "sending"   // a transmission that carries it is prepared
	DocumentDelivered DocumentState = "delivered" // inbound: the back office has it; outbound: the partner's receipt is in
	DocumentSettled   DocumentState = "settled"   // an inbound acknowledgement that told what it had to tell
	DocumentFailed    DocumentState = "failed"    // delivery gave up or was refused: somebody must look
)

// DocumentStates lists every state of a document in the order of its life.
func DocumentStates() []DocumentState {
	return []DocumentState{DocumentReceived, DocumentInvalid, DocumentReady, DocumentSending, DocumentDelivered, DocumentSettled, DocumentFailed}
}

// IsAcknowledgement tells whether a type of document is itself an
// acknowledgement (X12 TA1, 997, 999; EDIFACT CONTRL): it settles others, and
// is neither acknowledged nor handed to the back office.
func IsAcknowledgement(documentType string) bool {
	switch documentType {
	case "TA1", "997", "999", "CONTRL":
		return true
	}
	return false
}

// AckStates lists every state of a document's acknowledgement.
func AckStates() []AckState {
	return []AckState{AckNone, AckAwaited, AckAccepted, AckWithErrors, AckRejected}
}

// AckState is what is known of a document's functional acknowledgement: ours
// about an inbound document, the partner's about an outbound one.
type AckState string

// Acknowledgement states.
const (
	AckNone       AckState = "none"    // none is expected
	AckAwaited    AckState = "awaited" // expected, not here yet (overdue when AckDue has passed)
	AckAccepted   AckState = "accepted"
	AckWithErrors AckState = "accepted-with-errors"
	AckPartial    AckState = "partially-accepted" // groups and interchanges only
	AckRejected   AckState = "rejected"
)

// Verdict is the judgement over an interchange or group.
type Verdict string

// Verdicts.
const (
	VerdictPending  Verdict = "pending" // ours: not acknowledged yet
	VerdictAccepted Verdict = "accepted"
	VerdictPartial  Verdict = "partially-accepted"
	VerdictRejected Verdict = "rejected"
)

// EventKind names what happened.
type EventKind string

// Kinds of events.
const (
	EventReceived       EventKind = "transmission.received"
	EventDuplicate      EventKind = "transmission.duplicate"
	EventResumed        EventKind = "transmission.resumed" // it was gone on with after a connection broke
	EventRefused        EventKind = "transmission.refused" // what arrived could not be used; kept
	EventProcessed      EventKind = "transmission.processed"
	EventUnreadable     EventKind = "transmission.unreadable" // content is no EDI, or nobody's
	EventReceiptSent    EventKind = "receipt.sent"
	EventReceiptIn      EventKind = "receipt.received"
	EventReceiptBad     EventKind = "receipt.negative"
	EventReceiptUnsent  EventKind = "receipt.unsent" // ours could not be posted, and is given up
	EventDocReceived    EventKind = "document.received"
	EventDocValid       EventKind = "document.valid"
	EventDocInvalid     EventKind = "document.invalid"
	EventDocMapped      EventKind = "document.mapped" // into the back office's form, or out of it
	EventDocEnveloped   EventKind = "document.enveloped"
	EventAckMade        EventKind = "acknowledgement.made"     // we wrote one
	EventAckIn          EventKind = "acknowledgement.received" // theirs settled this document
	EventAckUnmatched   EventKind = "acknowledgement.unmatched"
	EventAckOverdue     EventKind = "acknowledgement.overdue"
	EventDeliveryReady  EventKind = "delivery.prepared"
	EventDeliverySent   EventKind = "delivery.sent" // left; the receipt is to come on its own
	EventDeliveryRetry  EventKind = "delivery.retry"
	EventDelivered      EventKind = "delivery.done"
	EventDeliveryFailed EventKind = "delivery.failed"
	EventResent         EventKind = "document.resent"
	EventReprocessed    EventKind = "document.reprocessed"
	EventLanePaused     EventKind = "queue.paused" // by a person, as the two that follow
	EventLaneResumed    EventKind = "queue.resumed"
	EventJobRetried     EventKind = "queue.retried"
	EventCertEnding     EventKind = "certificate.ending"   // it ends soon, or has ended, and nothing follows it
	EventCertLive       EventKind = "certificate.live"     // sending has switched to it
	EventCertOffered    EventKind = "certificate.offered"  // by them, or by us
	EventCertAccepted   EventKind = "certificate.accepted" // an offered one is in use from its date on
	EventCertRefused    EventKind = "certificate.refused"
	EventCertRetired    EventKind = "certificate.retired" // not used any more, though it is valid
)

// TransitionError tells that a document was to move where its state machine
// does not lead.
type TransitionError struct {
	Document ID
	From, To DocumentState
}

func (e *TransitionError) Error() string {
	return fmt.Sprintf("document %s is %s and cannot become %s", e.Document, e.From, e.To)
}

// documentMoves lists, for every state, the states that may follow it.
// A failed document may be sent again by a person, a delivered one too.
func documentMoves(from DocumentState) []DocumentState {
	switch from {
	case "":
		return []DocumentState{DocumentReceived, DocumentReady}
	case DocumentReceived:
		return []DocumentState{DocumentInvalid, DocumentReady}
	case DocumentInvalid:
		return []DocumentState{DocumentReady} // released by a person
	case DocumentReady:
		return []DocumentState{DocumentSending, DocumentDelivered, DocumentSettled, DocumentFailed}
	case DocumentSending:
		return []DocumentState{DocumentDelivered, DocumentFailed, DocumentSending}
	case DocumentFailed, DocumentDelivered:
		return []DocumentState{DocumentReady, DocumentSending}
	}
	return nil
}

// Move changes the document's state, or returns a *TransitionError.
func (d *Document) Move(to DocumentState) error {
	for _, s := range documentMoves(d.State) {
		if s == to {
			d.State = to
			return nil
		}
	}
	return &TransitionError{Document: d.ID, From: d.State, To: to}
}
