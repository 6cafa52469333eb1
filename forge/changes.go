package forge

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/tofu-registrar/registrar/registrydata"
)

// maxDiffering is how many differing folders of one level are read one by one;
// above it two complete listings are cheaper.
const maxDiffering = 32

// Changes compares the trees of two commits, whichever is older, and returns
// what differs, sorted by path. From "" is an empty repository. Only folders
// that differ are read; a rename is a deletion and an addition. Because trees
// are compared and not history, it holds after a force-push too.
func (m *Metadata) Changes(ctx context.Context, from, to string) ([]registrydata.Change, error) {
	var trees [2]string
	group, gctx := errgroup.WithContext(ctx)
	for i, commit := range []string{from, to} {
		if i == 0 && commit == "" {
			continue
		}
		if err := checkPlace(commit, ""); err != nil {
			return nil, err
		}
		group.Go(func() (err error) {
			trees[i], err = m.treeOf(gctx, commit)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	changes, err := m.diff(ctx, trees[0], trees[1])
	if err != nil {
		return nil, fmt.Errorf("changes %.7s to %.7s: %w", from, to, err)
	}
	return changes, nil
}

// pair is a folder whose tree differs between the two sides; "" is no folder.
type pair struct{ path, from, to string }

func (m *Metadata) diff(ctx context.Context, from, to string) ([]registrydata.Change, error) {
	if from == to {
		return nil, nil
	}
	if from == "" {
		return m.diffListings(ctx, from, to)
	}
	var changes []registrydata.Change
	for level := []pair{{from: from, to: to}}; len(level) > 0; {
		if len(level) > maxDiffering {
			return m.diffListings(ctx, from, to)
		}
		sides, err := m.readPairs(ctx, level)
		if err != nil {
			return nil, err
		}
		var next []pair
		for i, p := range level {
			files, folders := compare(p.path, sides[i][0], sides[i][1])
			changes = append(changes, files...)
			next = append(next, folders...)
		}
		level = next
	}
	sortChanges(changes)
	return changes, nil
}

// readPairs reads both sides of all pairs at the same time.
func (m *Metadata) readPairs(ctx context.Context, pairs []pair) ([][2][]Entry, error) {
	sides := make([][2][]Entry, len(pairs))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(treeParallel)
	for i, p := range pairs {
		for side, sha := range []string{p.from, p.to} {
			if sha == "" {
				continue
			}
			group.Go(func() (err error) {
				sides[i][side], err = m.tree(ctx, sha)
				return err
			})
		}
	}
	return sides, group.Wait()
}

// diffListings compares complete listings of both sides.
func (m *Metadata) diffListings(ctx context.Context, from, to string) ([]registrydata.Change, error) {
	var sides [2][]Entry
	group, gctx := errgroup.WithContext(ctx)
	for i, sha := range []string{from, to} {
		if sha == "" {
			continue
		}
		group.Go(func() (err error) {
			sides[i], err = m.filesOf(gctx, sha, "")
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	changes, _ := compare("", sides[0], sides[1])
	sortChanges(changes)
	return changes, nil
}

// compare merges two lists of one folder's entries: the files that differ, and
// the folders that must be looked into. A name that is a file on one side and a
// folder on the other is both.
func compare(folder string, from, to []Entry) (files []registrydata.Change, folders []pair) {
	type key struct {
		name string
		dir  bool
	}
	before := make(map[key]string, len(from))
	for _, e := range from {
		before[key{e.Name, e.Dir}] = e.Blob
	}
	differ := func(k key, old, blob string) {
		path := join(folder, k.name)
		switch {
		case old == blob:
		case k.dir:
			folders = append(folders, pair{path: path, from: old, to: blob})
		case old == "":
			files = append(files, registrydata.Change{Path: path, Kind: registrydata.Added})
		case blob == "":
			files = append(files, registrydata.Change{Path: path, Kind: registrydata.Deleted})
		default:
			files = append(files, registrydata.Change{Path: path, Kind: registrydata.Modified})
		}
	}
	for _, e := range to {
		k := key{e.Name, e.Dir}
		differ(k, before[k], e.Blob)
		delete(before, k)
	}
	for k, old := range before {
		differ(k, old, "")
	}
	return files, folders
}

func sortChanges(changes []registrydata.Change) {
	slices.SortFunc(changes, func(a, b registrydata.Change) int { return strings.Compare(a.Path, b.Path) })
}
