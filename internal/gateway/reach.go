package gateway

import (
	"context"
	"net/http"

	"tradepost/internal/config"
	"tradepost/partners"
	"tradepost/transport"
	transportas2 "tradepost/transport/as2"
)

// Reach asks the partner at the other end of an AS2 connection whether it is
// there, the way the running station would reach it.
func Reach(ctx context.Context, c *config.Config, x partners.Connection) (*http.Response, error) {
	conn := transport.Connection{Name: x.Name, Connector: x.Connector, Partner: x.Partner, Settings: x.Settings}
	return transportas2.Probe(ctx, conn, transportas2.Config{Base: c.Dir, KeyPair: c.KeyPair})
}
