// Command tradepost runs and operates a B2B gateway for EDI documents.
package main

import (
	"os"

	"tradepost/internal/cli"
)

func main() { os.Exit(cli.Main()) }
