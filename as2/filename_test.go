package as2

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

// TestFilenameForms reads file names in every form that products write them.
func TestFilenameForms(t *testing.T) {
	t.Parallel()
	for disposition, want := range map[string]string{
		`attachment; filename="order.edi"`:                                                "order.edi",
		`attachment; filename=my order.edi`:                                               "my order.edi",
		`attachment; filename="say \"hello\".edi"`:                                        `say "hello".edi`,
		`filename=order.edi`:                                                              "order.edi",
		`filename="a=b;c.edi"; size=3`:                                                    "a=b;c.edi",
		`attachment; filename*=UTF-8''%E2%82%AC%20order.edi`:                              "€ order.edi",
		`attachment; filename="x.edi"; filename*=utf-8'de'Gr%C3%BC%C3%9Fe`:                "Grüße",
		`attachment; filename*=ISO-8859-1''Gr%FC%DFe`:                                     "Grüße",
		`attachment; filename*=KOI8-R''%C1; filename=a`:                                   "a",
		`attachment; filename="=?UTF-8?B?4oKsLmVkaQ==?="`:                                 "€.edi",
		`attachment; filename*0="a very long"; filename*1=" name.edi"`:                    "a very long name.edi",
		`attachment; filename*1="name.edi"; filename*0=long`:                              "longname.edi",
		`attachment; filename*0*=UTF-8''%E2%82; filename*1*=%AC; filename*2="100%25.edi"`: "€100%25.edi",
		`attachment; filename*0=a; filename*2=c`:                                          "a",
		`attachment; filename=whole; filename*0=cut`:                                      "whole",
		`attachment; filename*1=only`:                                                     "",
		`attachment`:                                                                      "",
	} {
		if got := filename(http.Header{"Content-Disposition": {disposition}}); got != want {
			t.Errorf("%s: %q, want %q", disposition, got, want)
		}
	}
	if got := parseMediaType(`multipart/signed; boundary*0="a b"; boundary*1=c; micalg=sha-256`); got.full != "multipart/signed" || got.params["boundary"] != "a bc" || got.params["micalg"] != "sha-256" {
		t.Errorf("%+v", got)
	}
	if got := filename(http.Header{"Content-Type": {`application/edi-x12; name*0=or; name*1=der`}}); got != "order" {
		t.Errorf("the name of a Content-Type: %q", got)
	}
}

// TestPiecesCostNothing: neither many pieces nor pieces of pieces are dear.
func TestPiecesCostNothing(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	for n := range 200_000 {
		b.WriteString(";a*" + strings.Repeat("0", n%3) + "=x")
	}
	for _, v := range []string{"a/b" + b.String(), "a/b;x" + strings.Repeat("*0", 500_000) + "=y", "a/b" + strings.Repeat(";x*0=y;x*1=z", 100_000)} {
		began := time.Now()
		if m := parseMediaType(v); m.full != "a/b" || time.Since(began) > time.Minute {
			t.Errorf("%.20s: %v", v, time.Since(began))
		}
	}
}
