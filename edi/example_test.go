package edi_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"tradepost/edi"
)

const exampleOrder = "UNA:+.? 'UNB+UNOC:3+4012345000009:14+5412345000013:14+260801:1200+REF1'" +
	"UNH+1+ORDERS:D:96A:UN:EAN008'BGM+220+PO?'77+9'LIN+1++4000862141404:EN'QTY+21:12'UNS+S'UNT+6+1'UNZ+1+REF1'"

// Segments are pulled one by one; elements and components are read in place.
func ExampleReader() {
	r := edi.NewReader(strings.NewReader(exampleOrder), edi.Options{})
	for {
		s, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			fmt.Println(err)
			return
		}
		switch {
		case s.Is("BGM"):
			fmt.Println("order", s.Element(2), "at byte", s.Pos.Offset)
		case s.Is("QTY"):
			q := s.Element(1)
			fmt.Println("quantity", q.Component(2), "qualifier", q.Component(1))
		}
	}
	// Output:
	// order PO'77 at byte 100
	// quantity 12 qualifier 21
}

// Peek tells who sent what to whom without a dictionary.
func ExamplePeek() {
	h, err := edi.Peek([]byte(exampleOrder))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(h.Standard, h.Version, h.Sender, "to", h.Receiver, h.Document.Type, h.Document.Version)
	// Output:
	// EDIFACT UNOC:3 14:4012345000009 to 14:5412345000013 ORDERS D:96A
}

// ReadOutline gives the byte range of every document, to cut it out exactly.
func ExampleReadOutline() {
	in := []byte(exampleOrder)
	o, err := edi.ReadOutline(edi.NewBytesReader(in, edi.Options{}))
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, i := range o.Interchanges {
		for _, g := range i.Groups {
			for _, d := range g.Documents {
				fmt.Println(d.Document.Type, d.Segments, "segments:", string(in[d.Offset:d.Offset+28])+"...")
			}
		}
	}
	// Output:
	// ORDERS 6 segments: UNH+1+ORDERS:D:96A:UN:EAN008...
}

// A Writer makes segments from values; what needs a release character gets one.
func ExampleWriter() {
	w := edi.NewWriter(os.Stdout, edi.DefaultEDIFACT(3), edi.WriterOptions{LineEnd: "\n"})
	err := w.WriteFields("NAD", edi.Simple("BY"), edi.Composite("5412345000013", "", "9"), edi.Simple(""), edi.Simple("O'NEIL + SONS"))
	if err == nil {
		err = w.Flush()
	}
	if err != nil {
		fmt.Println(err)
	}
	// Output:
	// NAD+BY+5412345000013::9++O?'NEIL ?+ SONS'
}

// WriteEdited changes one element and leaves every other byte as it was.
func ExampleWriter_WriteEdited() {
	var out bytes.Buffer
	r := edi.NewReader(strings.NewReader(exampleOrder), edi.Options{})
	w := edi.NewWriter(&out, edi.Delimiters{}, edi.WriterOptions{})
	for {
		s, err := r.Next()
		if err != nil {
			break // io.EOF here
		}
		var edits []edi.Edit
		if s.Is("BGM") {
			edits = append(edits, edi.Edit{Element: 2, Value: "PO+78"})
		}
		if err := w.WriteEdited(s, edits...); err != nil {
			fmt.Println(err)
			return
		}
	}
	if err := w.Flush(); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(out.String()[100:119])
	// Output:
	// BGM+220+PO?+78+9'LI
}
