package sandbox_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-github/v57/github"
)

// TestEveryPage opens each kind of page; browser.open judges its HTML.
func TestEveryPage(t *testing.T) {
	t.Parallel()
	o := newTown(t)
	maintainer := o.as("maintainer")
	o.branch(maintainer, "registry", "metadata", "main", "feature/a")
	commit := o.commitFile(maintainer, "feature/a", "dir/päth with #?%.txt", "<b>text</b>\nsecond\n")
	b := o.browse("stranger")
	for path, texts := range map[string][]string{
		"/":                                      {"registry/metadata", "author/terraform-provider-demo"},
		"/registry":                              {"Organization", "metadata", "maintainer"},
		"/REGISTRY/Metadata":                     {"<h1>Metadata</h1>"},
		"/author":                                {"terraform-provider-demo"},
		"/registry/metadata":                     {"What the registry serves", "<h1>Metadata</h1>", `href="/registry/metadata/blob/main/docs/policy.md"`, "providers", ".git"},
		"/registry/metadata/tree/main/docs":      {"policy.md"},
		"/registry/metadata/tree/feature/a/dir":  {"päth with #?%.txt", `/registry/metadata/blob/feature/a/dir/p%C3%A4th%20with%20%23%3F%25.txt`},
		"/registry/metadata/tree/" + commit:      {"README.md"},
		"/registry/metadata/blob/main/README.md": {"<h1>Metadata</h1>", "<td>1</td>"},
		"/registry/metadata/blob/main/README.md?plain=1":                         {"# Metadata", "7 lines"},
		"/registry/metadata/blob/main/docs/policy.md":                            {`href="/registry/metadata/blob/main/README.md"`},
		"/registry/metadata/blob/feature/a/dir/p%C3%A4th%20with%20%23%3F%25.txt": {"&lt;b&gt;text&lt;/b&gt;", "2 lines"},
		"/registry/metadata/commits":                                             {"write docs/policy.md", "maintainer"},
		"/registry/metadata/commits/feature/a":                                   {"write dir/p"},
		"/registry/metadata/commits/main/docs":                                   {"write docs/policy.md"},
		"/registry/metadata/commit/" + commit:                                    {"write dir/p", `<tr class="added">`, "+2"},
		"/registry/metadata/compare/main...feature/a":                            {"1 commit, 1 changed file", "write dir/p"},
		"/registry/metadata/branches":                                            {"feature/a", "default"},
		"/registry/metadata/tags":                                                {"None."},
		"/author/terraform-provider-demo/tags":                                   {"v1.0.0"},
		"/registry/metadata/issues":                                              {"0 Open"},
		"/registry/metadata/pulls":                                               {"0 Open"},
		"/registry/metadata/releases":                                            {"any releases here"},
		"/author/terraform-provider-demo/releases":                               {"First release", "Latest", "it <strong>works</strong> 🎉", "terraform-provider-demo_1.0.0_linux_amd64.zip", "2 Bytes"},
		"/author/terraform-provider-demo/releases/tag/v1.0.0":                    {"First release", "sha256:"},
		"/author/terraform-provider-demo":                                        {"First release", ".git"},
		"/registry/metadata/issues/new":                                          {"Create new issue"},
		"/registry/metadata/issues/new/choose":                                   {"Submit a provider"},
	} {
		b.open(path, append(texts, "everything here lives on this machine")...)
	}
	if page := b.open("/registry/metadata/commits/main/docs"); strings.Contains(page, "write README.md") {
		t.Error("the history of a folder holds a commit that did not touch it")
	}
	if page := b.open("/registry"); strings.Contains(page, `href="/shy"><`) || strings.Contains(page, "private</span>") {
		t.Error("a stranger sees a concealed member")
	}
	o.browse("shy").open("/registry", "private</span>", "Make it public")
}

