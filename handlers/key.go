package handlers

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/tofu-registrar/registrar/registrydata"
)

// Key names what a run looks at, in words: "issue 12", "pull 15",
// "recheck 12 987654" (an issue or pull request, and the comment that asks),
// "repository acme/terraform-provider-demo", "publish". Keys are what the queue
// holds; they stay valid whatever has happened since.
type Key string

// The words that keys begin with.
const (
	onIssue      = "issue"
	onPull       = "pull"
	onCheck      = "check"
	onRecheck    = "recheck"
	onRepository = "repository"
	onLook       = "look"
	onMoved      = "moved"
	onAudit      = "audit"
	onBackfill   = "backfill"

	onInstallation = "installation"
	onPublish      = "publish"
	onBatch        = "batch"
)

// PublishKey asks for everything up to the head of the metadata branch to be
// published.
const PublishKey Key = onPublish

// BatchKey asks for the new versions that wait to be let in by one commit, where
// the policy says so.
const BatchKey Key = onBatch

// IssueKey is the submission of an issue.
func IssueKey(number int) Key { return Key(onIssue + " " + strconv.Itoa(number)) }

// PullKey is the check, and by policy the merge, of a pull request.
func PullKey(number int) Key { return Key(onPull + " " + strconv.Itoa(number)) }

// CheckKey is the check of a pull request done anew, as GitHub's "Re-run"
// button asks.
func CheckKey(number int) Key { return Key(onCheck + " " + strconv.Itoa(number)) }

// RecheckKey is a request by comment to look again.
func RecheckKey(number int, comment int64) Key {
	return Key(fmt.Sprintf("%s %d %d", onRecheck, number, comment))
}

// RepositoryKey is an author's repository: its releases and tags.
func RepositoryKey(r registrydata.Repository) Key {
	return Key(onRepository + " " + strings.ToLower(r.String()))
}

// LookKey is an author's repository as the scheduler looks at it: as
// RepositoryKey, but versions that failed wait for their next try.
func LookKey(r registrydata.Repository) Key {
	return Key(onLook + " " + strings.ToLower(r.String()))
}

// MovedKey is a repository of an author that may not be where it was: renamed,
// transferred, deleted, private.
func MovedKey(r registrydata.Repository) Key {
	return Key(onMoved + " " + strings.ToLower(r.String()))
}

// AuditKey is a comparison of what is recorded of an entity with what its author
// publishes now; of the version with the tag alone, unless that is empty.
func AuditKey(e registrydata.Entity, tag string) Key {
	return Key(strings.TrimSpace(onAudit + " " + e.Path() + " " + tag))
}

// BackfillKey is a search for what was not recorded of an entity's versions.
func BackfillKey(e registrydata.Entity) Key { return Key(onBackfill + " " + e.Path()) }

// Subject is what must not be worked on by two runs at once. Issues and pull
// requests share their numbers, and a request to look again works on the one it
// stands on.
func (k Key) Subject() string {
	word, rest, _ := strings.Cut(string(k), " ")
	switch word {
	case onIssue, onPull, onCheck, onRecheck:
		number, _, _ := strings.Cut(rest, " ")
		return "thread " + number
	case onLook, onMoved:
		return onRepository + " " + rest
	case onBackfill:
		if e, ok := registrydata.EntityFromPath(rest); ok { // it writes the same data file
			return onRepository + " " + strings.ToLower(repositoryOf(e).String())
		}
	}
	return string(k)
}

// Result is what a run asks of the queue.
type Result struct {
	// Next are keys to run now: what this run has made stale.
	Next []Key
	// Again is how long to wait before this key is run once more; 0 is never.
	Again time.Duration
}

// add wants what both results want.
func (r *Result) add(other Result) {
	r.Next = append(r.Next, other.Next...)
	r.Again = sooner(r.Again, other.Again)
}

// sooner is the shorter of two waits; 0 is never.
func sooner(a, b time.Duration) time.Duration {
	if a == 0 || b > 0 && b < a {
		return b
	}
	return a
}
