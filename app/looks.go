package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"strings"
	"sync"
	"time"

	"github.com/riverqueue/river"
	"golang.org/x/time/rate"

	"github.com/tofu-registrar/registrar/handlers"
)

// lookArgs is the job of looking at every registered repository that is due.
type lookArgs struct {
	// Asked is set where somebody waits for this very job.
	Asked string `json:"asked,omitempty"`
}

// Kind is the name of the job in the database.
func (lookArgs) Kind() string { return "look" }

const (
	// looksQueue has one worker: looks wait for nothing else, and nothing for them.
	looksQueue = "looks"
	// lookTick is how often due looks are looked for. A job ends when none is due.
	lookTick = 30 * time.Second
	// passTimeout ends a job whose work does not end; the next one goes on.
	passTimeout = 20 * time.Minute
	// refreshEvery is how often the metadata branch is asked whether it moved.
	refreshEvery = time.Minute
	// manyNew is how many repositories whose versions were never seen make it worth reading
	// all data files at once, to know which of their versions are recorded.
	manyNew = 100
	// The bounds of how many handler runs looks may cause: a change of GitHub's
	// feeds that makes everything look new would otherwise use up the quota that
	// webhooks need. What is found in a day is less than an hour's part of it.
	foundPerHour = 160
	foundAtOnce  = 200
	// Those of first looks, of which many find versions that can never be
	// recorded, are counted apart: they must not keep news from being judged.
	firstPerHour = 60
	firstAtOnce  = manyNew
	// laterWhenFull is when a repository is looked at again whose news found no
	// place in these bounds.
	laterWhenFull = 10 * time.Minute
)

func periodicLooks() *river.PeriodicJob {
	return river.NewPeriodicJob(river.PeriodicInterval(lookTick), func() (river.JobArgs, *river.InsertOpts) {
		return lookArgs{}, &river.InsertOpts{
			Queue: looksQueue, MaxAttempts: 1,
			UniqueOpts: river.UniqueOpts{ByArgs: true, ByState: unfinished},
		}
	}, &river.PeriodicJobOpts{RunOnStart: true})
}

// looks looks at every registered repository in turn, without API quota, and
// enqueues those where something is new.
type looks struct {
	o       LookConfig
	pace    lookPace
	table   lookTable
	enqueue func(ctx context.Context, keys []handlers.Key) error
	metrics *lookMetrics
	log     *slog.Logger
	now     func() time.Time
	chance  func() float64

	feeds, tags  *lookRate
	found, first *rate.Limiter // of handler runs

	running   sync.Mutex // held by the pass that runs
	world     lookWorld  // nil until Start
	refreshed time.Time
	commit    string            // of the sources that the table holds
	recorded  *recordedVersions // while many were never seen
	unread    int               // how often recorded could not be read
}

func newLooks(o LookConfig, db *database, log *slog.Logger, m *lookMetrics, enqueue func(context.Context, []handlers.Key) error) *looks {
	o = o.withDefaults()
	return &looks{
		o: o, pace: o.pace(), table: lookTable{db.DB}, enqueue: enqueue, metrics: m, log: log,
		now: time.Now, chance: rand.Float64, // #nosec G404 -- spreads load, hides nothing
		feeds: newLookRate(o.FeedsPerSecond), tags: newLookRate(o.TagsPerSecond),
		found: rate.NewLimiter(rate.Limit(foundPerHour/time.Hour.Seconds()), foundAtOnce),
		first: rate.NewLimiter(rate.Limit(firstPerHour/time.Hour.Seconds()), firstAtOnce),
	}
}

// lookWorker runs the job.
type lookWorker struct {
	river.WorkerDefaults[lookArgs]
	queue *Queue
}

// Work looks at what is due. A job that fails is cancelled, not tried again: the
// next one is due in half a minute.
func (w *lookWorker) Work(ctx context.Context, job *river.Job[lookArgs]) error {
	q := w.queue
	q.activity.begin(job.ID)
	defer func() { q.activity.end(job.ID, time.Time{}) }()
	bounded, cancel := context.WithTimeout(ctx, passTimeout)
	defer cancel()
	err := q.looks.run(bounded, job.Args.Asked != "")
	switch {
	case errors.Is(ctx.Err(), context.Canceled), // the program stops
		err != nil && bounded.Err() != nil && job.Args.Asked != "": // someone waits for the rest
		return river.JobSnooze(0)
	case err == nil, errors.Is(bounded.Err(), context.DeadlineExceeded):
		return nil
	}
	q.o.Log.ErrorContext(ctx, "looking at the registered repositories failed", "error", err)
	return river.JobCancel(err)
}

