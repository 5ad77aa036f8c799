package console

import (
	"context"
	"errors"
	"net/http"
	"time"

	"tradepost/processes/queue"
	"tradepost/tracking"
)

// Queue is the page of lanes and dead letters.
type Queue struct {
	Lanes   []LaneLine
	Dead    []JobLine
	Waiting int
	More    bool // there are more dead letters than shown
	Actions bool // there are buttons
}

// LaneLine is a lane with the job at its head.
type LaneLine struct {
	queue.Lane
	Chip    Chip
	Head    *JobLine
	Actions []Action
}

// JobLine is a job for a person.
type JobLine struct {
	*queue.Job
	Link    string
	Subject string
	Retry   string // address that asks to try it again, "" without buttons
	In      string // how long until it is tried, "" when it is due
}

const maxDead = 50

func (c *Console) queue(r *http.Request) (*view, error) {
	ctx, now := r.Context(), c.cfg.Now()
	lanes, err := c.cfg.Queue.Lanes(ctx)
	if err != nil {
		return nil, err
	}
	dead, err := c.cfg.Queue.DeadJobs(ctx, maxDead+1)
	if err != nil {
		return nil, err
	}
	q := Queue{More: len(dead) > maxDead, Actions: c.cfg.Operations != nil}
	for _, l := range lanes {
		line := LaneLine{Lane: l, Chip: laneChip(&l, now), Actions: c.laneAction(&l)}
		if l.Head != nil {
			if line.Head, err = c.jobLine(ctx, l.Head, now); err != nil {
				return nil, err
			}
		}
		q.Waiting += l.Waiting
		q.Lanes = append(q.Lanes, line)
	}
	for _, j := range dead[:min(len(dead), maxDead)] {
		line, err := c.jobLine(ctx, j, now)
		if err != nil {
			return nil, err
		}
		if q.Actions {
			line.Retry = "/queue/retry?job=" + tracking.ID(j.ID).String()
		}
		q.Dead = append(q.Dead, *line)
	}
	return &view{template: "queue", title: "Queue", section: "queue", body: q}, nil
}

func laneChip(l *queue.Lane, now time.Time) Chip {
	switch {
	case l.Paused:
		return Chip{"warn", "pause", "Paused"}
	case l.Head == nil && l.Dead > 0:
		return Chip{"mute", "check", "Moves on"}
	case l.Head == nil:
		return Chip{"mute", "check", "Empty"}
	case l.Head.State == queue.Claimed && l.Head.LeaseUntil.After(now):
		return Chip{"info", "gear", "Working"}
	case l.Head.RunAt.After(now) && l.Head.LastError != "":
		return Chip{"warn", "retry", "Waits to try again"}
	case l.Head.RunAt.After(now):
		return Chip{"wait", "clock", "Waits for its time"}
	}
	return Chip{"info", "clock", "Due"}
}

func (c *Console) jobLine(ctx context.Context, j *queue.Job, now time.Time) (*JobLine, error) {
	line := &JobLine{Job: j}
	if j.RunAt.After(now) {
		line.In = duration(j.RunAt.Sub(now))
	}
	id := runID(j)
	if c.cfg.Run == nil || id == 0 {
		return line, nil
	}
	run, err := c.cfg.Run(ctx, id)
	switch {
	case errors.Is(err, tracking.ErrNotFound):
		return line, nil
	case err != nil:
		return nil, err
	}
	line.Link, line.Subject = subjectLink(run)
	return line, nil
}
