package mapping

import (
	"errors"
	"fmt"
	"reflect"
	"strings"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/file"
	"github.com/expr-lang/expr/types"
	"github.com/expr-lang/expr/vm"
)

// Bounds on one expression and its values.
const (
	maxExpression = 2000    // characters of its text
	maxExprNodes  = 500     // parts of it
	maxExprMemory = 1 << 17 // items of lists made by one run
	maxExprText   = 1 << 16 // bytes of one text
	maxExprDigits = 500     // digits of one number
)

// expression is a compiled condition or computed value. Its variables are the
// values of paths; it reaches nothing else: no files, no clock, no network.
type expression struct {
	text    string
	at      position
	program *vm.Program
	names   []variable
}

// variable is a name and the path its value is taken from.
type variable struct {
	name  string
	place *place
	many  bool
}

// budgetName is the variable that carries the limits of a run; expressions
// cannot name it.
const budgetName = "__budget"

// compileExpression checks and compiles one expression. wantBool is for
// conditions.
func compileExpression(l located, names []variable, wantBool bool, p *problems) *expression {
	if len(l.text) > maxExpression {
		p.at(l.at, "", "the expression is longer than %d characters", maxExpression)
		return nil
	}
	env := types.Map{budgetName: types.TypeOf(&budget{})}
	for _, v := range names {
		t := typeOf(v.place.kind)
		if v.many {
			t = types.Array(t)
		}
		env[v.name] = t
	}
	guard := &guardVisitor{source: l.text}
	options := append(functions(), expr.Env(env), expr.MaxNodes(maxExprNodes), expr.Optimize(false), expr.Patch(guard))
	program, err := expr.Compile(l.text, options...)
	if guard.bad != "" {
		err = errors.New(guard.bad)
	}
	if err != nil {
		known := make([]string, len(names))
		for i, v := range names {
			known[i] = v.name
		}
		text, hint := exprMessage(err), ""
		if name, ok := strings.CutPrefix(text, "unknown name "); ok {
			if hint = choose(name, append(known, functionNames()...)); len(known) > 0 && !strings.HasPrefix(hint, "did") {
				hint = "the names here are " + strings.Join(known, ", ")
			} else if len(known) == 0 && !strings.HasPrefix(hint, "did") {
				hint = "give it a path under with:"
			}
		}
		p.at(l.at, hint, "expression %q: %s", clip(l.text), text)
		return nil
	}
	switch t := program.Node().Type(); {
	case wantBool && t != reflect.TypeFor[bool]():
		p.at(l.at, "", "expression %q: a condition is true or false, this is %s", clip(l.text), typeName(t))
		return nil
	case !wantBool && !isValueType(t):
		p.at(l.at, "", "expression %q: a value is a text, number, date or true and false, this is %s", clip(l.text), typeName(t))
		return nil
	}
	return &expression{text: l.text, at: l.at, program: program, names: names}
}

// typeOf is the type a value of a kind has in expressions.
func typeOf(k Kind) types.Type {
	switch k {
	case Integer, Decimal:
		return types.TypeOf(Number{})
	case Date, Time, Moment:
		return types.TypeOf(Instant{})
	case Boolean:
		return types.Bool
	}
	return types.String
}

func boolType() reflect.Type    { return reflect.TypeFor[bool]() }
func numberType() reflect.Type  { return reflect.TypeFor[Number]() }
func instantType() reflect.Type { return reflect.TypeFor[Instant]() }

func isValueType(t reflect.Type) bool {
	switch t {
	case reflect.TypeFor[Number](), reflect.TypeFor[Instant](), reflect.TypeFor[bool](), reflect.TypeFor[string](), reflect.TypeFor[int](), nil, reflect.TypeFor[any]():
		return true
	}
	return false
}

func typeName(t reflect.Type) string {
	switch t {
	case nil:
		return "nothing"
	case reflect.TypeFor[Number]():
		return "a number"
	case reflect.TypeFor[Instant]():
		return "a date"
	case reflect.TypeFor[string]():
		return "a text"
	case reflect.TypeFor[bool]():
		return "true or false"
	case reflect.TypeFor[int]():
		return "a whole number"
	}
	if t.Kind() == reflect.Slice {
		return "a list"
	}
	return t.String()
}

