package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tofu-registrar/registrar/handlers"
	"github.com/tofu-registrar/registrar/internal/actors"
	"github.com/tofu-registrar/registrar/validation"
)

func decided(id string, issue int, about ...string) handlers.Decision {
	return handlers.Decision{ID: id, Time: time.Unix(1700000000, 0).UTC(), Did: handlers.DidJudge, Issue: issue, About: about}
}

// readAll reads a log without asking for anything in particular.
func readAll(t *testing.T, path string) (ids []string, faulty int) {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	faulty, err = readDecisions(f, func(d handlers.Decision) error {
		ids = append(ids, d.ID)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return ids, faulty
}

// Many writers, of two processes, lose no line and mix none.
func TestDecisionsOfManyWriters(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "decisions.jsonl")
	var wait sync.WaitGroup
	for process := range 2 {
		log, err := openDecisions(path)
		if err != nil {
			t.Fatal(err)
		}
		defer log.Close()
		for writer := range 8 {
			wait.Go(func() {
				for i := range 10 {
					if err := log.Record(context.Background(), decided(fmt.Sprintf("%d-%d-%d", process, writer, i), i)); err != nil {
						t.Error(err)
					}
				}
			})
		}
	}
	wait.Wait()
	ids, faulty := readAll(t, path)
	seen := map[string]bool{}
	for _, id := range ids {
		seen[id] = true
	}
	if len(ids) != 160 || len(seen) != 160 || faulty != 0 {
		t.Errorf("%d lines, %d of them different, %d faulty", len(ids), len(seen), faulty)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", info.Mode(), err)
	}
}

// An empty line is no decision, and no fault either.
func TestDecisionsWithEmptyLines(t *testing.T) {
	t.Parallel()
	line, err := json.Marshal(decided("a", 1))
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "decisions.jsonl")
	if err := os.WriteFile(path, fmt.Appendf(nil, "\n%s\n\n\n%s\n", line, line), 0o600); err != nil {
		t.Fatal(err)
	}
	if ids, faulty := readAll(t, path); strings.Join(ids, " ") != "a a" || faulty != 0 {
		t.Errorf("%v, %d faulty", ids, faulty)
	}
}

// A line that a crash cut off is passed over, told, and ended by the next one.
func TestDecisionsAfterACrash(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "decisions.jsonl")
	record := func(d handlers.Decision) {
		log, err := openDecisions(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(log.Record(context.Background(), d), log.Close()); err != nil {
			t.Fatal(err)
		}
	}
	record(decided("a", 1))
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for cut := 1; cut < len(whole); cut++ {
		if err := os.WriteFile(path, append(whole[:len(whole):len(whole)], whole[:cut]...), 0o600); err != nil {
			t.Fatal(err)
		}
		record(decided("b", 2))
		ids, faulty := readAll(t, path)
		wantFaulty := 1
		if cut == len(whole)-1 { // only the line's end is missing
			wantFaulty = 0
			ids = append(ids[:1], ids[2:]...)
		}
		if strings.Join(ids, " ") != "a b" || faulty != wantFaulty {
			t.Fatalf("cut at %d: %v, %d faulty", cut, ids, faulty)
		}
	}
}

// fullDisk takes half of a line and then nothing, until there is room again.
type fullDisk struct {
	*os.File
	full, unsynced atomic.Bool
}

func (f *fullDisk) Write(b []byte) (int, error) {
	if f.full.Load() {
		n, _ := f.File.Write(b[:len(b)/2])
		return n, errors.New("no space left on device")
	}
	return f.File.Write(b)
}

func (f *fullDisk) Sync() error {
	if f.unsynced.Load() {
		return errors.New("input/output error")
	}
	return f.File.Sync()
}

// fill makes the log's disk full.
func fill(log *decisions) *fullDisk {
	log.mu.Lock()
	defer log.mu.Unlock()
	disk := &fullDisk{File: log.file.(*os.File)}
	disk.full.Store(true)
	log.file = disk
	return disk
}

// A disk that is full, or fails to sync, is an error: the job is tried again, and
// its line is there in the end.
func TestDecisionsOnAFullDisk(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "decisions.jsonl")
	log, err := openDecisions(path)
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	disk := fill(log)
	if log.Record(context.Background(), decided("a", 1)) == nil {
		t.Error("a full disk is no error")
	}
	disk.full.Store(false)
	disk.unsynced.Store(true)
	if log.Record(context.Background(), decided("b", 1)) == nil {
		t.Error("a line that is not synced is kept")
	}
	disk.unsynced.Store(false)
	for _, id := range []string{"a", "b"} {
		if err := log.Record(context.Background(), decided(id, 1)); err != nil {
			t.Fatal(err)
		}
	}
	if ids, faulty := readAll(t, path); strings.Join(ids, " ") != "b a b" || faulty != 1 {
		t.Errorf("%v, %d faulty", ids, faulty)
	}
}

