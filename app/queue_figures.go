package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// figures are what an operator watches of the queue.
type figures struct {
	states map[string]int // jobs by state, without those that ended well
	oldest time.Duration  // how long the oldest due job has waited
}

func (d *database) figures(ctx context.Context, now time.Time) (f figures, err error) {
	f.states = map[string]int{"available": 0, "retryable": 0, "running": 0, "scheduled": 0, "discarded": 0}
	rows, err := d.QueryContext(ctx, `SELECT state, count(*) FROM river_job
		WHERE state IN ('available', 'retryable', 'running', 'scheduled', 'discarded') GROUP BY state`)
	if err != nil {
		return f, fmt.Errorf("count jobs: %w", err)
	}
	for rows.Next() {
		var state string
		var n int
		if err := rows.Scan(&state, &n); err != nil {
			return f, errors.Join(fmt.Errorf("count jobs: %w", err), rows.Close())
		}
		f.states[state] = n
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil {
		return f, fmt.Errorf("count jobs: %w", err)
	}
	f.oldest, err = d.oldestDue(ctx, now)
	return f, err
}

func (d *database) oldestDue(ctx context.Context, now time.Time) (time.Duration, error) {
	var waited sql.NullFloat64
	sql := d.dialect()
	err := d.QueryRowContext(ctx, `SELECT `+sql.waited+` FROM river_job
		WHERE state = 'available' AND scheduled_at <= ?`, sql.time(now), sql.time(now)).Scan(&waited) // #nosec G202 -- constants
	if err != nil {
		return 0, fmt.Errorf("find the oldest due job: %w", err)
	}
	return time.Duration(waited.Float64 * float64(time.Second)), nil
}
