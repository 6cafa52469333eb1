package main

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
)

// postgresSession is a connection that holds PostgreSQL's advisory locks for one
// process: that it serves, its name, and each subject that it works on. The
// server drops them when the connection ends, however the process does.
//
// When the connection is lost, other processes may take what was held, so what
// runs under it is interrupted. It needs a connection of its own to the server
// (a pooler that shares connections between transactions drops the locks).
type postgresSession struct {
	config  *pgx.ConnConfig
	process string
	stop    context.CancelFunc
	stopped chan struct{}

	mu   sync.Mutex
	conn *pgx.Conn          // nil while there is none
	held context.Context    // ends with the connection
	drop context.CancelFunc // ends held
}

const (
	// sessionEvery is how often the connection is looked at, and made anew.
	sessionEvery = time.Second
	// sessionTimeout is how long the server may take for a lock.
	sessionTimeout = 5 * time.Second
	// The pauses between two tries for a subject that another process has.
	leastHoldPause, mostHoldPause = 10 * time.Millisecond, 250 * time.Millisecond
)

// The names of locks that are no subject's.
const (
	lockTables  = "tables"
	lockServing = "serving"
	lockProcess = "process "
	lockSubject = "subject "
)

// lockNumber is the number of a lock, as PostgreSQL wants it.
func lockNumber(name string) int64 {
	sum := sha256.Sum256([]byte("registrar " + name))
	return int64(binary.BigEndian.Uint64(sum[:8])) // #nosec G115 -- all bits count
}

// openSession takes the right to serve. Alone, it waits until no other process
// serves; no other can begin before it does.
func openSession(ctx context.Context, config *pgx.ConnConfig, process string, alone bool, within time.Duration) (*postgresSession, error) {
	s := &postgresSession{config: config, process: process, stopped: make(chan struct{})}
	if err := s.connect(ctx, alone, within); err != nil {
		return nil, err
	}
	watch, cancel := context.WithCancel(context.WithoutCancel(ctx))
	s.stop = cancel
	go s.watch(watch)
	return s, nil
}

// connect makes the connection and takes the locks that say that this process
// lives.
func (s *postgresSession) connect(ctx context.Context, alone bool, within time.Duration) error {
	bounded, cancel := context.WithTimeout(ctx, sessionTimeout+within)
	defer cancel()
	conn, err := pgx.ConnectConfig(bounded, s.config)
	if err != nil {
		return fmt.Errorf("connect to the queue: %w", err)
	}
	if err := s.take(bounded, conn, alone, within); err != nil {
		return errors.Join(err, conn.Close(context.WithoutCancel(ctx)))
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.conn = conn
	s.held, s.drop = context.WithCancel(context.WithoutCancel(ctx))
	return nil
}

func (s *postgresSession) take(ctx context.Context, conn *pgx.Conn, alone bool, within time.Duration) error {
	took := func() (ok bool, err error) {
		if alone {
			err = conn.QueryRow(ctx, "SELECT pg_try_advisory_lock($1)", lockNumber(lockServing)).Scan(&ok)
		} else {
			err = conn.QueryRow(ctx, "SELECT pg_try_advisory_lock_shared($1)", lockNumber(lockServing)).Scan(&ok)
		}
		return ok, err
	}
	for until := time.Now().Add(within); ; {
		ok, err := took()
		if err != nil {
			return fmt.Errorf("lock the queue: %w", err)
		}
		if ok {
			break
		}
		if time.Now().After(until) {
			return ErrServedElsewhere
		}
		if err := pause(ctx, mostHoldPause); err != nil {
			return err
		}
	}
	if _, err := conn.Exec(ctx, "SELECT pg_advisory_lock($1)", lockNumber(lockProcess+s.process)); err != nil {
		return fmt.Errorf("lock the queue: %w", err)
	}
	return nil
}

// watch notices that the connection is lost, and makes it anew.
func (s *postgresSession) watch(ctx context.Context) {
	defer close(s.stopped)
	for pause(ctx, sessionEvery) == nil {
		if s.query(ctx, func(ctx context.Context, conn *pgx.Conn) error { return conn.Ping(ctx) }) {
			continue
		}
		_ = s.connect(ctx, false, 0) // tried again in a second; jobs step back meanwhile
	}
}

// query uses the connection; false, and everything held is lost, if that fails.
// A query that was cancelled half way ends the connection too.
func (s *postgresSession) query(ctx context.Context, do func(context.Context, *pgx.Conn) error) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.conn == nil {
		return false
	}
	bounded, cancel := context.WithTimeout(context.WithoutCancel(ctx), sessionTimeout)
	defer cancel()
	if err := do(bounded, s.conn); err != nil {
		s.lose()
		return false
	}
	return true
}

// lose is called with the mutex held.
func (s *postgresSession) lose() {
	s.drop()
	bounded, cancel := context.WithTimeout(context.Background(), sessionTimeout)
	defer cancel()
	_ = s.conn.Close(bounded) // it is gone already, or goes now
	s.conn = nil
}

// share gives up to serve alone, and goes on to serve.
func (s *postgresSession) share(ctx context.Context) bool {
	return s.query(ctx, func(ctx context.Context, conn *pgx.Conn) error {
		_, err := conn.Exec(ctx, "SELECT pg_advisory_lock_shared($1)", lockNumber(lockServing))
		if err == nil {
			_, err = conn.Exec(ctx, "SELECT pg_advisory_unlock($1)", lockNumber(lockServing))
		}
		return err
	})
}

func (s *postgresSession) try(ctx context.Context, name string) (held context.Context, ok bool) {
	s.query(ctx, func(ctx context.Context, conn *pgx.Conn) error {
		held = s.held
		return conn.QueryRow(ctx, "SELECT pg_try_advisory_lock($1)", lockNumber(name)).Scan(&ok)
	})
	return held, ok
}

// release gives back a lock that was taken on a connection; on another one it is
// gone already.
func (s *postgresSession) release(held context.Context, name string) {
	s.query(context.Background(), func(ctx context.Context, conn *pgx.Conn) error {
		if s.held != held {
			return nil
		}
		_, err := conn.Exec(ctx, "SELECT pg_advisory_unlock($1)", lockNumber(name))
		return err
	})
}

func (s *postgresSession) hold(ctx context.Context, subject string, patience time.Duration) (context.Context, func(), bool) {
	name, until := lockSubject+subject, time.Now().Add(patience)
	for wait := leastHoldPause; ; wait = min(2*wait, mostHoldPause) {
		connection, ok := s.try(ctx, name)
		if ok {
			held, cancel := context.WithCancel(ctx)
			ends := context.AfterFunc(connection, cancel)
			return held, func() {
				ends()
				cancel()
				s.release(connection, name)
			}, true
		}
		if time.Now().Add(wait).After(until) || pause(ctx, wait) != nil {
			return ctx, func() {}, false
		}
	}
}

func (s *postgresSession) dead(ctx context.Context, process string, do func() error) error {
	name := lockProcess + process
	connection, ok := s.try(ctx, name)
	if !ok {
		return nil
	}
	defer s.release(connection, name)
	return do()
}

func (s *postgresSession) end() {
	s.stop()
	<-s.stopped
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.conn != nil {
		s.lose()
	}
}
