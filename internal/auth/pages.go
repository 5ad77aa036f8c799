package auth

import "net/http"

// Reason tells why somebody sees a sign-in page.
type Reason string

// Reasons.
const (
	// Confirm: a one-time link was opened; the button uses it.
	Confirm Reason = "confirm"
	// SignIn: nobody is signed in.
	SignIn Reason = "sign-in"
	// Stale: the one-time link was used before, is too old or was never given out.
	Stale Reason = "stale"
	// TooMany: too many failed tries from this address.
	TooMany Reason = "too-many"
	// Foreign: a state-changing request came from another site.
	Foreign Reason = "foreign"
	// SignedOut: the session was ended.
	SignedOut Reason = "signed-out"
	// Opening: the browser followed a link from another site and has therefore
	// kept the cookie to itself; the page asks it to load once more.
	Opening Reason = "opening"
	// Trouble: the store could not answer.
	Trouble Reason = "trouble"
)

// Page is what a sign-in page has to show.
type Page struct {
	Reason Reason
	Status int    // HTTP status to answer with
	Token  string // Confirm: the value for the hidden field "token" of a POST to /login
	Retry  string // TooMany: how long to wait, for people; Opening: the URL to load again
}

// Pages draws the sign-in pages for people; programs get problem details.
type Pages interface {
	SignInPage(w http.ResponseWriter, r *http.Request, p Page)
}
