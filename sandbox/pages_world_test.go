package sandbox_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-github/v57/github"

	"github.com/tofu-registrar/registrar/sandbox"
)

// town is a sandbox as a newcomer finds it: a metadata repository with issue
// forms, the app installed on it, an author with a released provider.
type town struct {
	*world
	app *github.Client // the bot
}

const providerForm = `name: Submit a provider
description: Add a provider to the registry
title: "Provider: "
labels: ["provider", "submission"]
body:
  - type: markdown
    attributes:
      value: Read **this** first.
  - type: input
    id: repository
    attributes:
      label: Provider Repository
      description: The public [GitHub](https://github.com) repository.
      placeholder: acme/terraform-provider-demo
    validations:
      required: true
  - type: textarea
    id: note
    attributes:
      label: Anything else?
  - type: dropdown
    id: level
    attributes:
      label: Level
      options: [Official, Community]
  - type: checkboxes
    id: public_membership
    attributes:
      label: Public Membership
      options:
        - label: I have made my membership public
          required: true
`

const readme = "# Metadata\n\nSee [the policy](docs/policy.md).\n\n| a | b |\n|---|---|\n| 1 | 2 |\n"

func newTown(t *testing.T) *town {
	t.Helper()
	w := start(t)
	w.s.AddOrganization("registry", sandbox.Member{Login: "maintainer", Role: "admin", Public: true}, sandbox.Member{Login: "shy"})
	w.s.AddUser("author")
	w.s.AddUser("stranger")
	maintainer := w.as("maintainer")
	must(maintainer.Repositories.Create(w.ctx, "registry", &github.Repository{Name: github.String("metadata"), AutoInit: github.Bool(true),
		Description: github.String("What the registry serves")}))(w)
	for path, text := range map[string]string{
		"README.md": readme, "docs/policy.md": "# Policy\n\nBe [kind](../README.md).\n", "providers/a/acme/demo.json": "{\n  \"versions\": []\n}\n",
		".github/ISSUE_TEMPLATE/provider.yml": providerForm,
		".github/ISSUE_TEMPLATE/broken.yml":   "name: x\n",
		".github/ISSUE_TEMPLATE/config.yml":   "blank_issues_enabled: true\ncontact_links:\n  - name: Chat\n    url: https://chat.example.org\n    about: Ask there\n",
	} {
		w.file(maintainer, "registry", "metadata", "main", path, text)
	}
	for name, colour := range map[string]string{"provider": "0e8a16", "submission": "fbca04", "module": "1d76db"} {
		must(maintainer.Issues.CreateLabel(w.ctx, "registry", "metadata", &github.Label{Name: &name, Color: &colour}))(w)
	}
	_, bot := w.bot("registry", "metadata")
	w.repo("author", "terraform-provider-demo")
	release := must(w.as("author").Repositories.CreateRelease(w.ctx, "author", "terraform-provider-demo", &github.RepositoryRelease{
		TagName: github.String("v1.0.0"), Name: github.String("First release"), Body: github.String("* it **works** :tada:")}))(w)
	w.upload("author", "terraform-provider-demo", release.GetID(), "terraform-provider-demo_1.0.0_linux_amd64.zip", "PK")
	return &town{world: w, app: bot}
}

// upload adds an asset to a release.
func (w *world) upload(login, repo string, release int64, name, data string) {
	w.Helper()
	to := w.s.UploadURL() + "repos/" + login + "/" + repo + "/releases/" + github.Stringify(release) + "/assets?name=" + url.QueryEscape(name)
	if resp, body := w.do(http.MethodPost, to, w.s.UserToken(login), data, "Content-Type", "application/zip"); resp.StatusCode != http.StatusCreated {
		w.Fatalf("upload: %d %s", resp.StatusCode, body)
	}
}

