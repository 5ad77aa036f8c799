package auth

import (
	"net/http"
	"strings"
	"time"

	"tradepost/internal/api/problem"
)

// Require guards next: it answers /login and /logout itself, lets the open
// paths through, and everything else only with a live session or a good bearer
// token. Every answer carries the security headers.
func (a *Auth) Require(next http.Handler) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /login", a.confirm)
	mux.HandleFunc("POST /login", a.login)
	mux.HandleFunc("POST /logout", a.logout)
	mux.Handle("/", a.guard(next))

	foreign := http.NewCrossOriginProtection()
	foreign.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		a.cfg.Log.WarnContext(r.Context(), "refused a state-changing request from another site",
			"method", r.Method, "path", r.URL.Path, "origin", r.Header.Get("Origin"))
		a.refuse(w, r, Page{Reason: Foreign, Status: http.StatusForbidden},
			"this request came from another site; state-changing requests are only taken from the console itself or from programs")
	}))
	return headers(foreign.Handler(mux))
}

// guard lets signed-in requests and open paths through.
func (a *Auth) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if a.open(r.URL.Path) {
			next.ServeHTTP(w, r)
			return
		}
		if h := r.Header.Get("Authorization"); h != "" {
			if name, ok := a.bearer(h); ok {
				next.ServeHTTP(w, withUser(r, "token:"+name))
				return
			}
			a.failed(w, r)
			return
		}
		user, ok, err := a.session(r)
		switch {
		case err != nil:
			a.cfg.Log.ErrorContext(r.Context(), "look up a session", "err", err)
			a.refuse(w, r, Page{Reason: Trouble, Status: http.StatusServiceUnavailable},
				"the store cannot be asked who you are just now; try again shortly")
		case ok:
			next.ServeHTTP(w, withUser(r, user))
		case crossSiteVisit(r):
			a.cfg.Pages.SignInPage(w, r, Page{Reason: Opening, Status: http.StatusOK, Retry: r.URL.RequestURI()})
		default:
			w.Header().Set("WWW-Authenticate", `Bearer realm="tradepost"`)
			a.refuse(w, r, Page{Reason: SignIn, Status: http.StatusUnauthorized},
				"sign in, or send a bearer token: Authorization: Bearer TOKEN")
		}
	})
}

// crossSiteVisit tells that a person followed a link from another site, where
// a cookie with SameSite=Strict stays behind although they may be signed in.
// Loading the page again from itself brings the cookie along.
func crossSiteVisit(r *http.Request) bool {
	return r.Method == http.MethodGet && r.Header.Get("Sec-Fetch-Site") == "cross-site" &&
		r.Header.Get("Sec-Fetch-Mode") == "navigate" && !forProgram(r)
}

func (a *Auth) open(path string) bool {
	for _, p := range a.cfg.Open {
		if path == p || strings.HasSuffix(p, "/") && strings.HasPrefix(path, p) {
			return true
		}
	}
	return false
}

// session returns the user of the request's cookie.
func (a *Auth) session(r *http.Request) (string, bool, error) {
	c, err := r.Cookie(a.cookie)
	if err != nil || c.Value == "" {
		return "", false, nil
	}
	return a.cfg.Store.Session(r.Context(), hashOf(c.Value))
}

// confirm shows the page whose button uses the link.
func (a *Auth) confirm(w http.ResponseWriter, r *http.Request) {
	token := r.URL.Query().Get("token")
	if token == "" {
		if _, ok, err := a.session(r); err == nil && ok {
			http.Redirect(w, r, "/", http.StatusSeeOther)
			return
		}
		a.cfg.Pages.SignInPage(w, r, Page{Reason: SignIn, Status: http.StatusUnauthorized})
		return
	}
	a.cfg.Pages.SignInPage(w, r, Page{Reason: Confirm, Status: http.StatusOK, Token: token})
}

