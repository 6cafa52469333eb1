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
	"time"

	"github.com/riverqueue/river/riverdriver/riversqlite"
	"github.com/riverqueue/river/rivermigrate"
	_ "modernc.org/sqlite" // the driver "sqlite", in pure Go
)

// ErrServedElsewhere is a queue file that another process works on.
var ErrServedElsewhere = errors.New("another process serves this queue")

// database is the queue's SQLite file. What River has no call for stands here,
// in SQL of this engine; another engine needs its own of this file and no more.
type database struct {
	*sql.DB
	path string
	lock *sql.DB // holds the serving lock; nil where nobody may serve
}

// openDatabase opens the file and brings its tables up to date.
//
// A delivery is answered after its job is on the disk, so each transaction is
// synced (synchronous FULL). SQLite has one writer: one connection, whose
// transactions take the write lock when they begin, never fails with "locked"
// half way.
func openDatabase(ctx context.Context, path string, log *slog.Logger) (*database, error) {
	db, err := sql.Open("sqlite", dataSource(path, "busy_timeout(10000)", "journal_mode(WAL)", "synchronous(FULL)"))
	if err != nil {
		return nil, fmt.Errorf("open the queue %s: %w", path, err)
	}
	db.SetMaxOpenConns(1)
	d := &database{DB: db, path: path}
	if err := d.migrate(ctx, log); err != nil {
		return nil, errors.Join(fmt.Errorf("open the queue %s: %w", path, err), db.Close())
	}
	return d, nil
}

func dataSource(path string, pragmas ...string) string {
	query := url.Values{"_pragma": pragmas, "_txlock": {"immediate"}}
	u := url.URL{Scheme: "file", Opaque: (&url.URL{Path: filepath.ToSlash(path)}).EscapedPath(), RawQuery: query.Encode()}
	return u.String()
}

func (d *database) migrate(ctx context.Context, log *slog.Logger) error {
	migrator, err := rivermigrate.New(riversqlite.New(d.DB), &rivermigrate.Config{Logger: log})
	if err != nil {
		return fmt.Errorf("prepare the tables: %w", err)
	}
	if _, err := migrator.Migrate(ctx, rivermigrate.DirectionUp, nil); err != nil {
		return fmt.Errorf("bring the tables up to date: %w", err)
	}
	_, err = d.ExecContext(ctx, `CREATE TABLE IF NOT EXISTS registrar_probe (id integer PRIMARY KEY, at text NOT NULL)`)
	if err != nil {
		return fmt.Errorf("make the probe table: %w", err)
	}
	return nil
}

// serve takes the lock that lets one process at a time work on the queue, and
// returns what a killed predecessor left behind: its running jobs, which would
// otherwise wait for River's rescue an hour later, and its seat as the leader
// that runs the schedule.
//
// The lock is a transaction on a file beside the database. The system drops it
// with the process however that ends, on every system that SQLite knows.
func (d *database) serve(ctx context.Context, within time.Duration) (returned int64, err error) {
	lock, err := sql.Open("sqlite", dataSource(d.path+".lock", fmt.Sprintf("busy_timeout(%d)", within.Milliseconds())))
	if err != nil {
		return 0, fmt.Errorf("lock the queue: %w", err)
	}
	lock.SetMaxOpenConns(1)
	if _, err := lock.ExecContext(ctx, "BEGIN EXCLUSIVE"); err != nil {
		err = errors.Join(err, lock.Close())
		if strings.Contains(err.Error(), "locked") {
			return 0, fmt.Errorf("%w (%s)", ErrServedElsewhere, d.path)
		}
		return 0, fmt.Errorf("lock the queue: %w", err)
	}
	d.lock = lock
	if _, err := d.ExecContext(ctx, "DELETE FROM river_leader"); err != nil {
		return 0, fmt.Errorf("clear the leader: %w", err)
	}
	return d.giveBack(ctx, "true")
}

// giveBack makes running jobs available again. Being interrupted is no failure
// of the job, so the attempt is not counted, up to twenty times: a job that
// brings the process down each time must come to an end.
func (d *database) giveBack(ctx context.Context, which string, args ...any) (int64, error) {
	const interrupted = `coalesce(json_extract(metadata, '$.interrupted'), 0)`
	result, err := d.ExecContext(ctx, `
		UPDATE river_job SET
			state = 'available',
			attempt = CASE WHEN `+interrupted+` < 20 THEN max(attempt - 1, 0) ELSE attempt END,
			metadata = json_set(metadata, '$.interrupted', `+interrupted+` + 1)
		WHERE state = 'running' AND `+which, args...) // #nosec G202 -- both parts are constants
	if err != nil {
		return 0, fmt.Errorf("give interrupted jobs back: %w", err)
	}
	return result.RowsAffected()
}

