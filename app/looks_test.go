package main

import (
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"golang.org/x/time/rate"

	"github.com/tofu-registrar/registrar/forge"
	"github.com/tofu-registrar/registrar/handlers"
	"github.com/tofu-registrar/registrar/registrydata"
	"github.com/tofu-registrar/registrar/validation"
)

// fakeLooks are repositories whose feeds have one entry, or fail.
type fakeLooks struct {
	mu       sync.Mutex
	commit   int
	tags     map[string]string // the newest tag, by repository
	fails    map[string]error
	panics   string
	asked    []string
	listed   []string
	enqueued []handlers.Key
	refuse   error // of enqueue
	recorded *recordedVersions
	archives int
}

func newFakeLooks(names ...string) *fakeLooks {
	f := &fakeLooks{tags: map[string]string{}, fails: map[string]error{}}
	for _, n := range names {
		f.tags[n] = "v1.0.0"
	}
	return f
}

func fakeRepository(name string) registrydata.Repository {
	return registrydata.Repository{Owner: "acme", Name: "terraform-aws-" + name}
}

// Sources implements lookWorld; the head moves each time.
func (f *fakeLooks) Sources(context.Context) (string, []handlers.Source, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.commit++
	var sources []handlers.Source
	for n := range f.tags {
		sources = append(sources, handlers.Source{Repository: fakeRepository(n), Kind: registrydata.KindModule})
	}
	return strconv.Itoa(f.commit), sources, nil
}

// Recorded implements lookWorld.
func (f *fakeLooks) Recorded(context.Context, string, []handlers.Source) (*recordedVersions, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.archives++
	return f.recorded, nil
}

// Feed implements lookWorld.
func (f *fakeLooks) Feed(_ context.Context, repo registrydata.Repository, _ forge.FeedKind, last forge.FeedMark) (forge.Feed, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	n := repo.Name[len("terraform-aws-"):]
	f.asked = append(f.asked, n)
	if n == f.panics {
		panic("a bug")
	}
	if err := f.fails[n]; err != nil {
		return forge.Feed{}, err
	}
	mark := forge.FeedMark{ETag: f.tags[n]}
	if mark == last {
		return forge.Feed{Unchanged: true}, nil
	}
	return forge.Feed{Mark: mark, Entries: []forge.FeedEntry{{Tag: f.tags[n]}}}, nil
}

// LookTags implements lookWorld.
func (f *fakeLooks) LookTags(_ context.Context, repo registrydata.Repository) ([]validation.Tag, bool, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	n := repo.Name[len("terraform-aws-"):]
	f.listed = append(f.listed, n)
	return []validation.Tag{{Name: f.tags[n], Object: "1"}}, true, nil
}

func (f *fakeLooks) enqueue(_ context.Context, keys []handlers.Key) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.refuse != nil {
		return f.refuse
	}
	f.enqueued = append(f.enqueued, keys...)
	return nil
}

// found are the repositories that were enqueued since the last call.
func (f *fakeLooks) found() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	var names []string
	for _, k := range f.enqueued {
		names = append(names, string(k)[len("look acme/terraform-aws-"):])
	}
	f.enqueued = nil
	slices.Sort(names)
	return names
}

