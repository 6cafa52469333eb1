package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver"
	"github.com/riverqueue/river/riverdriver/riversqlite"
	"github.com/riverqueue/river/rivermigrate"
	_ "modernc.org/sqlite" // the driver "sqlite", in pure Go
)

// sqliteFile is the queue in a file. One process at a time serves it.
type sqliteFile struct {
	db   *sql.DB
	path string
	lock *sql.DB // holds the serving lock; nil where nobody may serve

	stopTidying func() // nil where nobody serves
}

// openSQLite opens the file.
//
// A delivery is answered after its job is on the disk, so each transaction is
// synced (synchronous FULL). SQLite has one writer: one connection, whose
// transactions take the write lock when they begin, never fails with "locked"
// half way.
func openSQLite(_ context.Context, path string) (*database, error) {
	db, err := sql.Open("sqlite", dataSource(path, "busy_timeout(10000)", "journal_mode(WAL)", "synchronous(FULL)",
		fmt.Sprintf("wal_autocheckpoint(%d)", mostLogPages)))
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1)
	return &database{DB: db, engine: &sqliteFile{db: db, path: path}}, nil
}

func dataSource(path string, pragmas ...string) string {
	query := url.Values{"_pragma": pragmas, "_txlock": {"immediate"}}
	u := url.URL{Scheme: "file", Opaque: (&url.URL{Path: filepath.ToSlash(path)}).EscapedPath(), RawQuery: query.Encode()}
	return u.String()
}

func (*sqliteFile) dialect() dialect {
	const interrupted = `coalesce(json_extract(metadata, '$.interrupted'), 0)`
	return dialect{
		key:         `json_extract(CAST(args AS text), '$.key')`,
		process:     `coalesce(json_extract(CAST(attempted_by AS text), '$[#-1]'), '')`,
		snoozed:     `json_extract(metadata, '$.snoozes') IS NOT NULL`,
		interrupted: interrupted,
		interrupt:   `json_set(metadata, '$.interrupted', ` + interrupted + ` + 1)`,
		lowered:     `max(attempt - 1, 0)`,
		waited:      `(julianday(?) - julianday(min(max(created_at, scheduled_at)))) * 86400`,
		time:        func(t time.Time) any { return sqlTime(t) },
	}
}

func (f *sqliteFile) newClient(config *river.Config) (queueClient, error) {
	return river.NewClient(riversqlite.New(f.db), config)
}

func (*sqliteFile) alone(_ context.Context, do func() error) error { return do() }

func (f *sqliteFile) insertAll(ctx context.Context, do func(func([]*riverdriver.JobInsertFullParams) error) error) error {
	return insertAll(ctx, riversqlite.New(f.db).GetExecutor(), do)
}

func (f *sqliteFile) migrate(ctx context.Context, log *slog.Logger) error {
	migrator, err := rivermigrate.New(riversqlite.New(f.db), &rivermigrate.Config{Logger: log})
	if err != nil {
		return err
	}
	_, err = migrator.Migrate(ctx, rivermigrate.DirectionUp, nil)
	return err
}

// serve takes the lock that lets one process at a time work on the queue: a
// transaction on a file beside the database. The system drops it with the
// process however that ends, on every system that SQLite knows.
func (f *sqliteFile) serve(ctx context.Context, _ string, _ bool, within time.Duration) error {
	lock, err := sql.Open("sqlite", dataSource(f.path+".lock", fmt.Sprintf("busy_timeout(%d)", within.Milliseconds())))
	if err != nil {
		return fmt.Errorf("lock the queue: %w", err)
	}
	lock.SetMaxOpenConns(1)
	if _, err := lock.ExecContext(ctx, "BEGIN EXCLUSIVE"); err != nil {
		err = errors.Join(err, lock.Close())
		if strings.Contains(err.Error(), "locked") {
			return fmt.Errorf("%w (%s)", ErrServedElsewhere, f.path)
		}
		return fmt.Errorf("lock the queue: %w", err)
	}
	f.lock = lock
	f.stopTidying, err = f.tidyLog()
	return err
}

const (
	// mostLogPages is how long SQLite's log of changes may become, in pages of
	// 4 KiB, before whoever adds to it must bring it into the database first.
	mostLogPages = 16_000
	// tidyEvery is how often that is done beside the work: it syncs the disk twice,
	// which a webhook would wait for.
	tidyEvery = 2 * time.Second
)

// tidyLog brings the log into the database now and then, by a connection of its
// own and without holding anyone up.
// (sqlite.org/pragma.html#pragma_wal_checkpoint, PASSIVE)
func (f *sqliteFile) tidyLog() (stop func(), err error) {
	db, err := sql.Open("sqlite", dataSource(f.path, "busy_timeout(10000)", "synchronous(FULL)"))
	if err != nil {
		return nil, fmt.Errorf("open the queue once more: %w", err)
	}
	db.SetMaxOpenConns(1)
	ctx, cancel := context.WithCancel(context.Background())
	var tidying sync.WaitGroup
	tidying.Go(func() {
		for pause(ctx, tidyEvery) == nil {
			// A failure is another try's: the log only grows, to mostLogPages.
			_, _ = db.ExecContext(ctx, "PRAGMA wal_checkpoint(PASSIVE)")
		}
	})
	return func() {
		cancel()
		tidying.Wait()
		_ = db.Close()
	}, nil
}

func (*sqliteFile) admit(context.Context) error { return nil }

// hold has nothing to do: turns keep the jobs of one process apart.
func (*sqliteFile) hold(ctx context.Context, _ string, _ time.Duration) (context.Context, func(), bool) {
	return ctx, func() {}, true
}

// dead: who has the lock is the only one that serves.
func (f *sqliteFile) dead(_ context.Context, _ string, do func() error) error {
	if f.lock == nil {
		return nil
	}
	return do()
}

func (f *sqliteFile) close() error {
	if f.stopTidying != nil {
		f.stopTidying()
	}
	if f.lock == nil {
		return nil
	}
	return f.lock.Close()
}

// sqlTime is a time as River writes it to SQLite: it compares as text.
func sqlTime(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05.000") }
