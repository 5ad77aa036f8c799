// Package schema describes what an EDI document may look like: the elements,
// composites and segments of a release (a dictionary) and the transaction sets
// built from them (a guide), with a partner's own rules laid over them. It
// follows X12.5, X12.6 and X12.22 for X12 and ISO 9735 for UN/EDIFACT, and is
// compiled into tables that a validator walks without looking up strings.
//
// # The text format
//
// One text file is one dictionary or one guide. Lines are statements, two
// spaces of indentation put a statement inside the one above it, # starts a
// comment, and names for people stand in double quotes.
//
// A dictionary:
//
//	dictionary x12/004010 "Building blocks"
//	standard X12
//	version 004010
//	extends x12/common              (optional: start from another dictionary)
//
//	element 353 ID 2..2 "Purpose"   (number, type, length, name)
//	  00 "Original"                 (a code; from DATE and until DATE limit it)
//	  01 "Cancellation"
//	element 355 ID 2..2 "Unit" open (open: the list names codes, it is not complete)
//	  EA "Each"
//	  others BX CA CT               (codes without a name)
//	composite C040 "Reference"
//	  1 128 M                       (position, element, M, O or C)
//	  2 127 M
//	segment BEG "Start of an order"
//	  1 353 M
//	  2 92 M codes SA NE            (the codes this position allows)
//	  6..24/2 235 O                 (positions 6, 8, 10 ... 24)
//	  9 1271 O x4 "Name here"       (may repeat four times)
//	  10 1250 O
//	  11 1251 O format 10           (a date in the form the code at position 10 names)
//	  notes P0607 R0203 C0302       (syntax notes P R E C L, and D1..D7 of EDIFACT)
//	tags ABC ABS ...                (segment identifiers that exist, undescribed)
//
// Element types are AN, ID, N (N0 to N9), R, DT, TM and B for X12 and a, n, an
// for EDIFACT; a length is a number or MIN..MAX.
//
// A guide:
//
//	guide x12/004010/850 "Purchase order"
//	uses x12/004010
//	set 850 group PO
//	key PO BEG03                    (business key: name, segment and element)
//	key Bill REF02 where REF01 = BM
//	area heading
//	  ST M 1                        (segment, M or O, largest number of uses, * for any)
//	  REF O *
//	  loop N1 O 200 "Party"         (opened by its first segment)
//	    N1 M 1
//	    N3 O 2
//	area detail
//	  hl HL M * "Hierarchy"         (levels by HL03, parents by HL02)
//	    level S "Shipment"
//	      HL M 1
//	    level O "Order" under S
//	      include order-segments    (a template, written out in place)
//	template order-segments
//	  PRF M 1
//
// A guide with the structure of another one in another release says so instead:
//
//	guide x12/005010/850 "Purchase order"
//	uses x12/005010
//	like x12/004010/850
//	at */N9/MSG                     (what it has otherwise; */ stands for any place above)
//	  instead MTX O *
//	  followed-by PWK O *
//
// Both files may hold element, composite and segment statements; those of a
// guide hold for that guide only.
//
// A partner's guide is laid over another one:
//
//	guide acme/850 "ACME orders"
//	based-on x12/004010/850
//	at heading/BEG
//	  2 codes SA NE                 (narrow the codes)
//	  5 require
//	  4 forbid
//	  3 length 1..10
//	  7-2 codes XX YY               (the second component of element 7)
//	  10..25 forbid                 (a range, 10..24/2 every other one of it)
//	  3 pattern "[0-9]{10}"         (what the whole value looks like, as a regular expression)
//	  12 x1                         (repeats once at most)
//	  notes P0910                   (syntax notes beyond those of the standard)
//	at heading/CUR
//	  forbid
//	at heading/REF
//	  require
//	  max 5
//	at heading/N1
//	  variant ST "Ship to" require max 1 where 1 = ST
//	    at N4
//	      require
//	  variant BY "Buyer" where 1 = BY
//	  others forbid
//	codes 355 add P9 "Pallet of nine" until 2026-12-31
//	convention VICS                 (the subset it is for: UNH 0057, ST03, or behind the version in GS08)
//
// Levels of a hierarchy are narrowed where it stands:
//
//	at detail/HL
//	  level S require max 1
//	  level P under O T require     (below these levels only)
//	  level * forbid
//	at detail/HL[P]/MAN
//	  require
//
// What breaks a rule that only the overlay set is marked so, because a 999
// reports it with other codes than a fault against the standard.
package schema
