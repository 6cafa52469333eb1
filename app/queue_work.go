package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"

	"github.com/tofu-registrar/registrar/forge"
	"github.com/tofu-registrar/registrar/handlers"
	"github.com/tofu-registrar/registrar/publish"
)

// retryDelays are the pauses after the first failure, the second, and so on: a
// passing fault of GitHub is over in seconds, an outage in hours.
var retryDelays = []time.Duration{
	2 * time.Second, 10 * time.Second, 30 * time.Second, 2 * time.Minute, 5 * time.Minute,
	15 * time.Minute, 30 * time.Minute, time.Hour, time.Hour,
}

// retryPolicy is River's view of the delays.
type retryPolicy struct{ delays []time.Duration }

// NextRetry adds up to a tenth, so that jobs that failed together do not come
// back together.
func (p retryPolicy) NextRetry(job *rivertype.JobRow) time.Time {
	d := p.delays[min(max(job.Attempt, 1), len(p.delays))-1]
	return time.Now().Add(d + rand.N(d/10+1)) // #nosec G404 -- spreads load, hides nothing
}

const (
	// othersPatience is how long a job holds a worker to wait for another process.
	othersPatience = 5 * time.Second
	// busyPause is how long a job steps back whose subject is crowded.
	busyPause = 2 * time.Second
	// The bounds of how long a rate limit is waited for: GitHub's, the bucket's or
	// Cloudflare's.
	minLimited, maxLimited = time.Second, 2 * time.Hour
	// followTimeout bounds what is written to the queue after a run.
	followTimeout = 20 * time.Second
	giveUpTimeout = 2 * time.Minute
)

// reconcileWorker runs jobs of one key.
type reconcileWorker struct {
	river.WorkerDefaults[reconcileArgs]
	queue *Queue
}

// Work runs the job when its subject is free. Whatever it returns, no trigger is
// lost: the job is done, or covered by another run, or stays in the queue.
func (w *reconcileWorker) Work(ctx context.Context, job *river.Job[reconcileArgs]) error {
	q := w.queue
	q.activity.begin(job.ID)
	err := q.work(ctx, job)
	q.activity.end(job.ID, q.due(job.JobRow, err))
	return err
}

func (q *Queue) work(ctx context.Context, job *river.Job[reconcileArgs]) error {
	key := handlers.Key(job.Args.Key)
	began := time.Now()
	if q.shares.crowded(key) {
		return river.JobSnooze(q.shares.pause(key))
	}
	turn, verdict := q.turns.take(ctx, key, q.markOf(job), subjectPatience)
	switch verdict {
	case verdictCovered:
		q.shares.done(key)
		q.o.Metrics.jobDone(key, outcomeCovered, 0)
		return nil
	case verdictBusy:
		return q.stepBack(ctx)
	}
	held, release, free := q.db.hold(ctx, key.Subject(), othersPatience)
	if !free {
		turn.end(false)
		return q.stepBack(ctx)
	}
	turn.restart()
	log := q.o.Log.With("job", job.ID, "key", key, "attempt", job.Attempt)
	if job.Args.GUID != "" {
		log = log.With("delivery", job.Args.GUID)
	}
	held, end := q.shares.begin(held, key)
	err := q.reconcile(held, key, log)
	end()
	interrupted := errors.Is(held.Err(), context.Canceled)
	release()
	turn.end(err == nil)
	q.o.Metrics.ran(key, err)
	outcome, err := q.outcome(ctx, job, err, interrupted, log)
	q.o.Metrics.jobDone(key, outcome, time.Since(began))
	log.DebugContext(ctx, "job ran", "outcome", outcome, "ms", time.Since(began).Milliseconds())
	return err
}

// reconcile runs the key and enqueues what follows from it.
func (q *Queue) reconcile(ctx context.Context, key handlers.Key, log *slog.Logger) (err error) {
	defer func() {
		if p := recover(); p != nil {
			log.ErrorContext(ctx, "a run panicked", "panic", p, "stack", string(debug.Stack()))
			err = fmt.Errorf("reconcile %q: panic: %v", key, p)
		}
	}()
	bounded, cancel := context.WithTimeout(ctx, q.o.JobTimeout)
	defer cancel()
	result, err := q.reconciler.Reconcile(bounded, key)
	if err != nil {
		return fmt.Errorf("reconcile %q: %w", key, err)
	}
	return q.follow(ctx, key, result)
}

