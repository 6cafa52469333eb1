package forge

import (
	"errors"
	"fmt"
	"time"
)

// Fault is an error of an author's file, not of ours: too large, gone, a
// redirect to a host that is not allowed. Every other error of a download is
// the operator's, and worth a retry.
type Fault struct{ Message string }

func (f *Fault) Error() string { return f.Message }

// The errors that callers tell apart with errors.Is. Whatever is none of these,
// no *Fault and no *RateLimitError is temporary or unexpected: retry the job.
var (
	// ErrNotFound is a 404 where the caller named something that should be there.
	ErrNotFound = errors.New("not found on GitHub")
	// ErrUnauthorized is a 401, or a 403 that is no rate limit: the App's key is
	// wrong, or it lacks a permission or its installation.
	ErrUnauthorized = errors.New("GitHub refuses the App's credentials or permission")
	// ErrNotMergeable is a pull request that GitHub does not merge now: a
	// conflict, a moved head, a protected branch that wants more.
	ErrNotMergeable = errors.New("GitHub does not merge this pull request now")
)

// RateLimitError says that GitHub wants no more requests until a time, by the
// primary limit (requests an hour) or a secondary one (too fast).
type RateLimitError struct {
	Until     time.Time
	Secondary bool
}

func (e *RateLimitError) Error() string {
	kind := "rate limit"
	if e.Secondary {
		kind = "secondary rate limit"
	}
	return fmt.Sprintf("GitHub's %s is used up until %s", kind, e.Until.UTC().Format(time.RFC3339))
}

// Commit is a commit of the metadata repository.
type Commit struct {
	SHA    string
	Tree   string
	Parent string    // the first parent; "" for a root commit
	Author string    // login of the author, "" where GitHub knows none
	Date   time.Time // of the committer; of the App's own commits when it made them
}

// Entry is a file or folder at a commit.
type Entry struct {
	Name string // in Dir the last segment, in Files the whole path
	Blob string // git object id; for a folder its tree
	Dir  bool
	Link bool // a symbolic link
	Size int64
}

// Issue is an issue of the metadata repository.
type Issue struct {
	Number      int
	Title, Body string
	Author      string
	Labels      []string
	Open        bool
	StateReason string // "completed", "not_planned", "reopened" or ""
	Created     time.Time
	Updated     time.Time // by a comment, too
	IsPull      bool
	URL         string
}

// IssueRef is an issue of a list, without its texts: those of 10,000 issues may
// be 600 MB.
type IssueRef struct {
	Number  int
	Updated time.Time // by a comment, too
}

// IssueEdit changes the fields that are not nil.
type IssueEdit struct {
	Title, Body *string
	State       *string // "open" or "closed"
	StateReason *string // "completed" or "not_planned"
}

// CommentRef is a comment of a list, without its text.
type CommentRef struct {
	ID        int64
	Issue     int    // or pull request
	FirstLine string // at most 100 bytes of it
	ByBot     bool   // written by any App
	Edited    bool
	Created   time.Time
	Reactions map[string]int // how many there are of each, as "rocket"
}

// Comment is a comment on an issue.
type Comment struct {
	ID      int64
	Issue   int
	Author  string
	ByBot   bool // written by any App
	Body    string
	Edited  bool
	Created time.Time
	Updated time.Time
}

// Pull is a pull request.
type Pull struct {
	Number      int
	Title, Body string
	Author      string
	Own         bool // opened by this App
	Open        bool
	Merged      bool
	MergeSHA    string
	MergedBy    string // only of a pull request that was asked for by its number
	HeadBranch  string
	HeadSHA     string
	FromFork    bool
	BaseBranch  string
	BaseSHA     string
	URL         string
	Updated     time.Time // when anything of it changed last; its unit is a second
}

// PullDraft is a pull request to open against the metadata branch.
type PullDraft struct{ Branch, Title, Body string }

// PullEdit changes the fields that are not nil.
type PullEdit struct{ Title, Body, State *string }

// Review is a review that someone submitted.
type Review struct {
	Author string
	State  string // "APPROVED", "CHANGES_REQUESTED", "COMMENTED", "DISMISSED"
	SHA    string // the head it was given for
}

// BranchDraft is a branch to write. The same draft gives the same commit id.
type BranchDraft struct {
	Name    string
	Base    Commit
	Message string
	Date    time.Time
	// Files are whole contents by path; nil deletes the file.
	Files map[string][]byte
}

// CheckRun is a check run (docs.github.com/rest/checks/runs).
type CheckRun struct {
	ID          int64
	SHA, Name   string
	ExternalID  string // what was judged: tells a run whether it must judge again
	Conclusion  string // "success", "failure", "neutral"; "" while in progress
	Title       string
	Summary     string
	Text        string
	Annotations []Annotation
}

// Annotation marks a place of a file in a check run.
type Annotation struct {
	Path    string
	Line    int
	Level   string // "failure", "warning", "notice"
	Title   string
	Message string
}

// Delivery is a webhook that GitHub tried to deliver (GET /app/hook/deliveries).
type Delivery struct {
	ID        int64
	GUID      string
	Event     string
	Delivered time.Time
	Status    int // what the receiver answered; 0 where it could not be reached
}
