package sandbox_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-github/v57/github"
)

func (w *world) release(c *github.Client, tag string, change ...func(*github.RepositoryRelease)) *github.RepositoryRelease {
	w.Helper()
	r := &github.RepositoryRelease{TagName: &tag}
	for _, f := range change {
		f(r)
	}
	return must(c.Repositories.CreateRelease(w.ctx, "acme", "r", r))(w)
}

func draft(r *github.RepositoryRelease)      { r.Draft = github.Bool(true) }
func prerelease(r *github.RepositoryRelease) { r.Prerelease = github.Bool(true) }

// attach adds an asset from a file, as go-github wants it.
func (w *world) attach(c *github.Client, id int64, name, text string) (*github.ReleaseAsset, error) {
	w.Helper()
	path := filepath.Join(w.TempDir(), "asset")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		w.Fatal(err)
	}
	f, err := os.Open(path)
	if err != nil {
		w.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	a, _, err := c.Repositories.UploadReleaseAsset(w.ctx, "acme", "r", id, &github.UploadOptions{Name: name, MediaType: "application/zip"}, f)
	return a, err
}

// TestReleases: drafts, publication, what is the latest, and the events.
func TestReleases(t *testing.T) {
	t.Parallel()
	w := start(t)
	w.repo("acme", "r")
	w.bot("acme")
	w.take()
	c, stranger := w.as("acme"), w.as("stranger")

	first := w.release(c, "v1.0.0")
	w.want("create", "push", "release.created", "release.published", "release.released")
	if ref := must(c.Git.GetRef(w.ctx, "acme", "r", "tags/v1.0.0"))(w); ref.GetObject().GetType() != "commit" {
		t.Errorf("tag %v", ref)
	}
	_, _, err := c.Repositories.CreateRelease(w.ctx, "acme", "r", &github.RepositoryRelease{TagName: github.String("v1.0.0")})
	w.refused(err, 422, "already_exists")
	_, _, err = c.Repositories.CreateRelease(w.ctx, "acme", "r", &github.RepositoryRelease{TagName: github.String("v9"), TargetCommitish: github.String("none")})
	w.refused(err, 422, "target_commitish")
	_, _, err = c.Repositories.CreateRelease(w.ctx, "acme", "r", &github.RepositoryRelease{TagName: github.String("a b")})
	w.refused(err, 422, "valid tag")

	hidden := w.release(c, "v1.1.0", draft)
	w.want()
	if _, err := w.attach(c, hidden.GetID(), "a.zip", "bytes"); err != nil {
		t.Fatal(err)
	}
	_, _, err = stranger.Repositories.GetRelease(w.ctx, "acme", "r", hidden.GetID())
	w.refused(err, 404, "Not Found")
	_, _, err = c.Repositories.GetReleaseByTag(w.ctx, "acme", "r", "v1.1.0")
	w.refused(err, 404, "Not Found")
	if list := must(stranger.Repositories.ListReleases(w.ctx, "acme", "r", nil))(w); len(list) != 1 {
		t.Errorf("a stranger sees %d releases", len(list))
	}
	if list := must(c.Repositories.ListReleases(w.ctx, "acme", "r", nil))(w); len(list) != 2 || list[0].GetID() != hidden.GetID() || list[0].PublishedAt != nil {
		t.Errorf("the owner sees %v", list)
	}
	must(c.Repositories.EditRelease(w.ctx, "acme", "r", hidden.GetID(), &github.RepositoryRelease{Draft: github.Bool(false)}))(w)
	hooks := w.want("create", "push", "release.published", "release.released")
	if rel := hooks[2].payload["release"].(map[string]any); len(rel["assets"].([]any)) != 1 || rel["draft"] != false {
		t.Errorf("payload %v", rel)
	}
	w.release(c, "v2.0.0-rc1", prerelease)
	w.want("create", "push", "release.created", "release.published", "release.prereleased")
	if got := must(stranger.Repositories.GetLatestRelease(w.ctx, "acme", "r"))(w); got.GetTagName() != "v1.1.0" {
		t.Errorf("latest is %s", got.GetTagName())
	}
	must(c.Repositories.EditRelease(w.ctx, "acme", "r", first.GetID(), &github.RepositoryRelease{Body: github.String("notes")}))(w)
	if _, err := c.Repositories.DeleteRelease(w.ctx, "acme", "r", first.GetID()); err != nil {
		t.Fatal(err)
	}
	w.want("release.edited", "release.deleted")
	must(c.Git.GetRef(w.ctx, "acme", "r", "tags/v1.0.0"))(w) // the tag stays
	_, _, err = stranger.Repositories.CreateRelease(w.ctx, "acme", "r", &github.RepositoryRelease{TagName: github.String("x")})
	w.refused(err, 404, "Not Found")
}

