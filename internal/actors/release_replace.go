package actors

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/google/go-github/v57/github"
)

// Replace puts another content in the place of a release file whose name ends
// so, as the author who thinks better of it does. A nil content takes the file
// away.
func (p *Person) Replace(ctx context.Context, repo Repo, tag, suffix string, change func([]byte) []byte) error {
	rel, _, err := p.gh.Repositories.GetReleaseByTag(ctx, repo.Owner, repo.Name, tag)
	if err != nil {
		return wrap(err, "read release %s of %s", tag, repo)
	}
	for _, a := range rel.Assets {
		if !strings.HasSuffix(a.GetName(), suffix) {
			continue
		}
		body, err := p.assetContent(ctx, repo, a)
		if err != nil {
			return wrap(err, "read %s", a.GetName())
		}
		if _, err := p.gh.Repositories.DeleteReleaseAsset(ctx, repo.Owner, repo.Name, a.GetID()); err != nil {
			return wrap(err, "delete %s", a.GetName())
		}
		if body = change(body); body == nil {
			return nil
		}
		return p.upload(ctx, repo, rel.GetID(), a.GetName(), body)
	}
	return fmt.Errorf("release %s of %s has no file …%s", tag, repo, suffix)
}

func (p *Person) assetContent(ctx context.Context, repo Repo, a *github.ReleaseAsset) ([]byte, error) {
	body, _, err := p.gh.Repositories.DownloadReleaseAsset(ctx, repo.Owner, repo.Name, a.GetID(), http.DefaultClient)
	if err != nil {
		return nil, err
	}
	defer body.Close()
	return io.ReadAll(body)
}

// DeleteTag takes a tag away.
func (p *Person) DeleteTag(ctx context.Context, r Repo, tag string) error {
	_, err := p.gh.Git.DeleteRef(ctx, r.Owner, r.Name, "refs/tags/"+tag)
	return wrap(err, "take the tag %s of %s away", tag, r)
}
