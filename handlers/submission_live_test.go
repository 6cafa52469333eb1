package handlers

import (
	"context"
	"testing"
	"time"

	"github.com/tofu-registrar/registrar/templates"
)

// oneFile is a repository of one file, by commit; "" is none.
type oneFile struct {
	Snapshots
	at map[string]string
}

func (f oneFile) File(_ context.Context, commit, _ string) ([]byte, bool, error) {
	return []byte(f.at[commit]), f.at[commit] != "", nil
}

// What was merged a moment ago may not be on the metadata branch yet, as GitHub
// answers: then it is not live, although nothing differs from what is published.
func TestLiveNow(t *testing.T) {
	for name, c := range map[string]struct {
		base, merge, head, published string
		since                        time.Duration
		want                         bool
	}{
		"published":                        {"", "a", "a", "a", 0, true},
		"not yet":                          {"", "a", "a", "", 0, false},
		"the branch as it was before":      {"", "a", "", "", 0, false},
		"as it was before, and not empty":  {"a", "b", "a", "a", 0, false},
		"followed by another merge":        {"", "a", "ab", "ab", 0, true},
		"the other one is not yet there":   {"", "a", "ab", "a", 0, false},
		"taken back long ago":              {"", "a", "", "", time.Hour, true},
		"a removal, and nothing is left":   {"a", "", "", "", 0, true},
		"a removal, as it was before that": {"a", "", "a", "a", 0, false},
	} {
		now := time.Unix(1700000000, 0)
		h := New(Options{
			Snapshots: oneFile{at: map[string]string{"base": c.base, "merge": c.merge, "head": c.head, "published": c.published}},
			Now:       func() time.Time { return now },
		})
		s := observed(func(s *submission) { withPull(s, false, true) })
		s.pull.BaseSHA, s.pull.MergeSHA = "base", "merge"
		s.stamp.State, s.comment.Updated = templates.StatePublishing, now.Add(-c.since)
		if got, err := h.liveNow(t.Context(), s, "published", "versions_blacklist.json"); got != c.want || err != nil {
			t.Errorf("%s: %v, %v", name, got, err)
		}
	}
}
