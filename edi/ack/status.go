package ack

// Status is a verdict, with the letter acknowledgements use for it (X12
// elements 715 and 717).
type Status string

// The verdicts.
const (
	Accepted           Status = "A"
	AcceptedWithErrors Status = "E"
	PartlyAccepted     Status = "P" // groups only
	Rejected           Status = "R"
	Unknown            Status = "" // the acknowledgement does not say
)

func (s Status) accepted() bool { return s == Accepted || s == AcceptedWithErrors }

// String gives the verdict in words.
func (s Status) String() string {
	switch s {
	case Accepted:
		return "accepted"
	case AcceptedWithErrors:
		return "accepted with errors"
	case PartlyAccepted:
		return "partly accepted"
	case Rejected:
		return "rejected"
	}
	return "unknown"
}

// status reads the letter of a verdict; M, W and X are kinds of rejection.
func status(code string) Status {
	switch code {
	case "A", "E", "P", "R":
		return Status(code)
	case "M", "W", "X":
		return Rejected
	}
	return Unknown
}
