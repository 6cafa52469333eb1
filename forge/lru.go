package forge

import (
	"container/list"
	"sync"
)

// lru is a cache bounded in bytes that forgets what was used longest ago. It is
// safe for concurrent use. Values are shared: nobody may change them.
type lru[V any] struct {
	mu    sync.Mutex
	limit int64
	used  int64
	order *list.List // newest first
	items map[string]*list.Element
}

type lruItem[V any] struct {
	key   string
	value V
	size  int64
}

// lruOverhead is what an item costs beside its key and value.
const lruOverhead = 128

func newLRU[V any](limit int64) *lru[V] {
	return &lru[V]{limit: limit, order: list.New(), items: map[string]*list.Element{}}
}

func (c *lru[V]) get(key string) (V, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e, ok := c.items[key]; ok {
		c.order.MoveToFront(e)
		return e.Value.(*lruItem[V]).value, true
	}
	var zero V
	return zero, false
}

// put keeps a value of a size in bytes; one that is larger than an eighth of the
// cache is not kept, so that it cannot sweep out the rest.
func (c *lru[V]) put(key string, value V, size int64) {
	size += int64(len(key)) + lruOverhead
	c.mu.Lock()
	defer c.mu.Unlock()
	if e, ok := c.items[key]; ok {
		c.remove(e)
	}
	if size > c.limit/8 {
		return
	}
	c.items[key] = c.order.PushFront(&lruItem[V]{key: key, value: value, size: size})
	c.used += size
	for c.used > c.limit {
		c.remove(c.order.Back())
	}
}

func (c *lru[V]) remove(e *list.Element) {
	item := e.Value.(*lruItem[V])
	c.order.Remove(e)
	delete(c.items, item.key)
	c.used -= item.size
}
