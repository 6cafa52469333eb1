package handlers

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/tofu-registrar/registrar/publish"
)

// pushKeys: a push to the metadata branch is published; a pushed tag of an
// author's repository is a new version of a module.
func (h *Handlers) pushKeys(e event) []Key {
	if e.Repository.is(h.metadata) {
		if e.Ref == "refs/heads/"+h.branch {
			return []Key{PublishKey}
		}
		return nil
	}
	if !e.Deleted && strings.HasPrefix(e.Ref, "refs/tags/") {
		return repositoryKeys(e)
	}
	return nil
}

// reconcilePublished publishes what changed between the commit that was
// published last and the head of the metadata branch, whatever the push said.
// The commit is recorded when all of it is live: until then each run looks at
// the same changes again, and publishes what is left of them.
func (h *Handlers) reconcilePublished(ctx context.Context) (Result, error) {
	commit, next, err := h.publishHead(ctx)
	switch {
	case err != nil:
		return Result{}, h.purgeBeside(ctx, err)
	case commit == "":
		// A run that was cut off between upload and purge has left work behind.
		return Result{}, h.publisher.Purge(ctx)
	}
	return Result{Next: next}, h.publisher.SetPublished(ctx, commit)
}

// publishHead makes the head of the metadata branch live and returns its commit,
// and what waited for it; "" where there is nothing new.
func (h *Handlers) publishHead(ctx context.Context) (commit string, next []Key, err error) {
	// What waits to be merged now is published with the rest.
	h.merges.lock(h.branch)()
	var head Commit
	var published string
	err = together(ctx,
		func(ctx context.Context) (err error) { head, err = h.snapshots.Head(ctx); return err },
		func(ctx context.Context) (err error) { published, err = h.publisher.Published(ctx); return err },
	)
	if err != nil || head.SHA == published {
		return "", nil, err
	}
	entities, why, err := h.observeChanges(ctx, published, head.SHA)
	if err != nil {
		return "", nil, err
	}
	if published == "" {
		if err := h.publisher.PutStatic(ctx, h.renderer().Discovery()); err != nil {
			return "", nil, fmt.Errorf("publish service discovery: %w", err)
		}
	}
	if err := h.publish(ctx, published, head.SHA, entities, why); err != nil || published == "" {
		return head.SHA, nil, err
	}
	next, err = h.waitingForKeys(ctx, head.SHA, why.changes)
	return head.SHA, next, err
}

// purgeBeside purges what was published before a run failed. Where the place
// itself is in trouble there is one error to tell and not two.
func (h *Handlers) purgeBeside(ctx context.Context, failed error) error {
	var trouble *publish.TroubleError
	if ctx.Err() != nil || errors.As(failed, &trouble) {
		return failed
	}
	return errors.Join(failed, h.publisher.Purge(ctx))
}
