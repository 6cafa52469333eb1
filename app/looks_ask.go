package main

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"

	"github.com/tofu-registrar/registrar/handlers"
)

// AskLook asks for a look at every registered repository now. The number is that
// of the job that looks at them, in whatever process serves the queue.
func (q *Queue) AskLook(ctx context.Context) (job int64, err error) {
	if err := (lookTable{q.db.DB}).askAll(ctx, time.Now()); err != nil {
		return 0, err
	}
	inserted, err := q.client.Insert(ctx, lookArgs{Asked: uuid.NewString()}, &river.InsertOpts{Queue: looksQueue, MaxAttempts: 1})
	if err != nil {
		return 0, fmt.Errorf("ask for all looks: %w", err)
	}
	return inserted.Job.ID, nil
}

// Ask asks for keys to be run now, before all else, and gives their jobs' numbers.
func (q *Queue) Ask(ctx context.Context, keys ...handlers.Key) (jobs []int64, err error) {
	params := make([]river.InsertManyParams, len(keys))
	for i, key := range keys {
		params[i] = q.job(key, priorityWebhook)
	}
	inserted, err := q.client.InsertMany(ctx, params)
	if err != nil {
		return nil, fmt.Errorf("ask for %d runs: %w", len(keys), err)
	}
	for _, i := range inserted {
		jobs = append(jobs, i.Job.ID)
	}
	return jobs, nil
}

// Await waits until the job has ended or has to be tried again. The error is the
// context's, or that of the queue.
func (q *Queue) Await(ctx context.Context, job int64, meanwhile func()) (*rivertype.JobRow, error) {
	const look = 100 * time.Millisecond
	for {
		row, err := q.jobOf(ctx, job)
		if err != nil {
			return nil, err
		}
		switch row.State {
		case rivertype.JobStateCompleted, rivertype.JobStateCancelled, rivertype.JobStateDiscarded, rivertype.JobStateRetryable:
			return row, nil
		case rivertype.JobStateScheduled: // snoozed: the host wants no requests
			if len(row.Errors) > 0 || row.AttemptedAt != nil {
				return row, nil
			}
		}
		if meanwhile != nil {
			meanwhile()
		}
		if err := pause(ctx, look); err != nil {
			return row, err
		}
	}
}

func (q *Queue) jobOf(ctx context.Context, id int64) (*rivertype.JobRow, error) {
	list, err := q.client.JobList(ctx, river.NewJobListParams().IDs(id).First(1))
	if err == nil && len(list.Jobs) != 1 {
		err = river.ErrNotFound
	}
	if err != nil {
		return nil, fmt.Errorf("look at job %d: %w", id, err)
	}
	return list.Jobs[0], nil
}