func testLooks(t *testing.T, f *fakeLooks) *looks {
	t.Helper()
	db, err := openDatabase(t.Context(), Database(filepath.Join(t.TempDir(), "queue.db")), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return looksOn(t, f, db)
}

func looksOn(t *testing.T, f *fakeLooks, db *database) *looks {
	t.Helper()
	l := newLooks(LookConfig{FeedsPerSecond: 1000, TagsPerSecond: 1000}, db, slog.New(slog.DiscardHandler),
		newLookMetrics(prometheus.NewRegistry()), f.enqueue)
	l.world = f
	if err := l.table.make(t.Context()); err != nil {
		t.Fatal(err)
	}
	return l
}

// again makes all due and runs a pass.
func again(t *testing.T, l *looks) {
	t.Helper()
	if err := l.table.askAll(t.Context(), time.Now()); err != nil {
		t.Fatal(err)
	}
	if err := l.run(t.Context(), true); err != nil {
		t.Fatal(err)
	}
}

func wantFound(t *testing.T, f *fakeLooks, when string, want ...string) {
	t.Helper()
	if got := f.found(); !slices.Equal(got, want) {
		t.Errorf("%s: found %v, want %v", when, got, want)
	}
}

// A look finds what is new, once, and what is registered or not any more.
func TestLooksFind(t *testing.T) {
	t.Parallel()
	f := newFakeLooks("a", "b", "c")
	l := testLooks(t, f)
	again(t, l)
	wantFound(t, f, "the first look of a few repositories, whose records are not known", "a", "b", "c")
	again(t, l)
	wantFound(t, f, "nothing new")
	f.tags["b"] = "v1.1.0"
	again(t, l)
	wantFound(t, f, "a release", "b")
	again(t, l)
	wantFound(t, f, "the same again")
	delete(f.tags, "c")
	f.tags["d"] = "v0.1.0"
	again(t, l)
	wantFound(t, f, "a registration", "d")
	if figures, err := l.table.figures(t.Context(), time.Now()); err != nil || figures.Registered != 3 {
		t.Errorf("%+v, %v; want 3 registered", figures, err)
	}
}

// The news goes to the queue before it is remembered: nothing is lost between.
func TestLooksEnqueueFirst(t *testing.T) {
	t.Parallel()
	f := newFakeLooks("a")
	l := testLooks(t, f)
	again(t, l)
	f.found()
	f.tags["a"], f.refuse = "v1.1.0", errors.New("the disk is full")
	if err := l.table.askAll(t.Context(), time.Now()); err != nil {
		t.Fatal(err)
	}
	if err := l.run(t.Context(), true); !errors.Is(err, f.refuse) {
		t.Fatalf("run: %v, want that the queue is full", err)
	}
	f.refuse = nil
	if err := l.run(t.Context(), true); err != nil { // it is still due
		t.Fatal(err)
	}
	wantFound(t, f, "after the disk has room again", "a")
}

// One repository's fault, and a bug that one sets off, are no other's.
func TestLooksFaults(t *testing.T) {
	t.Parallel()
	f := newFakeLooks("a", "b", "c")
	l := testLooks(t, f)
	again(t, l)
	f.found()
	f.fails["a"], f.panics = &forge.Fault{Message: "HTML"}, "b"
	f.tags["a"], f.tags["b"], f.tags["c"] = "v2.0.0", "v2.0.0", "v2.0.0"
	again(t, l)
	wantFound(t, f, "two that fail", "c")
	figures, err := l.table.figures(t.Context(), time.Now())
	if err != nil || figures.Failing != 2 {
		t.Errorf("%+v, %v; want 2 failing", figures, err)
	}
	f.fails, f.panics = map[string]error{}, ""
	again(t, l)
	wantFound(t, f, "healed", "a", "b")
}

// A host that wants fewer requests gets none until its time, and slower ones
// after it. The looks that it refused do not count.
func TestLooksLimited(t *testing.T) {
	t.Parallel()
	f := newFakeLooks("a", "b")
	l := testLooks(t, f)
	f.fails["a"] = &forge.RateLimitError{Until: time.Now().Add(time.Hour), Secondary: true}
	f.fails["b"] = f.fails["a"]
	again(t, l)
	asked := len(f.asked)
	again(t, l)
	if len(f.asked) != asked {
		t.Errorf("asked %d times in the pause", len(f.asked)-asked)
	}
	figures, err := l.table.figures(t.Context(), time.Now())
	if err != nil || figures.Due != 2 || figures.Failing != 0 {
		t.Errorf("%+v, %v; want both due and none failing", figures, err)
	}
	r := prometheus.NewRegistry()
	r.MustRegister(l.metrics.looks)
	if counted, err := r.Gather(); err != nil || len(counted) != 1 || counted[0].GetMetric()[0].GetCounter().GetValue() == 0 {
		t.Errorf("the limit is not counted: %v, %v", counted, err)
	}
}

// A host that is down is left alone for a while, and not asked 27,500 times.
func TestLooksHostDown(t *testing.T) {
	t.Parallel()
	f := newFakeLooks()
	for i := range 300 {
		name := strconv.Itoa(i)
		f.tags[name], f.fails[name] = "v1.0.0", errors.New("status 502")
	}
	f.recorded = newRecordedVersions()
	l := testLooks(t, f)
	again(t, l)
	if len(f.asked) > troubleMost+l.o.Parallel {
		t.Errorf("asked %d times", len(f.asked))
	}
	if l.feeds.paused(time.Now()).IsZero() {
		t.Error("the host is not left alone")
	}
}

// After the table was lost, only what is not recorded is judged; what is recorded
// is read once, and forgotten when everything was seen.
func TestLooksAfterLoss(t *testing.T) {
	t.Parallel()
	f := newFakeLooks()
	f.recorded = newRecordedVersions()
	for i := range manyNew + 10 {
		name := strconv.Itoa(i)
		f.tags[name] = "v1.0.0"
		f.recorded.all[f.recorded.key(fakeRepository(name), "1.0.0")] = struct{}{}
	}
	f.tags["7"] = "v1.0.1"
	l := testLooks(t, f)
	again(t, l)
	wantFound(t, f, "one that is not recorded", "7")
	again(t, l)
	if f.archives != 1 || l.recorded == nil {
		t.Errorf("read %d times; tags were not listed yet, forgotten %v", f.archives, l.recorded == nil)
	}
	if _, err := l.table.db.Exec(`UPDATE registrar_looks SET tags_due_at = 1`); err != nil {
		t.Fatal(err)
	}
	again(t, l)
	again(t, l)
	wantFound(t, f, "the tags", "7")
	if l.recorded != nil || len(f.listed) < manyNew {
		t.Errorf("%d listed, forgotten %v", len(f.listed), l.recorded == nil)
	}
}

// Too much news at once is put off, not dropped.
func TestLooksPostpone(t *testing.T) {
	t.Parallel()
	f := newFakeLooks("a", "b", "c")
	l := testLooks(t, f)
	l.first = rate.NewLimiter(0, 1)
	again(t, l)
	first := f.found()
	if len(first) != 1 {
		t.Fatalf("found %v, want one", first)
	}
	f.tags[first[0]] = "v1.1.0"
	again(t, l)
	wantFound(t, f, "news, which first looks must not hold up", first[0])
	l.first = rate.NewLimiter(0, 10)
	again(t, l)
	if rest := f.found(); len(rest) != 2 || slices.Contains(rest, first[0]) {
		t.Errorf("then found %v after %v", rest, first)
	}
}

// TestLooksInPostgres: the table's SQL is understood there too.
func TestLooksInPostgres(t *testing.T) {
	t.Parallel()
	db, err := openDatabase(t.Context(), Database(testPostgres(t)), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	f := newFakeLooks("a", "b")
	l := looksOn(t, f, db)
	again(t, l)
	f.found()
	f.tags["a"] = "v2.0.0"
	delete(f.tags, "b")
	again(t, l)
	wantFound(t, f, "a release", "a")
	if known, err := l.table.ask(t.Context(), fakeRepository("a").String(), time.Now()); err != nil || !known {
		t.Errorf("ask: %v, %v", known, err)
	}
	l.answered(t.Context(), handlers.RepositoryKey(fakeRepository("a")))
	again(t, l)
	if saw, err := l.table.since(t.Context(), time.Now().Add(-time.Hour)); err != nil || saw.Looked != 1 || saw.Changed != 1 || len(f.listed) == 0 {
		t.Errorf("%+v, %v, tags of %v", saw, err, f.listed)
	}
}

// What someone waits for goes first, then what was never seen, then the oldest.
func TestDueOrder(t *testing.T) {
	t.Parallel()
	l := testLooks(t, newFakeLooks())
	now := time.UnixMilli(1_000_000_000)
	ago := func(d time.Duration) time.Time { return now.Add(-d) }
	tx, err := l.table.db.Begin()
	if err != nil {
		t.Fatal(err)
	}
	err = insertLooks(t.Context(), tx, []lookState{
		{Repository: fakeRepository("young"), LookedAt: ago(time.Minute), Due: ago(time.Hour)},
		{Repository: fakeRepository("old"), LookedAt: ago(day), Due: ago(time.Second)},
		{Repository: fakeRepository("never"), Due: ago(time.Millisecond)},
		{Repository: fakeRepository("asked"), LookedAt: ago(time.Second), Asked: now, Due: now},
		{Repository: fakeRepository("answered"), LookedAt: ago(time.Second), Asked: ago(time.Minute), Due: now},
		{Repository: fakeRepository("later"), Due: now.Add(time.Millisecond)},
	})
	if err = errors.Join(err, tx.Commit()); err != nil {
		t.Fatal(err)
	}
	due, err := l.table.due(t.Context(), now, 10)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, s := range due {
		names = append(names, s.Repository.Name[len("terraform-aws-"):])
	}
	if want := []string{"asked", "never", "old", "young", "answered"}; !slices.Equal(names, want) {
		t.Errorf("due in the order %v, want %v", names, want)
	}
	figures, err := l.table.figures(t.Context(), now)
	if err != nil || figures.Due != 5 || figures.Registered != 6 {
		t.Errorf("%+v %v", figures, err)
	}
}

// A question that comes while a look is under way is not lost with its end.
func TestAskMeanwhile(t *testing.T) {
	t.Parallel()
	f := newFakeLooks("a")
	l := testLooks(t, f)
	again(t, l)
	name := fakeRepository("a").String()
	before := lookState{Repository: fakeRepository("a"), LookedAt: time.Now(), Due: time.Now().Add(time.Hour), TagsDue: time.Now().Add(time.Hour)}
	if known, err := l.table.ask(t.Context(), name, time.Now()); err != nil || !known {
		t.Fatal(known, err)
	}
	if known, err := l.table.ask(t.Context(), "acme/other", time.Now()); err != nil || known {
		t.Fatal(known, err)
	}
	if err := l.table.save(t.Context(), []lookState{before}); err != nil {
		t.Fatal(err)
	}
	due, err := l.table.due(t.Context(), time.Now(), 10)
	if err != nil || len(due) != 1 || !due[0].wantsTags(time.Now()) {
		t.Errorf("due %+v, %v", due, err)
	}
	l.answered(t.Context(), handlers.RepositoryKey(fakeRepository("a")))
	l.answered(t.Context(), handlers.IssueKey(1))
	(*looks)(nil).answered(t.Context(), handlers.RepositoryKey(fakeRepository("a")))
}

// TestLookRate: half as fast after each complaint, and back again in calm times.
func TestLookRate(t *testing.T) {
	t.Parallel()
	r := newLookRate(8)
	now := noon
	speed := func() float64 { return float64(r.limiter.Limit()) }
	r.limited(now, now.Add(30*time.Second))
	r.limited(now, now.Add(time.Minute)) // of the same moment
	if speed() != 4 || !r.paused(now).Equal(now.Add(time.Minute)) {
		t.Errorf("after a complaint: %v a second, paused until %v", speed(), r.paused(now))
	}
	if wait := r.reserve(now); wait < time.Minute {
		t.Errorf("a look in the pause waits %s", wait)
	}
	for range 10 {
		now = now.Add(2 * time.Minute)
		r.limited(now, now.Add(time.Minute))
	}
	if speed() != 8*slowest {
		t.Errorf("after many: %v a second", speed())
	}
	for range 10 {
		now = now.Add(calmFor)
		r.reserve(now)
	}
	if speed() != 8 || !r.paused(now).IsZero() {
		t.Errorf("in calm times: %v a second", speed())
	}
}
