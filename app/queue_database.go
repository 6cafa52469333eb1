package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver"
	"github.com/riverqueue/river/rivertype"
)

// ErrServedElsewhere is a queue that another process works on.
var ErrServedElsewhere = errors.New("another process serves this queue")

// database is the queue's database, an SQLite file or PostgreSQL. What River has
// no call for stands here, in SQL that both understand; parameters are written
// "?" for both. What differs is the engine's.
type database struct {
	*sql.DB
	engine
	name string // for messages, without a password
}

// engine is what differs between the databases.
type engine interface {
	// dialect has the parts of SQL that differ.
	dialect() dialect
	// alone calls do while no other process makes tables.
	alone(ctx context.Context, do func() error) error
	// migrate brings River's tables up to date.
	migrate(ctx context.Context, log *slog.Logger) error
	// newClient is River on this database.
	newClient(config *river.Config) (queueClient, error)
	// serve takes the right to work as the process of this name. Alone: no other
	// process may serve until then, and from then on where the database allows no
	// second one. ErrServedElsewhere: one does.
	serve(ctx context.Context, process string, alone bool, within time.Duration) error
	// admit lets other processes serve too, where the database allows it, after
	// this one has served alone.
	admit(ctx context.Context) error
	// hold takes a subject for this process; others has false where another
	// process has it, or may have. The context ends when the hold is lost.
	hold(ctx context.Context, subject string, patience time.Duration) (held context.Context, release func(), free bool)
	// dead tells whether a process does not serve any more. It calls do while that
	// process could not begin to serve.
	dead(ctx context.Context, process string, do func() error) error
	// insertAll inserts copies of jobs, all of them or none.
	insertAll(ctx context.Context, do func(insert func([]*riverdriver.JobInsertFullParams) error) error) error
	// close ends the right to work and closes what the engine opened.
	close() error
}

// dialect are parts of SQL, and the form of times as parameters.
type dialect struct {
	key         string // of a job: text
	process     string // that fetched a job last: text, empty if none
	snoozed     string // a job was: boolean
	interrupted string // how often a job was: number
	interrupt   string // the metadata of a job that is interrupted once more
	lowered     string // the attempt of a job, one lower, not below 0
	waited      string // seconds to the parameter from when the oldest job was there and due: number
	time        func(time.Time) any
}

// queueClient is River on either database.
type queueClient interface {
	ID() string
	Insert(ctx context.Context, args river.JobArgs, opts *river.InsertOpts) (*rivertype.JobInsertResult, error)
	InsertMany(ctx context.Context, jobs []river.InsertManyParams) ([]*rivertype.JobInsertResult, error)
	JobGet(ctx context.Context, id int64) (*rivertype.JobRow, error)
	JobList(ctx context.Context, params *river.JobListParams) (*river.JobListResult, error)
	JobRetry(ctx context.Context, id int64) (*rivertype.JobRow, error)
	Start(ctx context.Context) error
	Stop(ctx context.Context) error
	StopAndCancel(ctx context.Context) error
}

