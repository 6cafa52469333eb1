package main

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/tofu-registrar/registrar/forge"
	"github.com/tofu-registrar/registrar/handlers"
	"github.com/tofu-registrar/registrar/registrydata"
	"github.com/tofu-registrar/registrar/validation"
)

// dayRepository is a repository of a simulated GitHub.
type dayRepository struct {
	source   handlers.Source
	weight   float64 // how often it releases, among all
	last     time.Time
	releases int
	waiting  []time.Time // releases that no look has found
}

// dayWorld is a GitHub that is asked nothing but feeds and tags. It counts.
type dayWorld struct {
	mu           sync.Mutex
	repositories []*dayRepository
	byName       map[registrydata.Repository]*dayRepository
	read         int // feeds with news
	unchanged    int // feeds without
	tags         int
	found        []time.Duration
}

// newDayWorld has n repositories, one in seven a provider's. How often each
// releases is lognormal (a few release each day, most hardly ever); the time since
// its last release follows from that.
func newDayWorld(n int, now time.Time, random *rand.Rand) *dayWorld {
	w := &dayWorld{byName: map[registrydata.Repository]*dayRepository{}}
	total := 0.0
	for i := range n {
		r := &dayRepository{weight: math.Exp(2 * random.NormFloat64())}
		r.source.Kind, r.source.Repository = registrydata.KindModule, registrydata.Repository{Owner: "o" + strconv.Itoa(i%8000), Name: "terraform-aws-n" + strconv.Itoa(i)}
		if i%7 == 0 {
			r.source.Kind, r.source.Repository.Name = registrydata.KindProvider, "terraform-provider-n"+strconv.Itoa(i)
		}
		total += r.weight
		w.repositories, w.byName[r.source.Repository] = append(w.repositories, r), r
	}
	perDay := 95.0 * float64(n) / 27500
	for _, r := range w.repositories {
		r.weight /= total
		age := random.ExpFloat64() / (perDay * r.weight) // days
		r.last = now.Add(-time.Duration(min(age, 2500) * float64(day)))
	}
	return w
}

func (w *dayWorld) release(r *dayRepository, now time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	r.last, r.releases, r.waiting = now, r.releases+1, append(r.waiting, now)
}

// Sources implements lookWorld.
func (w *dayWorld) Sources(context.Context) (string, []handlers.Source, error) {
	sources := make([]handlers.Source, len(w.repositories))
	for i, r := range w.repositories {
		sources[i] = r.source
	}
	return "c", sources, nil
}

// Recorded implements lookWorld: all that was released before.
func (w *dayWorld) Recorded(context.Context, string, []handlers.Source) (*recordedVersions, error) {
	rec := newRecordedVersions()
	for _, r := range w.repositories {
		rec.all[rec.key(r.source.Repository, "v1.0.0")] = struct{}{}
	}
	return rec, nil
}

// Feed implements lookWorld; it takes the time that GitHub takes.
func (w *dayWorld) Feed(_ context.Context, repo registrydata.Repository, _ forge.FeedKind, last forge.FeedMark) (forge.Feed, error) {
	time.Sleep(50 * time.Millisecond)
	w.mu.Lock()
	defer w.mu.Unlock()
	r := w.byName[repo]
	mark := forge.FeedMark{ETag: strconv.Itoa(r.releases + 1)}
	if mark == last {
		w.unchanged++
		return forge.Feed{Unchanged: true}, nil
	}
	w.read++
	return forge.Feed{Mark: mark, Entries: []forge.FeedEntry{{Tag: fmt.Sprintf("v1.0.%d", r.releases), Updated: r.last}}}, nil
}

// LookTags implements lookWorld.
func (w *dayWorld) LookTags(_ context.Context, repo registrydata.Repository) ([]validation.Tag, bool, error) {
	time.Sleep(100 * time.Millisecond)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.tags++
	return []validation.Tag{{Name: fmt.Sprintf("v1.0.%d", w.byName[repo].releases), Object: "x"}}, true, nil
}

// enqueue is where a found release ends: at the queue.
func (w *dayWorld) enqueue(_ context.Context, keys []handlers.Key) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, key := range keys {
		_, name, _ := strings.Cut(string(key), " ")
		owner, name, _ := strings.Cut(name, "/")
		r := w.byName[registrydata.Repository{Owner: owner, Name: name}]
		for _, at := range r.waiting {
			w.found = append(w.found, time.Since(at))
		}
		r.waiting = nil
	}
	return nil
}

// TestSimulatedDay plays a day of looks, with the scheduler as it is, its table in
// SQLite, and a clock that jumps. REGISTRAR_SIMULATE=27500 plays it at full size:
//
//	REGISTRAR_SIMULATE=27500 go test -run TestSimulatedDay -v -timeout 30m ./app
func TestSimulatedDay(t *testing.T) {
	t.Parallel()
	n, length := 100, time.Hour
	if size, err := strconv.Atoi(os.Getenv("REGISTRAR_SIMULATE")); err == nil {
		n, length = size, day
	}
	for _, c := range []struct {
		name string
		pick func(*dayWorld, *rand.Rand) *dayRepository
	}{
		{"as they did before", pickByWeight},
		{"any, the silent ones too", func(w *dayWorld, random *rand.Rand) *dayRepository {
			return w.repositories[random.IntN(len(w.repositories))]
		}},
	} {
		t.Run(c.name, func(t *testing.T) { synctest.Test(t, func(t *testing.T) { playDay(t, n, length, c.pick) }) })
	}
}