// login uses the link up and starts a session.
func (a *Auth) login(w http.ResponseWriter, r *http.Request) {
	if wait := a.limit.wait(r.RemoteAddr); wait > 0 {
		a.tooMany(w, r, wait)
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, 4<<10)
	token := r.PostFormValue("token")
	user, _, _ := strings.Cut(token, "~")
	if !userName(user) || len(token) > 256 {
		a.stale(w, r)
		return
	}
	ok, err := a.cfg.Store.UseToken(r.Context(), hashOf(token), tokenKind)
	if err == nil && !ok {
		a.stale(w, r)
		return
	}
	var secret string
	if err == nil {
		secret, err = a.secret()
	}
	if err == nil {
		err = a.cfg.Store.SaveSession(r.Context(), hashOf(secret), user, a.cfg.Now().Add(a.cfg.SessionLife))
	}
	if err != nil {
		a.cfg.Log.ErrorContext(r.Context(), "sign in", "user", user, "err", err)
		a.refuse(w, r, Page{Reason: Trouble, Status: http.StatusServiceUnavailable}, "the store cannot start a session just now; try again shortly")
		return
	}
	a.cfg.Log.InfoContext(r.Context(), "signed in", "user", user, "remote", r.RemoteAddr)
	http.SetCookie(w, a.sessionCookie(r, secret, int(a.cfg.SessionLife/time.Second)))
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

// logout ends the session.
func (a *Auth) logout(w http.ResponseWriter, r *http.Request) {
	if c, err := r.Cookie(a.cookie); err == nil && c.Value != "" {
		if err := a.cfg.Store.DeleteSession(r.Context(), hashOf(c.Value)); err != nil {
			a.cfg.Log.ErrorContext(r.Context(), "sign out", "err", err)
			a.refuse(w, r, Page{Reason: Trouble, Status: http.StatusServiceUnavailable}, "the store cannot end the session just now; try again shortly")
			return
		}
	}
	http.SetCookie(w, a.sessionCookie(r, "", -1))
	a.cfg.Pages.SignInPage(w, r, Page{Reason: SignedOut, Status: http.StatusOK})
}

func (a *Auth) sessionCookie(r *http.Request, value string, maxAge int) *http.Cookie {
	return &http.Cookie{ //nolint:gosec // Secure follows the listener: a browser would not send such a cookie to loopback without TLS
		Name: a.cookie, Value: value, Path: "/", MaxAge: maxAge,
		HttpOnly: true, SameSite: http.SameSiteStrictMode,
		Secure: a.cfg.Secure || r.TLS != nil, // a station on loopback has no TLS
	}
}

// stale answers a link that does not hold.
func (a *Auth) stale(w http.ResponseWriter, r *http.Request) {
	a.limit.fail(r.RemoteAddr)
	a.cfg.Log.WarnContext(r.Context(), "a one-time link was refused", "remote", r.RemoteAddr)
	a.refuse(w, r, Page{Reason: Stale, Status: http.StatusForbidden}, "this one-time link was used before or is too old")
}

// failed answers a bearer token that is not known.
func (a *Auth) failed(w http.ResponseWriter, r *http.Request) {
	a.limit.fail(r.RemoteAddr)
	if wait := a.limit.wait(r.RemoteAddr); wait > 0 {
		a.tooMany(w, r, wait)
		return
	}
	a.cfg.Log.WarnContext(r.Context(), "a bearer token was refused", "remote", r.RemoteAddr)
	w.Header().Set("WWW-Authenticate", `Bearer realm="tradepost", error="invalid_token"`)
	problem.Write(w, problem.Details{Status: http.StatusUnauthorized, Detail: "this bearer token is not in the station's token file"})
}

func (a *Auth) tooMany(w http.ResponseWriter, r *http.Request, wait time.Duration) {
	w.Header().Set("Retry-After", retryAfter(wait))
	a.refuse(w, r, Page{Reason: TooMany, Status: http.StatusTooManyRequests, Retry: people(wait)},
		"too many failed tries from this address; wait "+people(wait))
}

// refuse shows p to people and detail to programs.
func (a *Auth) refuse(w http.ResponseWriter, r *http.Request, p Page, detail string) {
	if forProgram(r) {
		problem.Write(w, problem.Details{Status: p.Status, Detail: detail})
		return
	}
	a.cfg.Pages.SignInPage(w, r, p)
}

// forProgram tells that the answer is read by a program.
func forProgram(r *http.Request) bool {
	return strings.HasPrefix(r.URL.Path, "/api/") || r.Header.Get("Authorization") != ""
}
