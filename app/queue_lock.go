package main

import (
	"context"
	"time"
)

// lockPatience is how long a run waits for another process to do a little thing.
const lockPatience = time.Minute

// Lock lets one run at a time, in whatever process, work on what has a name. It
// is for moments; runs of a key keep apart without it. A run that waited in vain
// goes on: what the lock guards is tidiness, not correctness.
func (q *Queue) Lock(name string) (unlock func()) {
	ctx, cancel := context.WithTimeout(context.Background(), lockPatience)
	defer cancel()
	_, release, free := q.db.hold(ctx, "lock "+name, lockPatience)
	if !free {
		q.o.Log.WarnContext(ctx, "another process does not end what it does", "lock", name)
	}
	return release
}