// giveBackStranded gives back the jobs that are marked as running since before a
// time and that this process does not work on: River could not write how they
// ended, because the disk was full, say.
func (d *database) giveBackStranded(ctx context.Context, before time.Time, working func(id int64) bool) (int64, error) {
	ids, err := d.runningJobs(ctx, before)
	if err != nil {
		return 0, err
	}
	var total int64
	for _, id := range ids {
		if working(id) {
			continue
		}
		n, err := d.giveBack(ctx, "id = ?", id)
		if err != nil {
			return total, err
		}
		total += n
	}
	return total, nil
}

// runningJobs are the jobs that are marked as running, begun before a time.
func (d *database) runningJobs(ctx context.Context, before time.Time) (ids []int64, err error) {
	rows, err := d.QueryContext(ctx, `SELECT id FROM river_job WHERE state = 'running' AND attempted_at < ?`, sqlTime(before))
	if err != nil {
		return nil, fmt.Errorf("list running jobs: %w", err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var id int64
		if err := rows.Scan(&id); err != nil {
			return nil, fmt.Errorf("list running jobs: %w", err)
		}
		ids = append(ids, id)
	}
	return ids, rows.Err()
}

// waitingKeys are the keys that a job will look at without being asked again:
// jobs that wait for a worker, for their next try, or for GitHub's rate limit.
func (d *database) waitingKeys(ctx context.Context) (keys map[string]bool, err error) {
	rows, err := d.QueryContext(ctx, `
		SELECT DISTINCT json_extract(CAST(args AS text), '$.key') FROM river_job
		WHERE kind = ? AND (state IN ('available', 'retryable')
			OR state = 'scheduled' AND json_extract(metadata, '$.snoozes') IS NOT NULL)`, reconcileArgs{}.Kind())
	if err != nil {
		return nil, fmt.Errorf("list waiting keys: %w", err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	keys = map[string]bool{}
	for rows.Next() {
		var key string
		if err := rows.Scan(&key); err != nil {
			return nil, fmt.Errorf("list waiting keys: %w", err)
		}
		keys[key] = true
	}
	return keys, rows.Err()
}

// unsettled are the jobs that are marked as running, and whether any is to run
// before a time, as they are at one moment.
func (d *database) unsettled(ctx context.Context, before time.Time) (running []int64, due bool, err error) {
	rows, err := d.QueryContext(ctx, `
		SELECT id, state = 'running' FROM river_job
		WHERE state = 'running'
			OR (state IN ('available', 'pending', 'retryable', 'scheduled') AND scheduled_at <= ?)
		ORDER BY 2 LIMIT 1000`, sqlTime(before))
	if err != nil {
		return nil, false, fmt.Errorf("look for unsettled jobs: %w", err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var id int64
		var runs bool
		if err := rows.Scan(&id, &runs); err != nil {
			return nil, false, fmt.Errorf("look for unsettled jobs: %w", err)
		}
		if !runs {
			return nil, true, nil
		}
		running = append(running, id)
	}
	return running, false, rows.Err()
}

// promote makes jobs that are scheduled for soon fetchable at their time, as
// River does with short retries: its scheduler looks only every five seconds.
func promote(ctx context.Context, tx *sql.Tx, id int64) error {
	_, err := tx.ExecContext(ctx, `UPDATE river_job SET state = 'available' WHERE id = ? AND state = 'scheduled'`, id)
	return err
}

// probe writes to the disk, so that a full or read-only one shows.
func (d *database) probe(ctx context.Context) error {
	_, err := d.ExecContext(ctx, `INSERT INTO registrar_probe (id, at) VALUES (1, ?)
		ON CONFLICT (id) DO UPDATE SET at = excluded.at`, sqlTime(time.Now()))
	if err != nil {
		return fmt.Errorf("write to the queue: %w", err)
	}
	return nil
}

// Close also lets another process serve the queue.
func (d *database) Close() error {
	err := d.DB.Close()
	if d.lock != nil {
		err = errors.Join(err, d.lock.Close())
	}
	return err
}

// sqlTime is a time as River writes it to SQLite: it compares as text.
func sqlTime(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05.000") }
