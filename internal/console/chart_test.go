package console

import (
	"testing"
	"time"

	"tradepost/tracking"
)

// What is in trouble may have been received or sent: it is drawn across the
// line between the two.
func TestTroubleIsDrawnOnBothSides(t *testing.T) {
	t.Parallel()
	c := &Console{cfg: Config{Location: time.UTC}}
	ch := c.chart([]tracking.HourCount{{Hour: time.Date(2026, 11, 5, 9, 0, 0, 0, time.UTC), Inbound: 4, Outbound: 8, Troubled: 2}}, "24h")
	if len(ch.Bars) != 1 {
		t.Fatalf("%d bars", len(ch.Bars))
	}
	b := ch.Bars[0]
	if b.Bad == 0 || b.BadY >= ch.Middle || b.BadY+b.Bad <= ch.Middle {
		t.Errorf("the trouble is drawn from %d to %d, the line is at %d", b.BadY, b.BadY+b.Bad, ch.Middle)
	}
	if b.BadY < ch.Middle-1-b.Up || b.BadY+b.Bad > ch.Middle+1+b.Down {
		t.Errorf("the trouble, %d to %d, is drawn beyond the bars, %d to %d", b.BadY, b.BadY+b.Bad, ch.Middle-1-b.Up, ch.Middle+1+b.Down)
	}
}
