package processes

import (
	"context"
	"io"

	"tradepost/tracking"
	"tradepost/transport"
)

// archived is a payload in the archive as a transport.Body.
type archived struct {
	ctx     context.Context //nolint:containedctx // transport.Body.Open takes none; an archived lives only as long as the call it was made for
	archive tracking.Archive
	payload tracking.Payload
}

func (a archived) Open() (io.ReadCloser, error) { return a.archive.Open(a.ctx, a.payload) }
func (a archived) Size() int64                  { return a.payload.Size }

// body returns the payload as a transport.Body for the length of ctx, nil for
// a payload that points at nothing.
func body(ctx context.Context, a tracking.Archive, p tracking.Payload) transport.Body {
	if p.None() {
		return nil
	}
	return archived{ctx, a, p}
}
