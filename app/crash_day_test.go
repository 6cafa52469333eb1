package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/tofu-registrar/registrar/internal/actors"
)

// scriptedDay is a day of a registry as a script: what people do, in episodes that have
// nothing to do with each other. Within an episode people wait for what they
// would wait for, so that the end is the same whatever the bot goes through,
// and however the episodes come to lie beside each other.
type scriptedDay struct {
	*world
	episodes []*episode
	beside   int           // episodes at a time
	patience time.Duration // for each thing that the bot does
}

// episode is what people do about one repository.
type episode struct {
	*scriptedDay
	name     string // of the repository, and in all titles
	kind     episodeKind
	releases int // after the first version

	repo  actors.Repo
	key   *actors.SigningKey // that signs
	wrong *actors.SigningKey // that signed nothing
	issue int
	pull  int
}

// episodeKind is one of the ways that submissions go.
type episodeKind struct {
	name        string
	submissions int  // that it makes
	live        bool // ends with something in the registry that can have releases
	play        func(*episode, context.Context) error
}

// planDay chooses the episodes: every kind in turn, so that even a short day has
// all of them, in an order of chance. Keys are made once, because two days are
// compared.
func planDay(seed uint64, submissions, releases int) ([]*episode, error) {
	random := rand.New(rand.NewPCG(seed, seed)) // #nosec G404 -- repeatable, no secret
	var plan, lively []*episode
	for n := 0; submissions > 0; n++ {
		e := &episode{name: fmt.Sprintf("e%03d", n), kind: episodeKinds[n%len(episodeKinds)]}
		var err error
		if e.key, err = actors.NewSigningKey("Acme", e.name+"@acme.example", 0); err != nil {
			return nil, err
		}
		if e.wrong, err = actors.NewSigningKey("Other", e.name+"@other.example", 0); err != nil {
			return nil, err
		}
		submissions -= e.kind.submissions
		plan = append(plan, e)
		if e.kind.live {
			lively = append(lively, e)
		}
	}
	for ; releases > 0; releases-- {
		lively[random.IntN(len(lively))].releases++
	}
	random.Shuffle(len(plan), func(i, j int) { plan[i], plan[j] = plan[j], plan[i] })
	return plan, nil
}

// newDay puts a plan into a world.
func newDay(w *world, plan []*episode, patience time.Duration) *scriptedDay {
	d := &scriptedDay{world: w, beside: 12, patience: patience}
	for _, e := range plan {
		mine := *e
		mine.scriptedDay = d
		d.episodes = append(d.episodes, &mine)
	}
	return d
}

// play plays the whole day. It stops at the first episode that does not go as it
// should. Nothing else happens during the first one: a namespace's first
// submission is told so, and which one that is must not be chance.
func (d *scriptedDay) play(ctx context.Context) error {
	first := &episode{scriptedDay: d, name: "first", kind: episodeKinds[0]}
	if err := first.kind.play(first, ctx); err != nil {
		return fmt.Errorf("the first submission: %w", err)
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	next := make(chan *episode)
	go func() {
		defer close(next)
		for _, e := range d.episodes {
			select {
			case next <- e:
			case <-ctx.Done():
				return
			}
		}
	}()
	errs := make([]error, d.beside)
	var all sync.WaitGroup
	for i := range errs {
		all.Go(func() {
			for e := range next {
				if err := e.kind.play(e, ctx); err != nil {
					if ctx.Err() != nil {
						return // another one has failed
					}
					errs[i] = fmt.Errorf("%s, %s: %w", e.name, e.kind.name, err)
					stop()
					return
				}
			}
		})
	}
	all.Wait()
	return errors.Join(errs...)
}
