package sandbox

import (
	"fmt"
	"html/template"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strings"

	"github.com/go-git/go-git/v5/plumbing/filemode"
	"github.com/go-git/go-git/v5/plumbing/object"
)

type treePage struct {
	frame
	Home            bool // the repository's front page
	EmptyRepository bool
	CloneURL        string
	Ref             string
	Branches, Tags  int
	Latest          *commitView
	Up              string
	Crumbs          []crumbView
	Entries         []entryView
	Readme          *readmeView
	LatestRelease   *releaseLink
}

// crumbView is one folder on the way to a file; the last has no path.
type crumbView struct{ Name, Path string }

type entryView struct {
	Name, URL, Size string
	Dir             bool
}

type readmeView struct {
	Name string
	HTML template.HTML
}

type releaseLink struct {
	Name, URL string
	Time      timeView
}

func (s *Server) registerTreePages(mux *http.ServeMux) {
	s.show(mux, "/{owner}/{repo}", "tree", treePageOf)
	s.show(mux, "/{owner}/{repo}/tree/{rest...}", "tree", treePageOf)
	s.show(mux, "/{owner}/{repo}/blob/{rest...}", "blob", blobPageOf)
	mux.HandleFunc("GET /{owner}/{repo}/raw/{rest...}", s.serveRaw)
}

// place is a path at a commit.
type place struct {
	ref    string // as it stands in the address
	path   string
	commit *object.Commit
	entry  object.TreeEntry
}

// url leads to another path at the same commit.
func (v *visit) url(view, ref, file string) string {
	return "/" + v.full + "/" + view + (&url.URL{Path: "/" + strings.TrimSuffix(ref+"/"+file, "/")}).EscapedPath()
}

// findPlace reads "<ref>/<path>". A branch's name may hold slashes, so the
// shortest beginning that names a commit is the ref: git allows no branch "a"
// beside "a/b".
func (v *visit) findPlace(rest string) (place, error) {
	rest = strings.Trim(rest, "/")
	if rest == "" {
		rest = v.repo.defaultBranch
	}
	segments := strings.Split(rest, "/")
	for n := 1; n <= len(segments); n++ {
		ref := strings.Join(segments[:n], "/")
		commit, found := v.repo.git.findCommit(ref)
		if !found {
			continue
		}
		at := place{ref: ref, path: strings.Join(segments[n:], "/"), commit: commit}
		at.entry, found = v.repo.git.entryAt(commit.TreeHash, at.path)
		if !found {
			return at, fail(http.StatusNotFound, fmt.Sprintf("There is no %s at %s.", at.path, ref))
		}
		return at, nil
	}
	return place{}, fail(http.StatusNotFound, "No branch, tag or commit is called so.")
}

func treePageOf(v *visit) (any, error) {
	page := treePage{frame: v.frame(v.full, "code"), CloneURL: v.s.webURL("/" + v.full + ".git")}
	page.Home = v.PathValue("rest") == ""
	if _, found := v.repo.git.findCommit(v.repo.defaultBranch); !found && page.Home {
		page.EmptyRepository = true
		return page, nil
	}
	at, err := v.findPlace(v.PathValue("rest"))
	if err != nil {
		return nil, err
	}
	if at.entry.Mode != filemode.Dir {
		return nil, &movedPage{to: v.url("blob", at.ref, at.path)}
	}
	page.Ref, page.Crumbs = at.ref, crumbs(at.path)
	page.Branches, page.Tags = len(v.repo.git.refsUnder("refs/heads/")), len(v.repo.git.refsUnder("refs/tags/"))
	if at.path != "" {
		up := path.Dir(at.path)
		if up == "." {
			up = ""
		}
		page.Up = v.url("tree", at.ref, up)
	}
	latest := v.viewCommit(at.commit)
	page.Latest = &latest
	if page.Home {
		page.LatestRelease = v.latestRelease()
	}
	return page, v.listFolder(&page, at)
}

// listFolder fills in the folder's entries, folders first, and its README.
func (v *visit) listFolder(page *treePage, at place) error {
	tree, err := v.repo.git.tree(at.entry.Hash)
	if err != nil {
		return err
	}
	for _, e := range tree.Entries {
		entry := entryView{Name: e.Name, Dir: e.Mode == filemode.Dir}
		view := "tree"
		if !entry.Dir {
			view = "blob"
			if size, err := v.repo.git.EncodedObjectSize(e.Hash); err == nil {
				entry.Size = viewSize(size)
			}
		}
		entry.URL = v.url(view, at.ref, path.Join(at.path, e.Name))
		page.Entries = append(page.Entries, entry)
		if name := strings.ToLower(e.Name); page.Readme == nil && !entry.Dir && (name == "readme.md" || name == "readme") {
			page.Readme = v.readme(at, e)
		}
	}
	slices.SortStableFunc(page.Entries, func(a, b entryView) int {
		switch {
		case a.Dir == b.Dir:
			return 0
		case a.Dir:
			return -1
		}
		return 1
	})
	return nil
}

func (v *visit) readme(at place, e object.TreeEntry) *readmeView {
	data, err := v.repo.git.blob(e.Hash)
	if err != nil || len(data) > maxShown {
		return nil
	}
	return &readmeView{Name: e.Name, HTML: v.document(string(data), at.ref, at.path)}
}

// document renders a Markdown file that lies in folder.
func (v *visit) document(source, ref, folder string) template.HTML {
	return renderMarkdown(source, markdownPlace{repo: v.full, file: v.url("blob", ref, folder), document: true, isUser: v.isUser})
}

func crumbs(file string) []crumbView {
	if file == "" {
		return nil
	}
	segments := strings.Split(file, "/")
	out := make([]crumbView, len(segments))
	for i, name := range segments {
		out[i].Name = name
		if i < len(segments)-1 {
			out[i].Path = strings.Join(segments[:i+1], "/")
		}
	}
	return out
}
