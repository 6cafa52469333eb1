package sandbox

import (
	"container/heap"
	"time"

	"github.com/go-git/go-git/v5/plumbing"
)

// commitMeta is what walking the history needs of a commit.
type commitMeta struct {
	hash    plumbing.Hash
	parents []plumbing.Hash
	when    time.Time
	// generation is one more than the greatest of the parents. Dates can't
	// order the history here, because callers choose them.
	generation int
}

// meta reads a commit's place in the history; results are kept.
func (g *gitStore) meta(h plumbing.Hash) (*commitMeta, error) {
	stack := []plumbing.Hash{h}
	for len(stack) > 0 {
		top := stack[len(stack)-1]
		if g.keptMeta(top) != nil {
			stack = stack[:len(stack)-1]
			continue
		}
		c, err := g.commit(top)
		if err != nil {
			return nil, err
		}
		m := &commitMeta{hash: top, parents: c.ParentHashes, when: c.Committer.When, generation: 1}
		waiting := false
		for _, p := range c.ParentHashes {
			if known := g.keptMeta(p); known != nil {
				m.generation = max(m.generation, known.generation+1)
			} else {
				stack, waiting = append(stack, p), true
			}
		}
		if !waiting {
			g.keepMeta(m)
			stack = stack[:len(stack)-1]
		}
	}
	return g.keptMeta(h), nil
}

func (g *gitStore) keptMeta(h plumbing.Hash) *commitMeta {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.metas[h]
}

func (g *gitStore) keepMeta(m *commitMeta) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.metas == nil {
		g.metas = map[plumbing.Hash]*commitMeta{}
	}
	g.metas[m.hash] = m
}

// byGeneration is a heap with the youngest commit on top.
type byGeneration []*commitMeta

func (q byGeneration) Len() int { return len(q) }
func (q byGeneration) Less(i, j int) bool {
	if q[i].generation != q[j].generation {
		return q[i].generation > q[j].generation
	}
	return q[i].when.After(q[j].when)
}
func (q byGeneration) Swap(i, j int) { q[i], q[j] = q[j], q[i] }
func (q *byGeneration) Push(x any)   { *q = append(*q, x.(*commitMeta)) }
func (q *byGeneration) Pop() any {
	old := *q
	last := old[len(old)-1]
	*q = old[:len(old)-1]
	return last
}

// Marks of divergence: reachable from the one side, the other, or below a
// common ancestor that is known already.
const (
	fromBase = 1 << iota
	fromHead
	common
)

// divergence is how two commits lie to each other.
type divergence struct {
	mergeBase plumbing.Hash   // zero when the histories are unrelated
	ahead     []plumbing.Hash // only reachable from head, oldest first
	behind    int             // only reachable from base
}

// compare walks both histories down to where they meet. Every commit is taken
// from the heap after all that descend from it, so its marks are complete.
func (g *gitStore) compare(base, head plumbing.Hash) (divergence, error) {
	var d divergence
	marks := map[plumbing.Hash]int{}
	queue := &byGeneration{}
	open := 0 // commits in the queue that are not known to be common
	mark := func(h plumbing.Hash, bits int) error {
		before, queued := marks[h]
		marks[h] = before | bits
		if queued {
			if before&common == 0 && marks[h]&common != 0 {
				open--
			}
			return nil
		}
		m, err := g.meta(h)
		if err != nil {
			return err
		}
		if bits&common == 0 {
			open++
		}
		heap.Push(queue, m)
		return nil
	}
	if err := mark(base, fromBase); err != nil {
		return d, err
	}
	if err := mark(head, fromHead); err != nil {
		return d, err
	}
	for queue.Len() > 0 && open > 0 {
		m := heap.Pop(queue).(*commitMeta)
		bits := marks[m.hash]
		if bits&common == 0 {
			open--
		}
		switch {
		case bits&common != 0:
		case bits == fromBase|fromHead:
			if d.mergeBase.IsZero() {
				d.mergeBase = m.hash
			}
			bits |= common
		case bits == fromHead:
			d.ahead = append(d.ahead, m.hash)
		default:
			d.behind++
		}
		for _, p := range m.parents {
			if err := mark(p, bits); err != nil {
				return d, err
			}
		}
	}
	for i, j := 0, len(d.ahead)-1; i < j; i, j = i+1, j-1 {
		d.ahead[i], d.ahead[j] = d.ahead[j], d.ahead[i]
	}
	return d, nil
}

// isAncestor tells whether old is reachable from young.
func (g *gitStore) isAncestor(old, young plumbing.Hash) (bool, error) {
	if old == young {
		return true, nil
	}
	d, err := g.compare(old, young)
	return d.mergeBase == old, err
}

// log lists the history of a commit, youngest first, keeping those that pass
// keep, and stops after limit of them (0: never).
func (g *gitStore) log(from plumbing.Hash, limit int, keep func(*commitMeta) (bool, error)) ([]plumbing.Hash, error) {
	var out []plumbing.Hash
	seen := map[plumbing.Hash]bool{from: true}
	first, err := g.meta(from)
	if err != nil {
		return nil, err
	}
	queue := &byGeneration{first}
	for queue.Len() > 0 {
		m := heap.Pop(queue).(*commitMeta)
		take := true
		if keep != nil {
			if take, err = keep(m); err != nil {
				return nil, err
			}
		}
		if take {
			if out = append(out, m.hash); len(out) == limit {
				break
			}
		}
		for _, p := range m.parents {
			if seen[p] {
				continue
			}
			seen[p] = true
			pm, err := g.meta(p)
			if err != nil {
				return nil, err
			}
			heap.Push(queue, pm)
		}
	}
	return out, nil
}
