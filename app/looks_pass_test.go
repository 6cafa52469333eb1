package main

import "testing"

// A page of what is due may be from before a look ended: that is not looked at
// again for it.
func TestLooksOfAnOldPage(t *testing.T) {
	t.Parallel()
	p := newLookPass(testLooks(t, newFakeLooks("a")))
	s := lookState{Repository: fakeRepository("a")}
	p.turnPage()
	first, twice := p.begin(s), p.begin(s)
	p.end(s)
	old := p.begin(s)
	p.turnPage()
	if fresh := p.begin(s); !first || twice || old || !fresh {
		t.Errorf("begun %v, while under way %v, on the same page %v, on the next one %v; want only the first and the last", first, twice, old, fresh)
	}
}
