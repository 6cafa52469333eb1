package templates

import (
	"fmt"

	"github.com/tofu-registrar/registrar/registrydata"
	"github.com/tofu-registrar/registrar/validation"
)

// State is where a submission stands, as its comment tells it.
type State string

// The states of a submission, in the order of its life.
const (
	StateChecking          State = "checking"
	StatePrivateKey        State = "private-key"        // a private key was pasted and has been redacted
	StateNeedsChanges      State = "needs-changes"      // the author has to do something
	StateAlreadyRegistered State = "already-registered" // closed: nothing to add
	StatePullRequest       State = "pull-request"       // accepted, a maintainer decides
	StatePublishing        State = "publishing"         // merged, not yet served
	StateLive              State = "live"
	StateClosedUnmerged    State = "closed-unmerged"  // a maintainer closed the pull request
	StateWithdrawn         State = "withdrawn"        // the author closed the issue
	StateOperatorFailure   State = "operator-failure" // our fault, retries used up
	StateRequestReceived   State = "request-received" // version removal or re-index: for a person
)

// Merge says who merges an accepted pull request (policy.merge).
type Merge string

// The merge policies.
const (
	MergeManual    Merge = "manual"
	MergeApproved  Merge = "approved"
	MergeAutomatic Merge = "automatic"
	// MergeBatch is MergeAutomatic, of the new versions of several entries by one
	// commit.
	MergeBatch Merge = "batch"
)

// Comment is the one comment of a submission. Only Site, Issue and State are
// always needed; a section that is nil is left out.
type Comment struct {
	Site  Site
	Issue int
	State State
	Merge Merge

	Report  validation.Report
	Answers validation.Answers // what was read from the form

	Provider *ProviderCheck
	Module   *ModuleCheck
	Key      *KeyCheck
	Removal  *Removal
	Pull     *PullLink

	// Incident is a reference that the operator can find in the log, in
	// StateOperatorFailure.
	Incident string
}

// PullLink names a pull request.
type PullLink struct {
	Number int
	URL    string
}

// ProviderCheck is what was looked at in a provider's repository.
type ProviderCheck struct {
	Address    registrydata.ProviderAddress
	Repository registrydata.Repository
	Versions   []validation.TagResult // newest first
	OtherTags  int                    // tags that are no versions
	Keys       []string               // ids of the keys on file that cover the provider
}

// ModuleCheck is what was looked at in a module's repository.
type ModuleCheck struct {
	Address    registrydata.ModuleAddress
	Repository registrydata.Repository
	Versions   []validation.TagResult // newest first
	OtherTags  int                    // tags that are no versions
}

// KeyCheck is what is in a signing key, and what it would cover.
type KeyCheck struct {
	Namespace string
	Provider  string // "" for a key of the whole namespace
	Path      string // where it is to be on file
	Key       validation.Key
	Coverage  []validation.KeyCoverage
	Duplicate string // where the same key is on file already
}

// SubmissionComment is the text of a submission's comment, with its marker
// (MarkerSubmission, "issue=<N>") as the first line.
func SubmissionComment(c Comment) string {
	marker := Marker(MarkerSubmission, fmt.Sprintf("issue=%d", c.Issue))
	page, name := newCommentPage(c), "comment-"+string(c.State)+".md"
	if own := "comment-removal-" + string(c.State) + ".md"; page.kind() == validation.KindVersionRemoval && pages.Lookup(own) != nil {
		name = own
	}
	return body(marker, name, page)
}