// insertAll is engine.insertAll by River's driver.
func insertAll(ctx context.Context, executor riverdriver.Executor, do func(func([]*riverdriver.JobInsertFullParams) error) error) error {
	tx, err := executor.Begin(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback(context.WithoutCancel(ctx)) }() // does nothing after the commit
	err = do(func(jobs []*riverdriver.JobInsertFullParams) error {
		for _, job := range jobs {
			if _, err := tx.JobInsertFull(ctx, job); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	return tx.Commit(ctx)
}

// openDatabase opens the database that a file's path or a URL names, and brings
// its tables up to date.
func openDatabase(ctx context.Context, name Database, log *slog.Logger) (*database, error) {
	open := openSQLite
	if name.Server() {
		open = openPostgres
	}
	d, err := open(ctx, string(name))
	if err != nil {
		return nil, fmt.Errorf("open the queue %s: %w", name, err)
	}
	d.name = name.String()
	if err := d.alone(ctx, func() error { return d.makeTables(ctx, log) }); err != nil {
		return nil, errors.Join(fmt.Errorf("open the queue %s: bring its tables up to date: %w", name, err), d.Close())
	}
	return d, nil
}

func (d *database) makeTables(ctx context.Context, log *slog.Logger) error {
	if err := d.migrate(ctx, log); err != nil {
		return err
	}
	_, err := d.ExecContext(ctx, `CREATE TABLE IF NOT EXISTS registrar_probe (id integer PRIMARY KEY, at text NOT NULL)`)
	if err != nil {
		return err
	}
	return lookTable{d.DB}.make(ctx)
}

// giveBack makes running jobs available again. Being interrupted is no failure
// of the job, so the attempt is not counted, up to twenty times: a job that
// brings the process down each time must come to an end.
func (d *database) giveBack(ctx context.Context, which string, args ...any) (int64, error) {
	sql := d.dialect()
	result, err := d.ExecContext(ctx, `
		UPDATE river_job SET
			state = 'available',
			attempt = CASE WHEN `+sql.interrupted+` < 20 THEN `+sql.lowered+` ELSE attempt END,
			metadata = `+sql.interrupt+`
		WHERE state = 'running' AND `+which, args...) // #nosec G202 -- all parts are constants
	if err != nil {
		return 0, fmt.Errorf("give interrupted jobs back: %w", err)
	}
	return result.RowsAffected()
}

// giveBackOrphans gives back the running jobs of other processes that do not
// serve any more, and their seat as the leader that runs the schedule. What is
// left so would otherwise wait for River's rescue.
func (d *database) giveBackOrphans(ctx context.Context, self string) (total int64, err error) {
	processes, err := d.texts(ctx, `SELECT DISTINCT `+d.dialect().process+` FROM river_job WHERE state = 'running'
		UNION SELECT leader_id FROM river_leader`)
	if err != nil {
		return 0, fmt.Errorf("list the processes that work: %w", err)
	}
	for process := range processes {
		if process == self {
			continue
		}
		err := d.dead(ctx, process, func() error {
			n, err := d.giveBack(ctx, d.dialect().process+" = ?", process)
			if err != nil {
				return err
			}
			total += n
			_, err = d.ExecContext(ctx, "DELETE FROM river_leader WHERE leader_id = ?", process)
			return err
		})
		if err != nil {
			return total, fmt.Errorf("look after the jobs of process %s: %w", process, err)
		}
	}
	return total, nil
}

// giveBackStranded gives back the jobs that this process is said to run since
// before a time and that it does not work on: River could not write how they
// ended, because the disk was full, say.
func (d *database) giveBackStranded(ctx context.Context, self string, before time.Time, working func(id int64) bool) (int64, error) {
	ids, err := d.runningJobs(ctx, self, before)
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

// runningJobs are the jobs that a process is said to run since before a time.
func (d *database) runningJobs(ctx context.Context, process string, before time.Time) (ids []int64, err error) {
	sql := d.dialect()
	rows, err := d.QueryContext(ctx, `SELECT id FROM river_job
		WHERE state = 'running' AND attempted_at < ? AND `+sql.process+` = ?`, sql.time(before), process) // #nosec G202 -- constants
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
func (d *database) waitingKeys(ctx context.Context) (map[string]bool, error) {
	sql := d.dialect()
	keys, err := d.texts(ctx, `
		SELECT DISTINCT `+sql.key+` FROM river_job
		WHERE kind = ? AND (state IN ('available', 'retryable') OR state = 'scheduled' AND `+sql.snoozed+`)`, reconcileArgs{}.Kind())
	if err != nil {
		return nil, fmt.Errorf("list waiting keys: %w", err)
	}
	return keys, nil
}

// texts is a query's only column, without doubles and nulls.
func (d *database) texts(ctx context.Context, query string, args ...any) (texts map[string]bool, err error) {
	rows, err := d.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	texts = map[string]bool{}
	for rows.Next() {
		var text sql.NullString
		if err := rows.Scan(&text); err != nil {
			return nil, err
		}
		if text.Valid {
			texts[text.String] = true
		}
	}
	return texts, rows.Err()
}

// unsettled are the jobs that are marked as running, and whether any is to run
// before a time, as they are at one moment.
func (d *database) unsettled(ctx context.Context, before time.Time) (running []int64, due bool, err error) {
	rows, err := d.QueryContext(ctx, `
		SELECT id, state = 'running' FROM river_job
		WHERE state = 'running'
			OR (state IN ('available', 'pending', 'retryable', 'scheduled') AND scheduled_at <= ?)
		ORDER BY 2 LIMIT 1000`, d.dialect().time(before))
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

// probe writes to the disk, so that a full or read-only one shows.
func (d *database) probe(ctx context.Context) error {
	_, err := d.ExecContext(ctx, `INSERT INTO registrar_probe (id, at) VALUES (1, ?)
		ON CONFLICT (id) DO UPDATE SET at = excluded.at`, time.Now().UTC().Format(time.RFC3339Nano))
	if err != nil {
		return fmt.Errorf("write to the queue: %w", err)
	}
	return nil
}

// Close also lets another process serve the queue.
func (d *database) Close() error { return errors.Join(d.DB.Close(), d.close()) }
