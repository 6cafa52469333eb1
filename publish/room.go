package publish

import (
	"context"

	"golang.org/x/sync/semaphore"
)

const (
	// mostInFlight bounds the data files that are being rendered, in bytes. What
	// is rendered of them is about 15 times as much.
	mostInFlight = 4 << 20
	// leastWeight is what even a small entity costs: its answers and manifest.
	leastWeight = 32 << 10
)

// Room bounds the memory of a run that renders many entities at the same time:
// as many are let in as are of a bearable size together, and always one.
type Room struct{ room *semaphore.Weighted }

// NewRoom is an empty room.
func NewRoom() Room { return Room{semaphore.NewWeighted(mostInFlight)} }

// Enter waits until an entity whose data file has size bytes may be rendered,
// and returns what gives its place back. Nobody enters twice at a time.
func (r Room) Enter(ctx context.Context, size int64) (leave func(), err error) {
	weight := min(max(size, leastWeight), mostInFlight)
	if err := r.room.Acquire(ctx, weight); err != nil {
		return nil, err
	}
	return func() { r.room.Release(weight) }, nil
}
