package maptest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"tradepost/edi"
	"tradepost/edi/mapping"
)

// segments returns the documents of EDI, a line a segment, the envelope left
// out.
func segments(text string) ([]string, error) {
	r := edi.NewBytesReader([]byte(text), edi.Options{})
	var out []string
	inside := false
	for {
		s, err := r.Next()
		if errors.Is(err, io.EOF) {
			return out, nil
		}
		if err != nil {
			return out, err
		}
		if s.Is("ST") || s.Is("UNH") {
			inside = true
		}
		if inside {
			out = append(out, strings.Trim(string(s.Raw), "\r\n"))
		}
		if s.Is("SE") || s.Is("UNT") {
			inside = false
		}
	}
}

// jsonValue is one value of a JSON text, its fields in order.
type jsonValue struct {
	text   string // of a scalar
	fields []jsonField
	open   byte // { or [, 0 for a scalar
}

type jsonField struct {
	name  string
	value jsonValue
}

// readJSON reads all values of a text.
func readJSON(text string) ([]jsonValue, error) {
	dec := json.NewDecoder(strings.NewReader(text))
	dec.UseNumber()
	var out []jsonValue
	for {
		before := dec.InputOffset()
		v, err := jsonNext(dec, 0)
		if errors.Is(err, io.EOF) {
			if dec.InputOffset() > before {
				return nil, io.ErrUnexpectedEOF
			}
			return out, nil
		}
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
}

func jsonNext(dec *json.Decoder, depth int) (jsonValue, error) {
	t, err := dec.Token()
	if err != nil {
		return jsonValue{}, err
	}
	switch t := t.(type) {
	case json.Delim:
		v := jsonValue{open: t.String()[0]}
		if depth > 1000 {
			return v, errors.New("the JSON is nested too deep")
		}
		for dec.More() {
			f := jsonField{}
			if v.open == '{' {
				name, err := dec.Token()
				if err != nil {
					return v, err
				}
				f.name, _ = name.(string)
			}
			if f.value, err = jsonNext(dec, depth+1); err != nil {
				return v, err
			}
			v.fields = append(v.fields, f)
		}
		_, err := dec.Token()
		return v, err
	case json.Number:
		return jsonValue{text: string(t)}, nil
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	err = enc.Encode(t)
	return jsonValue{text: strings.TrimSuffix(b.String(), "\n")}, err
}

// lines shows values a line each; sorted brings fields into the order of their
// names.
func (v jsonValue) lines(dst []string, head, indent, tail string, sorted bool) []string {
	if v.open == 0 {
		return append(dst, indent+head+v.text+tail)
	}
	closing := "}"
	if v.open == '[' {
		closing = "]"
	}
	if len(v.fields) == 0 {
		return append(dst, indent+head+string(v.open)+closing+tail)
	}
	fields := v.fields
	if sorted && v.open == '{' {
		fields = slices.SortedStableFunc(slices.Values(fields), func(a, b jsonField) int { return strings.Compare(a.name, b.name) })
	}
	dst = append(dst, indent+head+string(v.open))
	for i, f := range fields {
		name, comma := "", ","
		if v.open == '{' {
			name = fmt.Sprintf("%q: ", f.name)
		}
		if i == len(fields)-1 {
			comma = ""
		}
		dst = f.value.lines(dst, name, indent+"  ", comma, sorted)
	}
	return append(dst, indent+closing+tail)
}

// jsonLines shows a text a line a value, each document from its beginning.
func jsonLines(text string, sorted bool) ([]string, error) {
	values, err := readJSON(text)
	if err != nil {
		return nil, err
	}
	if len(values) == 1 && values[0].open == '[' {
		list := values[0].fields
		values = values[:0]
		for _, f := range list {
			values = append(values, f.value)
		}
	}
	var out []string
	for _, v := range values {
		out = v.lines(out, "", "", "", sorted)
	}
	return out, nil
}

// compare tells how a text differs from what was expected; "" when it does not.
func compare(f mapping.Format, want, got string) string {
	var a, b []string
	var err error
	switch f {
	case mapping.EDI:
		a, b = textLines(want), textLines(got)
	case mapping.JSON, mapping.JSONLines:
		if a, err = jsonLines(want, true); err != nil {
			return fmt.Sprintf("the section is no JSON: %v", err)
		}
		if b, err = jsonLines(got, true); err != nil {
			return fmt.Sprintf("the map wrote no JSON: %v", err)
		}
		if slices.Equal(a, b) {
			return ""
		}
		// People read it in the order it was written.
		x, _ := jsonLines(want, false)
		y, _ := jsonLines(got, false)
		if d := diff(x, y); d != "" && len(x) == len(a) {
			return d
		}
	default:
		a, b = textLines(want), textLines(got)
	}
	return diff(a, b)
}

// textLines are the lines of a text that hold something, blanks around them
// left out.
func textLines(text string) []string {
	var out []string
	for l := range strings.Lines(text) {
		if l = strings.TrimSpace(l); l != "" {
			out = append(out, l)
		}
	}
	return out
}

// diff shows how b differs from a: a line with - in front is missing, one with
// + is too much. Lines around a difference are shown, others left out.
func diff(a, b []string) string {
	if slices.Equal(a, b) {
		return ""
	}
	const most = 4000
	if len(a) > most || len(b) > most {
		i := 0
		for i < len(a) && i < len(b) && a[i] == b[i] {
			i++
		}
		at := func(l []string) string {
			if i < len(l) {
				return l[i]
			}
			return "(the end)"
		}
		return fmt.Sprintf("line %d of %d and %d lines is the first that differs\n- %s\n+ %s\n", i+1, len(a), len(b), at(a), at(b))
	}
	// The longest common subsequence, by its length from the end.
	width := len(b) + 1
	common := make([]int32, (len(a)+1)*width)
	for i := len(a) - 1; i >= 0; i-- {
		for j := len(b) - 1; j >= 0; j-- {
			if a[i] == b[j] {
				common[i*width+j] = common[(i+1)*width+j+1] + 1
			} else {
				common[i*width+j] = max(common[(i+1)*width+j], common[i*width+j+1])
			}
		}
	}
	var lines []string
	for i, j := 0, 0; i < len(a) || j < len(b); {
		switch {
		case i < len(a) && j < len(b) && a[i] == b[j]:
			lines = append(lines, "  "+a[i])
			i, j = i+1, j+1
		case i < len(a) && (j == len(b) || common[(i+1)*width+j] >= common[i*width+j+1]):
			lines = append(lines, "- "+a[i])
			i++
		default:
			lines = append(lines, "+ "+b[j])
			j++
		}
	}
	return hunks(lines)
}

// hunks leaves out lines far from any difference.
func hunks(lines []string) string {
	const around = 3
	near := make([]bool, len(lines))
	for i, l := range lines {
		if l[0] != ' ' {
			for k := max(i-around, 0); k <= min(i+around, len(lines)-1); k++ {
				near[k] = true
			}
		}
	}
	var out strings.Builder
	for i, l := range lines {
		switch {
		case near[i]:
			out.WriteString(l + "\n")
		case i == 0 || near[i-1]:
			out.WriteString("  ...\n")
		}
	}
	return out.String()
}
