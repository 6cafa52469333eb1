package handlers

import (
	"context"
	"slices"
	"sync"

	"github.com/tofu-registrar/registrar/registrydata"
)

// aliasesAt are the aliases of the metadata repository at a commit.
func (h *Handlers) aliasesAt(ctx context.Context, commit string) (registrydata.Aliases, error) {
	if al, ok := h.aliases.get(commit); ok {
		return al, nil
	}
	al, err := registrydata.ReadAliases(ctx, commitTree{h.snapshots, commit})
	if err == nil {
		h.aliases.put(commit, al)
	}
	return al, err
}

// aliasCache keeps the aliases of the last commits that were looked at, which
// never change.
type aliasCache struct {
	mu   sync.Mutex
	last []commitAliases
}

type commitAliases struct {
	commit  string
	aliases registrydata.Aliases
}

func (c *aliasCache) get(commit string) (registrydata.Aliases, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	i := slices.IndexFunc(c.last, func(a commitAliases) bool { return a.commit == commit })
	if i < 0 {
		return registrydata.Aliases{}, false
	}
	return c.last[i].aliases, true
}

func (c *aliasCache) put(commit string, al registrydata.Aliases) {
	const kept = 16
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.last) == kept {
		c.last = slices.Delete(c.last, 0, 1)
	}
	c.last = append(c.last, commitAliases{commit, al})
}

// commitTree is the metadata repository at a commit.
type commitTree struct {
	snapshots Snapshots
	commit    string
}

// File implements registrydata.Tree.
func (t commitTree) File(ctx context.Context, path string) ([]byte, bool, error) {
	return t.snapshots.File(ctx, t.commit, path)
}

// Dir implements registrydata.Tree.
func (t commitTree) Dir(ctx context.Context, path string) ([]registrydata.TreeEntry, error) {
	entries, err := t.snapshots.Dir(ctx, t.commit, path)
	var out []registrydata.TreeEntry
	for _, e := range entries {
		out = append(out, registrydata.TreeEntry{Name: e.Name, Dir: e.Dir})
	}
	return out, err
}