// What is asked for brings the issues and pull requests that belong to it, and
// no decision twice that a crash had written twice.
func TestDecisionQuery(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	cfg := writeConfig(t, dir, "")
	merge := handlers.Decision{ID: "3", Did: handlers.DidMerge, Issue: 1, Pull: 2, Approved: []string{"grace"}, Policy: "approved"}
	opened := decided("1", 1, "provider acme/demo")
	opened.Pull = 2
	hostile := decided("5", 9, "module acme/net/demo")
	hostile.Findings = []handlers.DecisionFinding{{Code: "c", Severity: validation.Error, Message: "\x1b[2Jgone\n2026 judged accept"}}
	log, err := openDecisions(filepath.Join(dir, decisionsFile))
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range []handlers.Decision{
		opened, opened, decided("2", 7, "provider acme/other"), merge, decided("4", 0, "provider-key acme"), hostile,
		{ID: "6", Did: handlers.DidPublish, Entities: 1, About: []string{"provider acme/demo"}}, opened,
	} {
		if err := log.Record(context.Background(), d); err != nil {
			t.Fatal(err)
		}
	}
	if err := log.Close(); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		args []string
		code int
		ids  string
	}{
		{[]string{"acme/demo"}, 0, "1 3 6 1"},
		{[]string{"ACME/Demo"}, 0, "1 3 6 1"},
		{[]string{"issue", "1"}, 0, "1 3 1"},
		{[]string{"pull", "2"}, 0, "1 3 1"},
		{[]string{"issue", "#7"}, 0, "2"},
		{[]string{"key", "acme"}, 0, "4"},
		{[]string{"acme/net/demo"}, 0, "5"},
		{[]string{"acme/none"}, 1, ""},
		{[]string{"acme"}, 2, ""},
		{[]string{"issue", "x"}, 2, ""},
	} {
		args := append([]string{"audit", "show", "--json", "--config", cfg}, c.args...)
		code, out, errs := command(context.Background(), t, args...)
		var ids []string
		if _, err := readDecisions(strings.NewReader(out), func(d handlers.Decision) error { ids = append(ids, d.ID); return nil }); err != nil {
			t.Error(err)
		}
		if code != c.code || strings.Join(ids, " ") != c.ids {
			t.Errorf("%v: %d %v\n%s", c.args, code, ids, errs)
		}
	}
	_, out, _ := command(context.Background(), t, "audit", "show", "acme/net/demo", "--config", cfg)
	if strings.ContainsAny(out, "\x1b") || !strings.Contains(out, "error      c:  [2Jgone 2026 judged accept\n") {
		t.Errorf("%q", out)
	}
}

