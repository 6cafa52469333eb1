package handlers

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/tofu-registrar/registrar/templates"
)

// reviewed is a pull request's reviews, with who may write at the moment; to ask
// about "unknown" fails.
type reviewed struct {
	Pulls
	Threads
	reviews []Review
	writers []string
}

func (r reviewed) Reviews(context.Context, int) ([]Review, error) { return r.reviews, nil }

func (r reviewed) CanWrite(_ context.Context, login string) (bool, error) {
	if login == "unknown" {
		return false, errors.New("GitHub does not answer")
	}
	return slices.Contains(r.writers, login), nil
}

// Only the approval of someone who may write now, of the very commit, merges; a
// writer's objection stops it.
func TestMayMerge(t *testing.T) {
	approve := func(who string) Review { return Review{Author: who, State: "APPROVED", SHA: "head"} }
	object := func(who string) Review { return Review{Author: who, State: "CHANGES_REQUESTED", SHA: "old"} }
	for name, c := range map[string]struct {
		policy  templates.Merge
		writers []string
		reviews []Review
		merges  bool
		by      []string
		fails   bool
	}{
		"nobody":                          {templates.MergeApproved, []string{"grace"}, nil, false, nil, false},
		"a maintainer":                    {templates.MergeApproved, []string{"grace"}, []Review{approve("grace")}, true, []string{"grace"}, false},
		"a stranger":                      {templates.MergeApproved, []string{"grace"}, []Review{approve("mallory")}, false, nil, false},
		"whose right was taken since":     {templates.MergeApproved, nil, []Review{approve("grace")}, false, nil, false},
		"an older commit":                 {templates.MergeApproved, []string{"grace"}, []Review{{Author: "grace", State: "APPROVED", SHA: "old"}}, false, nil, false},
		"only a comment":                  {templates.MergeApproved, []string{"grace"}, []Review{{Author: "grace", State: "COMMENTED", SHA: "head"}}, false, nil, false},
		"an approval and a comment":       {templates.MergeApproved, []string{"grace"}, []Review{approve("grace"), {Author: "grace", State: "COMMENTED", SHA: "head"}}, true, []string{"grace"}, false},
		"dismissed":                       {templates.MergeApproved, []string{"grace"}, []Review{approve("grace"), {Author: "grace", State: "DISMISSED", SHA: "head"}}, false, nil, false},
		"second thoughts":                 {templates.MergeApproved, []string{"grace"}, []Review{approve("grace"), object("grace")}, false, nil, false},
		"an objection of another":         {templates.MergeApproved, []string{"grace", "linus"}, []Review{approve("grace"), object("linus")}, false, nil, false},
		"an objection of a stranger":      {templates.MergeApproved, []string{"grace"}, []Review{approve("grace"), object("mallory")}, true, []string{"grace"}, false},
		"an unknown right":                {templates.MergeApproved, []string{"grace"}, []Review{approve("unknown")}, false, nil, true},
		"manual, though approved":         {templates.MergeManual, []string{"grace"}, []Review{approve("grace")}, false, nil, false},
		"automatic":                       {templates.MergeAutomatic, nil, nil, true, nil, false},
		"a policy that there is not":      {"sometimes", []string{"grace"}, []Review{approve("grace")}, false, nil, false},
		"a stranger beside a maintainer":  {templates.MergeApproved, []string{"grace"}, []Review{approve("mallory"), approve("grace")}, true, []string{"grace"}, false},
		"a stranger in the App's clothes": {templates.MergeApproved, []string{"grace"}, []Review{approve("registrar[bot]")}, false, nil, false},
	} {
		world := reviewed{reviews: c.reviews, writers: c.writers}
		h := New(Options{Pulls: world, Threads: world})
		merges, by, err := h.mayMerge(context.Background(), c.policy, Pull{Number: 2, HeadSHA: "head"})
		if merges != c.merges || !slices.Equal(by, c.by) || (err != nil) != c.fails {
			t.Errorf("%s: %v by %q, %v", name, merges, by, err)
		}
	}
}
