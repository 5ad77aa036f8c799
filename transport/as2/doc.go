// Package as2 is the connector for AS2 (RFC 4130 and its revision, draft
// rfc4130bis): it joins the library tradepost/as2, which knows the protocol, to
// the gateway, which knows partners and keeps what arrives.
//
// # Listening
//
// One Listener serves a station. A request goes four steps in a row: the
// library receives it (decrypts, verifies, computes the MIC), its receipt is
// made, the Sink accepts transmission, evidence and receipt in one commit, and
// only then is the receipt answered. When the Sink fails, the answer is 503
// and no receipt, so that the partner keeps trying. A transmission that came
// before is answered with the receipt of the first time, byte for byte. One
// that cannot be used (unknown partner, wrong key, tampered, not secure enough)
// goes to the Sink as well, marked Refused, and is answered with a negative
// receipt where one was asked for. Receipts that are wanted on a connection of
// their own are answered 204 and left to SendReceipt.
//
// # Sending
//
// Prepare fixes Message-ID, headers, body and integrity checks. Send posts
// exactly these bytes, any number of times, and judges the receipt: it counts
// when one of the partner's configured certificates signed it and it carries
// the MIC of what was sent. No answer, 5xx, 408, 425 and 429 are temporary;
// other statuses and receipts that prove nothing end the attempt; a TLS
// certificate that is not trusted is permanent.
package as2
