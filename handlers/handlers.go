package handlers

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/tofu-registrar/registrar/registrydata"
	"github.com/tofu-registrar/registrar/templates"
)

// Options are what the handlers need of the world.
type Options struct {
	Authors   Authors
	Snapshots Snapshots
	// Archives is for publications of many entities. Without it each file is
	// asked for.
	Archives  Archives
	Threads   Threads
	Pulls     Pulls
	Branches  Branches
	Checks    Checks
	Publisher Publisher
	// Installations may be left out by who gets no events of them.
	Installations Installations
	// Decisions is the decision log. Without it none is kept.
	Decisions Decisions

	Policy Policy
	// MaxDelete is the share of the registry that one publication may remove,
	// 0.01 if 0; 1 sets no limit.
	MaxDelete float64
	// Parallel is how many entities are published at a time, 16 if 0.
	Parallel int
	// Metadata is the metadata repository, Branch its published branch.
	Metadata registrydata.Repository
	Branch   string
	Site     templates.Site
	// AuditEvery is how often each entity is audited, 30 days if 0: which of its
	// versions are looked at changes as often.
	AuditEvery time.Duration
	// Differences is told how many versions of an entity, by its path, an audit
	// has found that are not as they were recorded. It may be nil.
	Differences func(path string, versions int)
	// WebURL is where authors' repositories are, "https://github.com" if empty.
	WebURL string
	// Lock lets one run at a time work on what has a name, over all processes;
	// nil where this is the only one.
	Lock func(name string) (unlock func())
	// Pause waits for so long, and returns an error if the context ends before
	// that; nil does not wait for more of a burst.
	Pause func(context.Context, time.Duration) error
	Now   func() time.Time
	Log   *slog.Logger
}

// Policy says what happens without a maintainer's hand.
type Policy struct {
	// Merge is for submissions: MergeManual, MergeApproved or MergeAutomatic.
	Merge templates.Merge
	// Releases is for new versions of registered entries: MergeManual,
	// MergeAutomatic or MergeBatch.
	Releases templates.Merge
}

// upkeep is the policy for the App's other pull requests about registered
// entries. They are never part of a batch.
func (p Policy) upkeep() templates.Merge {
	if p.Releases == templates.MergeBatch {
		return templates.MergeAutomatic
	}
	return p.Releases
}

// Handlers reconciles keys. It holds no state of its own: any number of them
// may work beside each other as long as no two work on one Key.Subject.
type Handlers struct {
	authors   Authors
	snapshots Snapshots
	archives  Archives
	threads   Threads
	pulls     Pulls
	branches  Branches
	checks    Checks
	publisher Publisher

	installations Installations

	policy    Policy
	maxDelete float64
	parallel  int
	metadata  registrydata.Repository
	branch    string
	site      templates.Site
	webURL    string
	aliases   *aliasCache
	alerts    *keyedLock  // by the path of the entry
	backfill  *sync.Mutex // one at a time, whatever the number of workers
	merges    *keyedLock  // by the branch
	decisions *decisionLog
	settled   *settledIssues
	pause     func(context.Context, time.Duration) error
	now       func() time.Time
	log       *slog.Logger

	auditEvery  time.Duration
	differences func(path string, versions int)
}

// New makes the handlers.
func New(o Options) *Handlers {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.WebURL == "" {
		o.WebURL = "https://github.com"
	}
	if o.AuditEvery <= 0 {
		o.AuditEvery = auditEvery
	}
	if o.Pause == nil {
		o.Pause = func(ctx context.Context, _ time.Duration) error { return ctx.Err() }
	}
	if o.Differences == nil {
		o.Differences = func(string, int) {}
	}
	if o.Parallel <= 0 {
		o.Parallel = parallelism
	}
	return &Handlers{
		authors: o.Authors, snapshots: o.Snapshots, archives: o.Archives, threads: o.Threads, pulls: o.Pulls,
		branches: o.Branches, checks: o.Checks, publisher: o.Publisher, installations: o.Installations,
		policy: o.Policy, maxDelete: o.MaxDelete, parallel: o.Parallel, metadata: o.Metadata, branch: o.Branch, site: o.Site,
		webURL: strings.TrimSuffix(o.WebURL, "/"), aliases: &aliasCache{}, alerts: &keyedLock{across: o.Lock}, merges: &keyedLock{across: o.Lock},
		backfill: &sync.Mutex{}, auditEvery: o.AuditEvery, differences: o.Differences,
		decisions: &decisionLog{port: o.Decisions, now: o.Now}, settled: &settledIssues{}, pause: o.Pause, now: o.Now, log: o.Log,
	}
}

// ErrMalformedKey is a key that no translation makes: it is never worth a retry.
var ErrMalformedKey = errors.New("malformed key")

// Reconcile drives what the key names to where it should be. An error is the
// operator's and worth a retry.
func (h *Handlers) Reconcile(ctx context.Context, key Key) (Result, error) {
	result, err := h.reconcile(ctx, key)
	if errors.Is(err, errOvertaken) {
		return Result{Next: []Key{key}}, nil
	}
	return result, err
}

func (h *Handlers) reconcile(ctx context.Context, key Key) (Result, error) {
	word, rest, _ := strings.Cut(string(key), " ")
	switch word {
	case onIssue:
		return withNumber(ctx, rest, h.reconcileIssue)
	case onPull:
		return withNumber(ctx, rest, h.reconcilePull)
	case onCheck:
		return withNumber(ctx, rest, func(ctx context.Context, n int) (Result, error) { return h.checkPull(ctx, n, true) })
	case onRecheck:
		return h.reconcileRecheck(ctx, rest)
	case onRepository, onLook:
		owner, name, ok := strings.Cut(rest, "/")
		if !ok {
			return Result{}, fmt.Errorf("%w: %q", ErrMalformedKey, key)
		}
		return h.reconcileRepository(ctx, registrydata.Repository{Owner: owner, Name: name}, word == onLook)
	case onMoved:
		owner, name, ok := strings.Cut(rest, "/")
		if !ok {
			return Result{}, fmt.Errorf("%w: %q", ErrMalformedKey, key)
		}
		return h.reconcileMoved(ctx, registrydata.Repository{Owner: owner, Name: name})
	case onInstallation:
		return h.reconcileInstallation(ctx, rest)
	case onAudit:
		return h.reconcileAudit(ctx, rest)
	case onBackfill:
		return h.reconcileBackfill(ctx, rest)
	case onBatch:
		return h.reconcileBatch(ctx)
	case onPublish:
		return h.reconcilePublished(ctx)
	}
	return Result{}, fmt.Errorf("%w: %q", ErrMalformedKey, key)
}

func withNumber(ctx context.Context, text string, run func(context.Context, int) (Result, error)) (Result, error) {
	n, err := strconv.Atoi(text)
	if err != nil || n <= 0 {
		return Result{}, fmt.Errorf("%w: number %q", ErrMalformedKey, text)
	}
	return run(ctx, n)
}
