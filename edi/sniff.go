package edi

import (
	"bytes"
	"fmt"
)

// sniff names other formats that are handed in by mistake, and interchanges
// that were spoilt on their way.
func sniff(w []byte) (name, hint string) {
	for _, f := range [...]struct{ prefix, name, hint string }{
		{"STX=", "TRADACOMS", "convert it to EDIFACT first"},
		{"<", "XML or HTML", "convert it first"},
		{"{", "JSON", "convert it first"},
		{"[", "JSON", "convert it first"},
		{"MSH|", "HL7 version 2", "convert it first"},
		{"EDI_DC", "an SAP IDoc", "convert it first"},
		{"%PDF", "a PDF document", "send the interchange itself"},
		{"PK\x03\x04", "a ZIP archive", "unpack it first"},
		{"\x1F\x8B", "gzip data", "unpack it first"},
		{"BZh", "bzip2 data", "unpack it first"},
		{"\xFD7zXZ", "xz data", "unpack it first"},
		{"\x28\xB5\x2F\xFD", "zstd data", "unpack it first"},
		{"7z\xBC\xAF", "a 7z archive", "unpack it first"},
		{"\x30\x80", "CMS data, encrypted or signed", "unwrap it first"},
		{"\x30\x82", "CMS data, encrypted or signed", "unwrap it first"},
		{"-----BEGIN PGP", "PGP data", "decrypt it first"},
		{"MIME-Version", "a MIME message", "take the payload out of it first"},
		{"Content-", "a MIME message", "take the payload out of it first"},
		{"SVNB", "base64 of an interchange (ISA)", "decode it first"},
		{"VU5C", "base64 of an interchange (UNB)", "decode it first"},
		{"VU5B", "base64 of an interchange (UNA)", "decode it first"},
		{"\xC9\xE2\xC1", "X12 in EBCDIC", "have it sent, or transferred, in ASCII"},
		{"\xE4\xD5\xC1", "EDIFACT in EBCDIC", "have it sent, or transferred, in ASCII"},
		{"\xE4\xD5\xC2", "EDIFACT in EBCDIC", "have it sent, or transferred, in ASCII"},
	} {
		if bytes.HasPrefix(w, []byte(f.prefix)) {
			return f.name, f.hint
		}
	}
	if len(w) < 4 || isAlnum(w[3]) {
		return "", ""
	}
	switch tag := string(w[:3]); tag {
	case "isa", "unb", "una":
		return fmt.Sprintf("an interchange whose segment identifiers are in small letters (%s)", tag), "have them sent in capital letters; something on the way changed the text"
	case "UNB":
		return fmt.Sprintf("EDIFACT with the element separator %q and no UNA that declares it", w[3]), "have the interchange sent with a UNA, or with + as its separator"
	}
	return "", ""
}

// wideText tells that w is text of two or four bytes a character.
func wideText(w []byte) string {
	switch {
	case bytes.HasPrefix(w, []byte{0xFF, 0xFE, 0, 0}), bytes.HasPrefix(w, []byte{0, 0, 0xFE, 0xFF}):
		return "UTF-32 text"
	case bytes.HasPrefix(w, []byte{0xFF, 0xFE}), bytes.HasPrefix(w, []byte{0xFE, 0xFF}):
		return "UTF-16 text"
	case len(w) >= 4 && (w[1] == 0 && w[3] == 0 && (w[0] == 'I' || w[0] == 'U') || w[0] == 0 && w[2] == 0 && (w[1] == 'I' || w[1] == 'U')):
		return "UTF-16 text without a byte order mark"
	}
	return ""
}
