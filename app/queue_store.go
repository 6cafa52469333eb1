package main

import (
	"context"
	"fmt"
	"sync"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"

	"github.com/tofu-registrar/registrar/handlers"
)

// mostTogether bounds how many deliveries are written in one transaction.
const mostTogether = 200

// stores writes deliveries that come at once in one transaction: the disk syncs
// far fewer transactions in a second than GitHub sends webhooks.
type stores struct {
	writing chan struct{} // held by who writes
	mu      sync.Mutex
	waiting []*storing
}

// storing is a delivery that waits to be written.
type storing struct {
	jobs  []river.InsertManyParams
	done  chan struct{}
	added int
	err   error
}

func newStores() *stores { return &stores{writing: make(chan struct{}, 1)} }

// Store enqueues the keys of a delivery, all of them or none, and returns when
// they are on the disk. A GUID that is known already is no new work. It returns
// how many jobs are new. Sender is who caused it; who causes much waits longer.
func (q *Queue) Store(ctx context.Context, sender, guid, event string, keys []handlers.Key) (int, error) {
	if len(keys) == 0 {
		return 0, nil
	}
	d := &storing{done: make(chan struct{}), jobs: make([]river.InsertManyParams, len(keys))}
	for i, key := range keys {
		d.jobs[i] = q.job(key, priorityWebhook)
		args := d.jobs[i].Args.(reconcileArgs)
		args.GUID, args.Event = guid, event
		d.jobs[i].Args = args
		d.jobs[i].InsertOpts.UniqueOpts = river.UniqueOpts{ByArgs: true, ByState: rivertype.JobStates()}
		q.fair.place(sender, d.jobs[i].InsertOpts)
	}
	s := q.stores
	s.mu.Lock()
	s.waiting = append(s.waiting, d)
	s.mu.Unlock()
	for {
		select {
		case <-d.done:
			return d.added, d.err
		case s.writing <- struct{}{}:
			q.writeStores(ctx, s.next())
			<-s.writing
		case <-ctx.Done():
			return 0, fmt.Errorf("store %d jobs: %w", len(keys), ctx.Err())
		}
	}
}

// next are the deliveries to write now, oldest first.
func (s *stores) next() []*storing {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := min(len(s.waiting), mostTogether)
	batch := s.waiting[:n:n]
	s.waiting = s.waiting[n:]
	return batch
}

// writeStores writes deliveries together, and where that fails one by one: the
// fault of one must not be that of others.
func (q *Queue) writeStores(ctx context.Context, batch []*storing) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), storeTimeout)
	defer cancel()
	var jobs []river.InsertManyParams
	for _, d := range batch {
		jobs = append(jobs, d.jobs...)
	}
	results, err := q.insertMany(ctx, jobs)
	for _, d := range batch {
		own := results
		if err == nil {
			own, results = results[:len(d.jobs)], results[len(d.jobs):]
		} else if len(batch) > 1 {
			own, d.err = q.insertMany(ctx, d.jobs)
		} else {
			d.err = err
		}
		for _, r := range own {
			if !r.UniqueSkippedAsDuplicate {
				d.added++
			}
		}
		close(d.done)
	}
}

func (q *Queue) insertMany(ctx context.Context, jobs []river.InsertManyParams) ([]*rivertype.JobInsertResult, error) {
	if len(jobs) == 0 {
		return nil, nil
	}
	results, err := q.client.InsertMany(ctx, jobs)
	if err == nil && len(results) != len(jobs) {
		err = fmt.Errorf("%d results", len(results))
	}
	if err != nil {
		return nil, fmt.Errorf("store %d jobs: %w", len(jobs), err)
	}
	return results, nil
}
