package mapping_test

import (
	"strings"
	"testing"
)

// TestProblemsOfMaps: what is wrong with a line is told in its words, with the
// column.
func TestProblemsOfMaps(t *testing.T) {
	t.Parallel()
	const top = "map: p\nfrom: {edi: [x12/004010/850]}\nto: {form: {form: p, fields: {text: text, words: {text: W, codes: [a, b]}, n: integer, d: decimal, day: date, ok: boolean, list: {list: L, of: text}, lines: {list: L, fields: {q: decimal, name: text}}, obj: {object: O, fields: {a: text}}}}}\ntables: {t: {rows: {A: a}}}\nblocks: {b: {fields: {name: 2}}, up: {fields: {name: ../BEG/3}}}\nlines:\n  "
	for _, c := range []struct{ line, problem string }{
		{"text: BEG", "7:12: path \"BEG\": it ends at a segment, a value is wanted in guide x12/004010/850; add an element: BEG/1"},
		{"text: BEG/3/2", "is not expected here"},
		{"text: BEG/3\nonly-from:\n  BEG/5: {const: \"20260301\"}", "9:18: \"20260301\" is no date or time; write it as 2026-03-01"},
		{"text: BEG/3.2", "is no composite"},
		{"text: XYZ/1", "there is no XYZ in 850"},
		{"text: BEH/3", "did you mean BEG?"},
		{"text: N4/1", "it stands at heading/N1/N4"},
		{"text: 2", "element 2 of what?"},
		{"text: BEG/PO1/2", "BEG is a segment, there is nothing inside called PO1"},
		{"text: ../BEG/3", "there is nothing around the document"},
		{"text: \"BEG[1=Q9]/3\"", "\"Q9\" is no code of Purpose of the document"},
		{"text: \"BEG[1=TOOLONG]/3\"", "has 7 characters"},
		{"text: \"BEG#2/3\"", "BEG occurs at most once"},
		{"text: \"BEG[13=A]/3\"", "there is no element 13"},
		{"text: \"BEG[]/3\"", "an element is a number"},
		{"text: \"BEG[!1=00]/3\"", "write [1!=ST] or [!1]"},
		{"text: \"BEG[1=]/3\"", "a value is missing behind ="},
		{"text: \"BEG[1='00]/3\"", "the closing ' is missing"},
		{"text: PO1#1/6..24", "write =QUALIFIER behind the range"},
		{"text: PO1#1/6..30=UP", "there is no element 30"},
		{"text: PO1#1/24..6=UP", "from a smaller to a larger number"},
		{"text: BEG/", "something is missing behind the last /"},
		{"text: \"\"", "the path is empty"},
		{"text: {path: [BEG/3, BEG/4]}", "takes one value, there are 2 paths; write any:"},
		{"text: {path: BEG/3, join: x, any: BEG/4}", "path, any and agree exclude each other"},
		{"text: {const: a, path: BEG/3}", "exclude each other"},
		{"text: {}", "the line does not say where its value comes from"},
		{"text:", "\"text\" says nothing"},
		{"text: {path: BEG/3, lookup: u}", "there is no table \"u\"; there are t"},
		{"text: {path: BEG/1, lookup: {QQ: a}}", "row QQ, a: \"QQ\" is no code"},
		{"words: {path: BEG/3, lookup: {A: c}}", "\"c\" is no word of words"},
		{"words: {const: c}", "\"c\" is no word of words; there are a, b"},
		{"d: {const: much}", "\"much\" at d is no number"},
		{"day: {const: 2026-02-30}", "is no date"},
		{"text: {path: BEG/3, default: x, to: {default: y}}", "default is written twice"},
		{"text: {path: BEG/3, when: value}", "a condition is true or false, this is a text"},
		{"text: {path: BEG/3, when: valu == \"1\"}", "unknown name valu; did you mean value?"},
		{"text: {path: BEG/3, with: {a: BEG/4}}", "with gives names for value, when and where"},
		{"text: {path: BEG/3, to: {value: a, with: {value: BEG/4}}}", "is no name for a value"},
		{"text: {path: BEG/3, to: {value: a-b, with: {a-b: BEG/4}}}", "is no name for a value"},
		{"text: {path: BEG/3, to: '[value]'}", "this is a list"},
		{"d: {path: BEG/3, to: 'value == \"1\"'}", "is true or false, d is a decimal"},
		{"day: {path: BEG/5, to: 'days(value, value)'}", "is a number, day is a date"},
		{"ok: {path: BEG/5, to: 'value + 1'}", "is a date, ok is a boolean"},
		{"text: {path: BEG/3, date: CCYYMMD}", "is no form of a date or time; did you mean CCYYMMDD?"},
		{"text: {path: BEG/3, implied: 10}", "1 to 9"},
		{"day: {path: BEG/5, time: 3}", "element 3 of BEG is no time"},
		{"day: {path: BEG/3, time: x}", "time names the element beside a date"},
		{"text: {path: BEG/3, raw: true, date: D8}", "raw takes the value as it stands"},
		{"text: {path: BEG/3, raw: maybe}", "raw is true or false"},
		{"text: {path: BEG/3, beside: {x: \"1\"}}", "beside names elements"},
		{"text: {path: BEG/3, beside: {99: \"1\"}}", "there is no element 99"},
		{"text: {path: BEG/3, beside: {1: QQ}}", "is no code of"},
		{"text: {path: BEG/3, guides: x12/005010/850}", "the map has no guide x12/005010/850"},
		{"d: DTM/2", "DTM/2 is a date, d is a decimal"},
		{"n: {count: BEG/3}", "a loop, segment or range of elements is wanted"},
		{"text: {count: PO1}", "a count is a number"},
		{"text: {written: HL}", "written counts segments of EDI"},
		{"list: {each: PO1, fields: {x: 1}}", "list is a list of values"},
		{"lines: PO1/2", "lines is a list, a value is wanted"},
		{"lines: {each: PO1}", "the block holds no lines"},
		{"lines: {each: PO1, at: PO1, use: b}", "at goes into one occurrence, each into all"},
		{"lines: {at: PO1, rest: true, use: b}", "rest goes with each"},
		{"lines: {each: PO1, path: BEG/3, use: b}", "is for a value, not for a block"},
		{"lines: {each: PO1, use: bb}", "there is no block \"bb\"; there are b, up"},
		{"lines: {each: PO1, use: up}", "cannot look at what is around it"},
		{"lines: {at: PO1, where: 1 == 1, use: b}", "where chooses among the occurrences of each"},
		{"lines: {each: PO1, where: q > 1, when: q > 1, with: {q: PO1/2}, use: b}", "when and where do not go together"},
		{"lines: {each: PO1, default: x, use: b}", "is for a value, not for a block"},
		{"obj: {each: PO1, fields: {a: 1}}", "use at instead of each"},
		{"obj: {at: PO1#1/2, fields: {a: 1}}", "take the element off"},
		{".x: {each: PO1, fields: {text: PO1/2}}", "move it to only-to"},
		{".x: {use: b}", "goes nowhere on either side"},
		{"nothing.a: BEG/3", "there is no field nothing in p"},
		{"obj.b: BEG/3", "there is no field b in p.obj"},
		{"text.b: BEG/3", "text has no fields"},
		{"\"lines.q\": BEG/3", "lines is a list in form p; go through it with each"},
		{"\"obj[a=1].a\": BEG/3", "obj is no list of objects"},
		{"\"lines[x=1].q\": PO1#1/2", "there is no field x in p.lines"},
		{"\"lines[q=x].q\": PO1#1/2", "\"x\" at q is no number"},
	} {
		t.Run(c.line, func(t *testing.T) {
			t.Parallel()
			bad := loadError(t, top+c.line+"\n")
			if !strings.Contains(bad.Error(), c.problem) || bad.Problems[0].Line == 0 {
				t.Errorf("%s\nwant %q", bad, c.problem)
			}
		})
	}
}