// commitFile commits a file of any name on top of a branch, through git's
// objects, because go-github does not escape the paths of contents.
func (o *town) commitFile(c *github.Client, branch, path, text string) string {
	o.Helper()
	ref := must(c.Git.GetRef(o.ctx, "registry", "metadata", "heads/"+branch))(o.world)
	tree := must(c.Git.CreateTree(o.ctx, "registry", "metadata", ref.GetObject().GetSHA(), []*github.TreeEntry{
		{Path: &path, Mode: github.String("100644"), Type: github.String("blob"), Content: &text}}))(o.world)
	commit := must(c.Git.CreateCommit(o.ctx, "registry", "metadata", &github.Commit{Message: github.String("write " + path), Tree: tree,
		Parents: []*github.Commit{{SHA: ref.GetObject().SHA}}}, nil))(o.world)
	ref.Object.SHA = commit.SHA
	must(c.Git.UpdateRef(o.ctx, "registry", "metadata", ref, false))(o.world)
	return commit.GetSHA()
}

// propose has the bot open a pull request that sets one file.
func (o *town) propose(branch, path, text, title, body string) (number int, sha string) {
	o.Helper()
	o.branch(o.app, "registry", "metadata", "main", branch)
	sha = o.file(o.app, "registry", "metadata", branch, path, text)
	pull := must(o.app.PullRequests.Create(o.ctx, "registry", "metadata", &github.NewPullRequest{Title: &title, Head: &branch,
		Base: github.String("main"), Body: &body}))(o.world)
	return pull.GetNumber(), sha
}

// browser is a person at a browser, without scripts.
type browser struct {
	*world
	client *http.Client
}

// browse opens a browser and, in it, becomes somebody.
func (w *world) browse(login string) *browser {
	w.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		w.Fatal(err)
	}
	b := &browser{world: w, client: &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
	if login != "" {
		if answer := b.submit("/_pages/who", url.Values{"login": {login}, "back": {"/"}}); answer.status != http.StatusSeeOther {
			w.Fatalf("become %s: %d", login, answer.status)
		}
	}
	return b
}

// answer is what the browser got.
type answer struct {
	status   int
	location string
	header   http.Header
	page     string
}

func (b *browser) ask(method, path string, form url.Values, header ...string) answer {
	b.Helper()
	request, err := http.NewRequestWithContext(b.ctx, method, b.s.URL()+path, strings.NewReader(form.Encode()))
	if err != nil {
		b.Fatal(err)
	}
	if method == http.MethodPost {
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for i := 0; i+1 < len(header); i += 2 {
		request.Header.Set(header[i], header[i+1])
	}
	response, err := b.client.Do(request)
	if err != nil {
		b.Fatal(err)
	}
	page, err := io.ReadAll(response.Body)
	if err = errors.Join(err, response.Body.Close()); err != nil {
		b.Fatal(err)
	}
	got := answer{status: response.StatusCode, location: response.Header.Get("Location"), header: response.Header, page: string(page)}
	if strings.HasPrefix(response.Header.Get("Content-Type"), "text/html") && got.location == "" {
		for _, fault := range sandbox.PageFaults(got.page) {
			b.Errorf("%s %s: %s", method, path, fault)
		}
		if policy := response.Header.Get("Content-Security-Policy"); !strings.Contains(policy, "default-src 'none'") || strings.Contains(policy, "script") || strings.Contains(policy, "unsafe") {
			b.Errorf("%s %s: policy %q", method, path, policy)
		}
	}
	return got
}

// open wants a page that is there and holds each of the texts.
func (b *browser) open(path string, texts ...string) string {
	b.Helper()
	got := b.ask(http.MethodGet, path, nil)
	if got.status != http.StatusOK {
		b.Fatalf("GET %s: %d %s", path, got.status, got.location)
	}
	for _, text := range texts {
		if !strings.Contains(got.page, text) {
			b.Errorf("GET %s: no %q in the page", path, text)
		}
	}
	return got.page
}

func (b *browser) submit(path string, form url.Values) answer {
	b.Helper()
	return b.ask(http.MethodPost, path, form)
}

// done submits a form that must lead on to a page.
func (b *browser) done(path string, form url.Values) string {
	b.Helper()
	got := b.submit(path, form)
	if got.status != http.StatusSeeOther {
		b.Fatalf("POST %s: %d\n%s", path, got.status, got.page)
	}
	return got.location
}

// refusedPage submits a form that must be refused.
func (b *browser) refusedPage(path string, form url.Values, status int, text string) {
	b.Helper()
	if got := b.submit(path, form); got.status != status || !strings.Contains(got.page, text) {
		b.Errorf("POST %s: %d, want %d with %q", path, got.status, status, text)
	}
}
