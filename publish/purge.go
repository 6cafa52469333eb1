package publish

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/tofu-registrar/registrar/registrydata"
)

// Purger makes a cache forget.
type Purger interface {
	// Purge returns after the cache has taken the order. A *RateLimitError says
	// when to come back; a *TroubleError is for an operator.
	Purge(ctx context.Context, s Stale) error
}

// Stale is what a cache may hold that is no longer so: contents that changed,
// and misses of files that are there now.
type Stale struct {
	// Paths are of single files: "v1/providers/acme/demo/versions".
	Paths []string `json:"paths,omitempty"`
	// Prefixes stand for everything below: "v1/providers/acme/demo/".
	Prefixes []string `json:"prefixes,omitempty"`
}

// everything is the whole registry.
var everything = Stale{Prefixes: []string{".well-known/", "v1/"}}

const (
	// purgeDir holds what is still to be purged: a record is written before the
	// run that makes it necessary ends, and removed after the purge. No record is
	// ever changed.
	purgeDir = stateDir + "/purge/"
	// purgeBatch is how many files or prefixes go to the cache at a time, which
	// is as many as Cloudflare takes.
	purgeBatch = 100
	// mostRecords is how many records are carried out one by one. Beyond, the
	// whole registry is purged: it costs one order instead of hundreds, and little
	// of what is cached would have survived.
	mostRecords = 2000
)

// rememberEntity records what of an entity is to be purged.
func (p *Publisher) rememberEntity(ctx context.Context, e registrydata.Entity, touched []string) error {
	if len(touched) > purgeBatch {
		return p.remember(ctx, Stale{Prefixes: []string{entityPrefix(e)}})
	}
	return p.remember(ctx, Stale{Paths: touched})
}

// remember records something to be purged, if there is a cache.
func (p *Publisher) remember(ctx context.Context, s Stale) error {
	if p.purger == nil {
		return nil
	}
	body, err := json.Marshal(s)
	if err != nil {
		return fmt.Errorf("record what to purge: %w", err)
	}
	name := purgeDir + strings.ToLower(rand.Text()) + ".json"
	if err := p.target.Put(ctx, name, File{Body: body, ContentType: jsonType, CacheControl: cacheNever}); err != nil {
		return fmt.Errorf("record what to purge: %w", err)
	}
	return nil
}

// Purge makes the cache forget whatever was recorded, by this Publisher, by
// others, and by runs that were cut off. What could not be purged stays
// recorded. SetPublished does it first; call it by yourself where there is no
// commit to record. Without a Purger it does nothing.
func (p *Publisher) Purge(ctx context.Context) error {
	if p.purger == nil {
		return nil
	}
	names, err := p.target.List(ctx, purgeDir)
	if err != nil {
		return fmt.Errorf("purge: %w", err)
	}
	if len(names) > mostRecords {
		return p.purge(ctx, names, everything)
	}
	for chunk := range slices.Chunk(names, 500) {
		if err := p.purgeRecords(ctx, chunk); err != nil {
			return err
		}
	}
	return nil
}

// purgeRecords carries records out, as many at a time as fit one order.
func (p *Publisher) purgeRecords(ctx context.Context, names []string) error {
	records := make([]Stale, len(names))
	indexes := make([]int, len(names))
	for i := range indexes {
		indexes[i] = i
	}
	err := together(ctx, indexes, func(ctx context.Context, i int) (err error) {
		records[i], err = p.readStale(ctx, names[i])
		return err
	})
	if err != nil {
		return fmt.Errorf("purge: %w", err)
	}
	var batch Stale
	var carried []string
	for i, record := range records {
		next := batch.with(record)
		if len(carried) > 0 && (len(next.Paths) > purgeBatch || len(next.Prefixes) > purgeBatch) {
			if err := p.purge(ctx, carried, batch); err != nil {
				return err
			}
			next, carried = Stale{}.with(record), nil
		}
		batch, carried = next, append(carried, names[i])
	}
	return p.purge(ctx, carried, batch)
}

// readStale reads a record. One that makes no sense stands for everything; one
// that is gone was carried out by someone else.
func (p *Publisher) readStale(ctx context.Context, name string) (Stale, error) {
	f, err := p.target.Get(ctx, name)
	if errors.Is(err, ErrNotExist) {
		return Stale{}, nil
	}
	if err != nil {
		return Stale{}, err
	}
	var s Stale
	if json.Unmarshal(f.Body, &s) != nil || !s.sensible() {
		return everything, nil
	}
	return s, nil
}

func (s Stale) sensible() bool {
	for _, path := range s.Paths {
		if CheckPath(path) != nil {
			return false
		}
	}
	for _, prefix := range s.Prefixes {
		if CheckPath(trimSlash(prefix)) != nil {
			return false
		}
	}
	return true
}

// with is the union of both, sorted, each once.
func (s Stale) with(t Stale) Stale {
	union := func(a, b []string) []string {
		all := slices.Concat(a, b)
		slices.Sort(all)
		return slices.Compact(all)
	}
	return Stale{Paths: union(s.Paths, t.Paths), Prefixes: union(s.Prefixes, t.Prefixes)}
}

// widened stands for at least as much without naming single files: those of an
// entity become all that is below it.
func (s Stale) widened() Stale {
	var wide Stale
	for _, path := range s.Paths {
		seg := strings.Split(path, "/")
		switch {
		case len(seg) > 4 && seg[0] == "v1" && seg[1] == "providers":
			path = strings.Join(seg[:4], "/") + "/"
		case len(seg) > 5 && seg[0] == "v1" && seg[1] == "modules":
			path = strings.Join(seg[:5], "/") + "/"
		}
		wide.Prefixes = append(wide.Prefixes, path)
	}
	return wide.with(Stale{Prefixes: s.Prefixes})
}

// purge gives the order and forgets the records of it.
func (p *Publisher) purge(ctx context.Context, records []string, s Stale) error {
	if len(s.Paths)+len(s.Prefixes) > 0 {
		if err := p.purger.Purge(ctx, s); err != nil {
			return fmt.Errorf("purge: %w", err)
		}
	}
	err := together(ctx, records, func(ctx context.Context, name string) error {
		return p.target.Delete(ctx, name)
	})
	if err != nil {
		return fmt.Errorf("purge: %w", err)
	}
	return nil
}

func trimSlash(prefix string) string { return strings.TrimSuffix(prefix, "/") }
