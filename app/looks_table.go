package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/tofu-registrar/registrar/forge"
	"github.com/tofu-registrar/registrar/handlers"
	"github.com/tofu-registrar/registrar/registrydata"
)

// lookTable is what is remembered of all looks, in the queue's database. It may
// be deleted at any time. Its SQL is portable; times are milliseconds since
// 1970, 0 for never.
type lookTable struct{ db *sql.DB }

// lookColumns are in the order of scanLook and lookValues.
const lookColumns = `repository, feed, etag, modified, feed_seen, tags_seen,
	since_at, looked_at, released_at, changed_at, asked_at, tags_due_at, due_at, failures, gone`

func (t lookTable) make(ctx context.Context) error {
	for _, statement := range []string{
		`CREATE TABLE IF NOT EXISTS registrar_looks (
			repository text PRIMARY KEY, feed text NOT NULL,
			etag text NOT NULL, modified text NOT NULL, feed_seen text NOT NULL, tags_seen text NOT NULL,
			since_at bigint NOT NULL, looked_at bigint NOT NULL, released_at bigint NOT NULL, changed_at bigint NOT NULL,
			asked_at bigint NOT NULL, tags_due_at bigint NOT NULL, due_at bigint NOT NULL,
			failures integer NOT NULL, gone integer NOT NULL)`,
		`CREATE INDEX IF NOT EXISTS registrar_looks_due ON registrar_looks (due_at)`,
	} {
		if _, err := t.db.ExecContext(ctx, statement); err != nil {
			return fmt.Errorf("make the table of looks: %w", err)
		}
	}
	return nil
}

