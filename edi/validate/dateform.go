package validate

import (
	"bytes"
	"fmt"

	"tradepost/edi"
	"tradepost/edi/schema"
)

// checkForm compares a date or time with the form that a code beside it names:
// element 1250 of X12, 2379 of EDIFACT. Codes without a form of digits are not
// checked.
func (v *validator) checkForm(at *spot, code, value edi.Value) {
	if code.Empty() || value.Empty() || !value.Plain() {
		return
	}
	form := edifactForm(code.Raw())
	if v.ic.Standard == schema.X12 {
		form = x12Form(code.Raw())
	}
	b := bytes.TrimRight(value.Raw(), " ")
	if form == "" || len(b) == 0 || fitsForm(form, b) || classes(b)&classControl != 0 {
		return
	}
	if n := len(v.doc.Issues); n > 0 { // a value that is told to be wrong has no form
		if is := v.doc.Issues[n-1]; is.Severity == Error && is.Ordinal == v.ordinal && is.Element == at.p && is.Component == at.component && is.Repeat == at.repeat {
			return
		}
	}
	f, what := faultDate, "date"
	if form[0] == 'h' {
		f, what = faultTime, "time"
	}
	v.valueIssue(f, at, b, fmt.Sprintf("is no %s of the form %s (%s) that the code beside it names", what, code.Raw(), spell(form)))
}

// A form is written in these letters: YYYY or YY year, MM month, DD day, JJJ
// day of the year, WW week, w day of the week, Q quarter, S half-year, hh mm ss
// time, + sign of a difference from UTC, z a letter or digit of a time zone, -
// the mark between the two ends of a range, # any number.

// x12Form gives the form of a code of element 1250; ranges have their hyphen.
func x12Form(code []byte) string {
	switch string(code) {
	case "CM":
		return "YYYYMM"
	case "CQ":
		return "YYYYQ"
	case "CY":
		return "YYYY"
	case "D6":
		return "YYMMDD"
	case "D8":
		return "YYYYMMDD"
	case "DA":
		return "DD-DD"
	case "DB":
		return "MMDDYYYY"
	case "DD":
		return "DD"
	case "DT":
		return "YYYYMMDDhhmm"
	case "MD":
		return "MMDD"
	case "MM":
		return "MM"
	case "RD":
		return "MMDDYYYY-MMDDYYYY"
	case "RD2":
		return "YY-YY"
	case "RD4":
		return "YYYY-YYYY"
	case "RD5":
		return "YYYYMM-YYYYMM"
	case "RD6":
		return "YYMMDD-YYMMDD"
	case "RD8":
		return "YYYYMMDD-YYYYMMDD"
	case "RDM":
		return "YYMMDD-MMDD"
	case "RDT":
		return "YYYYMMDDhhmm-YYYYMMDDhhmm"
	case "RMD":
		return "MMDD-MMDD"
	case "RMY":
		return "YYMM-YYMM"
	case "RTM":
		return "hhmm-hhmm"
	case "RTS":
		return "YYYYMMDDhhmmss"
	case "TC":
		return "JJJ"
	case "TM":
		return "hhmm"
	case "TQ":
		return "MMYY"
	case "TR":
		return "DDMMYYhhmm"
	case "TS":
		return "hhmmss"
	case "TT":
		return "MMDDYY"
	case "TU":
		return "YYJJJ"
	}
	return ""
}

