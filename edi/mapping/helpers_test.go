package mapping_test

import (
	"time"

	"tradepost/edi"
)

func partyA() edi.Party { return edi.Party{Qualifier: "ZZ", ID: "A"} }

func when() time.Time { return time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC) }
