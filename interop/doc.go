// Package interop holds tests that exchange data with other products: what we
// write they must read, and the other way round (RFC 4130, RFC 5652). openssl
// is tried wherever it is installed. The other AS2 products, OpenAS2 and
// pyas2lib, are started when TRADEPOST_INTEROP is set, as make interop does;
// what came of it is in docs/interop.md. A product that is not installed is
// skipped, except when CI=true.
package interop
