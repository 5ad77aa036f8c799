package console

import (
	"context"
	"encoding/json"
	"time"

	"tradepost/processes"
	"tradepost/processes/queue"
	"tradepost/tracking"
)

// Why answers "why is it not delivered?", or "not acknowledged?".
type Why struct {
	Tone  string
	Icon  string
	Title string
	Text  string
	Error string // the last error, as it was
	Facts []WhyFact
	Next  string // what a person can do
}

// WhyFact is a name with a text or a moment.
type WhyFact struct {
	Name  string
	Value string
	At    time.Time
	Link  string
	Wide  bool
}

func (w *Why) fact(name, value string) { w.Facts = append(w.Facts, WhyFact{Name: name, Value: value}) }

func (w *Why) moment(name string, at time.Time) {
	w.Facts = append(w.Facts, WhyFact{Name: name, At: at})
}

// why explains what is missing; nil means that nothing is.
func (c *Console) why(ctx context.Context, l *loaded) (*Why, error) {
	d := &l.Document
	var w *Why
	switch {
	case d.State == tracking.DocumentInvalid:
		w = &Why{
			Tone: "bad", Icon: "octagon", Title: "It breaks its guide and goes no further", Error: d.Error,
			Text: "The faults stand at their segments. ", Next: "Ask the partner to correct it and send it again.",
		}
		if isForm(l.DocumentView) {
			w.Title, w.Text = "No document could be made of it", "What the map found stands under Segments. "
		}
		if d.Direction == tracking.Outbound {
			w.Next = "Correct it in the back office and hand it over again."
		} else if a := aboutDocument(l.DocumentView); a != nil {
			w.Text += "The partner was told by our " + a.Type + "."
		}
	case d.State == tracking.DocumentFailed:
		w = &Why{
			Tone: "bad", Icon: "alert", Title: "Delivery was given up", Error: d.Error,
			Text: "Nobody tries any further until a person does.",
		}
		if r := receiptOf(l.DocumentView, d.DeliveryID, tracking.Inbound); r != nil && !r.Positive {
			w.Title, w.Next = "The partner refused the transmission", "Their receipt says why; call them before it is sent again."
			w.Facts = append(w.Facts, WhyFact{Name: "Their receipt", Value: r.Disposition, Wide: true})
		}
	case d.Direction == tracking.Outbound && d.Ack == tracking.AckRejected:
		w = &Why{
			Tone: "bad", Icon: "cross", Title: "It was delivered, but the partner rejected it", Error: d.Error,
			Text: "Their acknowledgement names the faults; they stand at their segments.", Next: "Correct it in the back office and send it as a new document.",
		}
	case overdue(d, l.now):
		w = &Why{
			Tone: "warn", Icon: "late", Title: "It was delivered, but not acknowledged in time",
			Text: "The partner's station has it: its receipt says so. Whether the partner's system could read it is not known.", Next: "Ask the partner for the acknowledgement.",
		}
		w.moment("Due", d.AckDue)
		w.fact("Late by", duration(l.now.Sub(d.AckDue)))
	case d.State == tracking.DocumentDelivered, d.State == tracking.DocumentSettled:
		return nil, nil
	case d.State == tracking.DocumentReceived:
		w = &Why{Tone: "info", Icon: "clock", Title: "It is not judged yet", Text: "It is recorded and waits for its turn in the queue."}
	case d.State == tracking.DocumentReady:
		w = &Why{Tone: "info", Icon: "clock", Title: "It is judged good and waits for delivery", Text: "It waits for its turn in the queue."}
	default:
		w = &Why{Tone: "info", Icon: "send", Title: "It is on its way", Text: "The transmission is prepared; its receipt has not come yet."}
	}
	if err := c.waiting(ctx, l, w); err != nil {
		return nil, err
	}
	if contact := c.contact(ctx, d.Partner); contact != "" && w.Tone != "info" {
		w.Facts = append(w.Facts, WhyFact{Name: "Contact", Value: contact, Wide: true})
	}
	return w, nil
}

// waiting adds what the runs and the queue tell of the document.
func (c *Console) waiting(ctx context.Context, l *loaded, w *Why) error {
	switch l.Document.State {
	case tracking.DocumentInvalid, tracking.DocumentDelivered, tracking.DocumentSettled:
		return nil
	}
	runs, err := c.runsOf(ctx, &l.Document)
	if err != nil {
		return err
	}
	lanes, err := c.cfg.Queue.Lanes(ctx)
	if err != nil {
		return err
	}
	for i := range runs {
		run := &runs[i].Run
		if run.State != processes.RunWaiting && run.State != processes.RunReady {
			continue
		}
		var held *queue.Lane
		for k := range lanes {
			if h := lanes[k].Head; h != nil && runID(h) == run.ID {
				held = &lanes[k]
			}
		}
		if run.State == processes.RunWaiting {
			w.Tone, w.Icon, w.Title = "warn", "retry", "Delivery failed and is tried again"
			if l.Document.State == tracking.DocumentReceived {
				w.Title = "A step failed and is tried again"
			}
			w.Text = "It keeps its place: what is behind it in its lane waits, so that nothing overtakes it."
			w.Error = run.Error
		}
		w.fact("Attempts so far", number(run.Attempt))
		if held == nil {
			continue
		}
		if held.Head.RunAt.After(l.now) {
			w.Facts = append(w.Facts, WhyFact{Name: "Next attempt", At: held.Head.RunAt, Value: "in " + duration(held.Head.RunAt.Sub(l.now))})
		}
		if held.Paused {
			w.Tone, w.Text = "warn", "Its lane is paused: nothing in it moves until a person resumes it."
		}
		w.Facts = append(w.Facts, WhyFact{Name: "Lane", Value: held.Name, Link: "/queue"})
		if behind := held.Waiting - 1; behind > 0 {
			w.fact("Behind it", plural(behind, "job", "jobs"))
		}
		break
	}
	return nil
}

// runsOf lists the runs that worked on a document: its own, and those of the
// transmissions that brought it and carry it on.
func (c *Console) runsOf(ctx context.Context, d *tracking.Document) ([]processes.RunView, error) {
	var list []processes.RunView
	seen := map[tracking.ID]bool{}
	add := func(transmission, document tracking.ID) error {
		if transmission == 0 && document == 0 {
			return nil
		}
		runs, err := c.cfg.Runs.Runs(ctx, transmission, document)
		for _, r := range runs {
			// A transmission may carry many documents; their own runs are theirs.
			if !seen[r.ID] && (r.DocumentID == 0 || r.DocumentID == d.ID) {
				seen[r.ID] = true
				list = append(list, r)
			}
		}
		return err
	}
	if err := add(0, d.ID); err != nil {
		return nil, err
	}
	if err := add(d.SourceID, 0); err != nil {
		return nil, err
	}
	return list, add(d.DeliveryID, 0)
}

// runID reads which run a job carries on.
func runID(j *queue.Job) tracking.ID {
	var args struct {
		Run tracking.ID `json:"run"`
	}
	if err := json.Unmarshal(j.Args, &args); err != nil {
		return 0
	}
	return args.Run
}

// contact is who to call at a partner, as configured.
func (c *Console) contact(ctx context.Context, partner string) string {
	d, err := c.cfg.Directory(ctx)
	if err != nil {
		return "" // the page is of use without it
	}
	for i := range d.Partners {
		if d.Partners[i].Name == partner {
			return d.Partners[i].Contact
		}
	}
	return ""
}
