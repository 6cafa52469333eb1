package main

import (
	"context"
	"hash/fnv"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/riverqueue/river"

	"github.com/tofu-registrar/registrar/handlers"
	"github.com/tofu-registrar/registrar/registrydata"
)

// upkeepArgs is the job of enqueuing the audits and backfills whose turn it is.
type upkeepArgs struct{}

// Kind is the name of the job in the database.
func (upkeepArgs) Kind() string { return "upkeep" }

const (
	// upkeepTick is how long one turn is.
	upkeepTick = time.Minute
	// upkeepMissed bounds the turns that are made up for after a pause: of more
	// than that it is better to wait until they come round again.
	upkeepMissed = 60
)

func periodicUpkeep() *river.PeriodicJob {
	return river.NewPeriodicJob(river.PeriodicInterval(upkeepTick), func() (river.JobArgs, *river.InsertOpts) {
		return upkeepArgs{}, &river.InsertOpts{
			Priority: prioritySweep, MaxAttempts: 1,
			UniqueOpts: river.UniqueOpts{ByState: unfinished},
		}
	}, nil)
}

// upkeep spreads audits and backfills of everything that is registered evenly
// over a cycle. Whose turn it is depends on the clock and the entity alone, so
// that nothing has to be remembered, and a deleted database loses nothing.
type upkeep struct {
	audit    AuditConfig
	backfill BackfillConfig
	now      func() time.Time
	enqueue  func(ctx context.Context, keys []handlers.Key) error

	mu   sync.Mutex
	last int64 // the turn that was taken last; 0: none
}

// run enqueues what the turns since the last run want.
func (u *upkeep) run(ctx context.Context, world lookWorld) error {
	u.mu.Lock()
	defer u.mu.Unlock()
	turn := u.now().UnixNano() / int64(upkeepTick)
	from := turn
	if u.last > 0 {
		from = max(u.last+1, turn-upkeepMissed)
	}
	if from > turn {
		return nil
	}
	_, sources, err := world.Sources(ctx)
	if err != nil {
		return err
	}
	if keys := u.due(sources, from, turn); len(keys) > 0 {
		if err := u.enqueue(ctx, keys); err != nil {
			return err
		}
	}
	u.last = turn
	return nil
}

// due are the keys of the turns from one to another, both included.
func (u *upkeep) due(sources []handlers.Source, from, to int64) (keys []handlers.Key) {
	audits := int64(u.audit.Every / upkeepTick)
	backfills := int64(u.backfill.Every / upkeepTick)
	for _, s := range sources {
		for _, path := range s.Paths {
			e, ok := registrydata.EntityFromPath(path)
			if !ok {
				continue
			}
			if !u.audit.Off && itsTurn("audit "+path, audits, from, to) {
				keys = append(keys, handlers.AuditKey(e, ""))
			}
			if !u.backfill.Off && s.Kind == registrydata.KindProvider && itsTurn("backfill "+path, backfills, from, to) {
				keys = append(keys, handlers.BackfillKey(e))
			}
		}
	}
	return keys
}

// itsTurn tells whether one of the turns is that of a name, which comes once in a
// cycle.
func itsTurn(name string, cycle, from, to int64) bool {
	sum := fnv.New64a()
	_, _ = sum.Write([]byte(name))
	own := int64(sum.Sum64() % uint64(cycle)) // #nosec G115 -- below the cycle
	since := ((own-from)%cycle + cycle) % cycle
	return since <= to-from
}

// upkeepWorker runs the job.
type upkeepWorker struct {
	river.WorkerDefaults[upkeepArgs]
	queue *Queue
}

// Work implements river.Worker. What fails is made up for by the next turn.
func (w *upkeepWorker) Work(ctx context.Context, job *river.Job[upkeepArgs]) error {
	q := w.queue
	q.activity.begin(job.ID)
	defer func() { q.activity.end(job.ID, time.Time{}) }()
	if q.world == nil {
		return nil
	}
	if err := q.upkeep.run(ctx, q.world); err != nil {
		q.o.Log.WarnContext(ctx, "audits and backfills were not enqueued", "error", err)
		return river.JobCancel(err)
	}
	return nil
}

// differences are the versions that are not as they were recorded, by what the
// last audit of each entity in this process has found.
type differences struct {
	gauge  prometheus.Gauge
	audits prometheus.Counter

	mu     sync.Mutex
	byPath map[string]int
	all    int
}

func newDifferences(r prometheus.Registerer) *differences {
	d := &differences{
		byPath: map[string]int{},
		gauge: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "registrar_recorded_differences",
			Help: "Recorded versions that their authors do not publish as recorded any more: edited, moved or gone. As the last audits of this process found; the alerts name them.",
		}),
		audits: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "registrar_audits_total", Help: "Comparisons of an entity's records with what its author publishes.",
		}),
	}
	r.MustRegister(d.gauge, d.audits)
	return d
}

func (d *differences) found(path string, versions int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.all += versions - d.byPath[path]
	if d.byPath[path] = versions; versions == 0 {
		delete(d.byPath, path)
	}
	d.gauge.Set(float64(d.all))
	d.audits.Inc()
}
