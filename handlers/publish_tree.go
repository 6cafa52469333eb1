package handlers

import (
	"context"
	"errors"
	"path"

	"github.com/tofu-registrar/registrar/registrydata"
	"github.com/tofu-registrar/registrar/validation"
)

// publishTree is the metadata repository at a commit, for those who publish it:
// a file that is no plain one, or that is too large, is a fault and not absent,
// so that what is live of it stays.
type publishTree struct{ commitTree }

func (h *Handlers) publishTree(commit string) publishTree {
	return publishTree{commitTree{h.snapshots, commit}}
}

// File implements registrydata.Tree. It looks at the folder first, which is
// mostly known from the comparison of the commits.
func (t publishTree) File(ctx context.Context, name string) ([]byte, bool, error) {
	dir := path.Dir(name)
	if dir == "." {
		return t.commitTree.File(ctx, name)
	}
	entries, err := t.snapshots.Dir(ctx, t.commit, dir)
	if err != nil {
		return nil, false, err
	}
	for _, e := range entries {
		if e.Name != path.Base(name) || e.Dir {
			continue
		}
		if fault := unread(name, e.Link, e.Size); fault != nil {
			return nil, false, fault
		}
		return t.commitTree.File(ctx, name)
	}
	return nil, false, nil
}

// unread says why a file is not read; nil where it is.
func unread(name string, link bool, size int64) error {
	var why validation.Unread
	switch {
	case link:
		why = validation.UnreadLink
	case size > validation.LargestDataFile(name):
		why = validation.UnreadLarge
	default:
		return nil
	}
	return &registrydata.FileFault{Path: name, Err: errors.New(validation.DataRules{}.NotRead(name, why).Message)}
}