// TestAssets: upload, describe, download over the second origin.
func TestAssets(t *testing.T) {
	t.Parallel()
	var c clock
	w := start(t, withClock(&c))
	w.repo("acme", "r")
	acme := w.as("acme")
	rel := w.release(acme, "v1/x")
	text := strings.Repeat("0123456789", 1000)
	a, err := w.attach(acme, rel.GetID(), "demo 1.zip", text)
	if err != nil {
		t.Fatal(err)
	}
	if a.GetName() != "demo.1.zip" || a.GetSize() != len(text) || a.GetContentType() != "application/zip" || a.GetUploader().GetLogin() != "acme" {
		t.Errorf("asset %v", a)
	}
	_, err = w.attach(acme, rel.GetID(), "demo 1.zip", "again")
	w.refused(err, 422, "already_exists")
	_, err = w.attach(w.as("stranger"), rel.GetID(), "other", "x")
	w.refused(err, 404, "Not Found")
	if left, err := os.ReadDir(filepath.Join(w.folder(), "assets")); err != nil || len(left) != 1 {
		t.Errorf("%d files kept, %v", len(left), err)
	}

	resp, _ := w.get(a.GetBrowserDownloadURL(), "")
	to := resp.Header.Get("Location")
	if resp.StatusCode != 302 || !strings.HasPrefix(to, w.s.AssetsURL()+"/") || strings.HasPrefix(to, w.s.URL()) {
		t.Fatalf("%d %s", resp.StatusCode, to)
	}
	if resp, _ := w.get(w.s.URL()+"/acme/r/releases/latest/download/demo.1.zip", ""); resp.Header.Get("Location") != a.GetBrowserDownloadURL() {
		t.Errorf("latest: %d %s", resp.StatusCode, resp.Header.Get("Location"))
	}
	if resp, body := w.get(to, ""); body != text || resp.Header.Get("Content-Type") != "application/zip" {
		t.Errorf("%d bytes of %s", len(body), resp.Header.Get("Content-Type"))
	}
	if resp, body := w.get(to, "", "Range", "bytes=5-14"); resp.StatusCode != 206 || body != "5678901234" {
		t.Errorf("range: %d %q", resp.StatusCode, body)
	}
	if resp, body := w.do(http.MethodHead, to, "", ""); resp.StatusCode != 200 || resp.ContentLength != int64(len(text)) || body != "" {
		t.Errorf("head: %d, %d bytes", resp.StatusCode, resp.ContentLength)
	}
	tampered, err := url.Parse(to)
	if err != nil {
		t.Fatal(err)
	}
	q := tampered.Query()
	q.Set("se", "99999999999")
	tampered.RawQuery = q.Encode()
	if resp, _ := w.get(tampered.String(), ""); resp.StatusCode != 403 {
		t.Errorf("tampered: %d", resp.StatusCode)
	}
	c.advance(10 * time.Minute)
	if resp, _ := w.get(to, ""); resp.StatusCode != 403 {
		t.Errorf("expired: %d", resp.StatusCode)
	}
	r, _, err := acme.Repositories.DownloadReleaseAsset(w.ctx, "acme", "r", a.GetID(), http.DefaultClient)
	if err != nil {
		t.Fatal(err)
	}
	data, err := io.ReadAll(r)
	if err != nil || string(data) != text {
		t.Errorf("by REST: %d bytes, %v", len(data), err)
	}
	_ = r.Close()
	must(acme.Repositories.EditReleaseAsset(w.ctx, "acme", "r", a.GetID(), &github.ReleaseAsset{Name: github.String("renamed.zip")}))(w)
	list := must(w.as("").Repositories.ListReleaseAssets(w.ctx, "acme", "r", rel.GetID(), nil))(w)
	if len(list) != 1 || list[0].GetName() != "renamed.zip" || list[0].GetDownloadCount() != 1 {
		t.Errorf("assets %v", list)
	}
	if _, err := acme.Repositories.DeleteReleaseAsset(w.ctx, "acme", "r", a.GetID()); err != nil {
		t.Fatal(err)
	}
	if resp, _ := w.get(w.s.URL()+"/acme/r/releases/download/v1/x/renamed.zip", ""); resp.StatusCode != 404 {
		t.Errorf("deleted: %d", resp.StatusCode)
	}
	if left, err := os.ReadDir(filepath.Join(w.folder(), "assets")); err != nil || len(left) != 0 {
		t.Errorf("%d files kept, %v", len(left), err)
	}
}

