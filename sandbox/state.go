package sandbox

import (
	"sync"
	"time"
)

// obj is a JSON object on its way out. Maps marshal with sorted keys, so equal
// state gives equal bytes and therefore equal ETags.
type obj = map[string]any

// Kinds of account, as GitHub's "type" field spells them.
const (
	kindUser = "User"
	kindOrg  = "Organization"
	kindBot  = "Bot"
)

// account is a user, an organization or the bot of an app.
type account struct {
	id      int64
	login   string
	kind    string
	created time.Time
	token   string // personal access token of a user
	app     *app   // for bots
	members map[int64]*membership
	repos   map[string]*repository // by lower-cased name
}

// membership is one person's place in an organization.
type membership struct {
	user   *account
	public bool
	role   string // "admin" or "member"
}

// repository is one repository with everything on GitHub that hangs from it.
// Maps stay nil until needed: there may be tens of thousands of repositories.
type repository struct {
	id            int64
	owner         *account
	name          string
	description   string
	private       bool
	archived      bool
	defaultBranch string
	created       time.Time
	updated       time.Time
	pushed        time.Time
	parent        *repository // of a fork
	forks         []*repository
	collaborators map[int64]string // account id to role
	labels        []*label
	issues        []*issue // pull requests too; index is number-1
	comments      map[int64]*comment
	releases      []*release // in order of creation
	checks        map[string][]*checkRun
	suites        map[string][]*checkSuite
	statuses      map[string][]*commitStatus
	contributors  map[int64]bool // accounts with a merged pull request
	openIssues    int
	deleted       bool

	git *gitStore
	// refsMu is held over any operation that moves refs, the git binary's
	// included. Order: refsMu before Server.mu.
	refsMu sync.Mutex
}

func (r *repository) fullName() string { return r.owner.login + "/" + r.name }

// issue is an issue, or a pull request when pull is set.
type issue struct {
	id          int64
	repo        *repository
	number      int
	title       string
	body        string
	user        *account
	viaApp      *app
	closed      bool
	stateReason string // "", "completed", "not_planned", "reopened", "duplicate"
	locked      bool
	lockReason  string
	labels      []*label
	assignees   []*account
	comments    []*comment
	reactions   []*reaction
	created     time.Time
	updated     time.Time
	closedAt    time.Time
	closedBy    *account
	pull        *pull
}

func (i *issue) state() string {
	if i.closed {
		return "closed"
	}
	return "open"
}

// pull is what a pull request has beyond an issue.
type pull struct {
	id          int64
	headRepo    *repository // nil when the fork was deleted
	headOwner   *account
	headRef     string // branch name
	headSHA     string
	baseRef     string
	baseSHA     string // tip of the base branch when last looked at
	draft       bool
	merged      bool
	mergedAt    time.Time
	mergedBy    *account
	mergeCommit string
	reviews     []*review
	stats       pullStats
	merge       mergeResult // cached for mergeBase/mergeHead
	canModify   bool
}

// pullStats counts what a pull request changes against its merge base.
type pullStats struct {
	commits, additions, deletions, files int
}

type review struct {
	id        int64
	user      *account
	body      string
	state     string // APPROVED, CHANGES_REQUESTED, COMMENTED, DISMISSED, PENDING
	commit    string
	submitted time.Time
}

type comment struct {
	id        int64
	issue     *issue
	user      *account
	viaApp    *app
	body      string
	created   time.Time
	updated   time.Time
	reactions []*reaction
}

type reaction struct {
	id      int64
	user    *account
	content string
	created time.Time
}

type label struct {
	id          int64
	name        string
	color       string
	description string
	isDefault   bool
}

type release struct {
	id          int64
	repo        *repository
	tag         string
	target      string // target_commitish
	name        string
	body        string
	draft       bool
	prerelease  bool
	author      *account
	created     time.Time
	published   time.Time // zero for drafts
	updated     time.Time
	untaggedKey string // names a draft in its html_url
	assets      []*asset
}

// asset is one file of a release. Its bytes lie in a file, or come from a
// generator (see Server.AddGeneratedAsset).
type asset struct {
	id          int64
	release     *release
	key         string // name on the download origin
	name        string
	label       string
	contentType string
	size        int64
	digest      string // "sha256:…", empty if not known
	file        string
	generate    Generator
	downloads   int64
	uploader    *account
	created     time.Time
	updated     time.Time
}

type checkRun struct {
	id          int64
	repo        *repository
	app         *app
	suite       *checkSuite
	name        string
	sha         string
	externalID  string
	detailsURL  string
	status      string
	conclusion  string
	started     time.Time
	completed   time.Time
	title       *string
	summary     *string
	text        *string
	annotations []annotation
	actions     []checkAction
}

type checkSuite struct {
	id      int64
	repo    *repository
	app     *app
	sha     string
	branch  string
	before  string
	created time.Time
	updated time.Time
}

type commitStatus struct {
	id          int64
	context     string
	state       string
	description string
	targetURL   string
	creator     *account
	created     time.Time
}

// app is a GitHub App.
type app struct {
	id            int64
	slug          string
	name          string
	description   string
	externalURL   string
	clientID      string
	clientSecret  string
	owner         *account
	bot           *account
	key           appKey
	permissions   map[string]string
	events        []string
	hookURL       string
	hookSecret    string
	hookID        int64
	created       time.Time
	installations []*installation
	sender        *sender
}

// installation is an app's place on an account.
type installation struct {
	id        int64
	app       *app
	account   *account
	all       bool
	repos     map[int64]bool // when not all
	suspended bool
	created   time.Time
}

func (i *installation) covers(r *repository) bool {
	return r.owner == i.account && (i.all || i.repos[r.id])
}
