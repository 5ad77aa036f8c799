// Package transporttest is the conformance suite of connectors: what every
// Sender and Listener must do, whatever they speak, stated once and run over
// real sockets and real files. A connector passes it by describing a Road, its
// own sending end joined to its own receiving end, and calling Run.
package transporttest
