package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/google/uuid"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"

	"github.com/tofu-registrar/registrar/handlers"
)

// Reconciler is what the queue runs and what webhooks are translated by:
// *handlers.Handlers.
type Reconciler interface {
	// Keys translates a webhook; the error is a payload that does not parse.
	Keys(event string, payload []byte) ([]handlers.Key, error)
	// Reconcile drives what the key names to where it should be.
	Reconcile(ctx context.Context, key handlers.Key) (handlers.Result, error)
	// GiveUp says so where an author waits, after the last try.
	GiveUp(ctx context.Context, key handlers.Key, reference string) error
	// Sweep lists the keys of everything that is under way; with an error, of what
	// could be listed.
	Sweep(ctx context.Context) ([]handlers.Key, error)
}

// reconcileArgs is a job: look at what the key names. Nothing else of the
// webhook is kept, because the run reads the world anew.
type reconcileArgs struct {
	Key string `json:"key" river:"unique"`
	// GUID and Event are of the delivery that caused it, empty for other causes.
	GUID  string `json:"guid,omitempty" river:"unique"`
	Event string `json:"event,omitempty"`
	// Process and Mark order it among the jobs of one process (see turns).
	Process string `json:"process,omitempty"`
	Mark    int64  `json:"mark,omitempty"`
}

// Kind is the name of the job in the database.
func (reconcileArgs) Kind() string { return "reconcile" }

// The priorities of jobs: what someone waits for goes first.
const (
	priorityWebhook = 1
	priorityFollow  = 2
	prioritySweep   = 3
	priorityMuch    = 4 // of who sends much
)

const (
	// deliveriesKept is how long a delivery's GUID is remembered after its work
	// is done: GitHub redelivers for three days.
	deliveriesKept = 72 * time.Hour
	// failuresKept is how long an operator can see and retry what failed for good.
	failuresKept = 30 * 24 * time.Hour
	// pollInterval is how late a job may be that is due later than it was
	// inserted. A job that is due at once wakes the workers itself.
	pollInterval = 100 * time.Millisecond
	// fetchPause is the least time between two fetches. Each syncs the disk, which
	// webhooks wait for; an idle bot fetches at once.
	fetchPause = 10 * time.Millisecond
	// soon is the shortest delay that River's scheduler keeps well enough.
	soon = 10 * time.Second
	// rescueAfter is how long after its time-out River takes a job for lost.
	rescueAfter = 5 * time.Minute
	// subjectPatience is how long a job holds a worker to wait for its subject.
	subjectPatience = time.Minute
)

// unfinished are the states of jobs that are still to be done: a schedule adds no
// second one to such a job.
var unfinished = []rivertype.JobState{
	rivertype.JobStateAvailable, rivertype.JobStatePending, rivertype.JobStateRunning,
	rivertype.JobStateRetryable, rivertype.JobStateScheduled,
}

// queueOptions are the queue's settings; zero fields have the defaults.
type queueOptions struct {
	Path       string          // the SQLite file, or the URL of PostgreSQL
	Workers    int             // jobs at a time; 16
	JobTimeout time.Duration   // of one run; 30 minutes, large archives take their time
	SweepEvery time.Duration   // 5 minutes; negative is never
	LockWithin time.Duration   // how long a predecessor may take to end; 3 seconds
	Retries    []time.Duration // pauses between the tries; retryDelays
	Look       LookConfig
	Audit      AuditConfig
	Backfill   BackfillConfig
	Log        *slog.Logger
	Metrics    *metrics
	// Rebuild forgets all jobs at Start and finds anew what there is to do.
	Rebuild bool
	// Contacted is called when GitHub has answered.
	Contacted func()
}

// Queue holds durable jobs and runs them.
type Queue struct {
	o        queueOptions
	db       *database
	client   queueClient
	process  string // names this process in jobs
	turns    *turns
	shares   *shares
	fair     *fairness
	stores   *stores
	activity *activity
	retries  retryPolicy
	upkeep   *upkeep
	looks    *looks // nil where the configuration wants none
	world    lookWorld

	reconciler Reconciler
	deliveries Deliveries
	stopWatch  context.CancelFunc // of watchStranded
	watched    chan struct{}      // closed when it has stopped; nil before Start
}

