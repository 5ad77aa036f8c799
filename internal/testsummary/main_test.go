package main

import (
	"strings"
	"testing"
)

func TestSummarize(t *testing.T) {
	t.Parallel()
	in := `{"Action":"start","Package":"a"}
{"Action":"output","Package":"a","Test":"TestGood","Output":"noise\n"}
{"Action":"pass","Package":"a","Test":"TestGood"}
{"Action":"output","Package":"a","Test":"TestCorpus","Output":"    corpus_test.go:12: TRADEPOST_CORPUS is not set\n"}
{"Action":"skip","Package":"a","Test":"TestCorpus"}
{"Action":"output","Package":"a","Test":"TestMore","Output":"    corpus_test.go:30: TRADEPOST_CORPUS is not set\n"}
{"Action":"skip","Package":"a","Test":"TestMore"}
{"Action":"output","Package":"a","Output":"ok  \ta\t0.1s\n"}
{"Action":"pass","Package":"a"}
`
	bad := `{"Action":"output","Package":"b","Test":"TestBad","Output":"    bad_test.go:1: 1 is not 2\n"}
{"Action":"fail","Package":"b","Test":"TestBad"}
{"Action":"output","Package":"b","Output":"FAIL\tb\t0.1s\n"}
{"Action":"fail","Package":"b"}
`
	for _, c := range []struct {
		name, in, want string
		failed         bool
	}{
		{"good", in, "ok  \ta\t0.1s\nleft out, 2 of the tests: TRADEPOST_CORPUS is not set\n", false},
		{"bad", bad, "    bad_test.go:1: 1 is not 2\nFAIL\tb\t0.1s\n", true},
		{"a message of go", "go: no such package\n", "go: no such package\n", false},
	} {
		var out strings.Builder
		failed, err := summarize(strings.NewReader(c.in), &out)
		if err != nil || failed != c.failed || out.String() != c.want {
			t.Errorf("%s: failed %v, %v, printed\n%s\nwant\n%s", c.name, failed, err, out.String(), c.want)
		}
	}
}
