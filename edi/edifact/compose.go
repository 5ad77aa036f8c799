package edifact

import "unicode/utf8"

// compose gives the one character that a letter and the combining mark behind it
// stand for (Unicode, canonical equivalence), as far as a character set of one
// byte a character has it.
func compose(letter, mark rune) (rune, bool) {
	var pairs string
	switch mark {
	case '\u0300': // grave
		pairs = "AÀEÈIÌOÒUÙaàeèiìoòuù"
	case '\u0301': // acute
		pairs = "AÁEÉIÍOÓUÚYÝaáeéiíoóuúyýCĆcćLĹlĺNŃnńRŔrŕSŚsśZŹzź¨΅ΑΆΕΈΗΉΙΊΟΌΥΎΩΏαάεέηήιίοόυύωώГЃКЌгѓкќ"
	case '\u0302': // circumflex
		pairs = "AÂEÊIÎOÔUÛaâeêiîoôuûCĈcĉGĜgĝHĤhĥJĴjĵSŜsŝ"
	case '\u0303': // tilde
		pairs = "AÃNÑOÕaãnñoõIĨiĩUŨuũ"
	case '\u0304': // macron
		pairs = "AĀaāEĒeēIĪiīOŌoōUŪuū"
	case '\u0306': // breve
		pairs = "AĂaăGĞgğUŬuŭУЎИЙийуў"
	case '\u0307': // dot above
		pairs = "CĊcċEĖeėGĠgġIİZŻzż"
	case '\u0308': // diaeresis
		pairs = "AÄEËIÏOÖUÜaäeëiïoöuüyÿYŸΙΪΥΫιϊυϋЕЁІЇеёії"
	case '\u030a': // ring
		pairs = "AÅaåUŮuů"
	case '\u030b': // double acute
		pairs = "OŐoőUŰuű"
	case '\u030c': // caron
		pairs = "CČcčDĎdďEĚeěLĽlľNŇnňRŘrřSŠsšTŤtťZŽzž"
	case '\u0327': // cedilla
		pairs = "CÇcçGĢgģKĶkķLĻlļNŅnņRŖrŗSŞsşTŢtţ"
	case '\u0328': // ogonek
		pairs = "AĄaąEĘeęIĮiįUŲuų"
	case '\u0653': // madda
		pairs = "\u0627\u0622"
	case '\u0654': // hamza above
		pairs = "\u0627\u0623\u0648\u0624\u064a\u0626"
	case '\u0655': // hamza below
		pairs = "\u0627\u0625"
	}
	for len(pairs) > 0 {
		base, n := utf8.DecodeRuneInString(pairs)
		whole, k := utf8.DecodeRuneInString(pairs[n:])
		if base == letter {
			return whole, true
		}
		pairs = pairs[n+k:]
	}
	return 0, false
}