// run is one pass: it brings the list of repositories up to date and looks until
// nothing is due.
func (l *looks) run(ctx context.Context, asked bool) error {
	l.running.Lock()
	defer l.running.Unlock()
	if l.world == nil {
		return nil
	}
	if err := l.refresh(ctx, asked); err != nil {
		if l.commit == "" {
			return err
		}
		l.log.WarnContext(ctx, "the list of what is registered is not up to date", "error", err)
	}
	if until := l.feeds.paused(l.now()); !until.IsZero() {
		l.log.InfoContext(ctx, "GitHub wants no looks", "until", until)
		return nil
	}
	return newLookPass(l).run(ctx)
}

// refresh makes the table hold what is registered.
func (l *looks) refresh(ctx context.Context, asked bool) error {
	now := l.now()
	if !asked && now.Sub(l.refreshed) < refreshEvery {
		return nil
	}
	commit, sources, err := l.world.Sources(ctx)
	if err != nil {
		return err
	}
	if commit != l.commit {
		added, removed, err := l.table.keep(ctx, sources, now, l.chance)
		if err != nil {
			return err
		}
		if added+removed > 0 {
			l.log.InfoContext(ctx, "registered repositories", "all", len(sources), "new", added, "gone", removed)
		}
		if need := float64(len(sources)) / l.o.Limit.Seconds(); need > l.o.FeedsPerSecond {
			l.log.ErrorContext(ctx, "look.feeds_per_second is too low to look at every repository within look.limit",
				"repositories", len(sources), "needed", need)
		}
	}
	if err := l.readRecorded(ctx, commit, sources); err != nil {
		return err
	}
	l.commit, l.refreshed = commit, now
	return nil
}

// readRecorded reads what is recorded while the versions of many repositories
// were never seen, which is after the table was lost, and forgets it when all
// feeds and tags were listed. What is merged meanwhile is not in it, and costs a
// run. Where it cannot be read, everything counts as new in the end, within the
// bounds.
func (l *looks) readRecorded(ctx context.Context, commit string, sources []handlers.Source) error {
	figures, err := l.table.figures(ctx, l.now())
	if err != nil {
		return err
	}
	if figures.Unlisted < manyNew {
		l.recorded, l.unread = nil, 0
		return nil
	}
	const mostUnread = 5
	if l.recorded != nil || l.unread >= mostUnread {
		return nil
	}
	recorded, err := l.world.Recorded(ctx, commit, sources)
	if err != nil {
		l.unread++
		return fmt.Errorf("read what is recorded: %w", err)
	}
	l.recorded, l.unread = recorded, 0
	return nil
}

// settle enqueues what is new, durably, and only then remembers what was seen: a
// crash in between costs a run, never a release.
func (l *looks) settle(ctx context.Context, batch []looked) error {
	var keys []handlers.Key
	states := make([]lookState, len(batch))
	for i, b := range batch {
		states[i] = b.after
		if !b.changed {
			continue
		}
		budget := l.found
		if b.first() {
			budget = l.first
		}
		if !budget.AllowN(l.now(), 1) {
			l.metrics.postponed()
			states[i] = b.before
			states[i].LookedAt = b.after.LookedAt
			states[i].Due = l.now().Add(jitter(laterWhenFull, l.chance()))
			continue
		}
		keys = append(keys, lookKey(b.before))
	}
	if len(keys) > 0 {
		if err := l.enqueue(ctx, keys); err != nil {
			return err
		}
	}
	return l.table.save(ctx, states)
}

// first tells whether what was found was not compared with an earlier look.
func (b looked) first() bool {
	return b.before.FeedSeen == "" || b.before.TagsSeen == "" && b.before.FeedSeen == b.after.FeedSeen
}

// lookKey is what is run where a look found something.
func lookKey(s lookState) handlers.Key { return handlers.LookKey(s.Repository) }

// answered notes that a repository was looked at because something asked: there
// may be more of it soon.
func (l *looks) answered(ctx context.Context, key handlers.Key) {
	word, name, _ := strings.Cut(string(key), " ")
	if l == nil || word != "repository" {
		return
	}
	now := l.now()
	if err := l.table.asked(ctx, name, now, now.Add(l.pace.Least)); err != nil && ctx.Err() == nil {
		l.log.WarnContext(ctx, "a question was not noted", "key", key, "error", err)
	}
}

// answering notes which repositories were looked at because something asked.
type answering struct {
	Reconciler
	looks *looks
}

// Reconcile implements Reconciler.
func (a answering) Reconcile(ctx context.Context, key handlers.Key) (handlers.Result, error) {
	result, err := a.Reconciler.Reconcile(ctx, key)
	if err == nil {
		a.looks.answered(ctx, key)
	}
	return result, err
}
