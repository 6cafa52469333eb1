package forge

import (
	"cmp"
	"maps"
	"slices"
	"sync"
	"time"
)

// recallFor is how long the App's own writes are held against what GitHub
// answers. Its reads come from replicas that lag behind: what was just written
// may be missing, or stand there as it was before.
const recallFor = 10 * time.Second

// ReadsLag is more than GitHub's reads are behind its writes: what is found later
// than that after a change is what it led to.
const ReadsLag = time.Minute

// recall remembers what this process wrote a moment ago, by key. It is safe for
// concurrent use. Another process' writes it does not know.
type recall[K comparable, V any] struct {
	mu    sync.Mutex
	items map[K]recalled[V]
}

type recalled[V any] struct {
	value V
	until time.Time
}

func newRecall[K comparable, V any]() *recall[K, V] {
	return &recall[K, V]{items: map[K]recalled[V]{}}
}

// put keeps a value, and forgets those whose time is over.
func (r *recall[K, V]) put(key K, value V) {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := time.Now()
	maps.DeleteFunc(r.items, func(_ K, i recalled[V]) bool { return !now.Before(i.until) })
	r.items[key] = recalled[V]{value, now.Add(recallFor)}
}

func (r *recall[K, V]) forget(key K) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.items, key)
}

func (r *recall[K, V]) get(key K) (V, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	i, ok := r.items[key]
	return i.value, ok && time.Now().Before(i.until)
}

// all are the values that pass, in no order.
func (r *recall[K, V]) all(pass func(V) bool) []V {
	r.mu.Lock()
	defer r.mu.Unlock()
	var values []V
	for _, i := range r.items {
		if time.Now().Before(i.until) && pass(i.value) {
			values = append(values, i.value)
		}
	}
	return values
}

// withWritten is a thread's comments with what this process wrote of them a
// moment ago, oldest first.
func withWritten(listed, written []commentAnswer) []commentAnswer {
	for _, w := range written {
		i := slices.IndexFunc(listed, func(a commentAnswer) bool { return a.ID == w.ID })
		switch {
		case i < 0:
			listed = append(listed, w)
		case !listed[i].UpdatedAt.After(w.UpdatedAt): // its unit is a second
			listed[i] = w
		}
	}
	slices.SortFunc(listed, func(a, b commentAnswer) int { return cmp.Compare(a.ID, b.ID) })
	return listed
}
