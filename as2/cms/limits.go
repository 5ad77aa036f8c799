package cms

import "math"

// Limits bound what foreign bytes may cost. The zero value means the defaults
// named at each field.
type Limits struct {
	// Depth is the greatest nesting of elements that are descended into.
	// Default 16, and never more than 64.
	Depth int
	// Header is the greatest size in octets of any part that is held in memory:
	// the recipients, the certificates, the signatures, each on its own.
	// Default 64 KiB.
	Header int
	// Content is the greatest number of octets of content that are handed out:
	// decrypted, inflated or embedded. Default: no limit, since no memory
	// depends on it. A gateway sets the partner's limit here.
	Content int64
	// Ratio is how many times larger than its compressed form a content may
	// become, looked at once 1 MiB has come out. Default 500; a negative value
	// means no limit. Deflate reaches 1032 at most.
	Ratio int
}

const (
	defaultDepth  = 16
	maxDepth      = 64
	defaultHeader = 64 << 10
	defaultRatio  = 500
	ratioGrace    = 1 << 20
)

func (l Limits) withDefaults() Limits {
	if l.Depth <= 0 {
		l.Depth = defaultDepth
	}
	l.Depth = min(l.Depth, maxDepth)
	if l.Header <= 0 {
		l.Header = defaultHeader
	}
	if l.Content <= 0 {
		l.Content = math.MaxInt64
	}
	if l.Ratio == 0 {
		l.Ratio = defaultRatio
	}
	return l
}