// folder is where the sandbox keeps its files.
func (w *world) folder() string {
	w.Helper()
	dir, err := w.s.GitDir("acme", "r")
	if err != nil {
		w.Fatal(err)
	}
	return filepath.Dir(filepath.Dir(dir))
}

// TestDraftAsset: an unpublished file is for those who may push.
func TestDraftAsset(t *testing.T) {
	t.Parallel()
	w := start(t)
	w.repo("acme", "r")
	c := w.as("acme")
	rel := w.release(c, "v1", draft)
	a, err := w.attach(c, rel.GetID(), "f", "x")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(a.GetBrowserDownloadURL(), "/untagged-") {
		t.Errorf("address %s", a.GetBrowserDownloadURL())
	}
	for token, want := range map[string]int{"": 404, w.s.AddUser("stranger").Token: 404, w.s.UserToken("acme"): 302} {
		if resp, _ := w.get(a.GetBrowserDownloadURL(), token); resp.StatusCode != want {
			t.Errorf("%q: %d, want %d", token, resp.StatusCode, want)
		}
	}
	if resp, _ := w.get(w.s.URL()+"/acme/r/releases/download/v1/f", w.s.UserToken("acme")); resp.StatusCode != 404 {
		t.Errorf("by the tag of a draft: %d", resp.StatusCode)
	}
}

// zeros is an endless file.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

// TestGeneratedAsset: a file that nobody stores, and one that breaks off.
func TestGeneratedAsset(t *testing.T) {
	t.Parallel()
	w := start(t)
	w.repo("acme", "r")
	c := w.as("acme")
	w.release(c, "v1")
	const size = 3 << 30
	add := func(name string, size int64, g func() io.Reader) {
		if err := w.s.AddGeneratedAsset("acme", "r", "v1", name, size, g); err != nil {
			t.Fatal(err)
		}
	}
	add("huge.zip", size, func() io.Reader { return zeros{} })
	add("short.zip", 100_000, func() io.Reader { return bytes.NewReader(make([]byte, 60_000)) })
	if rel := must(c.Repositories.GetReleaseByTag(w.ctx, "acme", "r", "v1"))(w); len(rel.Assets) != 2 || rel.Assets[0].GetSize() != size {
		t.Errorf("assets %v", rel.Assets)
	}
	to := func(name string) string {
		resp, _ := w.get(w.s.URL()+"/acme/r/releases/download/v1/"+name, "")
		return resp.Header.Get("Location")
	}
	if resp, _ := w.do(http.MethodHead, to("huge.zip"), "", ""); resp.ContentLength != size {
		t.Errorf("%d bytes", resp.ContentLength)
	}
	if resp, body := w.get(to("huge.zip"), "", "Range", "bytes=10-19"); resp.StatusCode != 206 || len(body) != 10 {
		t.Errorf("range: %d %d", resp.StatusCode, len(body))
	}
	resp, err := http.Get(to("short.zip"))
	if err != nil {
		t.Fatal(err)
	}
	if data, err := io.ReadAll(resp.Body); err == nil {
		t.Errorf("%d bytes and no error of a file that broke off", len(data))
	}
	_ = resp.Body.Close()
	if err := w.s.AddGeneratedAsset("acme", "r", "v2", "x", 1, nil); err == nil {
		t.Error("an asset of no release")
	}
}

// TestReleasePages: a list longer than a page.
func TestReleasePages(t *testing.T) {
	t.Parallel()
	w := start(t)
	w.repo("acme", "r")
	c := w.as("acme")
	for i := range 65 {
		w.release(c, fmt.Sprintf("v0.%d.0", i))
	}
	var tags []string
	o := &github.ListOptions{}
	for {
		page, resp, err := c.Repositories.ListReleases(w.ctx, "acme", "r", o)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range page {
			tags = append(tags, r.GetTagName())
		}
		if resp.NextPage == 0 {
			break
		}
		o.Page = resp.NextPage
	}
	if len(tags) != 65 || tags[0] != "v0.64.0" || tags[64] != "v0.0.0" {
		t.Errorf("%d releases from %s", len(tags), tags[0])
	}
	if list := must(c.Repositories.ListTags(w.ctx, "acme", "r", &github.ListOptions{PerPage: 100}))(w); len(list) != 65 {
		t.Errorf("%d tags", len(list))
	}
	if out := w.git(t.TempDir(), "ls-remote", "--tags", w.s.URL()+"/acme/r"); strings.Count(out, "\n") != 65 {
		t.Errorf("git sees %d tags", strings.Count(out, "\n"))
	}
}
