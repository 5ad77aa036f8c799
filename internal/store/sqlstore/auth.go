package sqlstore

import (
	"context"
	"encoding/hex"
	"time"
)

// SaveToken keeps a one-time token, known by its SHA-256, until expires.
func (s *Store) SaveToken(ctx context.Context, hash []byte, kind string, expires time.Time) error {
	return s.update(ctx, func(ctx context.Context, t *tx) error {
		if err := t.exec(ctx, "drop old tokens", `delete from login_token where expires_at <= ?`, s.now()); err != nil {
			return err
		}
		return t.exec(ctx, "save token", `insert into login_token (hash, kind, expires_at) values (?, ?, ?)`, hex.EncodeToString(hash), kind, expires)
	})
}

// UseToken uses a token up; ok tells whether it was there and had not expired.
func (s *Store) UseToken(ctx context.Context, hash []byte, kind string) (ok bool, err error) {
	err = s.update(ctx, func(ctx context.Context, t *tx) error {
		var expires time.Time
		var err error
		expires, ok, err = selectOne(ctx, t.c, "use token", `delete from login_token where hash = ? and kind = ? returning expires_at`, scanTime, hex.EncodeToString(hash), kind)
		ok = ok && s.now().Before(expires)
		return err
	})
	return ok && err == nil, err
}

// SaveSession keeps a session of a user, known by the SHA-256 of its cookie,
// until expires.
func (s *Store) SaveSession(ctx context.Context, hash []byte, user string, expires time.Time) error {
	return s.update(ctx, func(ctx context.Context, t *tx) error {
		if err := t.exec(ctx, "drop old sessions", `delete from console_session where expires_at <= ?`, s.now()); err != nil {
			return err
		}
		return t.exec(ctx, "save session", `insert into console_session (hash, user_name, created_at, expires_at) values (?, ?, ?, ?)`, hex.EncodeToString(hash), user, s.now(), expires)
	})
}

// Session returns the user of a session; ok is false when it is not there or
// has expired.
func (s *Store) Session(ctx context.Context, hash []byte) (user string, ok bool, err error) {
	err = s.backend.View(ctx, func(ctx context.Context, c Conn) error {
		var err error
		user, ok, err = selectOne(ctx, c, "session", `select user_name from console_session where hash = ? and expires_at > ?`, scanName, hex.EncodeToString(hash), s.now())
		return err
	})
	return user, ok && err == nil, err
}

// DeleteSession ends a session; one that is not there is no error.
func (s *Store) DeleteSession(ctx context.Context, hash []byte) error {
	return s.update(ctx, func(ctx context.Context, t *tx) error {
		return t.exec(ctx, "delete session", `delete from console_session where hash = ?`, hex.EncodeToString(hash))
	})
}
