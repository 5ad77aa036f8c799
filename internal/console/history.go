package console

import (
	"context"
	"time"

	"tradepost/processes"
)

// History is the tab of everything that happened and of the runs that did it.
type History struct {
	Events []EventLine
	Runs   []RunLine
}

// RunLine is a run with its steps.
type RunLine struct {
	processes.Run
	Chip  Chip
	Steps []StepLine
	Took  string
}

// StepLine is one attempt at a step.
type StepLine struct {
	processes.StepRecord
	Chip Chip
	Took string
	// X and Width place the step in its run, in thousandths.
	X, Width int
}

func (c *Console) historyTab(ctx context.Context, l *loaded) (any, error) {
	runs, err := c.runsOf(ctx, &l.Document)
	if err != nil {
		return nil, err
	}
	h := History{Runs: runLines(runs)}
	for _, e := range l.Events {
		line := eventLine(e)
		if e.DocumentID == l.Document.ID {
			line.Link = ""
		}
		h.Events = append(h.Events, line)
	}
	return h, nil
}

func runLines(runs []processes.RunView) []RunLine {
	var list []RunLine
	for i := range runs {
		r := &runs[i]
		line := RunLine{Run: r.Run, Chip: runChip(r.State)}
		from, to := r.CreatedAt, r.UpdatedAt
		for _, s := range r.Steps {
			if s.EndedAt.After(to) {
				to = s.EndedAt
			}
		}
		whole := to.Sub(from)
		line.Took = duration(whole)
		for _, s := range r.Steps {
			step := StepLine{StepRecord: s, Chip: outcomeChip(s.Outcome), Took: duration(s.EndedAt.Sub(s.StartedAt))}
			if whole > 0 {
				step.X = share(s.StartedAt.Sub(from), whole)
				step.Width = max(8, share(s.EndedAt.Sub(s.StartedAt), whole))
				step.X = min(step.X, 1000-step.Width)
			}
			line.Steps = append(line.Steps, step)
		}
		list = append(list, line)
	}
	return list
}

func share(part, whole time.Duration) int {
	return min(1000, max(0, int(1000*part.Seconds()/whole.Seconds())))
}

// subjectLink is the page of what a run works on.
func subjectLink(r *processes.Run) (link, name string) {
	switch {
	case r.DocumentID != 0:
		return "/documents/" + r.DocumentID.String(), "document " + r.DocumentID.String()
	case r.TransmissionID != 0:
		return "/transmissions/" + r.TransmissionID.String(), "transmission " + r.TransmissionID.String()
	}
	return "", ""
}
