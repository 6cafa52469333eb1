package main

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/tofu-registrar/registrar/handlers"
	"github.com/tofu-registrar/registrar/registrydata"
	"github.com/tofu-registrar/registrar/validation"
)

// shares bounds how many runs look at repositories of one owner at a time, so
// that one whose downloads hang leaves workers to everyone else. Whose repository
// a run looks at is known only when it asks for it: it then claims a share, or
// steps back.
type shares struct {
	most int

	mu      sync.Mutex
	running map[string]int           // runs by owner
	waits   map[handlers.Key]string  // the owner that a key stepped back for
	waiting map[string]int           // how many keys did
	freed   map[string]chan struct{} // closed when a run of the owner ends
	holding map[string]int           // workers that wait for a share of the owner
}

const (
	// shareOf is the part of the workers that one owner may have.
	shareOf = 4
	// sharePatience is how long a run waits for a share before it steps back.
	sharePatience = 500 * time.Millisecond
	// maxShareWaits bounds the memory of keys that stepped back.
	maxShareWaits = 10_000
	// mostSharePause is the longest time for which a job steps back.
	mostSharePause = time.Minute
)

func newShares(workers int) *shares {
	return &shares{
		most: max(workers/shareOf, 1), running: map[string]int{}, waits: map[handlers.Key]string{},
		waiting: map[string]int{}, freed: map[string]chan struct{}{}, holding: map[string]int{},
	}
}

// crowdedError is an owner of whom enough runs are under way.
type crowdedError struct{ owner string }

// Error implements error.
func (e *crowdedError) Error() string {
	return fmt.Sprintf("enough runs look at repositories of %s", e.owner)
}

// claims are the shares of one run.
type claims struct {
	shares *shares
	key    handlers.Key
	mu     sync.Mutex // held while one is waited for
	owners map[string]bool
}

type claimsKey struct{}

// begin makes a context whose run claims shares; end gives them back.
func (s *shares) begin(ctx context.Context, key handlers.Key) (_ context.Context, end func()) {
	c := &claims{shares: s, key: key, owners: map[string]bool{}}
	return context.WithValue(ctx, claimsKey{}, c), c.end
}

// claim takes a share of an owner for the run of the context, unless it has one.
// A context that is no run's needs none.
func claim(ctx context.Context, owner string) error {
	c, ok := ctx.Value(claimsKey{}).(*claims)
	if !ok {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	owner = strings.ToLower(owner)
	if c.owners[owner] {
		return nil
	}
	if !c.shares.take(ctx, c.key, owner) {
		return &crowdedError{owner}
	}
	c.owners[owner] = true
	return nil
}

func (s *shares) take(ctx context.Context, key handlers.Key, owner string) bool {
	patience := time.NewTimer(sharePatience)
	defer patience.Stop()
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.running[owner] >= s.most {
		if s.holding[owner] >= s.most || !s.await(ctx, owner, patience.C) {
			s.stepBack(key, owner)
			return false
		}
	}
	s.running[owner]++
	s.forget(key)
	return true
}

// await waits for a run of the owner to end; it is called with the mutex held.
func (s *shares) await(ctx context.Context, owner string, patience <-chan time.Time) bool {
	if s.freed[owner] == nil {
		s.freed[owner] = make(chan struct{})
	}
	freed := s.freed[owner]
	s.holding[owner]++
	s.mu.Unlock()
	ok := false
	select {
	case <-freed:
		ok = true
	case <-patience:
	case <-ctx.Done():
	}
	s.mu.Lock()
	if s.holding[owner]--; s.holding[owner] == 0 {
		delete(s.holding, owner)
	}
	return ok
}

func (s *shares) stepBack(key handlers.Key, owner string) {
	s.forget(key)
	if len(s.waits) < maxShareWaits {
		s.waits[key] = owner
		s.waiting[owner]++
	}
}

func (s *shares) forget(key handlers.Key) {
	owner, ok := s.waits[key]
	if !ok {
		return
	}
	delete(s.waits, key)
	if s.waiting[owner]--; s.waiting[owner] == 0 {
		delete(s.waiting, owner)
	}
}

// done forgets a key that steps back no more, because another run did its work.
func (s *shares) done(key handlers.Key) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.forget(key)
}

func (c *claims) end() {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.shares
	s.mu.Lock()
	defer s.mu.Unlock()
	for owner := range c.owners {
		if s.running[owner]--; s.running[owner] == 0 {
			delete(s.running, owner)
		}
		if freed := s.freed[owner]; freed != nil {
			close(freed)
			delete(s.freed, owner)
		}
	}
	c.owners = map[string]bool{}
}

// crowded tells, before anything is asked of GitHub, that a key would step back
// once more.
func (s *shares) crowded(key handlers.Key) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	owner, ok := s.waits[key]
	return ok && s.running[owner] >= s.most
}

// pause is for how long a job steps back: the longer, the more of its owner wait.
func (s *shares) pause(key handlers.Key) time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	return min(busyPause+time.Duration(s.waiting[s.waits[key]]/s.most)*time.Second, mostSharePause)
}

// sharedAuthors claims a share of an owner before it reads what is theirs.
type sharedAuthors struct{ handlers.Authors }

// Repository implements handlers.Authors.
func (a sharedAuthors) Repository(ctx context.Context, repo registrydata.Repository) (validation.RepositoryFacts, error) {
	if err := claim(ctx, repo.Owner); err != nil {
		return validation.RepositoryFacts{}, err
	}
	return a.Authors.Repository(ctx, repo)
}

// Tags implements handlers.Authors.
func (a sharedAuthors) Tags(ctx context.Context, repo registrydata.Repository) ([]validation.Tag, error) {
	if err := claim(ctx, repo.Owner); err != nil {
		return nil, err
	}
	return a.Authors.Tags(ctx, repo)
}

// Releases implements handlers.Authors.
func (a sharedAuthors) Releases(ctx context.Context, repo registrydata.Repository) ([]validation.Release, error) {
	if err := claim(ctx, repo.Owner); err != nil {
		return nil, err
	}
	return a.Authors.Releases(ctx, repo)
}

// Release implements handlers.Authors.
func (a sharedAuthors) Release(ctx context.Context, repo registrydata.Repository, tag string) (validation.Release, bool, error) {
	if err := claim(ctx, repo.Owner); err != nil {
		return validation.Release{}, false, err
	}
	return a.Authors.Release(ctx, repo, tag)
}
