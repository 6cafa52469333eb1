package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/riverqueue/river/rivertype"

	"github.com/tofu-registrar/registrar/handlers"
	"github.com/tofu-registrar/registrar/internal/actors"
	"github.com/tofu-registrar/registrar/registrydata"
)

// registeredWorld knows what is registered, and nothing else.
type registeredWorld struct {
	lookWorld
	sources []handlers.Source
}

func (w registeredWorld) Sources(context.Context) (string, []handlers.Source, error) {
	return "commit", w.sources, nil
}

func TestQueueRebuild(t *testing.T) { onEachDatabase(t, queueRebuild) }

func queueRebuild(t *testing.T, here func(*queueOptions)) {
	failing := &fakeReconciler{onReconcile: failure}
	q := testQueue(t, failing, here)
	if _, err := q.Store(t.Context(), "", "guid-0001", "issues", []handlers.Key{handlers.IssueKey(9)}); err != nil {
		t.Fatal(err)
	}
	settle(t, q)
	stopQueue(t, q)

	r := &fakeReconciler{onSweep: func() ([]handlers.Key, error) { return []handlers.Key{handlers.PublishKey, handlers.IssueKey(1)}, nil }}
	repo := registrydata.Repository{Owner: "acme", Name: "terraform-provider-demo"}
	o := queueOptions{SweepEvery: -1, Look: LookConfig{Off: true}, Log: quiet(testLog(t)), Rebuild: true}
	here(&o)
	q, err := openQueue(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	q.Watch(registeredWorld{sources: []handlers.Source{{Repository: repo}}})
	if err := q.Start(t.Context(), r, &fakeDeliveries{}); err != nil {
		t.Fatal(err)
	}
	defer stopQueue(t, q)
	settle(t, q)
	for key, want := range map[handlers.Key]int{
		handlers.PublishKey: 1, handlers.IssueKey(1): 1, handlers.RepositoryKey(repo): 1, handlers.IssueKey(9): 0,
	} {
		if r.ran(key) != want {
			t.Errorf("%q ran %d times, want %d", key, r.ran(key), want)
		}
	}
	jobs, err := listJobs(t.Context(), q.client, true)
	if err != nil {
		t.Fatal(err)
	}
	for _, job := range jobs {
		if job.State == rivertype.JobStateDiscarded {
			t.Errorf("%s is still there", job.EncodedArgs)
		}
	}
}

// While one process rebuilds, no other may serve; afterwards it may.
func TestMachinesRebuildAlone(t *testing.T) {
	t.Parallel()
	address := testPostgres(t)
	first := testQueue(t, &fakeReconciler{}, func(o *queueOptions) { o.Path = address })
	second, err := openQueue(t.Context(), queueOptions{
		Path: address, SweepEvery: -1, Look: LookConfig{Off: true}, LockWithin: time.Millisecond, Log: quiet(testLog(t)), Rebuild: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := second.Start(t.Context(), &fakeReconciler{}, nil); !errors.Is(err, ErrServedElsewhere) {
		t.Errorf("a rebuild beside another process: %v, want %v", err, ErrServedElsewhere)
	}
	stopQueue(t, second)
	stopQueue(t, first)
	third := testQueue(t, &fakeReconciler{}, func(o *queueOptions) { o.Path, o.Rebuild = address, true })
	testQueue(t, &fakeReconciler{}, func(o *queueOptions) { o.Path = address })
	settle(t, third)
}

// TestQueueIsDeletedInTheMiddle: everything that is under way is found on GitHub,
// also what happened while nobody listened.
func TestQueueIsDeletedInTheMiddle(t *testing.T) {
	if testing.Short() {
		t.Skip("runs processes")
	}
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	path := filepath.Join(t.TempDir(), "queue.db")
	m := newMachines(t, Database(path), 1)
	if err := m.submit(ctx, 0, 2); err != nil {
		t.Fatal(err)
	}
	late := actors.Repo{Owner: demoNamespace, Name: "terraform-demo-late"}
	old := actors.Repo{Owner: demoNamespace, Name: "terraform-demo-part0"}
	for _, err := range []error{
		m.moduleAuthor.CreateRepository(ctx, late), m.moduleAuthor.Tag(ctx, late, "v1.0.0"),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	if _, err := m.moduleAuthor.OpenIssue(ctx, m.metadata, "Module: "+late.String(),
		"### Module Repository\n\nhttps://github.com/"+late.String()+"\n", "module", "submission"); err != nil {
		t.Fatal(err)
	}
	// The bot is in the middle of that submission.
	m.all[0].kill()
	if err := m.moduleAuthor.Tag(ctx, old, "v1.2.0"); err != nil {
		t.Fatal(err)
	}
	if err := m.github.Idle(ctx); err != nil { // the webhooks are lost
		t.Fatal(err)
	}
	files, err := filepath.Glob(path + "*")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, name := range files {
		if err := os.Remove(name); err != nil {
			t.Fatal(err)
		}
	}
	m.start(m.all[0], "--rebuild")
	for list, version := range map[string]string{"late": "1.0.0", "part0": "1.2.0"} {
		err := actors.Until(ctx, patience, list+" "+version, func(ctx context.Context) (bool, error) {
			return m.lists(ctx, "/v1/modules/"+demoNamespace+"/"+list+"/demo/versions", version)
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := m.settled(ctx); err != nil {
		t.Fatal(err)
	}
	end := m.end(ctx)
	for title, n := range end.Comments {
		if n != 1 {
			t.Errorf("%d comments on %s, want 1", n, title)
		}
	}
	if len(end.Comments) != 3 || len(end.Pulls) != 3+3 {
		t.Errorf("%d issues and pull requests %v, want 3 and one for each of 3 submissions and 3 releases", len(end.Comments), end.Pulls)
	}
	for title, n := range end.Pulls {
		if n != 1 {
			t.Errorf("%d pull requests %s, want 1", n, title)
		}
	}
}

// A queue goes from SQLite to PostgreSQL and back with all that it knows.
func TestJobsMove(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	first, last := filepath.Join(dir, "first.db"), filepath.Join(dir, "last.db")
	address := testPostgres(t)
	r := &fakeReconciler{onReconcile: func(_ context.Context, key handlers.Key) (handlers.Result, error) {
		if key == handlers.IssueKey(2) {
			return failure(t.Context(), key)
		}
		return handlers.Result{}, nil
	}}
	q := testQueue(t, r, func(o *queueOptions) { o.Path = first })
	if _, err := q.Store(t.Context(), "", "guid-0001", "issues", []handlers.Key{handlers.IssueKey(1), handlers.IssueKey(2)}); err != nil {
		t.Fatal(err)
	}
	settle(t, q)
	if err := q.EnqueueIn(t.Context(), handlers.IssueKey(3), time.Hour); err != nil {
		t.Fatal(err)
	}
	if code, _, stderr := command(t.Context(), t, "jobs", "move", "--from", first, "--to", address); code != exitFailure || !strings.Contains(stderr, ErrServedElsewhere.Error()) {
		t.Errorf("while the bot runs: exit %d %q", code, stderr)
	}
	stopQueue(t, q)
	for _, way := range [][2]string{{first, address}, {address, last}} {
		if code, stdout, stderr := command(t.Context(), t, "jobs", "move", "--from", way[0], "--to", way[1]); code != 0 || !strings.Contains(stdout, "3 jobs") {
			t.Fatalf("move: exit %d %q %q", code, stdout, stderr)
		}
	}
	if code, _, stderr := command(t.Context(), t, "jobs", "move", "--from", first, "--to", address); code != exitFailure || !strings.Contains(stderr, "holds 3 jobs already") {
		t.Errorf("to a queue that holds jobs: exit %d %q", code, stderr)
	}
	q = testQueue(t, &fakeReconciler{}, func(o *queueOptions) { o.Path = last })
	jobs, err := listJobs(t.Context(), q.client, true)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, job := range jobs {
		line := lineOf(job)
		got = append(got, strings.TrimSpace(strings.Join([]string{line.State, line.Key, line.Delivery, line.Error}, " ")))
	}
	want := "completed issue 1 guid-0001, discarded issue 2 guid-0001 reconcile \"issue 2\": GitHub is down, scheduled issue 3"
	if strings.Join(got, ", ") != want {
		t.Errorf("after two moves:\n%s\nwant\n%s", strings.Join(got, ", "), want)
	}
	if n, err := q.Store(t.Context(), "", "guid-0001", "issues", []handlers.Key{handlers.IssueKey(1)}); n != 0 || err != nil {
		t.Errorf("a delivery from before the move is new again: %d, %v", n, err)
	}
}
