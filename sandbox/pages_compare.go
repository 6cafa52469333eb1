package sandbox

import (
	"net/http"
	"slices"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"
)

type comparePage struct {
	frame
	Base, Head string
	Commits    []commitView
	Behind     int
	Files      []diffView
}

func (s *Server) registerComparePages(mux *http.ServeMux) {
	s.show(mux, "/{owner}/{repo}/compare/{basehead...}", "compare", comparePageOf)
}

// comparePageOf shows what head has that base has not, for an address
// ".../compare/<base>...<head>", as push payloads name it.
func comparePageOf(v *visit) (any, error) {
	page := comparePage{frame: v.frame("Comparing changes", "code")}
	var both bool
	if page.Base, page.Head, both = strings.Cut(v.PathValue("basehead"), "..."); !both {
		page.Base, page.Head = v.repo.defaultBranch, v.PathValue("basehead")
	}
	git := v.repo.git
	base, found := git.findCommit(page.Base)
	if !found {
		return nil, notFound()
	}
	head, found := git.findCommit(page.Head)
	if !found {
		return nil, notFound()
	}
	d, err := git.compare(base.Hash, head.Hash)
	if err != nil {
		return nil, err
	}
	page.Behind = d.behind
	ahead := slices.Clone(d.ahead[max(0, len(d.ahead)-maxCompared):])
	if page.Commits, err = v.viewCommits(ahead); err != nil {
		return nil, err
	}
	var before plumbing.Hash
	if !d.mergeBase.IsZero() {
		fork, err := git.commit(d.mergeBase)
		if err != nil {
			return nil, err
		}
		before = fork.TreeHash
	}
	files, err := git.diff(before, head.TreeHash, maxDiffFiles)
	page.Files = viewDiffs(files)
	return page, err
}

// maxCompared is how many commits GitHub lists of a comparison.
const maxCompared = 250
