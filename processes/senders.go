package processes

import (
	"tradepost/transport"
)

// Senders finds what carries things away by the name of a connection. A name
// that leads nowhere is an error that says which connections there are.
type Senders interface {
	Sender(connection string) (transport.Sender, error)
	// ReceiptSender posts the receipts owed for what came over a connection.
	ReceiptSender(connection string) (transport.ReceiptSender, error)
}
