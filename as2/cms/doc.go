// Package cms reads and writes the Cryptographic Message Syntax as AS2 uses it:
// SignedData and EnvelopedData (RFC 5652), CompressedData (RFC 3274),
// AuthEnvelopedData with AES-GCM (RFC 5083, RFC 5084), key agreement with
// elliptic curves (RFC 5753), the SHA-2 names (RFC 5754) and the parameters of
// RSASSA-PSS and RSAES-OAEP (RFC 4055, RFC 8017).
//
// Everything that may be large is a stream. Encrypting, decrypting, compressing
// and inflating hold some tens of kilobytes whatever the size of the content,
// and a signature is made over and checked against a digest that the caller
// computed while the bytes went by. The reader takes BER and DER: definite and
// indefinite lengths, primitive and constructed strings, chunks of any size.
//
// Foreign bytes meet limits first (see Limits): depth of nesting, size of the
// parts that must be held in memory, size of the content, and how much a
// compressed stream may grow.
//
// # Releasing plaintext
//
// Whether an encrypted content is whole and genuine is known only at its last
// byte. Whoever reads from Decrypted or from a Decompress reader must keep what
// was read to itself (in a spool, say) until Read returned io.EOF, and must
// throw it away when Read returned anything else.
//
// # Trust
//
// A signature counts only when one of the certificates handed to Verify made
// it. Certificates embedded in the message are offered by SignedData for
// display and for certificate exchange, and are never trusted.
//
// The package has no state of its own: no registry, no defaults that can be
// changed, no clock. Randomness is an argument.
package cms
