package cli

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"time"
)

// testEnvOf is a world with an input and nothing else.
func testEnvOf(in io.Reader) (env *Env, out, words *bytes.Buffer) {
	out, words = new(bytes.Buffer), new(bytes.Buffer)
	return &Env{Stdin: in, Stdout: out, Stderr: words, Now: time.Now, LookupEnv: func(string) (string, bool) { return "", false }}, out, words
}

// TestInterruptedWhileWaitingForInput: a command that waits for standard input
// ends with 130 when it is interrupted, though the input never says a word.
func TestInterruptedWhileWaitingForInput(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{
		{"edi", "validate", "-"},
		{"edi", "validate", "-", "-o", "json"},
		{"edi", "inspect", "-"},
		{"edi", "ack", "-"},
		{"edi", "convert", "-", "--to", "json"},
		{"edi", "convert", "-", "--to", "jsonl"},
		{"edi", "convert", "-", "--to", "xml"},
		{"edi", "convert", "-", "--to", "csv"},
		{"edi", "convert", "-", "--to", "edi"},
		{"edi", "convert", "-", "--to", "json", "--map", "x12/850"},
	} {
		for _, begun := range []string{"", goodOrder[:150]} {
			t.Run(strings.Join(args, " "), func(t *testing.T) {
				t.Parallel()
				in, feed := io.Pipe()
				defer func() { _ = feed.Close() }()
				ctx, interrupt := context.WithCancel(t.Context())
				env, _, words := testEnvOf(in)
				code := make(chan int, 1)
				go func() { code <- Run(ctx, env, args) }()
				if begun != "" {
					_, _ = io.WriteString(feed, begun) // returns when all of it was taken
				}
				interrupt()
				if got := <-code; got != ExitInterrupted || !strings.Contains(words.String(), "interrupted") {
					t.Errorf("exit code %d, %q", got, words.String())
				}
			})
		}
	}
}

// TestUntilDoneReadsAll: what is read through it is what is there, however it
// comes, with the error at its end.
func TestUntilDoneReadsAll(t *testing.T) {
	t.Parallel()
	text := strings.Repeat("0123456789", 50_000)
	failure := errors.New("the line broke")
	for name, in := range map[string]io.Reader{
		"whole":          strings.NewReader(text),
		"byte for byte":  iotest.OneByteReader(strings.NewReader(text[:3000])),
		"with its end":   iotest.DataErrReader(strings.NewReader(text)),
		"empty":          strings.NewReader(""),
		"failing behind": io.MultiReader(strings.NewReader(text), iotest.ErrReader(failure)),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			want := text
			switch name {
			case "byte for byte":
				want = text[:3000]
			case "empty":
				want = ""
			}
			got, err := io.ReadAll(untilDone(t.Context(), in))
			if string(got) != want {
				t.Errorf("%d bytes of %d", len(got), len(want))
			}
			if name == "failing behind" != errors.Is(err, failure) {
				t.Errorf("error %v", err)
			}
		})
	}
}
