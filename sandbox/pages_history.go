package sandbox

import (
	"net/http"
	"path"
	"slices"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/object"
)

// maxHistory is how many commits of a branch are listed in all.
const maxHistory = 5000

type commitView struct {
	SHA, Short, URL string
	Subject, Rest   string
	Author          *personView // nil when no account has the commit's address
	AuthorName      string
	Time            timeView
}

type commitsPage struct {
	frame
	Ref     string
	Commits []commitView
	Pager   pagerView
}

type commitPage struct {
	frame
	Commit  commitView
	Parents []string
	Files   []diffView
}

type refsPage struct {
	frame
	Heading string
	Icon    string
	Refs    []refView
	Pager   pagerView
}

type refView struct {
	Name, SHA string
	Default   bool
	Release   string // path of the release's page
}

func (s *Server) registerHistoryPages(mux *http.ServeMux) {
	s.show(mux, "/{owner}/{repo}/commits", "commits", commitsPageOf)
	s.show(mux, "/{owner}/{repo}/commits/{rest...}", "commits", commitsPageOf)
	s.show(mux, "/{owner}/{repo}/commit/{sha}", "commit", commitPageOf)
	s.show(mux, "/{owner}/{repo}/tags", "refs", tagsPageOf)
	s.show(mux, "/{owner}/{repo}/branches", "refs", branchesPageOf)
}

func (v *visit) viewCommit(c *object.Commit) commitView {
	subject, rest, _ := strings.Cut(strings.TrimSpace(c.Message), "\n")
	view := commitView{SHA: c.Hash.String(), Short: c.Hash.String()[:7], Subject: subject, Rest: strings.TrimSpace(rest),
		AuthorName: c.Author.Name, Time: v.ago(c.Author.When)}
	if view.Subject == "" {
		view.Subject = "(no message)"
	}
	view.URL = "/" + v.full + "/commit/" + view.SHA
	if a := v.s.accountByEmail(c.Author.Email); a != nil {
		person := viewPerson(a)
		view.Author, view.AuthorName = &person, a.login
	}
	return view
}

func commitsPageOf(v *visit) (any, error) {
	at, err := v.findPlace(v.PathValue("rest"))
	if err != nil {
		return nil, err
	}
	page := commitsPage{frame: v.frame("Commits", "code"), Ref: path.Join(at.ref, at.path)}
	hashes, err := v.repo.git.log(at.commit.Hash, maxHistory, v.touches(at.path))
	if err != nil {
		return nil, err
	}
	shown, pager := pageOfList(v, hashes, listSize)
	page.Pager = pager
	page.Commits, err = v.viewCommits(shown)
	return page, err
}

func (v *visit) viewCommits(hashes []plumbing.Hash) ([]commitView, error) {
	views := make([]commitView, 0, len(hashes))
	for _, h := range hashes {
		c, err := v.repo.git.commit(h)
		if err != nil {
			return nil, err
		}
		views = append(views, v.viewCommit(c))
	}
	return views, nil
}

// touches keeps the commits in which a path differs from all parents; every
// commit when no path is given.
func (v *visit) touches(file string) func(*commitMeta) (bool, error) {
	if file == "" {
		return nil
	}
	git := v.repo.git
	return func(m *commitMeta) (bool, error) {
		own, err := git.commit(m.hash)
		if err != nil {
			return false, err
		}
		now := hashAt(git, own, file)
		for _, p := range m.parents {
			parent, err := git.commit(p)
			if err != nil {
				return false, err
			}
			if hashAt(git, parent, file) == now {
				return false, nil
			}
		}
		return len(m.parents) > 0 || !now.IsZero(), nil
	}
}

// hashAt is what lies at a path, zero for nothing.
func hashAt(git *gitStore, c *object.Commit, file string) plumbing.Hash {
	entry, found := git.entryAt(c.TreeHash, file)
	if !found {
		return plumbing.ZeroHash
	}
	return entry.Hash
}

func commitPageOf(v *visit) (any, error) {
	commit, found := v.repo.git.findCommit(v.PathValue("sha"))
	if !found {
		return nil, notFound()
	}
	page := commitPage{frame: v.frame("Commit", "code"), Commit: v.viewCommit(commit)}
	page.Title = page.Commit.Subject + " · " + v.full + "@" + page.Commit.Short
	var before plumbing.Hash
	for i, p := range commit.ParentHashes {
		page.Parents = append(page.Parents, p.String())
		if i > 0 {
			continue
		}
		parent, err := v.repo.git.commit(p)
		if err != nil {
			return nil, err
		}
		before = parent.TreeHash
	}
	files, err := v.repo.git.diff(before, commit.TreeHash, maxDiffFiles)
	page.Files = viewDiffs(files)
	return page, err
}

func tagsPageOf(v *visit) (any, error) {
	page := refsPage{frame: v.frame("Tags", "releases"), Heading: "Tags", Icon: "tag"}
	released := map[string]bool{}
	for _, one := range v.repo.releases {
		released[one.tag] = !one.draft
	}
	refs := v.repo.git.refsUnder("refs/tags/")
	slices.Reverse(refs) // GitHub shows the highest first
	shown, pager := pageOfList(v, refs, listSize)
	page.Pager = pager
	for _, ref := range shown {
		view := v.viewRef(ref, "refs/tags/")
		if released[view.Name] {
			view.Release = v.url("releases/tag", view.Name, "")
		}
		page.Refs = append(page.Refs, view)
	}
	return page, nil
}

func branchesPageOf(v *visit) (any, error) {
	page := refsPage{frame: v.frame("Branches", "code"), Heading: "Branches", Icon: "branch"}
	shown, pager := pageOfList(v, v.repo.git.refsUnder("refs/heads/"), listSize)
	page.Pager = pager
	for _, ref := range shown {
		view := v.viewRef(ref, "refs/heads/")
		view.Default = view.Name == v.repo.defaultBranch
		page.Refs = append(page.Refs, view)
	}
	return page, nil
}

func (v *visit) viewRef(ref gitRef, prefix string) refView {
	view := refView{Name: strings.TrimPrefix(ref.name, prefix), SHA: ref.hash.String()}
	if commit, err := v.repo.git.peel(ref.hash); err == nil {
		view.SHA = commit.String()
	}
	return view
}
