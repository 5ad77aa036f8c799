// Partners have certificates with a negative serial number: products of years
// ago wrote a random number without the octet that keeps it positive. Go reads
// none of them since 1.23, because RFC 5280 forbids them. Here it does no harm:
// a partner's certificate counts because it is configured, byte for byte, and
// never for what its serial number says.
//go:debug x509negativeserial=1

// Command tradepost runs and operates a B2B gateway for EDI documents.
package main

import (
	"os"
	_ "time/tzdata" // zones by name, where the machine has no list of its own

	"tradepost/internal/cli"
)

func main() { os.Exit(cli.Main()) }
