package console

import (
	"net/http"

	"tradepost/internal/auth"
)

// SignIn is the page of package auth's answers.
type SignIn struct {
	auth.Page
	Title, Text, Next string
	Icon, Tone        string
	Station           string
}

// SignInPage draws a sign-in page; it makes Console an auth.Pages.
func (c *Console) SignInPage(w http.ResponseWriter, r *http.Request, p auth.Page) {
	s := SignIn{Page: p, Icon: "key", Tone: "info"}
	switch p.Reason {
	case auth.Confirm:
		s.Title, s.Text = "Sign in to the console", "This one-time link signs this browser in. It works once and for a short time."
	case auth.SignIn:
		s.Title, s.Text, s.Next = "Please sign in", "This console is for people with a one-time link.", c.cfg.SignIn
	case auth.Stale:
		s.Title, s.Text, s.Next = "This link no longer works", "A one-time link works once and for a short time; this one was used, or is too old.", c.cfg.SignIn
		s.Icon, s.Tone = "late", "warn"
	case auth.TooMany:
		s.Title, s.Text, s.Next = "Too many tries", "There were too many failed tries from your address.", "Wait "+p.Retry+", then use a new link."
		s.Icon, s.Tone = "shield", "warn"
	case auth.Foreign:
		s.Title, s.Text, s.Next = "Not from another site", "Something outside this console tried to act in your name. Nothing was done.", "Close the page you came from and go on from here."
		s.Icon, s.Tone = "shield", "bad"
	case auth.SignedOut:
		s.Title, s.Text, s.Next = "You are signed out", "This browser can no longer look into the station.", c.cfg.SignIn
		s.Icon, s.Tone = "check", "good"
	case auth.Opening:
		s.Title, s.Text = "Opening the page", "You came by a link from somewhere else."
	default:
		s.Title, s.Text, s.Next = "Not possible just now", "The station cannot check who you are: its store does not answer.", "Try again in a moment; if it stays, look into the station's log."
		s.Icon, s.Tone = "alert", "bad"
	}
	if d, err := c.cfg.Directory(r.Context()); err == nil {
		s.Station = d.Station.Name
	}
	c.render(w, r, &view{template: "sign-in", title: s.Title, status: p.Status, body: s})
}

var _ auth.Pages = (*Console)(nil)