// due are the looks that are due at a time, at most limit: first what someone
// waits for, then what was never looked at, then what was looked at longest ago.
// So too many looks for the rate make all of them later, and none is forgotten.
func (t lookTable) due(ctx context.Context, now time.Time, limit int) (states []lookState, err error) {
	rows, err := t.db.QueryContext(ctx, `SELECT `+lookColumns+` FROM registrar_looks WHERE due_at <= ?
		ORDER BY CASE WHEN asked_at > looked_at THEN 0 ELSE 1 END, looked_at, due_at LIMIT ?`, millis(now), limit) // #nosec G202 -- constants
	if err != nil {
		return nil, fmt.Errorf("list due looks: %w", err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		s, err := scanLook(rows)
		if err != nil {
			return nil, fmt.Errorf("list due looks: %w", err)
		}
		states = append(states, s)
	}
	return states, rows.Err()
}

// save writes states after their looks. One whose repository is not registered
// any more is dropped. A question that came meanwhile stays.
func (t lookTable) save(ctx context.Context, states []lookState) error {
	return t.inTx(ctx, func(tx *sql.Tx) error {
		update, err := tx.PrepareContext(ctx, `UPDATE registrar_looks SET
			etag = ?, modified = ?, feed_seen = ?, tags_seen = ?, looked_at = ?, released_at = ?, changed_at = ?,
			tags_due_at = CASE WHEN asked_at > ? THEN tags_due_at ELSE ? END,
			due_at = CASE WHEN asked_at > ? THEN due_at ELSE ? END, failures = ?, gone = ? WHERE repository = ?`)
		if err != nil {
			return err
		}
		defer update.Close() //nolint:errcheck // ends with the transaction
		for _, s := range states {
			asked := millis(s.Asked)
			if _, err := update.ExecContext(ctx, s.Mark.ETag, s.Mark.LastModified, s.FeedSeen, s.TagsSeen,
				millis(s.LookedAt), millis(s.Released), millis(s.Changed), asked, millis(s.TagsDue), asked, millis(s.Due),
				s.Failures, number01(s.Gone), s.Repository.String()); err != nil {
				return err
			}
		}
		return nil
	})
}

// keep makes the table hold exactly the repositories that are registered. New
// ones are due at once, in an order of chance.
func (t lookTable) keep(ctx context.Context, sources []handlers.Source, now time.Time, chance func() float64) (added, removed int, err error) {
	known, err := t.known(ctx)
	if err != nil {
		return 0, 0, err
	}
	var fresh []lookState
	for _, s := range sources {
		name := s.Repository.String()
		if known[name] {
			delete(known, name)
			continue
		}
		feed := forge.TagsFeed
		if s.Kind == registrydata.KindProvider {
			feed = forge.ReleasesFeed
		}
		fresh = append(fresh, lookState{
			Repository: s.Repository, Feed: feed, Since: now,
			Due: now.Add(-time.Duration(chance() * float64(time.Second))),
		})
	}
	if len(fresh) == 0 && len(known) == 0 {
		return 0, 0, nil
	}
	return len(fresh), len(known), t.inTx(ctx, func(tx *sql.Tx) error {
		if err := insertLooks(ctx, tx, fresh); err != nil {
			return err
		}
		for name := range known {
			if _, err := tx.ExecContext(ctx, `DELETE FROM registrar_looks WHERE repository = ?`, name); err != nil {
				return err
			}
		}
		return nil
	})
}

func insertLooks(ctx context.Context, tx *sql.Tx, states []lookState) error {
	insert, err := tx.PrepareContext(ctx, `INSERT INTO registrar_looks (`+lookColumns+`)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (repository) DO NOTHING`) // #nosec G202 -- constants
	if err != nil {
		return err
	}
	defer insert.Close() //nolint:errcheck // ends with the transaction
	for _, s := range states {
		if _, err := insert.ExecContext(ctx, s.Repository.String(), string(s.Feed), s.Mark.ETag, s.Mark.LastModified,
			s.FeedSeen, s.TagsSeen, millis(s.Since), millis(s.LookedAt), millis(s.Released), millis(s.Changed),
			millis(s.Asked), millis(s.TagsDue), millis(s.Due), s.Failures, number01(s.Gone)); err != nil {
			return err
		}
	}
	return nil
}

func (t lookTable) known(ctx context.Context) (names map[string]bool, err error) {
	rows, err := t.db.QueryContext(ctx, `SELECT repository FROM registrar_looks`)
	if err != nil {
		return nil, fmt.Errorf("list the looks: %w", err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	names = map[string]bool{}
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return nil, fmt.Errorf("list the looks: %w", err)
		}
		names[name] = true
	}
	return names, rows.Err()
}

// ask makes a repository due now, its tags too; false if it is not known.
func (t lookTable) ask(ctx context.Context, name string, now time.Time) (bool, error) {
	result, err := t.db.ExecContext(ctx, `UPDATE registrar_looks SET asked_at = ?, due_at = ?, tags_due_at = ?
		WHERE repository = ?`, millis(now), millis(now), millis(now), name)
	if err != nil {
		return false, fmt.Errorf("ask for a look: %w", err)
	}
	n, err := result.RowsAffected()
	return n > 0, err
}

// askAll makes all feeds due now. It is no question about any one of them: their
// pauses stay as they are.
func (t lookTable) askAll(ctx context.Context, now time.Time) error {
	if _, err := t.db.ExecContext(ctx, `UPDATE registrar_looks SET due_at = ? WHERE due_at > ?`, millis(now), millis(now)); err != nil {
		return fmt.Errorf("ask for all looks: %w", err)
	}
	return nil
}

// asked notes that someone asked and was answered: the next looks come soon.
func (t lookTable) asked(ctx context.Context, name string, now, next time.Time) error {
	_, err := t.db.ExecContext(ctx, `UPDATE registrar_looks SET asked_at = ?,
		due_at = CASE WHEN due_at > ? THEN ? ELSE due_at END WHERE repository = ?`, millis(now), millis(next), millis(next), name)
	if err != nil {
		return fmt.Errorf("note a question: %w", err)
	}
	return nil
}

// lookFigures are what an operator watches of the looks.
type lookFigures struct {
	Registered, Due, Failing, Gone int
	// Unlisted are those whose feed or tags were never read.
	Unlisted int
	// Oldest is how long ago the repository was looked at whose look is oldest;
	// one that never was counts from when it became known.
	Oldest time.Duration
}

func (t lookTable) figures(ctx context.Context, now time.Time) (lookFigures, error) {
	var f lookFigures
	var oldest sql.NullInt64
	err := t.db.QueryRowContext(ctx, `SELECT count(*),
		coalesce(sum(CASE WHEN gone = 0 AND (feed_seen = '' OR tags_seen = '') THEN 1 ELSE 0 END), 0), coalesce(sum(CASE WHEN due_at <= ? THEN 1 ELSE 0 END), 0),
		coalesce(sum(CASE WHEN failures > 0 THEN 1 ELSE 0 END), 0), coalesce(sum(gone), 0),
		min(CASE WHEN looked_at = 0 THEN since_at ELSE looked_at END) FROM registrar_looks`, millis(now)).
		Scan(&f.Registered, &f.Unlisted, &f.Due, &f.Failing, &f.Gone, &oldest)
	if err != nil {
		return f, fmt.Errorf("count the looks: %w", err)
	}
	if oldest.Valid {
		f.Oldest = max(now.Sub(time.UnixMilli(oldest.Int64)), 0)
	}
	return f, nil
}

// since counts what was looked at, and found to be new, since a time.
func (t lookTable) since(ctx context.Context, began time.Time) (r syncedAll, err error) {
	err = t.db.QueryRowContext(ctx, `SELECT count(*),
		coalesce(sum(CASE WHEN looked_at >= ? THEN 1 ELSE 0 END), 0), coalesce(sum(CASE WHEN changed_at >= ? THEN 1 ELSE 0 END), 0),
		coalesce(sum(CASE WHEN failures > 0 THEN 1 ELSE 0 END), 0), coalesce(sum(gone), 0) FROM registrar_looks`,
		millis(began), millis(began)).Scan(&r.Registered, &r.Looked, &r.Changed, &r.Failing, &r.Gone)
	if err != nil {
		return r, fmt.Errorf("count the looks: %w", err)
	}
	return r, nil
}

func (t lookTable) inTx(ctx context.Context, do func(*sql.Tx) error) error {
	tx, err := t.db.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("write the looks: %w", err)
	}
	defer func() { _ = tx.Rollback() }() // does nothing after the commit
	if err := do(tx); err != nil {
		return fmt.Errorf("write the looks: %w", err)
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("write the looks: %w", err)
	}
	return nil
}

func scanLook(rows *sql.Rows) (lookState, error) {
	var s lookState
	var name, feed string
	var at [7]int64
	var gone int
	err := rows.Scan(&name, &feed, &s.Mark.ETag, &s.Mark.LastModified, &s.FeedSeen, &s.TagsSeen,
		&at[0], &at[1], &at[2], &at[3], &at[4], &at[5], &at[6], &s.Failures, &gone)
	s.Repository.Owner, s.Repository.Name, _ = strings.Cut(name, "/")
	s.Feed, s.Gone = forge.FeedKind(feed), gone != 0
	for i, to := range []*time.Time{&s.Since, &s.LookedAt, &s.Released, &s.Changed, &s.Asked, &s.TagsDue, &s.Due} {
		if at[i] != 0 {
			*to = time.UnixMilli(at[i]).UTC()
		}
	}
	return s, err
}

func millis(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

func number01(b bool) int {
	if b {
		return 1
	}
	return 0
}