func TestProblemsOfForms(t *testing.T) {
	t.Parallel()
	const top = "map: p\nfrom: {edi: x12/004010/850}\nto:\n  form:\n    form: p\n    "
	for _, c := range []struct{ form, problem string }{
		{"fields: {}", "the fields of an object are wanted here"},
		{"title: x", "a form without fields"},
		{"fields: {a: texts}", "\"texts\" is no kind of value; did you mean text?"},
		{"fields: {a: {text: A, decimal: B}}", "field a needs exactly one kind"},
		{"fields: {a: {}}", "field a needs exactly one kind"},
		{"fields: {1a: text}", "is no name of a field"},
		{"fields: {a: {integer: A, codes: [x]}}", "codes and max are for texts"},
		{"fields: {a: {text: A, max: 0}}", "max is a number from 1"},
		{"fields: {a: {text: A, like: s}}", "fields, like and of are for objects and lists"},
		{"fields: {a: {list: A}}", "what does a hold?"},
		{"fields: {a: {list: A, of: object}}", "is no kind of value"},
		{"fields: {a: {object: A, like: s}}", "there is no shape \"s\""},
		{"shapes: {s: {x: text}}\n    fields: {a: {object: A, like: s, fields: {x: text}}}", "x is a field of shape s already"},
		{"fields: {a: text}\n    csv: {rows: a}", "rows names a list of the form; \"a\" is none"},
		{"fields: {a: text, l: {list: L, of: text}}\n    csv: {rows: l}", "rows need a key"},
		{"fields: {a: text, l: {list: L, of: text}}\n    csv: {rows: l, key: [b]}", "a key is a value of the form; \"b\" is none"},
		{"fields: {a: {text: A, requird: true}}", "unknown key \"requird\"; did you mean required?"},
	} {
		t.Run(c.form, func(t *testing.T) {
			t.Parallel()
			if bad := loadError(t, top+c.form+"\nlines: {a: BEG/3}\n"); !strings.Contains(bad.Error(), c.problem) {
				t.Errorf("%s\nwant %q", bad, c.problem)
			}
		})
	}
}
