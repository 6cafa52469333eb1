package handlers

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/tofu-registrar/registrar/forge"
	"github.com/tofu-registrar/registrar/registrydata"
	"github.com/tofu-registrar/registrar/templates"
	"github.com/tofu-registrar/registrar/validation"
)

// observeMerged finds out whether what a merged submission brought is served:
// the files that its pull request changed are, at the commit that was published
// last, what they are on the metadata branch.
func (h *Handlers) observeMerged(ctx context.Context, s *submission) error {
	var changes []registrydata.Change
	var published string
	err := together(ctx,
		func(ctx context.Context) (err error) {
			changes, err = h.pulls.PullChanges(ctx, s.pull.Number)
			return err
		},
		func(ctx context.Context) (err error) { published, err = h.publisher.Published(ctx); return err },
	)
	if err != nil {
		return fmt.Errorf("observe what pull request %d brought: %w", s.pull.Number, err)
	}
	if published == "" {
		return nil
	}
	for _, c := range changes {
		live, err := h.liveNow(ctx, *s, published, c.Path)
		if err != nil || !live {
			return err
		}
		if err := h.observeServed(ctx, s, c.Path); err != nil {
			return err
		}
	}
	s.live = true
	return nil
}

// liveNow tells whether a file that was merged is served as it is on the metadata
// branch: at the commit that was published last it was the same, or, where a commit
// is not published as a whole because something else is held back, its own entity is.
func (h *Handlers) liveNow(ctx context.Context, s submission, published, path string) (bool, error) {
	f, err := h.filesAt(ctx, path, s.head.SHA, published, cmp.Or(s.pull.MergeSHA, s.head.SHA))
	if err != nil {
		return false, err
	}
	now, then, merged := f[0], f[1], f[2]
	since := s.publishedFor(h.now())
	if !now.same(merged) && since < forge.ReadsLag {
		// Another merge came after it, or the branch is read as it was before.
		changed, err := h.changedBetween(ctx, path, s.pull.BaseSHA, s.head.SHA)
		if err != nil || !changed {
			return false, err
		}
	}
	if now.same(then) {
		return true, nil
	}
	if since < heldUpAfter {
		return false, nil
	}
	return h.entityIsLive(ctx, s.head.SHA, path)
}

// publishedFor is for how long the comment has said that the submission is being
// published; 0 where it does not say so yet.
func (s submission) publishedFor(now time.Time) time.Duration {
	if s.comment == nil || s.stamp.State != templates.StatePublishing {
		return 0
	}
	return max(0, now.Sub(s.comment.Updated))
}

// heldUpAfter is how long a publication takes at most where nothing holds it up.
const heldUpAfter = 3 * time.Second

// entityIsLive compares what an entity's files give at a commit with what is served.
func (h *Handlers) entityIsLive(ctx context.Context, commit, path string) (live bool, err error) {
	e, ok := registrydata.EntityFromPath(path)
	if !ok {
		return false, nil
	}
	al, err := h.aliasesAt(ctx, commit)
	if err != nil {
		return false, err
	}
	p := h.publicationOf(commit, commitTree{h.snapshots, commit}, purpose{is: al})
	err = p.render(ctx, e, func(u Update) error {
		change, err := h.publisher.Change(ctx, u)
		live = err == nil && change.Settled
		return err
	})
	return live, err
}

// observeServed reads what the comment tells about an entity that is served:
// its versions, and the keys that clients get with it.
func (h *Handlers) observeServed(ctx context.Context, s *submission, path string) error {
	e, ok := registrydata.EntityFromPath(path)
	if !ok {
		return nil
	}
	content, ok, err := h.snapshots.File(ctx, s.head.SHA, path)
	if err != nil || !ok {
		return err
	}
	if e.Kind == registrydata.KindModule {
		if file, err := registrydata.ParseModule(content); err == nil {
			s.served.module = &templates.ModuleCheck{Address: e.Module(), Repository: e.Module().Repository()}
			for _, v := range file.Versions {
				s.served.module.Versions = append(s.served.module.Versions, servedVersion(v.Version))
			}
		}
		return nil
	}
	al, err := h.aliasesAt(ctx, s.head.SHA)
	if err != nil {
		return err
	}
	keys, err := h.keysFor(ctx, s.head.SHA, e.Provider())
	if err != nil {
		return err
	}
	if file, err := registrydata.ParseProvider(content); err == nil {
		s.served.provider = &templates.ProviderCheck{
			Address: e.Provider(), Repository: e.Provider().Repository(al), Keys: keyIDs(keys),
		}
		for _, v := range file.Versions {
			r := servedVersion(v.Version)
			r.Data = v
			s.served.provider.Versions = append(s.served.provider.Versions, r)
		}
	}
	return nil
}

func servedVersion(version string) validation.TagResult {
	return validation.TagResult{Tag: version, Version: strings.TrimPrefix(version, "v"), Taken: true}
}
