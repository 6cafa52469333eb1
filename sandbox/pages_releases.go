package sandbox

import (
	"cmp"
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

type releasesPage struct {
	frame
	One      bool // the page of a single release
	Releases []releaseView
	Pager    pagerView

	CanPublish bool
}

type newReleasePage struct {
	frame
	Tags, Branches []string
	Default        string
}

type releaseView struct {
	Name, Tag, URL, SHA       string
	Draft, Prerelease, Latest bool
	Author                    personView
	Time                      timeView
	HTML                      template.HTML
	Assets                    []assetView
}

type assetView struct {
	Name, URL, Size, Digest string
	Downloads               int64
}

func (s *Server) registerReleasePages(mux *http.ServeMux) {
	s.show(mux, "/{owner}/{repo}/releases", "releases", releasesPageOf)
	s.show(mux, "/{owner}/{repo}/releases/latest", "releases", func(v *visit) (any, error) {
		latest := v.newestRelease()
		if latest == nil {
			return nil, notFound()
		}
		return nil, &movedPage{to: v.releasePath(latest)}
	})
	s.show(mux, "/{owner}/{repo}/releases/tag/{tag...}", "releases", releasePageOf)
	s.show(mux, "/{owner}/{repo}/releases/new", "release_new", newReleasePageOf)
	s.act(mux, "/{owner}/{repo}/releases", publishFromPage)
}

// shownReleases are those that the visitor may see, newest first. Drafts are
// for those who may push.
func (v *visit) shownReleases() []*release {
	var shown []*release
	for _, r := range v.repo.releases {
		if !r.draft || v.mayPush() {
			shown = append(shown, r)
		}
	}
	slices.SortStableFunc(shown, func(a, b *release) int {
		if c := b.created.Compare(a.created); c != 0 {
			return c
		}
		return cmp.Compare(b.id, a.id)
	})
	return shown
}

func (v *visit) mayPush() bool { return v.who != nil && v.s.roleOf(v.who, v.repo) >= roleWrite }

// newestRelease is what carries the word "Latest".
func (v *visit) newestRelease() *release {
	for _, r := range v.shownReleases() {
		if !r.draft && !r.prerelease {
			return r
		}
	}
	return nil
}

func (v *visit) latestRelease() *releaseLink {
	r := v.newestRelease()
	if r == nil {
		return nil
	}
	return &releaseLink{Name: releaseName(r), URL: v.releasePath(r), Time: v.ago(r.published)}
}

func releaseName(r *release) string {
	if r.name != "" {
		return r.name
	}
	return r.tag
}

func (v *visit) releasePath(r *release) string { return v.url("releases/tag", r.tag, "") }

func releasesPageOf(v *visit) (any, error) {
	page := releasesPage{frame: v.frame("Releases", "releases"), CanPublish: v.mayPush()}
	shown, pager := pageOfList(v, v.shownReleases(), 10)
	page.Pager = pager
	for _, r := range shown {
		page.Releases = append(page.Releases, v.viewRelease(r))
	}
	return page, nil
}

func releasePageOf(v *visit) (any, error) {
	tag := v.PathValue("tag")
	for _, r := range v.shownReleases() {
		if r.tag == tag || (r.draft && r.untaggedKey == tag) {
			return releasesPage{frame: v.frame("Release "+releaseName(r), "releases"), One: true, Releases: []releaseView{v.viewRelease(r)}}, nil
		}
	}
	return nil, notFound()
}

func (v *visit) viewRelease(r *release) releaseView {
	view := releaseView{Name: releaseName(r), Tag: r.tag, URL: v.releasePath(r), Draft: r.draft, Prerelease: r.prerelease,
		Latest: r == v.newestRelease(), Author: viewPerson(r.author), Time: v.ago(r.published)}
	if r.draft {
		view.Time = v.ago(r.created)
	}
	if commit, found := v.repo.git.findCommit("tags/" + r.tag); found {
		view.SHA = commit.Hash.String()
	}
	if strings.TrimSpace(r.body) != "" {
		view.HTML = v.markdown(r.body)
	}
	for _, a := range r.assets {
		view.Assets = append(view.Assets, assetView{Name: a.name, Size: viewSize(a.size), Digest: a.digest, Downloads: a.downloads,
			URL: "/" + v.full + "/releases/download" + (&url.URL{Path: "/" + r.tag + "/" + a.name}).EscapedPath()})
	}
	return view
}

func newReleasePageOf(v *visit) (any, error) {
	if !v.mayPush() {
		return nil, fail(http.StatusForbidden, "Only those with write access to this repository can publish releases.")
	}
	page := newReleasePage{frame: v.frame("New release", "releases"), Default: v.repo.defaultBranch}
	for _, ref := range v.repo.git.refsUnder("refs/tags/") {
		page.Tags = append(page.Tags, strings.TrimPrefix(ref.name, "refs/tags/"))
	}
	for _, ref := range v.repo.git.refsUnder("refs/heads/") {
		page.Branches = append(page.Branches, strings.TrimPrefix(ref.name, "refs/heads/"))
	}
	return page, nil
}

func publishFromPage(v *visit) (string, error) {
	var may bool
	v.s.view(func() { may = v.mayPush() })
	if !may {
		return "", fail(http.StatusForbidden, "Only those with write access to this repository can publish releases.")
	}
	tag := strings.TrimSpace(v.PostFormValue("tag_name"))
	in := obj{"tag_name": tag, "target_commitish": v.PostFormValue("target_commitish"), "name": v.PostFormValue("name"),
		"body": v.PostFormValue("body"), "prerelease": v.PostFormValue("prerelease") != ""}
	_, err := v.restRepo(http.MethodPost, "/releases", in)
	return v.url("releases/tag", tag, ""), err
}