func TestPagesThatAreNotThere(t *testing.T) {
	t.Parallel()
	o := newTown(t)
	must(o.as("author").Repositories.Create(o.ctx, "", &github.Repository{Name: github.String("secret"), Private: github.Bool(true), AutoInit: github.Bool(true)}))(o.world)
	must(o.as("author").Repositories.Create(o.ctx, "", &github.Repository{Name: github.String("empty")}))(o.world)
	b := o.browse("stranger")
	for _, path := range []string{"/nobody", "/nobody/nothing", "/registry/nothing", "/registry/metadata/issues/1", "/registry/metadata/issues/0", "/registry/metadata/issues/x",
		"/registry/metadata/pull/1", "/registry/metadata/tree/no-branch", "/registry/metadata/blob/main/no-file", "/registry/metadata/commit/0123456789012345678901234567890123456789",
		"/registry/metadata/releases/tag/v9", "/registry/metadata/releases/latest", "/registry/metadata/issues/new?template=none.yml", "/registry/metadata/no/such/page",
		"/author/secret", "/author/secret/issues", "/author/secret/raw/main/README.md", "/settings/apps/nothing/deliveries", "/settings", "/orgs/registry", "/_pages/other", "/apps/none"} {
		if got := b.ask(http.MethodGet, path, nil); got.status != http.StatusNotFound || !strings.Contains(got.page, "404") {
			t.Errorf("GET %s: %d", path, got.status)
		}
	}
	author := o.browse("author")
	author.open("/author/secret", "Private")
	author.open("/author/empty", "This repository is empty")
	author.open("/author", "secret")
	if page := b.open("/author"); strings.Contains(page, "secret") {
		t.Error("a stranger sees a private repository")
	}
}

func TestPagesThatMoved(t *testing.T) {
	t.Parallel()
	o := newTown(t)
	issue := must(o.as("author").Issues.Create(o.ctx, "registry", "metadata", &github.IssueRequest{Title: github.String("T")}))(o.world)
	number, _ := o.propose("p", "a.txt", "a\n", "P", "")
	must(o.as("author").Repositories.Edit(o.ctx, "author", "terraform-provider-demo", &github.Repository{Name: github.String("terraform-provider-new")}))(o.world)
	b := o.browse("author")
	for path, want := range map[string]string{
		fmt.Sprintf("/registry/metadata/issues/%d", number):          fmt.Sprintf("/registry/metadata/pull/%d", number),
		fmt.Sprintf("/registry/metadata/pull/%d", issue.GetNumber()): fmt.Sprintf("/registry/metadata/issues/%d", issue.GetNumber()),
		"/registry/metadata/tree/main/README.md":                     "/registry/metadata/blob/main/README.md",
		"/registry/metadata/blob/main/docs":                          "/registry/metadata/tree/main/docs",
		"/author/terraform-provider-demo/tags":                       "/author/terraform-provider-new/tags",
		"/author/terraform-provider-new/releases/latest":             "/author/terraform-provider-new/releases/tag/v1.0.0",
		"/registry/metadata/":                                        "/registry/metadata",
		"/apps/registrar":                                            "/settings/apps/registrar/deliveries",
	} {
		if got := b.ask(http.MethodGet, path, nil); got.location != want {
			t.Errorf("GET %s: %d to %q, want %q", path, got.status, got.location, want)
		}
	}
}

// TestAddressesOfTheAPIArePages follows every address for people that REST
// answers carry.
func TestAddressesOfTheAPIArePages(t *testing.T) {
	t.Parallel()
	o := newTown(t)
	author := o.as("author")
	issue := must(author.Issues.Create(o.ctx, "registry", "metadata", &github.IssueRequest{Title: github.String("T"), Body: github.String("b")}))(o.world)
	must(o.app.Issues.CreateComment(o.ctx, "registry", "metadata", issue.GetNumber(), &github.IssueComment{Body: github.String("c")}))(o.world)
	number, sha := o.propose("p", "a.txt", "a\n", "P", "")
	must(author.PullRequests.CreateReview(o.ctx, "registry", "metadata", number, &github.PullRequestReviewRequest{Event: github.String("APPROVE")}))(o.world)
	must(o.app.Checks.CreateCheckRun(o.ctx, "registry", "metadata", github.CreateCheckRunOptions{Name: "c", HeadSHA: sha}))(o.world)
	const repo = "repos/registry/metadata"
	seen := map[string]bool{}
	for _, path := range []string{"users/author", "orgs/registry", repo, repo + "/issues/1", repo + "/issues/1/comments", fmt.Sprintf("%s/pulls/%d", repo, number),
		fmt.Sprintf("%s/pulls/%d/reviews", repo, number), repo + "/commits/" + sha, repo + "/commits/" + sha + "/check-runs", repo + "/contents/docs", repo + "/contents/README.md",
		repo + "/compare/main...p", repo + "/git/commits/" + sha, "repos/author/terraform-provider-demo/releases"} {
		_, body := o.get(o.s.APIURL()+path, o.s.UserToken("maintainer"))
		for _, name := range []string{"html_url", "avatar_url", "browser_download_url"} {
			for rest := body; strings.Contains(rest, `"`+name+`":"`); {
				_, rest, _ = strings.Cut(rest, `"`+name+`":"`)
				address, _, _ := strings.Cut(rest, `"`)
				seen[address] = true
			}
		}
	}
	if len(seen) < 15 {
		t.Errorf("only %d addresses", len(seen))
	}
	b := o.browse("maintainer")
	for address := range seen {
		path, ours := strings.CutPrefix(address, o.s.URL())
		path, _, _ = strings.Cut(path, "#")
		if got := b.ask(http.MethodGet, path, nil); !ours || got.status >= 400 {
			t.Errorf("%s: %d", address, got.status)
		}
	}
}

