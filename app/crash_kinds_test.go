package main

import (
	"context"
	"fmt"
)

// episodeKinds are the ways that submissions go.
var episodeKinds = []episodeKind{
	{"module", 1, true, (*episode).playModule},
	{"provider and key", 2, true, (*episode).playProvider},
	{"removal", 2, true, (*episode).playRemoval},
	{"mended", 1, true, (*episode).playMended},
	{"duplicate", 2, true, (*episode).playDuplicate},
	{"withdrawn", 1, false, (*episode).playWithdrawn},
	{"recheck", 1, true, (*episode).playRecheck},
	{"faulty", 1, false, (*episode).playFaulty},
	{"wrong key", 2, true, (*episode).playWrongKey},
	{"reopened", 1, true, (*episode).playReopened},
	{"refused", 1, false, (*episode).playRefused},
	{"private key", 1, false, (*episode).playPrivateKey},
	{"hasty", 1, true, (*episode).playHasty},
}

// playModule: what is submitted is right.
func (e *episode) playModule(ctx context.Context) error {
	return inTurn(ctx, e.newModule, e.submitModule, e.accepted, e.releaseModules)
}

// playProvider: a provider, then its key, then releases.
func (e *episode) playProvider(ctx context.Context) error {
	return inTurn(ctx, e.newProvider, e.firstRelease, e.submitProvider, e.accepted,
		func(ctx context.Context) error { return e.submitKey(ctx, false) }, e.accepted, e.releaseProviders)
}

func (e *episode) firstRelease(ctx context.Context) error {
	return e.publishProvider(ctx, "1.0.0", nil)
}

// submitKey submits the episode's key, or, wrongly, one that signed nothing.
func (e *episode) submitKey(ctx context.Context, wrongly bool) error {
	body, err := e.keyBody(wrongly)
	if err != nil {
		return err
	}
	return e.submit(ctx, e.author, "provider-key", "Provider Key: "+e.name, body)
}

func (e *episode) keyBody(wrongly bool) (string, error) {
	key := e.key
	if wrongly {
		key = e.wrong
	}
	block, err := key.Public()
	return keyFormOf(e.name, block), err
}

// playRemoval: a stranger asks for a version to be removed, and a maintainer
// agrees. The removals of a day all write one file.
func (e *episode) playRemoval(ctx context.Context) error {
	return inTurn(ctx, e.newModule,
		func(ctx context.Context) error { return e.moduleAuthor.Tag(ctx, e.repo, "v0.9.0") },
		e.submitModule, e.accepted,
		func(ctx context.Context) (err error) {
			e.issue, err = e.stranger.OpenIssue(ctx, e.metadata, "Version Removal Request: "+e.name+" 0.9.0",
				removalForm(e.repo.String(), "0.9.0"), "version-request")
			return err
		},
		e.ready, e.approve,
		func(ctx context.Context) error { return e.said(ctx, "Removed") },
		func(ctx context.Context) error { return e.issueIs(ctx, "closed") },
		e.releaseModules)
}

// playMended: a slip of the pen, and its correction.
func (e *episode) playMended(ctx context.Context) error {
	return inTurn(ctx, e.newModule, e.submitWrongly, e.refused, e.correct, e.accepted, e.releaseModules)
}

// submitWrongly names a repository that is not there.
func (e *episode) submitWrongly(ctx context.Context) error {
	return e.submit(ctx, e.moduleAuthor, "module", "Module: "+e.name, repositoryForm("Module", e.repo.String()+"x"))
}

func (e *episode) correct(ctx context.Context) error {
	return e.moduleAuthor.EditIssue(ctx, e.metadata, e.issue, "Module: "+e.name, repositoryForm("Module", e.repo.String()))
}

// playHasty: corrected before the bot can have answered.
func (e *episode) playHasty(ctx context.Context) error {
	return inTurn(ctx, e.newModule, e.submitWrongly, e.correct, e.accepted, e.releaseModules)
}

// playFaulty: never corrected.
func (e *episode) playFaulty(ctx context.Context) error {
	return inTurn(ctx, e.newModule, e.submitWrongly, e.refused)
}

// playDuplicate: someone submits what is in the registry already.
func (e *episode) playDuplicate(ctx context.Context) error {
	return inTurn(ctx, e.newModule, e.submitModule, e.accepted, e.releaseModules,
		func(ctx context.Context) error {
			return e.submit(ctx, e.stranger, "module", "Module: "+e.name+" again", repositoryForm("Module", e.repo.String()))
		},
		func(ctx context.Context) error { return e.said(ctx, "already") },
		func(ctx context.Context) error { return e.issueIs(ctx, "closed") })
}

// playWithdrawn: the author changes their mind.
func (e *episode) playWithdrawn(ctx context.Context) error {
	return inTurn(ctx, e.newModule, e.submitModule, e.ready, e.withdraw)
}

func (e *episode) withdraw(ctx context.Context) error {
	return inTurn(ctx,
		func(ctx context.Context) error {
			return e.moduleAuthor.SetIssueState(ctx, e.metadata, e.issue, "closed")
		},
		func(ctx context.Context) error { return e.pullIs(ctx, "closed", nil) },
		func(ctx context.Context) error { return e.said(ctx, "Withdrawn") })
}

// playReopened: and changes it again.
func (e *episode) playReopened(ctx context.Context) error {
	return inTurn(ctx, e.newModule, e.submitModule, e.ready, e.withdraw,
		func(ctx context.Context) error {
			return e.moduleAuthor.SetIssueState(ctx, e.metadata, e.issue, "open")
		},
		e.accepted, e.releaseModules)
}

// playRefused: the maintainer does not want it.
func (e *episode) playRefused(ctx context.Context) error {
	return inTurn(ctx, e.newModule, e.submitModule, e.ready,
		func(ctx context.Context) error { return e.maintainer.ClosePull(ctx, e.metadata, e.pull) },
		func(ctx context.Context) error { return e.said(ctx, "was not taken") },
		func(ctx context.Context) error { return e.issueIs(ctx, "closed") })
}

// playRecheck: submitted before its first release, then looked at again.
func (e *episode) playRecheck(ctx context.Context) error {
	return inTurn(ctx, e.newProvider, e.submitProvider, e.refused, e.firstRelease, e.askAgain, e.accepted, e.releaseProviders)
}

// playWrongKey: the first key that is submitted has signed nothing.
func (e *episode) playWrongKey(ctx context.Context) error {
	return inTurn(ctx, e.newProvider, e.firstRelease, e.submitProvider, e.accepted,
		func(ctx context.Context) error { return e.submitKey(ctx, true) },
		e.refused,
		func(ctx context.Context) error {
			body, err := e.keyBody(false)
			if err != nil {
				return err
			}
			return e.author.EditIssue(ctx, e.metadata, e.issue, "Provider Key: "+e.name, body)
		},
		e.accepted, e.releaseProviders)
}

// playPrivateKey: a private key that was pasted is taken out of the issue.
func (e *episode) playPrivateKey(ctx context.Context) error {
	block, err := e.key.Private()
	if err != nil {
		return err
	}
	err = e.submit(ctx, e.author, "provider-key", fmt.Sprintf("Provider Key: %s", e.name), keyFormOf(e.name, block))
	if err != nil {
		return err
	}
	return e.said(ctx, "private key in this issue")
}
