package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"

	"github.com/tofu-registrar/registrar/forge"
	"github.com/tofu-registrar/registrar/handlers"
)

// Deliveries are the App's webhooks as GitHub remembers them.
type Deliveries interface {
	// ListFailedDeliveries are those since a time that never arrived.
	ListFailedDeliveries(ctx context.Context, since time.Time) ([]forge.Delivery, error)
	// Redeliver has one sent again, under its old GUID.
	Redeliver(ctx context.Context, id int64) error
}

const (
	sweepTimeout = 10 * time.Minute
	// oldestDelivery is how long GitHub remembers deliveries.
	oldestDelivery = 72 * time.Hour
	// deliverySlack is looked at twice: deliveries that were under way.
	deliverySlack = 10 * time.Minute
	// maxRedeliveries bounds what one sweep asks of GitHub.
	maxRedeliveries = 250
	// mostFaults ends it where GitHub fails: the next sweep asks again.
	mostFaults = 3
)

// sweepArgs is the job of looking after everything that is under way. GitHub
// does not redeliver a lost webhook by itself.
type sweepArgs struct{}

// Kind is the name of the job in the database.
func (sweepArgs) Kind() string { return "sweep" }

// periodicSweep has one sweep enqueued at the start and then every interval,
// unless the last one still waits or runs.
func periodicSweep(every time.Duration) *river.PeriodicJob {
	return river.NewPeriodicJob(river.PeriodicInterval(every), func() (river.JobArgs, *river.InsertOpts) {
		return sweepArgs{}, &river.InsertOpts{
			Priority: prioritySweep,
			// The next sweep is the second try.
			MaxAttempts: 1,
			UniqueOpts:  river.UniqueOpts{ByState: unfinished},
		}
	}, &river.PeriodicJobOpts{RunOnStart: true})
}

// sweepWorker runs sweeps.
type sweepWorker struct {
	river.WorkerDefaults[sweepArgs]
	queue *Queue
}

// Work enqueues what is under way and asks for lost webhooks. A sweep that fails
// is cancelled, not tried again: the next one is due in minutes.
func (w *sweepWorker) Work(ctx context.Context, job *river.Job[sweepArgs]) error {
	q := w.queue
	q.activity.begin(job.ID)
	defer func() { q.activity.end(job.ID, time.Time{}) }()
	bounded, cancel := context.WithTimeout(ctx, sweepTimeout)
	defer cancel()
	err := q.sweep(bounded)
	q.o.Metrics.sweepDone(err)
	switch {
	case err == nil:
		q.o.Contacted()
		return nil
	case errors.Is(ctx.Err(), context.Canceled):
		return river.JobSnooze(0)
	}
	q.o.Log.ErrorContext(ctx, "sweep failed", "error", err)
	return river.JobCancel(err)
}

func (q *Queue) sweep(ctx context.Context) error {
	return errors.Join(q.sweepKeys(ctx), q.sweepDeliveries(ctx))
}

// sweepKeys enqueues the keys of everything under way that does not wait in the
// queue already: a job between two tries keeps its pauses.
func (q *Queue) sweepKeys(ctx context.Context) error {
	keys, listErr := q.reconciler.Sweep(ctx)
	if listErr != nil {
		listErr = fmt.Errorf("sweep: %w", listErr)
	}
	waiting, err := q.db.waitingKeys(ctx)
	if err != nil {
		return errors.Join(listErr, err)
	}
	var missing []handlers.Key
	for _, key := range keys {
		if !waiting[string(key)] {
			missing = append(missing, key)
		}
	}
	q.o.Log.InfoContext(ctx, "sweep", "keys", len(keys), "enqueued", len(missing))
	return errors.Join(listErr, q.enqueue(ctx, prioritySweep, missing))
}

// sweepDeliveries asks GitHub to send again what did not arrive since the last
// sweep that succeeded.
func (q *Queue) sweepDeliveries(ctx context.Context) error {
	if q.deliveries == nil {
		return nil
	}
	since, err := q.lastSweep(ctx)
	if err != nil {
		return err
	}
	failed, err := q.deliveries.ListFailedDeliveries(ctx, since.Add(-deliverySlack))
	if err != nil {
		return fmt.Errorf("sweep: %w", err)
	}
	asked := 0
	var faults []error
	for i := len(failed) - 1; i >= 0 && asked < maxRedeliveries && len(faults) < mostFaults; i-- { // oldest first
		if refusedForGood(failed[i]) {
			continue
		}
		err := q.deliveries.Redeliver(ctx, failed[i].ID)
		if err != nil && !errors.Is(err, forge.ErrNotFound) {
			faults = append(faults, fmt.Errorf("sweep: %w", err))
			continue
		}
		asked++
	}
	if asked > 0 {
		q.o.Log.InfoContext(ctx, "asked GitHub for lost webhooks", "deliveries", asked)
		q.o.Metrics.redelivered.Add(float64(asked))
	}
	return errors.Join(faults...)
}

// refusedForGood tells whether this program itself refused the delivery, and
// would again: a payload that does not parse, or is too large.
func refusedForGood(d forge.Delivery) bool { return d.Status == 400 || d.Status == 413 }

// lastSweep is when the last sweep that succeeded began, in this process or an
// earlier one.
func (q *Queue) lastSweep(ctx context.Context) (time.Time, error) {
	list, err := q.client.JobList(ctx, river.NewJobListParams().Kinds(sweepArgs{}.Kind()).
		States(rivertype.JobStateCompleted).OrderBy(river.JobListOrderByID, river.SortOrderDesc).First(1))
	if err != nil {
		return time.Time{}, fmt.Errorf("find the last sweep: %w", err)
	}
	if len(list.Jobs) == 0 || list.Jobs[0].AttemptedAt == nil {
		return time.Now().Add(-oldestDelivery), nil
	}
	return *list.Jobs[0].AttemptedAt, nil
}