// exprMessage takes the message out of an error of the expression engine, in
// the words of maps.
func exprMessage(err error) string {
	text := err.Error()
	var located *file.Error
	if errors.As(err, &located) {
		text = located.Message
	}
	text, _, _ = strings.Cut(text, "\n")
	text = strings.NewReplacer("[]interface {}", "list", "interface {}", "value", "mapping.Number", "number", "mapping.Instant", "date", "<nil>", "nothing").Replace(text)
	return clip(text)
}

// guardVisitor turns numbers with a point into exact ones, counts the steps of
// loops and refuses what is not exact or could run away.
type guardVisitor struct {
	source  string
	bad     string
	wrapped map[ast.Node]bool
}

func (g *guardVisitor) Visit(n *ast.Node) {
	switch x := (*n).(type) {
	case *ast.FloatNode:
		runes := []rune(g.source)
		at := x.Location()
		if at.From < 0 || at.To > len(runes) || at.From >= at.To {
			g.refuse("a number cannot be read")
			return
		}
		number, err := ParseNumber(strings.ReplaceAll(string(runes[at.From:at.To]), "_", ""))
		if err != nil {
			g.refuse(err.Error())
			return
		}
		ast.Patch(n, &ast.ConstantNode{Value: number})
	case *ast.IdentifierNode:
		if strings.HasPrefix(x.Value, "__") && !g.wrapped[x] || strings.HasPrefix(x.Value, "$") {
			g.refuse("unknown name " + x.Value)
		}
	case *ast.BinaryNode:
		if x.Operator == "**" || x.Operator == "^" || x.Operator == ".." {
			g.refuse(x.Operator + " is not for maps")
		}
	case *ast.MapNode, *ast.BytesNode:
		g.refuse("maps and bytes are not for maps of documents")
	case *ast.UnaryNode:
		if x.Operator == "-" && x.Node.Type() == reflect.TypeFor[Number]() {
			ast.Patch(n, &ast.CallNode{Callee: &ast.IdentifierNode{Value: internal + "negative"}, Arguments: []ast.Node{x.Node}})
		}
	case *ast.PredicateNode:
		if g.wrapped[x] {
			return
		}
		if g.wrapped == nil {
			g.wrapped = map[ast.Node]bool{}
		}
		name := &ast.IdentifierNode{Value: budgetName}
		g.wrapped[x], g.wrapped[name] = true, true
		x.Node = &ast.CallNode{Callee: &ast.IdentifierNode{Value: internal + "counted"}, Arguments: []ast.Node{x.Node, name}}
	}
}

func (g *guardVisitor) refuse(text string) {
	if g.bad == "" {
		g.bad = text
	}
}

// budget bounds what the expressions of one document may cost: turns of their
// loops and items of their lists.
type budget struct {
	steps int
	runs  int          // expressions run
	check func() error // of the context
}

const maxExprSteps = 1 << 22

// step counts one turn of a loop.
func (b *budget) step() error {
	if b.steps++; b.steps > maxExprSteps {
		return fmt.Errorf("the expressions of one document took more than %d steps", maxExprSteps)
	}
	if b.steps%256 == 0 {
		return b.check()
	}
	return nil
}

// machine runs expressions. It is kept from document to document.
type machine struct {
	vm  vm.VM
	env map[string]any
}

// run evaluates an expression with the values of its variables, which the
// caller has put into env. Nil is the result when a value it needs is missing.
func (m *machine) run(e *expression, b *budget) (any, error) {
	if b.runs++; b.runs%256 == 0 {
		if err := b.check(); err != nil {
			return nil, err
		}
	}
	m.env[budgetName] = b
	m.vm.MemoryBudget = maxExprMemory
	v, err := m.vm.Run(e.program, m.env)
	if err != nil {
		return nil, fmt.Errorf("expression %q: %s", clip(e.text), exprMessage(err))
	}
	return v, nil
}

// canonical writes the result of an expression as values travel.
func canonical(dst []byte, v any) ([]byte, Kind) {
	switch v := v.(type) {
	case string:
		return append(dst, v...), Text
	case Number:
		return v.append(dst), Decimal
	case int:
		return fmt.Appendf(dst, "%d", v), Integer
	case bool:
		return fmt.Appendf(dst, "%t", v), Boolean
	case Instant:
		return append(dst, v.String()...), Moment
	}
	return dst, 0
}
