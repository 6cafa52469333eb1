package actors

import (
	"context"
	"net/http"
	"time"

	"github.com/google/go-github/v57/github"
)

// Fork copies a repository to the person's account, as one does to propose a
// change.
func (p *Person) Fork(ctx context.Context, r Repo) (Repo, error) {
	fork := Repo{Owner: p.Login, Name: r.Name}
	_, _, err := p.gh.Repositories.CreateFork(ctx, r.Owner, r.Name, nil)
	if _, accepted := err.(*github.AcceptedError); err != nil && !accepted { //nolint:errorlint // go-github returns it bare
		return fork, wrap(err, "fork %s", r)
	}
	return fork, Until(ctx, 10*time.Second, "fork of "+r.String(), func(ctx context.Context) (bool, error) {
		_, resp, err := p.gh.Repositories.Get(ctx, fork.Owner, fork.Name)
		if resp != nil && resp.StatusCode == http.StatusNotFound {
			return false, nil
		}
		return err == nil, err
	})
}

// OpenPull proposes the default branch of a fork.
func (p *Person) OpenPull(ctx context.Context, r, fork Repo, title, body string) (int, error) {
	repo, _, err := p.gh.Repositories.Get(ctx, fork.Owner, fork.Name)
	if err != nil {
		return 0, wrap(err, "read %s", fork)
	}
	head := fork.Owner + ":" + repo.GetDefaultBranch()
	pull, _, err := p.gh.PullRequests.Create(ctx, r.Owner, r.Name, &github.NewPullRequest{
		Title: &title, Body: &body, Head: &head, Base: github.String("main"),
	})
	return pull.GetNumber(), wrap(err, "open a pull request on %s", r)
}

// Pull reads a pull request.
func (p *Person) Pull(ctx context.Context, r Repo, number int) (*github.PullRequest, error) {
	pull, _, err := p.gh.PullRequests.Get(ctx, r.Owner, r.Name, number)
	return pull, wrap(err, "read pull request %d of %s", number, r)
}

// PullCheck is the conclusion and summary of the newest check run on a pull
// request's head, "" while there is none that is completed.
func (p *Person) PullCheck(ctx context.Context, r Repo, number int) (conclusion, summary string, err error) {
	pull, _, err := p.gh.PullRequests.Get(ctx, r.Owner, r.Name, number)
	if err != nil {
		return "", "", wrap(err, "read pull request %d of %s", number, r)
	}
	list, _, err := p.gh.Checks.ListCheckRunsForRef(ctx, r.Owner, r.Name, pull.GetHead().GetSHA(), nil)
	if err != nil || len(list.CheckRuns) == 0 {
		return "", "", wrap(err, "read the checks of pull request %d", number)
	}
	run := list.CheckRuns[0]
	return run.GetConclusion(), run.GetOutput().GetTitle() + "\n" + run.GetOutput().GetSummary() + "\n" + run.GetOutput().GetText(), nil
}
