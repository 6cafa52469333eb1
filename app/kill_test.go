package main

import (
	"bufio"
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tofu-registrar/registrar/handlers"
)

// childVariable makes the test binary a child that serves the queue file it
// names, until it is killed.
const childVariable = "REGISTRAR_TEST_CHILD"

// runChild stores a delivery, begins to work on it, says so, and never ends.
func runChild(path string) int {
	ctx := context.Background()
	q, err := openQueue(ctx, queueOptions{Path: path, SweepEvery: -1, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		fmt.Println("open:", err)
		return 1
	}
	if _, err := q.Store(ctx, "", "guid-0001", "issues", []handlers.Key{handlers.IssueKey(1), handlers.IssueKey(2)}); err != nil {
		fmt.Println("store:", err)
		return 1
	}
	err = q.Start(ctx, &fakeReconciler{onReconcile: func(context.Context, handlers.Key) (handlers.Result, error) {
		fmt.Println("working")
		select {}
	}}, nil)
	if err != nil {
		fmt.Println("start:", err)
		return 1
	}
	time.Sleep(time.Minute)
	return 1
}

// A process that is killed in the middle of a run loses nothing: its successor
// runs what it left, at once.
func TestKilledProcessLosesNothing(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "queue.db")
	for round := 1; round <= 3; round++ {
		killWhileWorking(t, path, round)
	}
	r := &fakeReconciler{}
	began := time.Now()
	q := testQueue(t, r, func(o *queueOptions) { o.Path = path })
	settle(t, q)
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("the interrupted jobs ran after %v, want at once", took)
	}
	for n := 1; n <= 2; n++ {
		if r.ran(handlers.IssueKey(n)) != 1 {
			t.Errorf("issue %d ran %d times after the kill, want once", n, r.ran(handlers.IssueKey(n)))
		}
	}
	untilLeader(t, q)
	jobs, err := listJobs(t.Context(), q.client, true)
	if err != nil {
		t.Fatal(err)
	}
	for _, job := range jobs {
		if job.Attempt != 1 {
			t.Errorf("%s: attempt %d, want 1: being killed is not its failure", job.EncodedArgs, job.Attempt)
		}
	}
	if n, err := q.Store(t.Context(), "", "guid-0001", "issues", []handlers.Key{handlers.IssueKey(1)}); n != 0 || err != nil {
		t.Errorf("the killed process's delivery is new again: %d, %v", n, err)
	}
}

// untilLeader waits until the schedule is run here: without it no retry is due.
func untilLeader(t *testing.T, q *Queue) {
	t.Helper()
	leader := ""
	for range 300 {
		_ = q.db.QueryRow(`SELECT leader_id FROM river_leader`).Scan(&leader) // no row at first
		if leader == q.client.ID() {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Errorf("the schedule is still run by the killed process %s", leader)
}

func killWhileWorking(t *testing.T, path string, round int) {
	t.Helper()
	child := exec.Command(os.Args[0], "-test.run=^$")
	child.Env = append(os.Environ(), childVariable+"="+path)
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	for n := 0; n < 2; n++ {
		if !lines.Scan() || strings.TrimSpace(lines.Text()) != "working" {
			t.Errorf("round %d: the child says %q", round, lines.Text())
			break
		}
	}
	if err := child.Process.Kill(); err != nil { // SIGKILL
		t.Error(err)
	}
	_ = child.Wait() // "signal: killed"
}

// A job that takes the process down each time must come to an end.
func TestJobThatKillsIsCounted(t *testing.T) {
	t.Parallel()
	r := &fakeReconciler{}
	q := testQueue(t, r)
	_, err := q.db.Exec(`INSERT INTO river_job (id, args, kind, max_attempts, state, attempt, attempted_at, queue)
		VALUES (1, '{"key":"issue 1"}', 'reconcile', 3, 'scheduled', 0, '2020-01-01 00:00:00', 'later')`)
	if err != nil {
		t.Fatal(err)
	}
	attempt := 0
	for range 25 { // fetched, killed, given back
		if _, err := q.db.Exec(`UPDATE river_job SET state = 'running', attempt = attempt + 1`); err != nil {
			t.Fatal(err)
		}
		if _, err := q.db.giveBack(t.Context(), "true"); err != nil {
			t.Fatal(err)
		}
		if err := q.db.QueryRow(`SELECT attempt FROM river_job`).Scan(&attempt); err != nil {
			t.Fatal(err)
		}
	}
	if attempt != 5 {
		t.Errorf("attempt %d after 25 kills, want the first 20 forgiven", attempt)
	}
}
