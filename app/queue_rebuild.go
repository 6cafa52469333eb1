package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/riverqueue/river"

	"github.com/tofu-registrar/registrar/handlers"
)

// rebuildArgs is the job of asking GitHub for everything that there may be to do.
type rebuildArgs struct{}

// Kind is the name of the job in the database.
func (rebuildArgs) Kind() string { return "rebuild" }

// forget deletes every job and all that is remembered of looks, and enqueues the
// job that finds anew what there is to do. No other process may serve meanwhile.
func (q *Queue) forget(ctx context.Context) error {
	inserted, err := q.client.Insert(ctx, rebuildArgs{}, &river.InsertOpts{Priority: priorityWebhook})
	if err != nil {
		return fmt.Errorf("forget the queue: %w", err)
	}
	n, err := q.db.forget(ctx, inserted.Job.ID)
	if err != nil {
		return fmt.Errorf("forget the queue: %w", err)
	}
	q.o.Log.InfoContext(ctx, "the queue is forgotten and will be rebuilt from GitHub", "jobs", n)
	return q.db.admit(ctx)
}

// forget deletes all jobs but one.
func (d *database) forget(ctx context.Context, but int64) (jobs int64, err error) {
	if _, err := d.ExecContext(ctx, "DELETE FROM registrar_looks"); err != nil {
		return 0, err
	}
	result, err := d.ExecContext(ctx, "DELETE FROM river_job WHERE id <> ?", but)
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}

// rebuildWorker runs the job.
type rebuildWorker struct {
	river.WorkerDefaults[rebuildArgs]
	queue *Queue
}

// Work enqueues everything under way, asks GitHub for the webhooks that it could
// not deliver, and has every registered repository looked at: without quota where
// looks are on, else by a run each.
func (w *rebuildWorker) Work(ctx context.Context, job *river.Job[rebuildArgs]) error {
	q := w.queue
	q.activity.begin(job.ID)
	err := q.rebuild(ctx)
	if errors.Is(ctx.Err(), context.Canceled) {
		err = river.JobSnooze(0)
	}
	q.activity.end(job.ID, q.due(job.JobRow, err))
	return err
}

func (q *Queue) rebuild(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, sweepTimeout)
	defer cancel()
	if err := errors.Join(q.sweep(ctx), q.lookAtAll(ctx)); err != nil {
		return fmt.Errorf("rebuild the queue: %w", err)
	}
	return nil
}

func (q *Queue) lookAtAll(ctx context.Context) error {
	if q.looks != nil {
		_, err := q.AskLook(ctx)
		return err
	}
	if q.world == nil {
		return nil
	}
	_, sources, err := q.world.Sources(ctx)
	if err != nil {
		return err
	}
	keys := make([]handlers.Key, len(sources))
	for i, s := range sources {
		keys[i] = handlers.RepositoryKey(s.Repository)
	}
	return q.enqueue(ctx, prioritySweep, keys)
}
