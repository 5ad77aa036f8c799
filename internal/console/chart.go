package console

import (
	"fmt"
	"time"

	"tradepost/tracking"
)

// Chart is documents by the hour: received above the line, sent below it.
type Chart struct {
	Bars          []Bar
	Width, Height int      // of the drawing, in its own units
	Middle        int      // the line
	Most          int      // the longest bar, in documents
	Labels        []string // one a bar, most of them empty
	Empty         bool
	Unit          string // "hour", "6 hours"
	Rows          []tracking.HourCount
}

// Bar is one span of time. The heights are lengths from the line.
type Bar struct {
	X, Width     int
	UpY, Up      int
	DownY, Down  int
	BadY, Bad    int // troubled ones of both, drawn across the line
	Title        string
	HitY, Height int // the whole column, to point at
}

// chart lays the drawing out. A week is drawn in spans of six hours.
func (c *Console) chart(hours []tracking.HourCount, period string) Chart {
	span, layout, every := 1, "15:04", 3
	if period == "7d" {
		span, layout, every = 6, "Mon 2", 4
	}
	var rows []tracking.HourCount
	for i, h := range hours {
		if i%span == 0 {
			rows = append(rows, tracking.HourCount{Hour: h.Hour})
		}
		row := &rows[len(rows)-1]
		row.Inbound += h.Inbound
		row.Outbound += h.Outbound
		row.Troubled += h.Troubled
	}
	const half, column, gap = 70, 24, 5
	ch := Chart{Width: column * max(len(rows), 1), Height: 2*half + 2, Middle: half + 1, Empty: true, Unit: "hour", Rows: rows}
	if span > 1 {
		ch.Unit = fmt.Sprintf("%d hours", span)
	}
	for _, r := range rows {
		ch.Most = max(ch.Most, r.Inbound, r.Outbound)
	}
	scale := func(n int) int {
		if n == 0 {
			return 0
		}
		return max(2, n*half/ch.Most)
	}
	for i, r := range rows {
		up, down, bad := scale(r.Inbound), scale(r.Outbound), min(scale(r.Troubled), half)
		if up+down > 0 {
			ch.Empty = false
		}
		from, to := r.Hour.In(c.cfg.Location), r.Hour.Add(time.Duration(span)*time.Hour).In(c.cfg.Location)
		title := fmt.Sprintf("%s to %s: %d received, %d sent", from.Format("Monday 15:04"), to.Format("15:04"), r.Inbound, r.Outbound)
		if r.Troubled > 0 {
			title += fmt.Sprintf(", %d of them in trouble", r.Troubled)
		}
		ch.Bars = append(ch.Bars, Bar{
			X: i*column + gap, Width: column - 2*gap, UpY: ch.Middle - 1 - up, Up: up, DownY: ch.Middle + 1, Down: down,
			BadY: ch.Middle - (bad+1)/2, Bad: bad, Title: title, Height: ch.Height,
		})
		label := ""
		if i%every == 0 && i < len(rows)-1 {
			label = from.Format(layout)
		}
		ch.Labels = append(ch.Labels, label)
	}
	return ch
}
