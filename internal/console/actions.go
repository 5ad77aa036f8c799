package console

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"tradepost/internal/auth"
	"tradepost/processes"
	"tradepost/processes/queue"
	"tradepost/tracking"
)

// Operations does what people ask for; *processes.Operations is one.
type Operations interface {
	Resend(ctx context.Context, r processes.Request) (tracking.ID, error)
	Release(ctx context.Context, r processes.Request) (tracking.ID, error)
	PauseLane(ctx context.Context, lane string, paused bool, r processes.LaneRequest) error
	Retry(ctx context.Context, ids []int64, r processes.LaneRequest) (int, error)
}

// Action is a button that leads to the question whether one is sure.
type Action struct {
	Name, Icon, Link string
}

// Confirm is the page that asks whether one is sure, and why it is done. The
// same address takes the answer.
type Confirm struct {
	Title    string
	Subject  string // what it is done to
	Texts    []string
	Warning  string
	Button   string
	Icon     string
	Address  string // that the answer goes to
	Cancel   string
	Required bool   // the reason
	Comment  string // as it was written
	Problem  string // with the answer
}

const (
	maxComment = 500     // runes
	maxForm    = 8 << 10 // bytes
)

// actions lists what can be asked for a document.
func (c *Console) actions(d *tracking.Document) []Action {
	if c.cfg.Operations == nil {
		return nil
	}
	base := "/documents/" + d.ID.String()
	switch processes.OperationFor(d) {
	case processes.OperationResend:
		return []Action{{"Resend", "send", base + "/resend"}}
	case processes.OperationRelease:
		return []Action{{"Release", "play", base + "/release"}}
	}
	return nil
}

// asked answers a page that asks first (GET) and acts on the answer (POST).
func (c *Console) asked(page *Confirm, r *http.Request, section string, do func(ctx context.Context, actor, comment string) (done string, err error)) (*view, error) {
	v := &view{template: "confirm", title: page.Title, section: section, body: page}
	if r.Method != http.MethodPost {
		return v, nil
	}
	if strings.HasPrefix(auth.User(r.Context()), "token:") {
		return nil, &processes.RefusedError{Reason: "a program's token looks and changes nothing: programs call the commands of tradepost"}
	}
	r.Body = http.MaxBytesReader(nil, r.Body, maxForm)
	err := r.ParseForm()
	page.Comment = strings.TrimSpace(r.PostForm.Get("comment"))
	switch {
	case err != nil || utf8.RuneCountInString(page.Comment) > maxComment:
		page.Comment, page.Problem = "", fmt.Sprintf("That is too long: %d characters are enough.", maxComment)
	case !utf8.ValidString(page.Comment) || strings.ContainsFunc(page.Comment, func(x rune) bool { return x < ' ' && x != '\n' && x != '\r' }):
		page.Comment, page.Problem = "", "That is no text."
	case page.Required && page.Comment == "":
		page.Problem = "Say why, for whoever reads the history later."
	}
	if page.Problem != "" {
		v.status = http.StatusUnprocessableEntity
		return v, nil
	}
	done, err := do(r.Context(), auth.User(r.Context()), strings.Join(strings.Fields(page.Comment), " "))
	if err != nil {
		return nil, err
	}
	return nil, redirect(done)
}

// resend asks whether a document is to be carried again, and has it done.
func (c *Console) resend(r *http.Request) (*view, error) {
	return c.operate(r, processes.OperationResend, func(d *tracking.Document) *Confirm {
		p := &Confirm{Title: "Resend", Button: "Carry it again", Icon: "send", Texts: []string{
			"The same bytes go to the same place once more, in a transmission of their own with a new id.",
		}}
		switch {
		case d.Direction == tracking.Inbound:
			p.Texts = append(p.Texts, "The back office gets the document of "+d.Partner+" again, under another file name.")
		case d.State == tracking.DocumentDelivered:
			p.Warning = d.Partner + " has proven that it received this document. Tell them before they get it twice."
		default:
			p.Texts = append(p.Texts, "It goes to "+d.Partner+".")
		}
		return p
	})
}

// release asks whether a document that stands still is to go on, and has it done.
func (c *Console) release(r *http.Request) (*view, error) {
	return c.operate(r, processes.OperationRelease, func(d *tracking.Document) *Confirm {
		p := &Confirm{Title: "Release", Button: "Let it go on", Icon: "play"}
		if d.State == tracking.DocumentInvalid {
			p.Warning = "This document breaks its guide. It goes on as it is, on your responsibility."
		} else {
			p.Texts = []string{"It goes on from where it was stopped."}
		}
		if d.Error != "" {
			p.Texts = append(p.Texts, "It was stopped because: "+cut(300, d.Error))
		}
		return p
	})
}