func pickByWeight(w *dayWorld, random *rand.Rand) *dayRepository {
	at := random.Float64()
	for _, r := range w.repositories {
		if at -= r.weight; at <= 0 {
			return r
		}
	}
	return w.repositories[0]
}

func playDay(t *testing.T, n int, length time.Duration, pick func(*dayWorld, *rand.Rand) *dayRepository) {
	const releases = 95                   // 35 of providers, 60 of modules
	random := rand.New(rand.NewPCG(1, 2)) // #nosec G404 -- repeatable
	w := newDayWorld(n, time.Now(), random)
	l := dayLooks(t, w, random)
	settleDay(t, l, w, random)
	began := time.Now()
	var times []time.Duration
	for range releases {
		times = append(times, time.Duration(random.Float64()*float64(length)))
	}
	slices.Sort(times)
	players := sync.WaitGroup{}
	players.Go(func() {
		// Looks take theirs at the same time.
		chance := rand.New(rand.NewPCG(3, 4)) // #nosec G404 -- repeatable
		for i, at := range times {
			time.Sleep(time.Until(began.Add(at)))
			r := pick(w, chance)
			for (r.source.Kind == registrydata.KindProvider) != (i%19 < 7) { // 35 of 95
				r = pick(w, chance)
			}
			w.release(r, time.Now())
		}
	})
	oldest := time.Duration(0)
	ticker := time.NewTicker(lookTick)
	defer ticker.Stop()
	// The day, and the longest pause after it: each release can be found.
	for time.Since(began) < length+l.o.Most+l.o.Most/5 {
		if err := l.run(t.Context(), false); err != nil {
			t.Fatal(err)
		}
		if f, err := l.table.figures(t.Context(), time.Now()); err == nil {
			oldest = max(oldest, f.Oldest)
		}
		<-ticker.C
	}
	players.Wait()
	reportDay(t, w, time.Since(began), oldest)
	if len(w.found) != releases {
		t.Errorf("%d of %d releases found", len(w.found), releases)
	}
	if oldest > l.o.Limit {
		t.Errorf("the oldest look was %s old; the limit is %s", oldest, l.o.Limit)
	}
}

func dayLooks(t *testing.T, w *dayWorld, random *rand.Rand) *looks {
	db, err := sql.Open("sqlite", "file::memory:?_txlock=immediate")
	if err != nil {
		t.Fatal(err)
	}
	db.SetMaxOpenConns(1)
	t.Cleanup(func() { _ = db.Close() })
	l := newLooks(LookConfig{}, &database{DB: db}, slog.New(slog.DiscardHandler), newLookMetrics(prometheus.NewRegistry()), w.enqueue)
	var mu sync.Mutex
	l.world, l.chance = w, func() float64 { mu.Lock(); defer mu.Unlock(); return random.Float64() }
	if err := l.table.make(t.Context()); err != nil {
		t.Fatal(err)
	}
	return l
}

// settleDay makes the table what it is after days of looks: each somewhere within
// its pause.
func settleDay(t *testing.T, l *looks, w *dayWorld, random *rand.Rand) {
	now := time.Now()
	if err := l.refresh(t.Context(), true); err != nil {
		t.Fatal(err)
	}
	states := make([]lookState, 0, len(w.repositories))
	for _, r := range w.repositories {
		saw := sight{FeedLooked: true, TagsLooked: true, TagsThere: true}
		saw.Feed, _ = w.Feed(t.Context(), r.source.Repository, "", forge.FeedMark{})
		saw.Tags, _, _ = w.LookTags(t.Context(), r.source.Repository)
		s, _ := l.pace.after(lookState{Repository: r.source.Repository, Since: now}, saw, now, nil, half)
		every := s.Due.Sub(now)
		at := time.Duration(random.Float64() * float64(every))
		s.LookedAt, s.Due, s.Changed = time.Now().Add(at-every), time.Now().Add(at), time.Time{}
		s.TagsDue = time.Now().Add(time.Duration(random.Float64() * float64(s.TagsDue.Sub(now))))
		states = append(states, s)
	}
	if err := l.table.save(t.Context(), states); err != nil {
		t.Fatal(err)
	}
	w.read, w.unchanged, w.tags = 0, 0, 0
}

func reportDay(t *testing.T, w *dayWorld, took, oldest time.Duration) {
	slices.SortFunc(w.found, cmp.Compare[time.Duration])
	if len(w.found) == 0 {
		return
	}
	at := func(share float64) time.Duration {
		return w.found[int(share*float64(len(w.found)-1))].Round(time.Second)
	}
	hours := took.Hours()
	t.Logf("%d repositories: found after %s at the median, %s at the ninth decile, %s at worst; an hour: %.0f feeds unchanged, %.0f read, %.0f lists of tags, 0 REST calls; oldest look %s",
		len(w.repositories), at(0.5), at(0.9), at(1), float64(w.unchanged)/hours, float64(w.read)/hours, float64(w.tags)/hours, oldest.Round(time.Second))
}
