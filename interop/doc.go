// Package interop holds tests that exchange data with other products: what we
// write they must read, and the other way round (RFC 4130, RFC 5652). Each file
// is one product. A product that is not installed is skipped, except when
// CI=true.
package interop
