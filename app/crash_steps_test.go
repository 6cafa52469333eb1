package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/tofu-registrar/registrar/internal/actors"
	"github.com/tofu-registrar/registrar/registrydata"
	"github.com/tofu-registrar/registrar/validation"
)

func (e *episode) until(ctx context.Context, what string, ask func(context.Context) (bool, error)) error {
	err := actors.Until(ctx, e.patience, what, ask)
	if errors.Is(err, actors.ErrTimeout) {
		err = fmt.Errorf("%w; %s", err, e.stand(ctx))
	}
	return err
}

// stand is how a submission stands, for whom waited in vain.
func (e *episode) stand(ctx context.Context) string {
	comments, err := e.maintainer.Comments(ctx, e.metadata, e.issue)
	issue, err2 := e.maintainer.Issue(ctx, e.metadata, e.issue)
	pull, err3 := e.maintainer.PullFrom(ctx, e.metadata, fmt.Sprintf("submission/issue-%d", e.issue))
	return fmt.Sprintf("issue %d is %s since %v, its newest pull request %d is %s, merged %v, comments: %q %v",
		e.issue, issue.GetState(), issue.GetClosedAt(), pull.GetNumber(), pull.GetState(), pull.GetMergedAt(), comments,
		errors.Join(err, err2, err3))
}

// The forms as people fill them in.
func repositoryForm(kind, repository string) string {
	return "### " + kind + " Repository\n\n" + repository + "\n"
}

func keyFormOf(name, block string) string {
	return "### Provider Namespace\n\n" + demoNamespace + "\n\n### Provider Name (Optional)\n\n" + name + "\n\n" +
		"### Public Membership\n\n- [x] I have made my membership public\n\n### Provider GPG Key\n\n" + block
}

func removalForm(repository, version string) string {
	return "### Type\n\nModule\n\n### Repository\n\n" + repository + "\n\n### Affected Version(s)\n\n" + version +
		"\n\n### Why does this version need to be removed?\n\nIt leaks a token.\n"
}

// newModule makes the episode's repository a module's, with a first version.
func (e *episode) newModule(ctx context.Context) error {
	e.repo = actors.Repo{Owner: demoNamespace, Name: "terraform-demo-" + e.name}
	if err := e.moduleAuthor.CreateRepository(ctx, e.repo); err != nil {
		return err
	}
	return e.moduleAuthor.Tag(ctx, e.repo, "v1.0.0")
}

// newProvider makes it a provider's, without a release.
func (e *episode) newProvider(ctx context.Context) error {
	e.repo = actors.Repo{Owner: demoNamespace, Name: "terraform-provider-" + e.name}
	return e.author.CreateRepository(ctx, e.repo)
}

// publishProvider publishes a release, a faulty one if change is not nil.
func (e *episode) publishProvider(ctx context.Context, version string, change func(map[string][]byte)) error {
	return e.author.PublishProvider(ctx, e.repo, actors.ProviderRelease{
		Name: e.name, Version: version, Key: e.key, Platforms: []string{"linux_amd64"}, Change: change,
	})
}

// submit opens an issue, which the steps below are then about.
func (e *episode) submit(ctx context.Context, by *actors.Person, kind, title, body string) (err error) {
	e.issue, err = by.OpenIssue(ctx, e.metadata, title, body, kind, "submission")
	return err
}

// submitModule submits the episode's module under its own name.
func (e *episode) submitModule(ctx context.Context) error {
	return e.submit(ctx, e.moduleAuthor, "module", "Module: "+e.name, repositoryForm("Module", e.repo.String()))
}

func (e *episode) submitProvider(ctx context.Context) error {
	return e.submit(ctx, e.author, "provider", "Provider: "+e.name, repositoryForm("Provider", e.repo.String()))
}

// refused waits until the comment says what has to change.
func (e *episode) refused(ctx context.Context) error { return e.said(ctx, "can't be added") }

// askAgain asks for another look.
func (e *episode) askAgain(ctx context.Context) error {
	_, err := e.author.Comment(ctx, e.metadata, e.issue, "/recheck")
	return err
}

// ready waits for the pull request with its check, and for the comment about it.
func (e *episode) ready(ctx context.Context) error {
	return e.until(ctx, "pull request", func(ctx context.Context) (bool, error) {
		pull, err := e.maintainer.PullFrom(ctx, e.metadata, fmt.Sprintf("submission/issue-%d", e.issue))
		if err != nil || pull == nil || pull.GetState() != "open" {
			return false, err
		}
		e.pull = pull.GetNumber()
		conclusion, err := e.maintainer.CheckConclusion(ctx, e.metadata, pull.GetHead().GetSHA())
		if err != nil || conclusion != "success" {
			return false, err
		}
		return e.says(ctx, fmt.Sprintf("is ready[^\n]*#%d", e.pull))
	})
}

// says tells whether the bot's comment on the issue matches.
func (e *episode) says(ctx context.Context, expr string) (bool, error) {
	comments, err := e.maintainer.Comments(ctx, e.metadata, e.issue)
	return matches(expr, strings.Join(comments, "\n")), err
}

