package validate

import (
	"tradepost/edi"
	"tradepost/edi/schema"
)

var (
	tagUNA, tagUNB, tagUNZ = schema.MakeTag("UNA"), schema.MakeTag("UNB"), schema.MakeTag("UNZ")
	tagUNG, tagUNE         = schema.MakeTag("UNG"), schema.MakeTag("UNE")
	tagUNH, tagUNT         = schema.MakeTag("UNH"), schema.MakeTag("UNT")
	tagUNO, tagUNP         = schema.MakeTag("UNO"), schema.MakeTag("UNP")
	tagUIB, tagUIZ         = schema.MakeTag("UIB"), schema.MakeTag("UIZ")
)

func (v *validator) edifactEnvelope(seg *edi.Segment, tag schema.Tag) error { return nil }