// openQueue opens the database. Jobs can be stored at once; they run from Start on.
func openQueue(ctx context.Context, o queueOptions) (*Queue, error) {
	o = o.withDefaults()
	db, err := openDatabase(ctx, Database(o.Path), quiet(o.Log))
	if err != nil {
		return nil, err
	}
	q := &Queue{
		o: o, db: db, process: uuid.NewString(), turns: newTurns(), activity: newActivity(),
		shares: newShares(o.Workers), fair: newFairness(), stores: newStores(),
		retries: retryPolicy{delays: o.Retries},
	}
	q.upkeep = &upkeep{audit: o.Audit, backfill: o.Backfill, now: time.Now, enqueue: q.enqueueFound}
	if !o.Look.Off {
		q.looks = newLooks(o.Look, db, o.Log, newLookMetrics(o.Metrics.registry), q.enqueueFound)
	}
	if q.client, err = db.newClient(q.riverConfig()); err != nil {
		return nil, errors.Join(fmt.Errorf("set the queue up: %w", err), db.Close())
	}
	return q, nil
}

func (o queueOptions) withDefaults() queueOptions {
	if o.Workers <= 0 {
		o.Workers = 16
	}
	if o.JobTimeout <= 0 {
		o.JobTimeout = 30 * time.Minute
	}
	if o.SweepEvery == 0 {
		o.SweepEvery = 5 * time.Minute
	}
	if o.LockWithin <= 0 {
		o.LockWithin = 3 * time.Second
	}
	if o.Log == nil {
		o.Log = slog.Default()
	}
	o.Audit, o.Backfill = o.Audit.withDefaults(), o.Backfill.withDefaults()
	if o.Metrics == nil {
		o.Metrics = newMetrics()
	}
	if o.Contacted == nil {
		o.Contacted = func() {}
	}
	if len(o.Retries) == 0 {
		o.Retries = retryDelays
	}
	return o
}

func (q *Queue) riverConfig() *river.Config {
	workers := river.NewWorkers()
	river.AddWorker(workers, &reconcileWorker{queue: q})
	river.AddWorker(workers, &sweepWorker{queue: q})
	river.AddWorker(workers, &rebuildWorker{queue: q})
	timeout := q.o.JobTimeout + subjectPatience
	config := &river.Config{
		ID:                          q.process,
		Queues:                      map[string]river.QueueConfig{river.QueueDefault: {MaxWorkers: q.o.Workers}},
		Workers:                     workers,
		MaxAttempts:                 len(q.o.Retries) + 1,
		RetryPolicy:                 q.retries,
		JobTimeout:                  timeout,
		RescueStuckJobsAfter:        timeout + rescueAfter, // giveBackOrphans comes long before
		FetchCooldown:               fetchPause,
		FetchPollInterval:           pollInterval,
		CompletedJobRetentionPeriod: deliveriesKept,
		CancelledJobRetentionPeriod: deliveriesKept,
		DiscardedJobRetentionPeriod: failuresKept,
		Logger:                      quiet(q.o.Log),
		Hooks:                       []rivertype.Hook{river.HookInsertBeginFunc(dueSoon)},
	}
	if q.o.SweepEvery > 0 {
		config.PeriodicJobs = append(config.PeriodicJobs, periodicSweep(q.o.SweepEvery))
	}
	river.AddWorker(workers, &upkeepWorker{queue: q})
	if !q.o.Audit.Off || !q.o.Backfill.Off {
		config.PeriodicJobs = append(config.PeriodicJobs, periodicUpkeep())
	}
	if q.looks != nil {
		river.AddWorker(workers, &lookWorker{queue: q})
		config.Queues[looksQueue] = river.QueueConfig{MaxWorkers: 1}
		if !q.o.Look.onlyAsked {
			config.PeriodicJobs = append(config.PeriodicJobs, periodicLooks())
		}
	}
	return config
}

// Watch says what the looks look at, before Start. Without it they see nothing.
func (q *Queue) Watch(w lookWorld) {
	q.world = w
	if q.looks != nil {
		q.looks.world = w
	}
}

