package mapping

func (d *ediDoc) root() spot { return spot{at: 0, seg: -1} }

// holds tests conditions on a segment.
func (d *ediDoc) holds(seg int32, conds []cond) bool {
	if seg < 0 {
		return len(conds) == 0
	}
	for i := range conds {
		c := &conds[i]
		v := d.text(seg, c.element, c.component)
		if !c.accepts(v) {
			return false
		}
	}
	return true
}

// accepts tests one condition on a value.
func (c *cond) accepts(v []byte) bool {
	if c.values == nil {
		return (len(v) == 0) == c.not
	}
	for _, want := range c.values {
		if string(v) == want {
			return !c.not
		}
	}
	return c.not
}

// markConds notes that the elements of conditions were understood.
func (d *ediDoc) markConds(seg int32, conds []cond) {
	for i := range conds {
		if c := &conds[i]; !c.not {
			d.mark(seg, c.element, c.component)
		}
	}
}

// occurrence goes the steps of a place, the first that fits each time.
func (d *ediDoc) occurrence(c spot, p *place) (spot, bool) {
	d.begin()
	for i := range p.steps {
		s := &p.steps[i]
		next, ok := d.first(c, s)
		if !ok {
			return c, false
		}
		c = next
	}
	return c, true
}

// first finds the first occurrence a step fits, or the n-th.
func (d *ediDoc) first(c spot, s *step) (spot, bool) {
	if s.head {
		head := d.loops[c.at].head
		if head < 0 || !d.holds(head, s.conds) {
			return c, false
		}
		d.step(-1, head, s)
		return spot{at: c.at, seg: head}, true
	}
	n := 0
	for id := d.slots[d.loops[c.at].base+int32(s.slot)].first; id >= 0; { //nolint:gosec // a guide has few nodes
		head, next := id, int32(0)
		if s.loop != nil {
			head, next = d.loops[id].head, d.loops[id].next
		} else {
			next = d.segs[id].next
		}
		if d.holds(head, s.conds) {
			if n++; n >= s.nth {
				return d.into(c, s, id, head), true
			}
		}
		id = next
	}
	return c, false
}

// into is the spot of an occurrence.
func (d *ediDoc) into(c spot, s *step, id, head int32) spot {
	if s.loop != nil {
		d.step(id, head, s)
		return spot{at: id, seg: -1}
	}
	d.step(-1, id, s)
	return spot{at: c.at, seg: id}
}

// begin starts a new trail, and step adds to it. What is only looked at leaves
// none.
func (d *ediDoc) begin() {
	if !d.unseen {
		d.trail = d.trail[:0]
	}
}

func (d *ediDoc) step(loop, seg int32, s *step) {
	if !d.unseen {
		d.trail = append(d.trail, footstep{loop, seg, s.conds})
	}
}

// take notes that the occurrence reached last belongs to a line: a block went
// into it, or a value came from it. Its conditions were understood, and rest
// leaves it out.
func (d *ediDoc) take() {
	if d.unseen {
		return
	}
	for _, t := range d.trail {
		if t.seg >= 0 {
			d.segs[t.seg].taken = true
			d.markConds(t.seg, t.conds)
		}
		if t.loop >= 0 {
			d.loops[t.loop].taken = true
		}
	}
}

// occurrences goes through every occurrence a place fits. rest leaves out
// those that a line before went into.
func (d *ediDoc) occurrences(c spot, p *place, rest bool, f func(spot) bool) {
	d.begin()
	if !p.leaf.isRange {
		d.each(c, p.steps, rest, f)
		return
	}
	if len(p.steps) == 0 { // in the segment of the context
		d.elements(c, p, rest, f)
		return
	}
	d.each(c, p.steps, false, func(c spot) bool { return d.elements(c, p, rest, f) })
}

func (d *ediDoc) each(c spot, steps []step, rest bool, f func(spot) bool) bool {
	if len(steps) == 0 {
		return f(c)
	}
	s := &steps[0]
	// Lines inside of an occurrence leave trails of their own.
	var kept [3]footstep
	trail := kept[:0]
	if !d.unseen {
		trail = append(trail, d.trail...)
	}
	if s.head {
		next, ok := d.first(c, s)
		return !ok || d.each(next, steps[1:], rest, f)
	}
	final := rest && len(steps) == 1
	n := 0
	for id := d.slots[d.loops[c.at].base+int32(s.slot)].first; id >= 0; { //nolint:gosec // a guide has few nodes
		head, next, taken := id, int32(0), false
		if s.loop != nil {
			head, next, taken = d.loops[id].head, d.loops[id].next, d.loops[id].taken
		} else {
			next, taken = d.segs[id].next, d.segs[id].taken
		}
		if !(final && taken) && d.holds(head, s.conds) {
			if n++; s.nth == 0 || n == s.nth {
				if !d.unseen {
					d.trail = append(d.trail[:0], trail...)
				}
				if !d.each(d.into(c, s, id, head), steps[1:], rest, f) {
					return false
				}
			}
		}
		id = next
	}
	return true
}

// elements goes through the pairs or composites of a range that have a value.
func (d *ediDoc) elements(c spot, p *place, rest bool, f func(spot) bool) bool {
	seg := d.segment(c)
	if seg < 0 {
		return true
	}
	for e := p.leaf.element; e <= p.leaf.last; e += p.leaf.step {
		if len(d.text(seg, e, 1)) == 0 && (p.leaf.step == 1 || len(d.text(seg, e+1, 0)) == 0) {
			continue
		}
		if s := &d.segs[seg]; rest && (e > int(s.count) || d.seen[int(s.first)+e-1] != 0) {
			continue
		}
		if p.leaf.step == 1 && !d.componentsHold(seg, e, p.leaf.conds) {
			continue
		}
		if !f(spot{at: c.at, seg: seg, elem: int32(e)}) { //nolint:gosec // at most 999
			return false
		}
	}
	return true
}

// lacks tells that nothing stands in a slot of the occurrence.
func (d *ediDoc) lacks(c spot, slot int32) bool {
	return d.slots[d.loops[c.at].base+slot].first < 0
}

// segment is the segment whose elements a spot sees.
func (d *ediDoc) segment(c spot) int32 {
	if c.seg >= 0 {
		return c.seg
	}
	return d.loops[c.at].head
}
