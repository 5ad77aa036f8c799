package mapping

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"unicode/utf8"
)

// ownTokens shows what our reader makes of an input.
func ownTokens(r io.Reader) (tokens []string, values int, err error) {
	t := newJSONTokens(r)
	for {
		k, err := t.next()
		if errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
			return tokens, values, nil
		}
		if err != nil {
			return tokens, values, err
		}
		switch {
		case k == jsonText:
			tokens = append(tokens, fmt.Sprintf("%q", t.text))
		case k.isScalar() || k == jsonNull:
			tokens = append(tokens, string(t.text))
		default:
			tokens = append(tokens, string(rune(k)))
		}
		if t.want == wantTop {
			values++
		}
	}
}

// theirTokens shows what encoding/json makes of it.
func theirTokens(input []byte) []string {
	dec := json.NewDecoder(bytes.NewReader(input))
	dec.UseNumber()
	var tokens []string
	for {
		t, err := dec.Token()
		if err != nil {
			return tokens
		}
		switch t := t.(type) {
		case string:
			tokens = append(tokens, fmt.Sprintf("%q", t))
		case nil:
			tokens = append(tokens, "null")
		default:
			tokens = append(tokens, fmt.Sprint(t))
		}
	}
}

func checkTokens(t *testing.T, input []byte) {
	t.Helper()
	tokens, values, err := ownTokens(bytes.NewReader(input))
	if valid := json.Valid(input); valid != (err == nil && values == 1) {
		if valid || values == 1 {
			t.Fatalf("%q: valid is %t, and we say %v after %d values", input, valid, err, values)
		}
		return
	}
	if err != nil || values != 1 {
		return
	}
	if their := theirTokens(input); utf8.Valid(input) && strings.Join(tokens, " ") != strings.Join(their, " ") {
		t.Fatalf("%q:\n %s\nencoding/json:\n %s", input, tokens, their)
	}
	if slow, _, err := ownTokens(iotest.OneByteReader(bytes.NewReader(input))); err != nil || strings.Join(slow, " ") != strings.Join(tokens, " ") {
		t.Fatalf("%q: byte by byte it is %s, %v", input, slow, err)
	}
}

func jsonSamples() []string {
	return []string{
		`{}`, `[]`, `{"a":1,"b":[true,false,null,{"c":"d"}],"e":-1.50e+3}`, ` [ 1 , 2 ] `, `"\u00e9\ud83d\ude00\ud800x\n\"\\\/\b\f\r\t"`, `0`, `-0.0`, `01`, `1.`, `.5`, `-`, `1e`, `+1`,
		`{"a"}`, `{"a":}`, `{"a":1,}`, `{,}`, `[1,]`, `[,1]`, `[1 2]`, `{"a" 1}`, `{1:2}`, `[}`, `{]`, `]`, `}`, `:`, `,`, `"`, `"\x"`, `"\u12"`, `"\ud800\u0041"`, "\"\x01\"", `tru`, `truee`, `nul`, `[`, `{`, `{"a"`, `{"a":`, `[1`, `"a`, `{} x`, ``, ` `, `"\ud83d\ude0"`,
	}
}

// TestJSONTokens reads JSON as encoding/json does, however it comes in.
func TestJSONTokens(t *testing.T) {
	t.Parallel()
	for _, s := range jsonSamples() {
		checkTokens(t, []byte(s))
	}
	// Texts longer than the buffer.
	checkTokens(t, []byte(`{"a":"`+strings.Repeat("xyz\\n", 20000)+`","b":`+strings.Repeat("9", 70000)+`}`))
}

// FuzzJSONTokens holds our reader against encoding/json.
func FuzzJSONTokens(f *testing.F) {
	for _, s := range jsonSamples() {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, input []byte) { checkTokens(t, input) })
}
