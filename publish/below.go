package publish

import (
	"context"
	"strings"
)

// Below is a part of a target: the files whose path begins with prefix, which
// is cut off. An empty prefix is the whole target.
func Below(target Target, prefix string) (Target, error) {
	prefix = strings.Trim(prefix, "/")
	if prefix == "" {
		return target, nil
	}
	if err := CheckPath(prefix); err != nil {
		return nil, err
	}
	b := below{target, prefix + "/"}
	if locker, ok := target.(Locker); ok {
		return lockedBelow{b, locker}, nil
	}
	return b, nil
}

type below struct {
	target Target
	prefix string
}

func (b below) Get(ctx context.Context, path string) (File, error) {
	return b.target.Get(ctx, b.prefix+path)
}

func (b below) Put(ctx context.Context, path string, f File) error {
	return b.target.Put(ctx, b.prefix+path, f)
}

func (b below) PutIf(ctx context.Context, path string, f File, etag string) (string, error) {
	return b.target.PutIf(ctx, b.prefix+path, f, etag)
}

func (b below) Delete(ctx context.Context, path string) error {
	return b.target.Delete(ctx, b.prefix+path)
}

func (b below) List(ctx context.Context, prefix string) ([]string, error) {
	names, err := b.target.List(ctx, b.prefix+prefix)
	for i := range names {
		names[i] = strings.TrimPrefix(names[i], b.prefix)
	}
	return names, err
}

// lockedBelow is a part of a target with locks.
type lockedBelow struct {
	below
	locker Locker
}

func (b lockedBelow) Lock(ctx context.Context, name string) (unlock func(), err error) {
	return b.locker.Lock(ctx, b.prefix+name)
}
