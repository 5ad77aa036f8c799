package mapping

// turn makes the value of one side that of the other: look-up, computation,
// default. It returns false when nothing is to be written.
func (r *run) turn(l *line, from, to *place, forward bool) bool {
	value, standard := l.toValue, l.toStandard
	if !forward {
		value, standard = l.fromValue, l.fromStandard
	}
	if l.table != nil && len(r.value) > 0 && (forward || value == nil) {
		if !r.lookup(l, from, to, forward) {
			return false
		}
	}
	if value != nil {
		if !r.compute(l, value, from, to) {
			return false
		}
		if l.table != nil && !forward && len(r.value) > 0 && !r.lookup(l, from, to, forward) {
			return false
		}
	}
	if len(r.value) == 0 && standard != nil {
		r.value = append(r.value, standard...)
	}
	return true
}

func (r *run) lookup(l *line, from, to *place, forward bool) bool {
	way := Forward
	if !forward || l.turned {
		way = Backward
	}
	v, known, bad := l.table.find(r.value, way)
	switch {
	case bad != "":
		r.fault(l, r.source.where(from), r.targetOf(to), "%q %s", clip(r.value), bad)
		return false
	case !known && l.table.note:
		r.note(l, r.source.where(from), r.targetOf(to), "%q is not in table %s and goes through as it is", clip(r.value), l.table.name)
	case !known && !l.table.keep:
		r.note(l, r.source.where(from), r.targetOf(to), "%q is not in table %s and stays behind", clip(r.value), l.table.name)
		v = "" // the default may stand in
	}
	r.value = append(r.value[:0], v...)
	return true
}

func (r *run) targetOf(to *place) string {
	if to == nil {
		return ""
	}
	return r.sink.target(r.spot(to, false), to)
}

// holds evaluates a condition. A missing value makes it false.
func (r *run) holds(l *line, e *expression, value []byte) bool {
	r.source.observe(false) // looking at a value does not carry it
	v, ok := r.evaluate(l, e, value)
	r.source.observe(true)
	truth, _ := v.(bool)
	return ok && truth
}

// compute evaluates the value of a line.
func (r *run) compute(l *line, e *expression, from, to *place) bool {
	v, ok := r.evaluate(l, e, r.value)
	if !ok {
		return false
	}
	out, kind := canonical(r.value[:0], v)
	r.value = out
	if kind == 0 && v != nil {
		r.fault(l, r.source.where(from), r.targetOf(to), "expression %q gives no value", clip(e.text))
		return false
	}
	return true
}

// evaluate runs an expression with the values of its names.
func (r *run) evaluate(l *line, e *expression, value []byte) (any, bool) {
	m := r.machine
	if m.env == nil {
		m.env = map[string]any{}
	}
	clear(m.env)
	for i := range e.names {
		v, ok := r.variable(l, &e.names[i], value)
		if !ok {
			return nil, false
		}
		m.env[e.names[i].name] = v
	}
	v, err := m.run(e, r.budget)
	if err != nil {
		if r.budget.check() != nil {
			r.stopped = r.budget.check()
			return nil, false
		}
		r.fault(l, r.source.where(nil), l.name, "%s", err)
		return nil, false
	}
	return v, true
}

// variable reads the value of one name.
func (r *run) variable(l *line, v *variable, value []byte) (any, bool) {
	if v.name == "value" {
		return r.typed(l, v.place, value)
	}
	if !v.many {
		at, ok := r.source.occurrence(r.spot(v.place, true), v.place)
		if !ok {
			return r.typed(l, v.place, nil)
		}
		out, bad := r.source.value(at, v.place, r.scratch[:0])
		r.scratch = out
		if bad != "" {
			r.misread(l, v.place, bad)
			return nil, false
		}
		return r.typed(l, v.place, out)
	}
	list, fine := []any{}, true
	r.source.occurrences(r.spot(v.place, true), valueSteps(v.place), false, func(at spot) bool {
		p := v.place
		if p.field != nil && p.field.Kind == List {
			p = &place{text: p.text, kind: p.kind}
		}
		out, bad := r.source.value(at, p, r.scratch[:0])
		r.scratch = out
		if bad != "" {
			r.misread(l, v.place, bad)
			fine = false
			return false
		}
		if len(out) > 0 {
			if err := r.budget.step(); err != nil {
				if r.stopped = r.budget.check(); r.stopped == nil {
					r.fault(l, r.source.where(nil), l.name, "%s", err)
				}
				fine = false
				return false
			}
			item, ok := r.typed(l, v.place, out)
			fine = ok
			list = append(list, item)
		}
		return fine && len(list) < maxExprMemory
	})
	return list, fine
}

// typed makes a canonical value what expressions calculate with. Nil is a
// value that is not there.
func (r *run) typed(l *line, p *place, v []byte) (any, bool) {
	switch {
	case len(v) == 0 && typeOf(p.kind) == typeOf(Text):
		return "", true
	case len(v) == 0:
		return nil, true
	}
	switch p.kind {
	case Integer, Decimal:
		n, err := ParseNumber(string(v))
		if err != nil {
			r.misread(l, p, "is no number")
			return nil, false
		}
		return n, true
	case Date, Time, Moment:
		t, err := ParseInstant(string(v))
		if err != nil {
			r.misread(l, p, "is no date or time")
			return nil, false
		}
		return t, true
	case Boolean:
		return string(v) == "true", true
	}
	return string(v), true
}

// crosses is the last step of a place that may occur several times, -1 when
// there is none.
func crosses(p *place) int {
	for i := len(p.steps) - 1; i >= 0; i-- {
		s := &p.steps[i]
		if !s.head && s.nth == 0 && len(s.conds) == 0 && (s.loop != nil && s.max != 1 || s.field != nil && s.field.Object != nil && s.field.Kind == List) {
			return i
		}
	}
	return -1
}

// write puts the value where it goes, with what has to stand beside it.
func (r *run) write(l *line, from, to *place, forward bool) {
	at := r.spot(to, false)
	var bad string
	switch {
	case l.kind == lineJoin && !forward:
		bad = r.sink.fill(at, l.places, l.join, r.value)
	case l.kind == lineAgree && !forward && crosses(to) >= 0:
		// The value all occurrences have goes into all there are.
		n := crosses(to) + 1
		rest := *to
		rest.steps = to.steps[n:]
		found := 0
		found, bad = r.sink.every(at, to.steps[:n], func(c spot) string { return r.sink.write(c, &rest, r.value) })
		if found == 0 && bad == "" {
			bad = "finds no " + to.steps[n-1].name + " to go to: write this line behind those that make it"
		}
	default:
		bad = r.sink.write(at, to, r.value)
	}
	if bad == "" && len(l.beside) > 0 && !forward {
		if out, ok := r.sink.(*ediOut); ok {
			bad = out.putBeside(at, to, l.beside)
		}
	}
	if bad != "" {
		where := Location{}
		if from != nil {
			where = r.source.where(from)
		}
		r.fault(l, where, r.sink.target(at, to), "%q %s", clip(r.value), bad)
		return
	}
	if to.kind == Date && len(r.value) > 10 && r.value[10] == 'T' && to.field != nil {
		r.note(l, r.source.where(from), r.sink.target(at, to), "the time of day %q stays behind: the form has a date there", clip(r.value[11:]))
	}
}
