// Package ack writes acknowledgements from a validation report and reads those
// that come back: TA1 for interchanges (X12.56), 997 for groups (X12.20) and
// 999 where a partner's guide counts (X12.20, implementation acknowledgement).
//
// Writing gives the document, ST to SE, and says which envelope it belongs in:
// sender and receiver are those of the inbound interchange changed over, the
// version is the inbound one. Control numbers, date and time come from the
// caller. An acknowledgement is never acknowledged by another 997 or 999.
//
// Reading is lenient, since a partner's 997 is what it is: what cannot be
// understood is left out, never refused.
package ack