// operate is the page of an operation on a document.
func (c *Console) operate(r *http.Request, op processes.Operation, ask func(*tracking.Document) *Confirm) (*view, error) {
	id, err := tracking.ParseID(r.PathValue("id"))
	if err != nil || c.cfg.Operations == nil {
		return nil, fmt.Errorf("%s document %q: %w", op, r.PathValue("id"), tracking.ErrNotFound)
	}
	v, err := c.cfg.Data.DocumentView(r.Context(), id)
	if err != nil {
		return nil, err
	}
	d := &v.Document
	if r.Method != http.MethodPost && processes.OperationFor(d) != op {
		return nil, &processes.RefusedError{Reason: fmt.Sprintf("document %s is %s: there is nothing to %s now", d.ID, d.State, op)}
	}
	page := ask(d)
	page.Title += " " + documentTitle(d)
	page.Subject, page.Required = d.ID.String(), true
	page.Cancel = "/documents/" + d.ID.String()
	page.Address = page.Cancel + "/" + string(op)
	return c.asked(page, r, "documents", func(ctx context.Context, actor, comment string) (string, error) {
		ask, do := processes.Request{Document: id, Actor: actor, Comment: comment}, c.cfg.Operations.Resend
		if op == processes.OperationRelease {
			do = c.cfg.Operations.Release
		}
		_, err := do(ctx, ask)
		return page.Cancel + "/history", err // where the request stands now
	})
}

// laneAction is the button of a lane.
func (c *Console) laneAction(l *queue.Lane) []Action {
	switch {
	case c.cfg.Operations == nil:
		return nil
	case l.Paused:
		return []Action{{"Resume", "play", laneLink("resume", l.Name)}}
	}
	return []Action{{"Pause", "pause", laneLink("pause", l.Name)}}
}

func laneLink(verb, lane string) string {
	return "/queue/" + verb + "?" + url.Values{"lane": {lane}}.Encode()
}

// pause asks whether a lane is to stand still, and has it done.
func (c *Console) pause(r *http.Request) (*view, error) {
	return c.lane(r, true, &Confirm{Title: "Pause", Button: "Pause the lane", Icon: "pause", Texts: []string{
		"What is in hand is finished. What comes after it is kept and waits until somebody resumes the lane.",
	}})
}

// resume asks whether a lane is to go on, and has it done.
func (c *Console) resume(r *http.Request) (*view, error) {
	return c.lane(r, false, &Confirm{Title: "Resume", Button: "Resume the lane", Icon: "play", Texts: []string{
		"What waits in it is worked off, first in, first out.",
	}})
}

func (c *Console) lane(r *http.Request, paused bool, page *Confirm) (*view, error) {
	name := r.URL.Query().Get("lane")
	lanes, err := c.cfg.Queue.Lanes(r.Context())
	if err != nil {
		return nil, err
	}
	if c.cfg.Operations == nil || !slices.ContainsFunc(lanes, func(l queue.Lane) bool { return l.Name == name }) {
		return nil, fmt.Errorf("lane %q: %w", name, tracking.ErrNotFound)
	}
	verb := "resume"
	if paused {
		verb = "pause"
	}
	page.Title, page.Subject, page.Cancel, page.Address = page.Title+" lane "+name, name, "/queue", laneLink(verb, name)
	return c.asked(page, r, "queue", func(ctx context.Context, actor, comment string) (string, error) {
		return page.Cancel, c.cfg.Operations.PauseLane(ctx, name, paused, processes.LaneRequest{Actor: actor, Comment: comment})
	})
}

// retry asks whether a dead letter, or all of them, are to be tried again, and
// has it done.
func (c *Console) retry(r *http.Request) (*view, error) {
	dead, err := c.cfg.Queue.DeadJobs(r.Context(), mostRetried)
	if err != nil {
		return nil, err
	}
	page := &Confirm{
		Title: "Try all dead letters again", Subject: plural(len(dead), "dead letter", "dead letters"), Button: "Try again", Icon: "retry",
		Address: "/queue/retry", Cancel: "/queue#dead", Texts: []string{"Each becomes the last of its lane and is worked like any other, oldest first."},
	}
	var ids []int64
	if name := r.URL.Query().Get("job"); name != "" {
		id, err := tracking.ParseID(name)
		at := slices.IndexFunc(dead, func(j *queue.Job) bool { return j.ID == int64(id) })
		if err != nil || at < 0 {
			return nil, fmt.Errorf("dead letter %q: %w", name, tracking.ErrNotFound)
		}
		ids = []int64{int64(id)}
		page.Title, page.Subject, page.Address = "Try a dead letter again", dead[at].Lane, "/queue/retry?job="+id.String()
		page.Texts = []string{"It becomes the last of its lane and is worked like any other."}
		if e := dead[at].LastError; e != "" {
			page.Texts = append(page.Texts, "It was given up because: "+cut(300, e))
		}
	}
	if c.cfg.Operations == nil || len(dead) == 0 {
		return nil, fmt.Errorf("dead letters: %w", tracking.ErrNotFound)
	}
	return c.asked(page, r, "queue", func(ctx context.Context, actor, comment string) (string, error) {
		_, err := c.cfg.Operations.Retry(ctx, ids, processes.LaneRequest{Actor: actor, Comment: comment})
		return page.Cancel, err
	})
}

// mostRetried is how many dead letters are looked through for one.
const mostRetried = 10_000

// refused makes the page for an operation that is not done.
func refused(err error) (Trouble, bool) {
	var why *processes.RefusedError
	if !errors.As(err, &why) {
		return Trouble{}, false
	}
	return Trouble{
		Status: http.StatusConflict, Title: "Not now", Text: strings.ToUpper(why.Reason[:1]) + why.Reason[1:] + ".", Next: "Nothing was done. Go back and look at how it stands now.",
	}, true
}
