package handlers

import "context"

// fileAt is a file at a commit; it is not there where there is none.
type fileAt struct {
	content []byte
	there   bool
}

func (f fileAt) same(other fileAt) bool {
	return f.there == other.there && string(f.content) == string(other.content)
}

// filesAt reads a file at several commits, side by side.
func (h *Handlers) filesAt(ctx context.Context, path string, commits ...string) ([]fileAt, error) {
	return each(ctx, commits, func(ctx context.Context, commit string) (f fileAt, err error) {
		f.content, f.there, err = h.snapshots.File(ctx, commit, path)
		return f, err
	})
}

// changedBetween tells whether a file is not the same at two commits.
func (h *Handlers) changedBetween(ctx context.Context, path, from, to string) (bool, error) {
	f, err := h.filesAt(ctx, path, from, to)
	return err == nil && !f[0].same(f[1]), err
}
