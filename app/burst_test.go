package main

import (
	"context"
	"fmt"
	"log/slog"
	"regexp"
	"strconv"
	"testing"
	"time"

	"github.com/tofu-registrar/registrar/handlers"
	"github.com/tofu-registrar/registrar/internal/actors"
	"github.com/tofu-registrar/registrar/registrydata"
)

// TestBurst: versions of a hundred entries at once. Each entry has a pull request
// of its own, and all are published in a few publications, not in a hundred.
func TestBurst(t *testing.T) {
	entries := 100
	if testing.Short() {
		entries = 20
	}
	ctx := t.Context()
	log, _ := tailedLog(slog.LevelError + 1)
	w, err := newWorld(ctx, worldOptions{log: log})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.Close() })
	repos := make([]actors.Repo, entries)
	people := make([]*actors.Person, entries)
	var files []actors.FileChange
	for i := range repos {
		login := fmt.Sprintf("owner%d", i/4)
		if i%4 == 0 {
			people[i], err = actors.New(w.github.URL(), login, w.github.AddUser(login).Token)
			mustDo(t, err)
		} else {
			people[i] = people[i-1]
		}
		repos[i] = actors.Repo{Owner: login, Name: fmt.Sprintf("terraform-demo-net%d", i)}
		mustDo(t, people[i].CreateRepository(ctx, repos[i]))
		mustDo(t, people[i].Tag(ctx, repos[i], "v1.1.0"))
		files = append(files, actors.FileChange{
			Path:    fmt.Sprintf("modules/o/%s/net%d/demo.json", login, i),
			Content: `{"versions": [{"version": "v1.0.0", "commit": "", "discovered": "2026-01-01T00:00:00Z"}]}`,
		})
	}
	mustDo(t, w.maintainer.Push(ctx, w.metadata, "A hundred modules", files...))
	mustDo(t, w.Idle(ctx))
	before := w.publications(t)
	var keys []handlers.Key
	for _, r := range repos {
		keys = append(keys, handlers.RepositoryKey(registrydata.Repository{Owner: r.Owner, Name: r.Name}))
	}
	mustDo(t, w.bot.Queue.Enqueue(ctx, keys...))
	mustDo(t, actors.Until(ctx, time.Minute, "all are live", func(ctx context.Context) (bool, error) {
		for _, r := range repos {
			body, _, err := w.get(ctx, "/v1/modules/"+r.Owner+"/"+r.Name[len("terraform-demo-"):]+"/demo/versions")
			if err != nil || !matches(`"1\.1\.0"`, string(body)) {
				return false, err
			}
		}
		return true, nil
	}))
	for i, r := range repos {
		pull, err := w.maintainer.PullFrom(ctx, w.metadata, fmt.Sprintf("release/module-%s/net%d/demo", r.Owner, i))
		if err != nil || pull == nil || pull.MergedAt == nil {
			t.Fatalf("net%d has no merged pull request: %v", i, err)
		}
	}
	did := w.publications(t) - before
	t.Logf("%d entries, %d publications", entries, did)
	// How many are joined depends on the machine's speed.
	if did > entries*3/4 {
		t.Errorf("%d publications for %d entries", did, entries)
	}
}

var published = regexp.MustCompile(`registrar_jobs_total\{key="publish",outcome="done"\} (\d+)`)

// publications is how often the publish key was run.
func (w *world) publications(t *testing.T) int {
	text, err := w.figures(t.Context())
	mustDo(t, err)
	m := published.FindStringSubmatch(text)
	if m == nil {
		t.Fatalf("no publications in %s", text)
	}
	n, err := strconv.Atoi(m[1])
	mustDo(t, err)
	return n
}

func mustDo(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
