package handlers

import (
	"context"
	"time"

	"github.com/tofu-registrar/registrar/forge"
	"github.com/tofu-registrar/registrar/publish"
	"github.com/tofu-registrar/registrar/registrydata"
	"github.com/tofu-registrar/registrar/validation"
)

// The ports speak of the forge's and the publisher's model.
type (
	Commit      = forge.Commit
	Entry       = forge.Entry
	Issue       = forge.Issue
	IssueRef    = forge.IssueRef
	IssueEdit   = forge.IssueEdit
	Comment     = forge.Comment
	Pull        = forge.Pull
	PullDraft   = forge.PullDraft
	PullEdit    = forge.PullEdit
	Review      = forge.Review
	BranchDraft = forge.BranchDraft
	CheckRun    = forge.CheckRun
	Annotation  = forge.Annotation
	Update      = publish.Update
)

// Authors reads what authors publish on GitHub. Everything it returns is a
// stranger's.
type Authors interface {
	// Repository follows renames; a repository that is not there, or that is
	// private and not installed, has Exists false and no error.
	Repository(ctx context.Context, repo registrydata.Repository) (validation.RepositoryFacts, error)
	// Tags lists the git tags (ls-remote, which costs no API quota). A
	// repository that does not exist has none.
	Tags(ctx context.Context, repo registrydata.Repository) ([]validation.Tag, error)
	// Releases lists all releases without the contents of their files, newest
	// first, drafts left out.
	Releases(ctx context.Context, repo registrydata.Repository) ([]validation.Release, error)
	// Release is one of them; ok is false where the tag has no release.
	Release(ctx context.Context, repo registrydata.Repository, tag string) (rel validation.Release, ok bool, err error)
	// File downloads a small release file. A *forge.Fault is the author's to mend
	// (too large, a redirect to a host that is not allowed, gone); any other
	// error is the operator's, and worth a retry.
	File(ctx context.Context, asset validation.Asset, limit int64) ([]byte, error)
	// FileAgain is File of an address. What has not changed since it was read last
	// need not come again.
	FileAgain(ctx context.Context, address string, limit int64) ([]byte, error)
	// There tells whether a release has the file of an address, without reading
	// it. The *forge.Fault is as that of File.
	There(ctx context.Context, address string) (bool, error)
	// Zip streams an archive once and computes its facts; the author's faults
	// come back in ZipFacts.Fault.
	Zip(ctx context.Context, asset validation.Asset) (validation.ZipFacts, error)
	// IsPublicMember tells whether the user shows membership of the organization
	// in public (GET /orgs/{org}/public_members/{username}).
	IsPublicMember(ctx context.Context, org, user string) (bool, error)
}

// Snapshots reads the metadata repository at a commit.
type Snapshots interface {
	// Head is the newest commit of the metadata branch.
	Head(ctx context.Context) (Commit, error)
	// File is a file's content; ok is false where there is none.
	File(ctx context.Context, commit, path string) (content []byte, ok bool, err error)
	// Dir lists a folder, sorted by name; none where it does not exist.
	Dir(ctx context.Context, commit, path string) ([]Entry, error)
	// Files lists every file below a folder ("" is the root) with its whole path.
	Files(ctx context.Context, commit, path string) ([]Entry, error)
	// Changes compares two commits, whichever is older; from "" is an empty
	// repository. It compares trees, so it holds after a force-push too.
	Changes(ctx context.Context, from, to string) ([]registrydata.Change, error)
}

// Archives reads the metadata repository at a commit as a whole.
type Archives interface {
	// Archive reads all files, one after the other, at the price of one request.
	// An error of each ends it.
	Archive(ctx context.Context, commit string, each func(forge.ArchiveFile) error) error
}

