package forge

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"

	"github.com/go-git/go-git/v5/plumbing/protocol/packp"
	"github.com/go-git/go-git/v5/plumbing/transport"
	githttp "github.com/go-git/go-git/v5/plumbing/transport/http"

	"github.com/tofu-registrar/registrar/registrydata"
	"github.com/tofu-registrar/registrar/validation"
)

const tagPrefix = "refs/tags/"

// Tags lists a repository's tags as `git ls-remote` does, which costs no API
// quota, sorted by name. A repository that does not exist, is private or is
// empty has none. Too many tags are a *Fault.
func (a *Authors) Tags(ctx context.Context, repo registrydata.Repository) ([]validation.Tag, error) {
	if !validRepository(repo) {
		return nil, nil
	}
	ctx, cancel := context.WithTimeout(ctx, a.cfg.Limits.Listing)
	defer cancel()
	tags, _, err := a.tags(ctx, repo)
	return tags, err
}

// LookTags is Tags for a look at one of many repositories: it says whether the
// repository is there for strangers, waits less long, and calls a server that
// hangs a *Fault of this repository.
func (a *Authors) LookTags(ctx context.Context, repo registrydata.Repository) (tags []validation.Tag, there bool, err error) {
	if !validRepository(repo) {
		return nil, false, nil
	}
	bounded, cancel := context.WithTimeout(ctx, a.cfg.Limits.Look)
	defer cancel()
	tags, there, err = a.tags(bounded, repo)
	if err != nil && bounded.Err() != nil && ctx.Err() == nil {
		err = fmt.Errorf("tags of %s: %w", repo, &Fault{fmt.Sprintf("the git server does not answer within %s", a.cfg.Limits.Look)})
	}
	return tags, there, err
}

func (a *Authors) tags(ctx context.Context, repo registrydata.Repository) (tags []validation.Tag, there bool, err error) {
	refs, err := a.advertised(ctx, repo)
	switch {
	case errors.Is(err, transport.ErrRepositoryNotFound),
		errors.Is(err, transport.ErrAuthenticationRequired): // GitHub's answer to strangers where there is none
		return nil, false, nil
	case errors.Is(err, transport.ErrEmptyRemoteRepository):
		return nil, true, nil
	case err != nil:
		return nil, false, fmt.Errorf("tags of %s: %w", repo, err)
	}
	tags = tagsOf(refs)
	if len(tags) > a.cfg.Limits.Tags {
		return nil, true, fmt.Errorf("tags of %s: %w", repo,
			&Fault{fmt.Sprintf("the repository has %d tags; at most %d are read", len(tags), a.cfg.Limits.Tags)})
	}
	return tags, true, nil
}

// advertised asks the repository for its references.
func (a *Authors) advertised(ctx context.Context, repo registrydata.Repository) (*packp.AdvRefs, error) {
	endpoint, err := transport.NewEndpoint(a.cfg.WebURL + "/" + repo.Owner + "/" + repo.Name + ".git")
	if err != nil {
		return nil, err
	}
	web := *a.web
	guard := &refsTransport{next: a.web.Transport, limit: a.cfg.Limits.Refs}
	web.Transport = guard
	session, err := githttp.NewClient(&web).NewUploadPackSession(endpoint, nil)
	if err != nil {
		return nil, err
	}
	defer session.Close() //nolint:errcheck // does nothing over HTTP
	refs, err := session.AdvertisedReferencesContext(ctx)
	if err != nil && guard.limited != nil {
		return nil, guard.limited
	}
	if errors.Is(err, errRefsTooLarge) { // go-git may hide its cause
		return nil, &Fault{fmt.Sprintf("the list of the repository's tags and branches is larger than %s", bytesText(a.cfg.Limits.Refs))}
	}
	var fault *Fault
	if errors.As(err, &fault) {
		return nil, fault
	}
	return refs, err
}

func tagsOf(refs *packp.AdvRefs) []validation.Tag {
	var tags []validation.Tag
	for name, object := range refs.References {
		tag, ok := strings.CutPrefix(name, tagPrefix)
		if !ok || tag == "" {
			continue
		}
		commit := object
		if peeled, ok := refs.Peeled[name]; ok {
			commit = peeled
		}
		tags = append(tags, validation.Tag{Name: tag, Object: object.String(), Commit: commit.String()})
	}
	slices.SortFunc(tags, func(a, b validation.Tag) int { return strings.Compare(a.Name, b.Name) })
	return tags
}

var errRefsTooLarge = errors.New("list of references too large")

// refsTransport bounds the answer, and buffers it: go-git reads it in pieces of
// a few bytes. It is of one listing, and keeps what go-git does not tell.
type refsTransport struct {
	next    http.RoundTripper
	limit   int64
	limited *RateLimitError // the host wants no more requests
}

func (t *refsTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := t.next.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	t.limited = rateLimited(resp)
	if resp.ContentLength > t.limit {
		_ = resp.Body.Close()
		return nil, errRefsTooLarge
	}
	bounded := &limitedBody{ReadCloser: resp.Body, left: t.limit, err: errRefsTooLarge}
	resp.Body = &joinedBody{Reader: bufio.NewReaderSize(io.Reader(bounded), 64<<10), Closer: bounded}
	return resp, nil
}
