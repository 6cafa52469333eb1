package main

import (
	"context"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/rivermigrate"
)

// Database names the queue's database: the path of an SQLite file, or
// "postgres://user:password@host/name".
type Database string

// Server tells whether the database is PostgreSQL.
func (d Database) Server() bool {
	return strings.HasPrefix(string(d), "postgres://") || strings.HasPrefix(string(d), "postgresql://")
}

// String is the name without its password.
func (d Database) String() string {
	if !d.Server() {
		return string(d)
	}
	u, err := url.Parse(string(d))
	if err != nil {
		return "postgres://[secret]"
	}
	// A password may also stand in the query.
	return (&url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}).String()
}

// GoString implements fmt.GoStringer, for %#v.
func (d Database) GoString() string { return fmt.Sprintf("%q", d.String()) }

// LogValue implements slog.LogValuer.
func (d Database) LogValue() slog.Value { return slog.StringValue(d.String()) }

// MarshalText implements encoding.TextMarshaler, for JSON.
func (d Database) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// postgres is the queue in PostgreSQL. Several processes may serve it.
type postgres struct {
	pool    *pgxpool.Pool
	session *postgresSession // nil where this process does not serve
}

// connectTimeout bounds how long PostgreSQL is waited for when it is opened.
const connectTimeout = 30 * time.Second

// openPostgres connects to the server. Commits are synced (PostgreSQL's default,
// set here because a server may have another).
func openPostgres(ctx context.Context, address string) (*database, error) {
	config, err := pgxpool.ParseConfig(address)
	if err != nil {
		return nil, withoutCause(err)
	}
	config.ConnConfig.RuntimeParams["synchronous_commit"] = "on"
	config.ConnConfig.RuntimeParams["application_name"] = "registrar"
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, connectTimeout)
	defer cancel()
	if err := pool.Ping(ctx); err != nil {
		pool.Close()
		return nil, err
	}
	db := sql.OpenDB(placeholders{stdlib.GetPoolConnector(pool)})
	db.SetMaxIdleConns(0) // the pool keeps them
	return &database{DB: db, engine: &postgres{pool: pool}}, nil
}

// withoutCause is for an address that cannot be read: what pgx says of it may
// show parts of it.
func withoutCause(error) error { return errors.New("the address is malformed") }

func (*postgres) dialect() dialect {
	const interrupted = `coalesce((metadata->>'interrupted')::integer, 0)`
	return dialect{
		key:         `args->>'key'`,
		process:     `coalesce(attempted_by[array_upper(attempted_by, 1)], '')`,
		snoozed:     `metadata->>'snoozes' IS NOT NULL`,
		interrupted: interrupted,
		interrupt:   `jsonb_set(metadata, '{interrupted}', to_jsonb(` + interrupted + ` + 1))`,
		lowered:     `greatest(attempt - 1, 0)`,
		waited:      `extract(epoch FROM ?::timestamptz - min(greatest(created_at, scheduled_at)))::float8`,
		time:        func(t time.Time) any { return t },
	}
}

func (p *postgres) newClient(config *river.Config) (queueClient, error) {
	return river.NewClient(riverpgxv5.New(p.pool), config)
}

func (p *postgres) insertAll(ctx context.Context, do func(func([]*riverdriver.JobInsertFullParams) error) error) error {
	return insertAll(ctx, riverpgxv5.New(p.pool).GetExecutor(), func(insert func([]*riverdriver.JobInsertFullParams) error) error {
		return do(func(jobs []*riverdriver.JobInsertFullParams) error {
			for _, job := range jobs {
				if len(job.UniqueKey) > 0 { // this one statement of the driver takes it as text
					job.UniqueKey = []byte(`\x` + hex.EncodeToString(job.UniqueKey))
				}
			}
			return insert(jobs)
		})
	})
}

func (p *postgres) migrate(ctx context.Context, log *slog.Logger) error {
	migrator, err := rivermigrate.New(riverpgxv5.New(p.pool), &rivermigrate.Config{Logger: log})
	if err != nil {
		return err
	}
	_, err = migrator.Migrate(ctx, rivermigrate.DirectionUp, nil)
	return err
}

// alone keeps processes that start at once from one another: they would all make
// the tables.
func (p *postgres) alone(ctx context.Context, do func() error) error {
	conn, err := p.pool.Acquire(ctx)
	if err != nil {
		return err
	}
	defer conn.Release()
	if _, err := conn.Exec(ctx, "SELECT pg_advisory_lock($1)", lockNumber(lockTables)); err != nil {
		return err
	}
	err = do()
	_, unlock := conn.Exec(context.WithoutCancel(ctx), "SELECT pg_advisory_unlock($1)", lockNumber(lockTables))
	return errors.Join(err, unlock)
}

func (p *postgres) serve(ctx context.Context, process string, alone bool, within time.Duration) error {
	s, err := openSession(ctx, p.pool.Config().ConnConfig, process, alone, within)
	if err != nil {
		return err
	}
	p.session = s
	return nil
}

func (p *postgres) admit(ctx context.Context) error {
	if !p.session.share(ctx) {
		return errors.New("the connection to the queue was lost")
	}
	return nil
}

func (p *postgres) hold(ctx context.Context, subject string, patience time.Duration) (context.Context, func(), bool) {
	if p.session == nil {
		return ctx, func() {}, false
	}
	return p.session.hold(ctx, subject, patience)
}

func (p *postgres) dead(ctx context.Context, process string, do func() error) error {
	if p.session == nil {
		return nil
	}
	return p.session.dead(ctx, process, do)
}

func (p *postgres) close() error {
	if p.session != nil {
		p.session.end()
	}
	p.pool.Close()
	return nil
}
