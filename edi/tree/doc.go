// Package tree shows X12 and EDIFACT input as a tree: interchanges, groups,
// documents, loops, segments and elements, with the names the guides give
// them. It writes the tree as JSON and as text for a person, and turns the
// JSON back into the very bytes it came from.
//
// Both ways stream: memory does not grow with the input.
//
// # The JSON form
//
//	{"format": "tradepost-edi-tree-1",
//	 "parts": [
//	   {"interchange": "000000001", "standard": "X12", "version": "00401", "sender": "ZZ:A", "receiver": "ZZ:B",
//	    "delimiters": {"segment": "~", "element": "*", "component": ">", "repetition": "", "release": ""},
//	    "parts": [
//	      {"segment": "ISA", "name": "Interchange header", "elements": [...]},
//	      {"group": "1", "type": "PO", "version": "004010", "parts": [
//	        {"segment": "GS", ...},
//	        {"document": "0001", "type": "850", "guide": "x12/004010/850", "parts": [
//	          {"segment": "ST", ...},
//	          {"segment": "BEG", "name": "Start of a purchase order", "elements": [
//	            {"position": 1, "name": "Purpose of the document", "value": "00", "meaning": "Original"}, ...]},
//	          {"loop": "N1", "name": "Party", "parts": [...]}, ...]}]}]}],
//	 "trailing": "\n"}
//
// Elements that are empty are left out; "count" is there when empty ones stand
// at the end. A composite has "components", a repeated element "repeats". What
// differs from the writer's own form (a wrapped line, say) is kept
// in "raw" or, when it is no UTF-8 text, "raw_base64". "lead" is what stands
// before a segment, the line end as a rule; it is told when it changes and
// holds for the segments that follow. Where raw is there it is what gets
// written; to change such a segment, change or remove it.
package tree
