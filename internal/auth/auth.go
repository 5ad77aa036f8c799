// Package auth decides who may use the private admin listener: people through
// one-time links and sessions, programs through bearer tokens (RFC 6750).
//
// Nothing secret is stored as it is: links, sessions and bearer tokens carry
// 256 random bits and are kept as their SHA-256. A one-time link shows a page
// with a button, and only the button's POST uses it up, so that programs that
// open links to look at them do no harm. State-changing requests from other
// origins are refused (http.CrossOriginProtection), and every answer carries
// the headers that keep a browser from loading or framing anything foreign.
package auth

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Store keeps tokens and sessions. Hashes are SHA-256, 32 bytes. What has
// expired is as if it were not there; the store's clock decides.
type Store interface {
	// SaveToken keeps a token that can be used once until expires.
	SaveToken(ctx context.Context, hash []byte, kind string, expires time.Time) error
	// UseToken uses a token up and tells whether it was there and live.
	UseToken(ctx context.Context, hash []byte, kind string) (bool, error)
	// SaveSession keeps a session of a user until expires.
	SaveSession(ctx context.Context, hash []byte, user string, expires time.Time) error
	// Session returns the user of a live session.
	Session(ctx context.Context, hash []byte) (user string, ok bool, err error)
	// DeleteSession ends a session; one that is not there is no error.
	DeleteSession(ctx context.Context, hash []byte) error
}

// tokenKind marks the one-time links among the tokens of the store.
const tokenKind = "login"

// Config is what an Auth needs. Store, Station and Pages are required.
type Config struct {
	Store   Store
	Station string // names the cookie, so that two stations on one host do not sign each other out
	Pages   Pages
	// Bearer lists the tokens programs may use; empty means none may.
	Bearer []Bearer
	// Open lists paths that need no sign-in; one that ends in / stands for all
	// below it. Empty means /livez, /readyz, /static/ and /favicon.ico.
	Open []string
	// Secure marks the cookie for TLS even when the request came without, as
	// behind a proxy that ends TLS.
	Secure bool
	// LinkLife is how long a one-time link holds, 15 minutes when zero.
	// SessionLife is how long a sign-in holds, 12 hours when zero.
	LinkLife, SessionLife time.Duration
	Now                   func() time.Time // nil: time.Now
	Random                io.Reader        // nil: crypto/rand
	Log                   *slog.Logger     // nil: nothing is logged
}

// Auth guards a handler. It is safe for concurrent use.
type Auth struct {
	cfg    Config
	cookie string
	limit  *limiter
}

// New checks cfg and fills what it leaves open.
func New(cfg Config) (*Auth, error) {
	switch {
	case cfg.Store == nil:
		return nil, errors.New("auth: Config.Store is missing")
	case cfg.Pages == nil:
		return nil, errors.New("auth: Config.Pages is missing")
	case cfg.Station == "":
		return nil, errors.New("auth: Config.Station is missing")
	}
	if cfg.Open == nil {
		cfg.Open = []string{"/livez", "/readyz", "/static/", "/favicon.ico"}
	}
	if cfg.LinkLife == 0 {
		cfg.LinkLife = 15 * time.Minute
	}
	if cfg.SessionLife == 0 {
		cfg.SessionLife = 12 * time.Hour
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Random == nil {
		cfg.Random = rand.Reader
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	name := sha256.Sum256([]byte(cfg.Station))
	return &Auth{
		cfg:    cfg,
		cookie: fmt.Sprintf("tradepost_%x", name[:4]),
		limit:  newLimiter(cfg.Now),
	}, nil
}

// LoginLink makes a one-time link for a user and returns its path and query,
// "/login?token=...", to be put behind the address of the listener. A user name
// is 1 to 64 letters, digits, dots, underlines, hyphens or @.
func (a *Auth) LoginLink(ctx context.Context, user string) (string, error) {
	if !userName(user) {
		return "", fmt.Errorf("%q is no user name: use 1 to 64 letters, digits, dots, underlines, hyphens or @", user)
	}
	secret, err := a.secret()
	if err != nil {
		return "", err
	}
	// The user is part of what is hashed, so nobody can change it in the link.
	token := user + "~" + secret
	if err := a.cfg.Store.SaveToken(ctx, hashOf(token), tokenKind, a.cfg.Now().Add(a.cfg.LinkLife)); err != nil {
		return "", fmt.Errorf("keep the one-time link: %w", err)
	}
	return "/login?token=" + url.QueryEscape(token), nil
}

// secret draws 256 bits and writes them in base64url.
func (a *Auth) secret() (string, error) {
	var b [32]byte
	if _, err := io.ReadFull(a.cfg.Random, b[:]); err != nil {
		return "", fmt.Errorf("draw a token: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(b[:]), nil
}

func hashOf(secret string) []byte {
	sum := sha256.Sum256([]byte(secret))
	return sum[:]
}

func userName(s string) bool {
	if s == "" || len(s) > 64 {
		return false
	}
	for _, c := range s {
		if !('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.ContainsRune("_-@.", c)) {
			return false
		}
	}
	return true
}

type userKey struct{}

// User returns who sent the request of ctx: the user of the session,
// "token:NAME" for a program, "" where nobody had to sign in.
func User(ctx context.Context) string {
	user, _ := ctx.Value(userKey{}).(string)
	return user
}

func withUser(r *http.Request, user string) *http.Request {
	return r.WithContext(context.WithValue(r.Context(), userKey{}, user))
}