// Start takes the right to serve and runs jobs. ErrServedElsewhere: another
// process has it, and the database allows one only.
func (q *Queue) Start(ctx context.Context, r Reconciler, d Deliveries) error {
	q.reconciler, q.deliveries = answering{r, q.looks}, d
	if err := q.db.serve(ctx, q.process, q.o.Rebuild, q.o.LockWithin); err != nil {
		return err
	}
	if q.o.Rebuild {
		if err := q.forget(ctx); err != nil {
			return err
		}
	}
	returned, err := q.db.giveBackOrphans(ctx, q.process)
	if err != nil {
		return err
	}
	if returned > 0 {
		q.o.Log.InfoContext(ctx, "jobs of a killed process go on", "jobs", returned)
	}
	// Only Stop ends the work, so that it can wait for running jobs.
	if err := q.client.Start(context.WithoutCancel(ctx)); err != nil {
		return fmt.Errorf("start the queue: %w", err)
	}
	watch, cancel := context.WithCancel(context.WithoutCancel(ctx))
	q.stopWatch, q.watched = cancel, make(chan struct{})
	go q.watchStranded(watch)
	return nil
}

// Stop starts no more jobs, waits for the running ones until the context ends,
// and then interrupts them: they go back to the queue.
func (q *Queue) Stop(ctx context.Context) error {
	if q.watched == nil {
		return q.db.Close()
	}
	q.stopWatch()
	<-q.watched
	err := q.client.Stop(ctx)
	if err != nil {
		q.o.Log.WarnContext(ctx, "interrupting jobs that still run", "jobs", q.activity.running())
		last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
		defer cancel()
		err = q.client.StopAndCancel(last)
	}
	if err != nil {
		err = fmt.Errorf("stop the queue: %w", err)
	}
	return errors.Join(err, q.db.Close())
}

// Enqueue asks for keys to be run now.
func (q *Queue) Enqueue(ctx context.Context, keys ...handlers.Key) error {
	return q.enqueue(ctx, priorityFollow, keys)
}

func (q *Queue) enqueue(ctx context.Context, priority int, keys []handlers.Key) error {
	jobs := make([]river.InsertManyParams, len(keys))
	for i, key := range keys {
		jobs[i] = q.job(key, priority)
	}
	_, err := q.insertMany(ctx, jobs)
	return err
}

// enqueueFound asks for keys where a look found something new.
func (q *Queue) enqueueFound(ctx context.Context, keys []handlers.Key) error {
	return q.enqueue(ctx, prioritySweep, keys)
}

// EnqueueIn asks for a key to be run after a time.
func (q *Queue) EnqueueIn(ctx context.Context, key handlers.Key, after time.Duration) error {
	job := q.job(key, priorityFollow)
	job.InsertOpts.ScheduledAt = time.Now().Add(after)
	if _, err := q.client.Insert(ctx, job.Args, job.InsertOpts); err != nil {
		return fmt.Errorf("schedule %q: %w", key, err)
	}
	return nil
}

// dueSoon makes a job fetchable at its time, as River does with short retries: of
// one that waits its scheduler takes notice some seconds later.
func dueSoon(_ context.Context, job *rivertype.JobInsertParams) error {
	if job.State == rivertype.JobStateScheduled && time.Until(*job.ScheduledAt) < soon {
		job.State = rivertype.JobStateAvailable
	}
	return nil
}

// job marks the key as enqueued from now on: whatever happened before is seen by
// a run that begins later.
func (q *Queue) job(key handlers.Key, priority int) river.InsertManyParams {
	return river.InsertManyParams{
		Args:       reconcileArgs{Key: string(key), Process: q.process, Mark: q.turns.next()},
		InsertOpts: &river.InsertOpts{Priority: priority},
	}
}

// markOf is where the job stands among those of this process. One that was
// fetched before may stand for others of its key that are done: it must run.
func (q *Queue) markOf(job *river.Job[reconcileArgs]) int64 {
	if job.Args.Process != q.process || len(job.AttemptedBy) > 1 {
		return uncovered
	}
	return job.Args.Mark
}

// Check tells whether jobs can be stored.
func (q *Queue) Check(ctx context.Context) error { return q.db.probe(ctx) }