func TestReleaseByHand(t *testing.T) {
	t.Parallel()
	o := newTown(t)
	author, stranger := o.browse("author"), o.browse("stranger")
	const releases = "/author/terraform-provider-demo/releases"
	author.open(releases, "Draft a new release")
	author.open(releases+"/new", `<option value="main" selected>`, `<option value="v1.0.0">`)
	to := author.done(releases, field("tag_name", "v1.1.0", "target_commitish", "main", "name", "Second", "body", "* more", "prerelease", "1"))
	author.open(to, "Second", "Pre-release", "<li>more</li>")
	author.refusedPage(releases, field("tag_name", "v1.1.0", "target_commitish", "main"), http.StatusUnprocessableEntity, "")
	if page := stranger.open(releases); strings.Contains(page, "Draft a new release") {
		t.Error("a stranger sees the button")
	}
	stranger.refusedPage(releases, field("tag_name", "v2", "target_commitish", "main"), http.StatusForbidden, "write access")
	if got := stranger.ask(http.MethodGet, releases+"/new", nil); got.status != http.StatusForbidden {
		t.Errorf("a stranger sees the form: %d", got.status)
	}
}

// A file's bytes are a stranger's: no browser may take them for a page.
func TestRawFilesAreInert(t *testing.T) {
	t.Parallel()
	o := newTown(t)
	o.file(o.as("maintainer"), "registry", "metadata", "main", "evil.html", "<script>alert(1)</script>")
	o.file(o.as("maintainer"), "registry", "metadata", "main", "logo.bin", "\x00\x01")
	b := o.browse("stranger")
	got := b.ask(http.MethodGet, "/registry/metadata/raw/main/evil.html", nil)
	if got.status != http.StatusOK || got.page != "<script>alert(1)</script>" {
		t.Errorf("%d %q", got.status, got.page)
	}
	for name, want := range map[string]string{"Content-Type": "text/plain; charset=utf-8", "X-Content-Type-Options": "nosniff", "Content-Security-Policy": "default-src 'none'; sandbox"} {
		if value := got.header.Get(name); value != want {
			t.Errorf("%s: %q, want %q", name, value, want)
		}
	}
	b.open("/registry/metadata/blob/main/evil.html", "&lt;script&gt;")
	b.open("/registry/metadata/blob/main/logo.bin", "binary file")
}

func TestDeliveriesPage(t *testing.T) {
	t.Parallel()
	o := newTown(t)
	must(o.as("author").Issues.Create(o.ctx, "registry", "metadata", &github.IssueRequest{Title: github.String("Hello <webhook>")}))(o.world)
	o.take()
	const path = "/settings/apps/registrar/deliveries"
	maintainer, stranger := o.browse("maintainer"), o.browse("stranger")
	page := maintainer.open(path, "issues.opened", "ping", "202 Accepted", "X-Hub-Signature-256", "Hello \\u003cwebhook\\u003e", "Redeliver")
	again := between(page, `action="`+path+`/`, `"`)
	if to := maintainer.done(path+"/"+again, nil); to != path {
		t.Errorf("redelivery leads to %s", to)
	}
	hooks := o.want("issues.opened")
	maintainer.open(path, "redelivery", hooks[0].guid)
	for _, who := range []*browser{stranger, o.browse("")} {
		if got := who.ask(http.MethodGet, path, nil); got.status != http.StatusForbidden {
			t.Errorf("others see the deliveries: %d", got.status)
		}
	}
	stranger.refusedPage(path+"/"+again, nil, http.StatusForbidden, "Only those who own the app")
}

func TestLongListsHavePages(t *testing.T) {
	t.Parallel()
	o := newTown(t)
	for n := range 30 {
		must(o.as("author").Issues.Create(o.ctx, "registry", "metadata", &github.IssueRequest{Title: github.String(fmt.Sprintf("Issue number %d.", n))}))(o.world)
	}
	b := o.browse("")
	if page := b.open("/registry/metadata/issues", "Issue number 29.", `rel="next"`); strings.Contains(page, "Issue number 4.") || strings.Contains(page, `rel="prev"`) {
		t.Error("the first page is not the first")
	}
	b.open("/registry/metadata/issues?page=2", "Issue number 4.", `rel="prev"`)
	for _, page := range []string{"9", "-1", "0", "x", "99999999999999999999"} {
		b.open("/registry/metadata/issues?page=" + page)
	}
}