// follow is not interrupted when the program stops: it takes a moment, and
// without it the whole run would be for nothing.
func (q *Queue) follow(ctx context.Context, key handlers.Key, result handlers.Result) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), followTimeout)
	defer cancel()
	if err := q.Enqueue(ctx, result.Next...); err != nil {
		return fmt.Errorf("enqueue what follows from %q: %w", key, err)
	}
	if result.Again <= 0 {
		return nil
	}
	return q.EnqueueIn(ctx, key, result.Again)
}

// The outcomes of a job, as the metrics name them.
const (
	outcomeDone        = "done"
	outcomeCovered     = "covered"
	outcomeInterrupted = "interrupted"
	outcomeLimited     = "rate-limited"
	outcomeCrowded     = "crowded"
	outcomeRefused     = "refused"
	outcomeFailed      = "failed"
	outcomeGivenUp     = "given-up"
)

// outcome turns the end of a run into what River is to do with the job.
func (q *Queue) outcome(ctx context.Context, job *river.Job[reconcileArgs], err error, interrupted bool, log *slog.Logger) (string, error) {
	var limited *forge.RateLimitError
	var slow *publish.RateLimitError
	var crowded *crowdedError
	switch {
	case err == nil:
		q.o.Contacted()
		return outcomeDone, nil
	case interrupted:
		return outcomeInterrupted, river.JobSnooze(0)
	case errors.As(err, &limited):
		pause := min(max(time.Until(limited.Until), minLimited), maxLimited)
		log.WarnContext(ctx, "GitHub's rate limit", "error", err, "pause", pause)
		return outcomeLimited, river.JobSnooze(pause)
	case errors.As(err, &slow):
		pause := min(max(slow.RetryAfter, minLimited), maxLimited)
		log.WarnContext(ctx, "publishing has to wait", "error", err, "pause", pause)
		return outcomeLimited, river.JobSnooze(pause)
	case errors.As(err, &crowded):
		return outcomeCrowded, river.JobSnooze(q.shares.pause(handlers.Key(job.Args.Key)))
	case errors.Is(err, handlers.ErrMalformedKey):
		log.ErrorContext(ctx, "job refused", "error", err)
		return outcomeRefused, river.JobCancel(err)
	case job.Attempt < job.MaxAttempts:
		log.Log(ctx, severity(err), "job failed, will be tried again", "error", err)
		return outcomeFailed, err
	}
	log.ErrorContext(ctx, "job failed for good", "error", err)
	q.giveUp(ctx, job.ID, handlers.Key(job.Args.Key), log)
	return outcomeGivenUp, err
}

func (q *Queue) giveUp(ctx context.Context, id int64, key handlers.Key, log *slog.Logger) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), giveUpTimeout)
	defer cancel()
	defer func() {
		if p := recover(); p != nil {
			log.ErrorContext(ctx, "telling the author panicked", "panic", p, "stack", string(debug.Stack()))
		}
	}()
	if err := q.reconciler.GiveUp(ctx, key, strconv.FormatInt(id, 10)); err != nil {
		log.ErrorContext(ctx, "could not tell the author that we gave up", "error", err)
	}
}

// stepBack returns the job to the queue.
func (q *Queue) stepBack(ctx context.Context) error {
	if ctx.Err() != nil {
		return river.JobSnooze(0)
	}
	return river.JobSnooze(busyPause)
}

// due is when a job that ended so runs again; zero is never.
func (q *Queue) due(job *rivertype.JobRow, err error) time.Time {
	var (
		snooze *rivertype.JobSnoozeError
		cancel *rivertype.JobCancelError
	)
	switch {
	case err == nil, errors.As(err, &cancel):
		return time.Time{}
	case errors.As(err, &snooze):
		return time.Now().Add(snooze.Duration)
	case job.Attempt >= job.MaxAttempts:
		return time.Time{}
	}
	return q.retries.NextRetry(job)
}

// keyWord is the first word of a key, which is what kind of thing it names.
func keyWord(key handlers.Key) string {
	word, _, _ := strings.Cut(string(key), " ")
	return word
}
