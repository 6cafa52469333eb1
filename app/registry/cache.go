package registry

import (
	"container/list"
	"hash/maphash"
	"sync"
)

// cache keeps the answers that are asked for often, bounded in bytes; what was
// asked for longest ago goes first. It is safe for concurrent use.
//
// An answer names the entity that it was rendered from. Whoever takes it out
// compares that with the entity of now, so nothing must be cleared when data
// changes.
type cache struct {
	seed   maphash.Seed
	shards [16]cacheShard
}

type cacheShard struct {
	mu    sync.Mutex
	limit int
	used  int
	order list.List // newest first; of *cached
	items map[string]*list.Element
}

type cached struct {
	path string
	a    *answer
}

// defaultCache is the size in bytes where Options have none. An answer costs a
// few microseconds to render and, for most clients, more to compress.
const defaultCache = 48 << 20

func newCache(limit int) *cache {
	c := &cache{seed: maphash.MakeSeed()}
	for i := range c.shards {
		c.shards[i] = cacheShard{limit: limit / len(c.shards), items: map[string]*list.Element{}}
	}
	return c
}

func (c *cache) shard(path string) *cacheShard {
	return &c.shards[maphash.String(c.seed, path)%uint64(len(c.shards))]
}

func (c *cache) get(path string) *answer {
	s := c.shard(path)
	s.mu.Lock()
	defer s.mu.Unlock()
	e, ok := s.items[path]
	if !ok {
		return nil
	}
	s.order.MoveToFront(e)
	return e.Value.(*cached).a
}

// put keeps an answer, unless it would sweep out most of the others.
func (c *cache) put(path string, a *answer) {
	s := c.shard(path)
	s.mu.Lock()
	defer s.mu.Unlock()
	if e, ok := s.items[path]; ok {
		s.remove(e)
	}
	if a.cost() > s.limit/2 {
		return
	}
	s.items[path] = s.order.PushFront(&cached{path: path, a: a})
	s.used += a.cost()
	for s.used > s.limit {
		s.remove(s.order.Back())
	}
}

func (s *cacheShard) remove(e *list.Element) {
	item := e.Value.(*cached)
	s.order.Remove(e)
	delete(s.items, item.path)
	s.used -= item.a.cost()
}