// TestPagesAreInert writes markup wherever somebody may write something and
// opens every page that shows it.
func TestPagesAreInert(t *testing.T) {
	t.Parallel()
	o := newTown(t)
	const evil = `"><script>alert(1)</script><img src=x onerror=alert(1)>'</title></textarea><b onclick=x>`
	author, maintainer := o.as("author"), o.as("maintainer")
	issue := must(author.Issues.Create(o.ctx, "registry", "metadata", &github.IssueRequest{Title: github.String(evil), Body: github.String(evil)}))(o.world)
	must(author.Issues.CreateComment(o.ctx, "registry", "metadata", issue.GetNumber(), &github.IssueComment{Body: github.String(evil)}))(o.world)
	must(maintainer.Issues.CreateLabel(o.ctx, "registry", "metadata", &github.Label{Name: github.String(`"><script>x</script>`), Color: github.String("ffffff"), Description: github.String(evil)}))(o.world)
	must(maintainer.Issues.AddLabelsToIssue(o.ctx, "registry", "metadata", issue.GetNumber(), []string{`"><script>x</script>`}))(o.world)
	const file = `dir "><script>/<img src=x onerror=alert(1)>.md`
	number, sha := o.propose(`b"><script>`, file, evil, evil, evil)
	o.file(maintainer, "registry", "metadata", "main", `"><script>alert(1)<`, evil)
	o.file(maintainer, "registry", "metadata", "main", ".github/ISSUE_TEMPLATE/evil.yml", strings.ReplaceAll(providerForm, "Provider Repository", `'"><script>alert(1)</script>'`))
	must(o.app.Checks.CreateCheckRun(o.ctx, "registry", "metadata", github.CreateCheckRunOptions{Name: evil, HeadSHA: sha, Status: github.String("completed"),
		Conclusion: github.String("neutral"), Output: &github.CheckRunOutput{Title: github.String(evil), Summary: github.String(evil), Text: github.String(evil),
			Annotations: []*github.CheckRunAnnotation{{Path: github.String(evil), StartLine: github.Int(1), EndLine: github.Int(1), AnnotationLevel: github.String("warning"), Message: github.String(evil), RawDetails: github.String(evil)}}}}))(o.world)
	must(o.app.Repositories.CreateStatus(o.ctx, "registry", "metadata", sha, &github.RepoStatus{State: github.String("success"), Context: github.String(evil), Description: github.String("<script>"), TargetURL: github.String("javascript:alert(1)")}))(o.world)
	must(author.PullRequests.CreateReview(o.ctx, "registry", "metadata", number, &github.PullRequestReviewRequest{Event: github.String("COMMENT"), Body: github.String(evil)}))(o.world)
	must(author.Repositories.CreateRelease(o.ctx, "author", "terraform-provider-demo", &github.RepositoryRelease{TagName: github.String(`v2"><script>`), Name: github.String(evil), Body: github.String(evil)}))(o.world)

	for _, who := range []string{"author", "maintainer", ""} {
		b := o.browse(who)
		pull := fmt.Sprintf("/registry/metadata/pull/%d", number)
		for _, path := range []string{"/", "/registry/metadata", "/registry/metadata/issues", "/registry/metadata/pulls", "/registry/metadata/issues/1", pull, pull + "/files", pull + "/commits", pull + "/checks",
			"/registry/metadata/commits", "/registry/metadata/branches", "/registry/metadata/commit/" + sha, "/registry/metadata/tree/b%22%3E%3Cscript%3E",
			"/registry/metadata/blob/main/%22%3E%3Cscript%3Ealert%281%29%3C", "/author/terraform-provider-demo/releases", "/author/terraform-provider-demo/tags",
			"/registry/metadata/issues/new/choose", "/registry/metadata/issues/new?template=evil.yml",
			"/registry/metadata/issues/new?template=provider.yml&repository=%22%3E%3Cscript%3Ealert(1)%3C/script%3E&title=%22%3E%3Cscript%3E&level=%22%3E%3Cscript%3E",
			"/registry/metadata/issues/new?title=%22%3E%3Cscript%3E&body=%3C/textarea%3E%3Cscript%3E",
			"/registry/metadata/issues?label=%22%3E%3Cscript%3E&state=%22%3E%3Cscript%3E&q=%22%3E%3Cscript%3E&page=%22%3E", "/?%22%3E%3Cscript%3E"} {
			if page := b.open(path); strings.Contains(page, "<script") {
				t.Errorf("%q: GET %s: a script", who, path)
			}
		}
	}
}