// Threads reads and writes issues and their comments.
type Threads interface {
	Issue(ctx context.Context, number int) (Issue, error)
	// OwnComments are the comments that this App wrote on the issue.
	OwnComments(ctx context.Context, number int) ([]Comment, error)
	// RecentComments are anyone's, on issues and pull requests, since a time.
	RecentComments(ctx context.Context, since time.Time) ([]forge.CommentRef, error)
	// Comment is one comment of anyone's; ok is false once it is deleted.
	Comment(ctx context.Context, id int64) (c Comment, ok bool, err error)
	CreateComment(ctx context.Context, number int, body string) error
	EditComment(ctx context.Context, id int64, body string) error
	DeleteComment(ctx context.Context, id int64) error
	EditIssue(ctx context.Context, number int, edit IssueEdit) error
	CreateIssue(ctx context.Context, title, body string, labels []string) (int, error)
	AddLabels(ctx context.Context, number int, labels []string) error
	RemoveLabel(ctx context.Context, number int, label string) error
	// React adds a reaction to a comment unless this App has given it already.
	React(ctx context.Context, comment int64, reaction string) error
	// CanWrite tells whether the user has write permission on the metadata
	// repository now (GET /repos/{o}/{r}/collaborators/{user}/permission).
	CanWrite(ctx context.Context, user string) (bool, error)
	// OpenIssues are the open issues that are no pull requests and no alerts.
	OpenIssues(ctx context.Context) ([]IssueRef, error)
	// ClosedIssues are closed issues that are no pull requests and no alerts,
	// changed since a time: at most a hundred, newest first.
	ClosedIssues(ctx context.Context, since time.Time) ([]IssueRef, error)
	// AlertIssues are the open alerts of this App, oldest first. An unchanged list
	// costs no quota.
	AlertIssues(ctx context.Context) ([]Issue, error)
	// ClosedAlerts are the alerts that were closed last, at most a hundred.
	ClosedAlerts(ctx context.Context) ([]Issue, error)
}

// Pulls reads and writes pull requests of the metadata repository.
type Pulls interface {
	Pull(ctx context.Context, number int) (Pull, error)
	// PullsByBranch are the pull requests, open or not, from a branch of the
	// metadata repository itself, newest first.
	PullsByBranch(ctx context.Context, branch string) ([]Pull, error)
	// OpenPulls are the numbers of all open ones.
	OpenPulls(ctx context.Context) ([]int, error)
	// PullChanges are the files that it changes (at most 3,000, as GitHub lists).
	PullChanges(ctx context.Context, number int) ([]registrydata.Change, error)
	CreatePull(ctx context.Context, p PullDraft) (Pull, error)
	EditPull(ctx context.Context, number int, edit PullEdit) error
	Reviews(ctx context.Context, number int) ([]Review, error)
	// Merge merges if the head is still sha; forge.ErrNotMergeable where GitHub
	// refuses (conflict, a moved head, a protected branch that wants more).
	Merge(ctx context.Context, number int, sha, title, message string) error
}

// Branches reads and writes the App's own branches.
type Branches interface {
	// Branch is the commit at the tip of a branch.
	Branch(ctx context.Context, name string) (c Commit, ok bool, err error)
	// PutBranch makes the branch one commit on top of the base. A branch that
	// is there already is moved, with force: only the App's own branches are.
	PutBranch(ctx context.Context, b BranchDraft) (Commit, error)
	DeleteBranch(ctx context.Context, name string) error
}

// Checks reads and writes the App's check run on a commit.
type Checks interface {
	// Check is the App's newest check run of this name on the commit.
	Check(ctx context.Context, sha, name string) (c CheckRun, ok bool, err error)
	// PutCheck creates the check run, or updates the one with c.ID.
	PutCheck(ctx context.Context, c CheckRun) error
}

// Installations reads where the App is installed.
type Installations interface {
	// InstallationRepositories lists the repositories of an installation, at most
	// limit of them; forge.ErrNotFound where there is no such installation.
	InstallationRepositories(ctx context.Context, id int64, limit int) ([]forge.InstalledRepository, error)
}

// Decisions keeps what was decided, for good.
type Decisions interface {
	// Record returns when the decision is kept. What it is about is done after
	// that, and not at all after an error.
	Record(ctx context.Context, d Decision) error
}

// Publisher puts rendered entities where clients read them.
type Publisher interface {
	// Published is the commit that was published last; "" where none was.
	Published(ctx context.Context) (string, error)
	// SetPublished records it, after everything of it is live.
	SetPublished(ctx context.Context, commit string) error
	// Sources are the data and key files, by path and git blob id, that the live
	// files of an entity were rendered from; none where it is not live.
	Sources(ctx context.Context, e registrydata.Entity) (map[string]string, error)
	// Change is what Publish would make of an entity, beside what is live of it.
	Change(ctx context.Context, u Update) (publish.Change, error)
	// Entities counts what is live, at the cost of a listing.
	Entities(ctx context.Context) (int, error)
	// Publish makes an entity's live files what the update says, in the order
	// that leaves every listed file readable at any moment.
	Publish(ctx context.Context, u Update) error
	// PutStatic writes a file that belongs to no entity (service discovery).
	PutStatic(ctx context.Context, o registrydata.Object) error
	// Purge makes the cache forget what is still to be forgotten, of runs that
	// were cut off too. SetPublished does it as well.
	Purge(ctx context.Context) error
}
