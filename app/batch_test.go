package main

import (
	"context"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"github.com/tofu-registrar/registrar/handlers"
	"github.com/tofu-registrar/registrar/internal/actors"
	"github.com/tofu-registrar/registrar/registrydata"
)

// TestBatch: versions of twenty entries at once, with releases = "batch". Each
// entry has a pull request of its own, that is closed; a few commits bring all.
func TestBatch(t *testing.T) {
	const entries = 20
	ctx := t.Context()
	log, _ := tailedLog(slog.LevelError + 1)
	w, err := newWorld(ctx, worldOptions{log: log, releases: "batch"})
	mustDo(t, err)
	t.Cleanup(func() { _ = w.Close() })
	owner, err := actors.New(w.github.URL(), "owner", w.github.AddUser("owner").Token)
	mustDo(t, err)
	var keys []handlers.Key
	var files []actors.FileChange
	for i := range entries {
		r := actors.Repo{Owner: "owner", Name: fmt.Sprintf("terraform-demo-net%d", i)}
		mustDo(t, owner.CreateRepository(ctx, r))
		mustDo(t, owner.Tag(ctx, r, "v1.1.0"))
		keys = append(keys, handlers.RepositoryKey(registrydata.Repository{Owner: r.Owner, Name: r.Name}))
		files = append(files, actors.FileChange{
			Path:    fmt.Sprintf("modules/o/owner/net%d/demo.json", i),
			Content: `{"versions": [{"version": "v1.0.0", "commit": "", "discovered": "2026-01-01T00:00:00Z"}]}`,
		})
	}
	mustDo(t, w.maintainer.Push(ctx, w.metadata, "Twenty modules", files...))
	mustDo(t, w.Idle(ctx))
	mustDo(t, w.bot.Queue.Enqueue(ctx, keys...))
	mustDo(t, actors.Until(ctx, time.Minute, "all are live", func(ctx context.Context) (bool, error) {
		for i := range entries {
			body, _, err := w.get(ctx, fmt.Sprintf("/v1/modules/owner/net%d/demo/versions", i))
			if err != nil || !matches(`"1\.1\.0"`, string(body)) {
				return false, err
			}
		}
		return true, nil
	}))
	mustDo(t, w.Idle(ctx))
	merged := 0
	for i := range entries {
		pull, err := w.maintainer.PullFrom(ctx, w.metadata, fmt.Sprintf("release/module-owner/net%d/demo", i))
		if err != nil || pull == nil || pull.GetState() != "closed" {
			t.Fatalf("net%d has no pull request that is closed: %v", i, err)
		}
		if conclusion, err := w.maintainer.CheckConclusion(ctx, w.metadata, pull.GetHead().GetSHA()); err != nil || conclusion != "success" {
			t.Errorf("the check of net%d: %q, %v", i, conclusion, err)
		}
		if pull.MergedAt != nil {
			merged++
		}
	}
	batch, err := w.maintainer.PullFrom(ctx, w.metadata, "release/batch")
	if err != nil || batch == nil || batch.MergedAt == nil {
		t.Fatalf("no batch was merged: %v", err)
	}
	if merged > 1 {
		t.Errorf("%d of %d entries were merged alone", merged, entries)
	}
	// Issues and pull requests share their numbers: what is beyond the entries' own
	// are batches.
	t.Logf("%d entries: %d merged alone, the last batch is #%d", entries, merged, batch.GetNumber())
	if batches := batch.GetNumber() - entries; batches > 3 {
		t.Errorf("%d batches for %d entries", batches, entries)
	}
}
