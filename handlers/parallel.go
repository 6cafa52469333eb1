package handlers

import (
	"context"

	"golang.org/x/sync/errgroup"
)

// parallelism bounds how many requests one run has under way, so that a
// submission with hundreds of releases does not look like an attack.
const parallelism = 16

// together runs functions at once and returns the first error; the others are
// then cancelled.
func together(ctx context.Context, fs ...func(context.Context) error) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(parallelism)
	for _, f := range fs {
		g.Go(func() error { return f(ctx) })
	}
	return g.Wait()
}

// each maps a slice at once, in order.
func each[T, R any](ctx context.Context, in []T, f func(context.Context, T) (R, error)) ([]R, error) {
	out := make([]R, len(in))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(parallelism)
	for i, v := range in {
		g.Go(func() (err error) {
			out[i], err = f(ctx, v)
			return err
		})
	}
	return out, g.Wait()
}