// While decisions can't be kept nothing is decided: the author waits, nothing is
// written to GitHub or published. With room on the disk all is done, and no line
// is missing.
func TestNothingIsDecidedOnAFullDisk(t *testing.T) {
	t.Parallel()
	log, text := tailedLog(slog.LevelWarn)
	world, err := newWorld(t.Context(), worldOptions{log: log, options: []Option{WithRetries(100*time.Millisecond, 100*time.Millisecond)}})
	if err != nil {
		t.Fatal(err)
	}
	defer world.Close()
	w := &publishingWorld{world: world, t: t, log: text}
	ctx := t.Context()
	repository := actors.Repo{Owner: demoNamespace, Name: "terraform-demo-net"}
	check := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	check(w.author.CreateRepository(ctx, repository))
	check(w.author.Tag(ctx, repository, "v1.0.0"))
	disk := fill(w.bot.decisions)
	n, err := w.author.OpenIssue(ctx, w.metadata, "Module: x", "### Module Repository\n\n"+repository.String()+"\n", "module", "submission")
	check(err)
	w.idle()
	comments, err := w.author.Comments(ctx, w.metadata, n)
	pull, err2 := w.maintainer.PullFrom(ctx, w.metadata, fmt.Sprintf("submission/issue-%d", n))
	if err != nil || err2 != nil || len(comments) > 0 || pull != nil {
		t.Errorf("comments %q, pull request %v, %v, %v", comments, pull, err, err2)
	}
	if !strings.Contains(text.String(), "decision log: no space left on device") {
		t.Errorf("the log does not tell why:\n%s", text)
	}
	disk.full.Store(false)
	check(w.bot.Queue.Enqueue(ctx, handlers.IssueKey(n)))
	w.idle()
	pull, err = w.maintainer.PullFrom(ctx, w.metadata, fmt.Sprintf("submission/issue-%d", n))
	if err != nil || pull == nil {
		t.Fatalf("no pull request: %v\n%s", err, text)
	}
	disk.full.Store(true)
	check(w.maintainer.Merge(ctx, w.metadata, pull.GetNumber()))
	w.idle()
	if body, found, err := w.get(ctx, "/v1/modules/acme/net/demo/versions"); found || err != nil {
		t.Errorf("published without a line: %s %v", body, err)
	}
	disk.full.Store(false)
	w.again()
	check(w.bot.Queue.Enqueue(ctx, handlers.IssueKey(n)))
	w.idle()
	if _, found, err := w.get(ctx, "/v1/modules/acme/net/demo/versions"); !found || err != nil {
		t.Errorf("it is not published: %v", err)
	}
	ids, _ := readAll(t, w.bot.cfg.decisionsPath())
	history, err := (&story{world: world}).history([]string{"acme/net/demo"})
	if err != nil || len(ids) < 4 {
		t.Errorf("%d lines, %v", len(ids), err)
	}
	for _, line := range []string{"judged accept", "answered pull-request", "published 1 entries", "answered live accept"} {
		if !strings.Contains(history, line) {
			t.Errorf("no %q in\n%s", line, history)
		}
	}
}

func TestConfigOfDecisions(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ queue, log, want, fault string }{
		{"", "", "DIR/decisions.jsonl", ""},
		{`database = "data/queue.db"`, "", "DIR/data/decisions.jsonl", ""},
		{`database = "postgres://u:p@localhost/registrar"`, "", "DIR/decisions.jsonl", ""},
		{"", `decisions = "log/d.jsonl"`, "DIR/log/d.jsonl", ""},
		{"", `decisions = "/var/log/d.jsonl"`, "/var/log/d.jsonl", ""},
		{"", `decisions = "log/"`, "", "registrar.hcl:17:15: no file for decisions."},
		{`database = "x.db"`, `decisions = "x.db"`, "", "registrar.hcl:17:15: no file for decisions."},
	} {
		dir := t.TempDir()
		path := writeConfig(t, dir, "")
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		text = fmt.Appendf(text, "queue {\n%s\n}\nlog {\n  %s\n}\n", c.queue, c.log)
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
		cfg, err := LoadConfig(path, func(string) string { return "" })
		if c.fault != "" {
			if err == nil || !strings.Contains(err.Error(), c.fault) {
				t.Errorf("%+v: %v", c, err)
			}
			continue
		}
		if want := strings.ReplaceAll(c.want, "DIR", dir); err != nil || cfg.decisionsPath() != want {
			t.Errorf("%+v: %s, %v", c, cfg.decisionsPath(), err)
		}
	}
}

// Whatever is in the log, reading it ends, loses no good line behind a bad one,
// and brings nothing to the terminal that moves the cursor.
func FuzzReadDecisions(f *testing.F) {
	f.Add([]byte(`{"id":"1","did":"judged","about":["provider acme/demo"],"findings":[{"code":"c","severity":"error","message":"\u001b[2J"}]}` + "\n"))
	f.Add([]byte("{\"id\":\"1\"\n\n{}\n[]\nnull\n\xff\x00"))
	f.Add([]byte(`{"id":"1","issue":-1,"pull":1e9,"versions":[{}],"time":"9999-12-31T23:59:59Z"}`))
	f.Fuzz(func(t *testing.T, log []byte) {
		query := decisionQuery{name: "provider acme/demo", issues: map[int]bool{1: true}, pulls: map[int]bool{}}
		const good = `{"id":"last","did":"judged","issue":1}` + "\n"
		last := ""
		_, err := query.read(strings.NewReader(string(log)+"\n"+good), func(d handlers.Decision) error {
			last = d.ID
			for _, r := range decisionText(d) {
				if r != '\n' && r < ' ' || r == 0x7f || 0x80 <= r && r < 0xa0 {
					t.Errorf("%q is shown", r)
				}
			}
			return nil
		})
		if err != nil || last != "last" {
			t.Errorf("%v, the last line is %q", err, last)
		}
	})
}