// edifactForm gives the form of a code of element 2379; the hyphen of a range
// is told by ~, since many leave it out.
func edifactForm(code []byte) string {
	switch string(code) {
	case "2":
		return "DDMMYY"
	case "3":
		return "MMDDYY"
	case "4":
		return "DDMMYYYY"
	case "5":
		return "DDMMYYYYhhmm"
	case "101":
		return "YYMMDD"
	case "102":
		return "YYYYMMDD"
	case "103":
		return "YYWWw"
	case "105":
		return "YYJJJ"
	case "106":
		return "MMDD"
	case "107":
		return "JJJ"
	case "108":
		return "WW"
	case "109":
		return "MM"
	case "110":
		return "DD"
	case "201":
		return "YYMMDDhhmm"
	case "202":
		return "YYMMDDhhmmss"
	case "203":
		return "YYYYMMDDhhmm"
	case "204":
		return "YYYYMMDDhhmmss"
	case "205":
		return "YYYYMMDDhhmm+hhmm"
	case "301":
		return "YYMMDDhhmmzzz"
	case "302":
		return "YYMMDDhhmmsszzz"
	case "303":
		return "YYYYMMDDhhmmzzz"
	case "304":
		return "YYYYMMDDhhmmsszzz"
	case "305":
		return "MMDDhhmm"
	case "306":
		return "DDhhmm"
	case "401":
		return "hhmm"
	case "402":
		return "hhmmss"
	case "404":
		return "hhmmsszzz"
	case "501":
		return "hhmm~hhmm"
	case "502":
		return "hhmmss~hhmmss"
	case "601":
		return "YY"
	case "602":
		return "YYYY"
	case "603":
		return "YYS"
	case "604":
		return "YYYYS"
	case "608":
		return "YYYYQ"
	case "609":
		return "YYMM"
	case "610":
		return "YYYYMM"
	case "615":
		return "YYWW"
	case "616":
		return "YYYYWW"
	case "708":
		return "YYYYQ~YYYYQ"
	case "710":
		return "YYYYMM~YYYYMM"
	case "711", "718":
		return "YYYYMMDD~YYYYMMDD"
	case "713":
		return "YYMMDDhhmm~YYMMDDhhmm"
	case "715":
		return "YYWW~YYWW"
	case "716":
		return "YYYYWW~YYYYWW"
	case "717":
		return "YYMMDD~YYMMDD"
	case "719":
		return "YYYYMMDDhhmm~YYYYMMDDhhmm"
	case "801", "802", "803", "804", "805", "806", "807":
		return "#"
	}
	return ""
}

// spell writes a form for a person.
func spell(form string) string {
	if form == "#" {
		return "a number"
	}
	var b []byte
	for i := 0; i < len(form); i++ {
		switch c := form[i]; c {
		case '~':
			b = append(b, '-')
		case 'z', 'w':
			b = append(b, c-'a'+'A')
		case 'Y':
			if i+3 < len(form) && form[i:i+4] == "YYYY" && (i == 0 || form[i-1] != 'Y') {
				b = append(b, "CCYY"...)
				i += 3
				continue
			}
			b = append(b, c)
		default:
			b = append(b, bytes.ToUpper([]byte{c})...)
		}
	}
	return string(b)
}

// fitsForm tells whether a value has a form, and whether its day exists. The
// hour 24 is the end of a day.
func fitsForm(form string, b []byte) bool {
	if form == "#" {
		_, ok := decimal(b, '.')
		return ok
	}
	var year, month, day int // of this end of a range; 0 when the form has none
	hour, rest := 0, 0       // rest is minutes and seconds
	for i := 0; i < len(form); {
		n := 1
		for i+n < len(form) && form[i+n] == form[i] {
			n++
		}
		c := form[i]
		i += n
		switch c {
		case '~':
			if len(b) > 0 && b[0] == '-' {
				b = b[1:]
			}
			if !dayExists(year, month, day) || hour == 24 && rest > 0 {
				return false
			}
			year, month, day, hour, rest = 0, 0, 0, 0, 0
			continue
		case '-':
			if len(b) == 0 || b[0] != '-' || !dayExists(year, month, day) {
				return false
			}
			b = b[1:]
			year, month, day, hour, rest = 0, 0, 0, 0, 0
			continue
		case '+':
			if len(b) == 0 || b[0] != '+' && b[0] != '-' {
				return false
			}
			b = b[1:]
			continue
		case 'z':
			if len(b) < n || !isAlnum(b[0]) {
				return false
			}
			b = b[n:]
			continue
		}
		if len(b) < n || !isDigits(b[:n]) {
			return false
		}
		value := 0
		for _, d := range b[:n] {
			value = value*10 + int(d-'0')
		}
		b = b[n:]
		low, high := 0, 59
		switch c {
		case 'Y':
			if year = value; n == 2 {
				year += 2000
			}
			low, high = 0, 9999
		case 'M':
			month, low, high = value, 1, 12
		case 'D':
			day, low, high = value, 1, 31
		case 'J':
			low, high = 1, 366
		case 'W':
			low, high = 1, 53
		case 'w':
			low, high = 1, 7
		case 'Q':
			low, high = 1, 4
		case 'S':
			low, high = 1, 2
		case 'h':
			hour, high = value, 24
		default:
			rest += value
		}
		if value < low || value > high {
			return false
		}
	}
	return len(b) == 0 && dayExists(year, month, day) && (hour < 24 || rest == 0)
}

// dayExists looks into the calendar; what is not told is 0.
func dayExists(year, month, day int) bool {
	if month == 0 || day == 0 {
		return true
	}
	if year == 0 {
		year = 2000 // a leap year
	}
	return day <= daysIn(month, year)
}
