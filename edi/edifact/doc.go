// Package edifact knows the interchange envelope of UN/EDIFACT (ISO 9735
// syntax versions 1 to 4): UNA and the service segments UNB, UNG, UNH, UNT, UNE
// and UNZ as Go values, the building of interchanges around documents, and the
// character sets that UNB element 0001 names.
//
// Control references, dates and times come from the caller; nothing here
// counts or looks at a clock.
package edifact
