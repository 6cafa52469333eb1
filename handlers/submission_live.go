package handlers

import (
	"context"
	"fmt"
	"strings"

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
	same, err := each(ctx, changes, func(ctx context.Context, c registrydata.Change) (bool, error) {
		now, there, err := h.snapshots.File(ctx, s.head.SHA, c.Path)
		if err != nil {
			return false, err
		}
		then, was, err := h.snapshots.File(ctx, published, c.Path)
		return there == was && string(now) == string(then), err
	})
	if err != nil {
		return err
	}
	for i, ok := range same {
		if !ok {
			return nil
		}
		if err := h.observeServed(ctx, s, changes[i].Path); err != nil {
			return err
		}
	}
	s.live = true
	return nil
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
