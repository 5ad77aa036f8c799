package processes

import (
	"tradepost/transport"
)

// Senders finds the sender of a connection by its name; a name that leads
// nowhere is an error that says which connections there are.
type Senders interface {
	Sender(connection string) (transport.Sender, error)
}
