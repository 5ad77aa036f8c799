// Package validate checks X12 and UN/EDIFACT interchanges in one streaming
// walk and reports every fault it finds as an Issue named by the code an
// acknowledgement would carry: TA1 (X12.5 and X12.56) for interchanges, 997
// and 999 (X12.20, X12.6) for groups, documents, segments and elements, and
// data element 0085 of ISO 9735 for EDIFACT.
//
// One bad document never hides or spoils its neighbours: the walk finds its
// way again at the next segment that has a place, and at the latest at the
// next envelope segment.
//
// Two profiles exist. Tolerant, the default, accepts what real traffic needs;
// everything it lets pass is a warning that names the rule. Strict turns these
// warnings into errors.
package validate
