// Package x12 knows the interchange envelope of ANSI ASC X12 (X12.5 and X12.6):
// the service segments ISA, TA1, GS, ST, SE, GE and IEA as Go values, read from
// and written to segments of package edi, and the building of interchanges
// around documents.
//
// Control numbers, dates and times come from the caller; nothing here counts
// or looks at a clock.
package x12