// said waits for a comment that matches.
func (e *episode) said(ctx context.Context, expr string) error {
	return e.until(ctx, "comment "+expr, func(ctx context.Context) (bool, error) { return e.says(ctx, expr) })
}

// merge has the maintainer click until it is merged: another merge may have
// come in between.
func (e *episode) merge(ctx context.Context) error {
	return e.pullIs(ctx, "merged", func(ctx context.Context) { _ = e.maintainer.Merge(ctx, e.metadata, e.pull) })
}

// pullIs waits until the pull request is open, closed or merged, and does
// something each time that it is not.
func (e *episode) pullIs(ctx context.Context, state string, do func(context.Context)) error {
	return e.until(ctx, "pull request "+state, func(ctx context.Context) (bool, error) {
		pull, err := e.maintainer.PullFrom(ctx, e.metadata, fmt.Sprintf("submission/issue-%d", e.issue))
		if err != nil || pull == nil {
			return false, err
		}
		is := pull.GetState()
		if pull.MergedAt != nil {
			is = "merged"
		}
		if is != state && do != nil {
			do(ctx)
		}
		return is == state, nil
	})
}

// approve has the maintainer approve until it is merged: an approval holds for
// one commit, and the bot makes the branch anew when another removal came first.
func (e *episode) approve(ctx context.Context) error {
	approved := ""
	return e.until(ctx, "approved pull request merged", func(ctx context.Context) (bool, error) {
		pull, err := e.maintainer.Pull(ctx, e.metadata, e.pull)
		if err != nil || pull.MergedAt != nil {
			return err == nil, err
		}
		head := pull.GetHead().GetSHA()
		conclusion, err := e.maintainer.CheckConclusion(ctx, e.metadata, head)
		if err != nil || conclusion != "success" || head == approved {
			return false, err
		}
		approved = head
		return false, e.maintainer.Approve(ctx, e.metadata, e.pull)
	})
}

// issueIs waits until the issue is open or closed.
func (e *episode) issueIs(ctx context.Context, state string) error {
	return e.until(ctx, "issue "+state, func(ctx context.Context) (bool, error) {
		issue, err := e.maintainer.Issue(ctx, e.metadata, e.issue)
		return issue.GetState() == state, err
	})
}

func (e *episode) modulePath() string {
	return "/v1/modules/" + demoNamespace + "/" + e.name + "/demo/versions"
}

func (e *episode) providerPath() string {
	return "/v1/providers/" + demoNamespace + "/" + e.name + "/versions"
}

// served waits until the registry lists a version.
func (e *episode) served(ctx context.Context, path, version string) error {
	return e.until(ctx, version+" live", func(ctx context.Context) (bool, error) { return e.lists(ctx, path, version) })
}

// accepted is a submission's way from the issue to the comment that it is live.
func (e *episode) accepted(ctx context.Context) error {
	return inTurn(ctx, e.ready, e.merge,
		func(ctx context.Context) error { return e.said(ctx, "is live") },
		func(ctx context.Context) error { return e.issueIs(ctx, "closed") })
}

// releaseModules releases the versions after the first.
func (e *episode) releaseModules(ctx context.Context) error {
	for n := 1; n <= e.releases; n++ {
		version := fmt.Sprintf("1.%d.0", n)
		if err := e.moduleAuthor.Tag(ctx, e.repo, "v"+version); err != nil {
			return err
		}
		if err := e.served(ctx, e.modulePath(), version); err != nil {
			return err
		}
	}
	return nil
}

// releaseProviders releases the versions after the first; every third one is
// faulty, and must hide no other. It is never the last, and the next one comes
// after it is noted: else chance decides whether they are noted together.
func (e *episode) releaseProviders(ctx context.Context) error {
	for n := 1; n <= e.releases; n++ {
		version := fmt.Sprintf("1.%d.0", n)
		if n%3 == 2 && n < e.releases {
			if err := e.publishProvider(ctx, version, blankLine); err != nil {
				return err
			}
			if err := e.noted(ctx, version); err != nil {
				return err
			}
			continue
		}
		if err := e.publishProvider(ctx, version, nil); err != nil {
			return err
		}
		if err := e.served(ctx, e.providerPath(), version); err != nil {
			return err
		}
	}
	return nil
}

// noted waits until the metadata branch notes that a version failed.
func (e *episode) noted(ctx context.Context, version string) error {
	return e.until(ctx, version+" noted as failed", func(ctx context.Context) (bool, error) {
		text, err := e.maintainer.File(ctx, e.metadata, registrydata.ProviderAddress{Namespace: demoNamespace, Name: e.name}.Path())
		if err != nil {
			return false, err
		}
		file, err := registrydata.ParseProvider([]byte(text))
		if err != nil {
			return false, err
		}
		return len(validation.Attempts(file.VersionsErrors).Of(version)) > 0, nil
	})
}

// blankLine makes the mistake of an author who edits SHA256SUMS by hand after it
// was signed.
func blankLine(files map[string][]byte) {
	for name, body := range files {
		if strings.HasSuffix(name, "SHA256SUMS") {
			files[name] = append(bytes.Clone(body), '\n')
		}
	}
}

func inTurn(ctx context.Context, steps ...func(context.Context) error) error {
	for _, step := range steps {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}
