package edi

// Limits bound what one input may ask for. A zero field means its default.
type Limits struct {
	Segment    int // bytes of one segment; default 1 MiB
	Binary     int // bytes of one BIN, BDS or UNO object; default 64 MiB
	Elements   int // elements of one segment; default 1000
	Components int // components of one repetition; default 1000
	Repeats    int // repetitions of one element; default 10000
	Gap        int // bytes between two segments or before the first; default 1 MiB
	Parts      int // interchanges, groups and documents in one Outline; default 1000000
	Depth      int // open loops, for walkers over the segments (the Reader itself keeps none); default 64
}

// WithDefaults returns l with every zero field set to its default. No limit is
// higher than 1 GiB.
func (l Limits) WithDefaults() Limits {
	const most = 1 << 30
	set := func(p *int, v int) {
		if *p <= 0 {
			*p = v
		}
		*p = min(*p, most)
	}
	set(&l.Segment, 1<<20)
	set(&l.Binary, 64<<20)
	set(&l.Elements, 1000)
	set(&l.Components, 1000)
	set(&l.Repeats, 10000)
	set(&l.Gap, 1<<20)
	set(&l.Parts, 1000000)
	set(&l.Depth, 64)
	return l
}

// Options set how a Reader reads. The zero value is the tolerant reader with
// default limits.
type Options struct {
	Limits Limits
	// Strict makes the first waiver an error: Next returns a *SyntaxError
	// whose Code is the name of the rule.
	Strict bool
}
