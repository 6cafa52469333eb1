package handlers

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/tofu-registrar/registrar/registrydata"
	"github.com/tofu-registrar/registrar/templates"
)

// releaseKeys: a release of a repository that may be registered. Whether it is,
// costs one look-up.
func (h *Handlers) releaseKeys(e event) []Key {
	// A draft is no release yet; one that was a release is told as unpublished.
	if !oneOf(e.Action, "published", "released", "prereleased", "edited", "deleted", "unpublished") ||
		e.Release.Draft && e.Action != "unpublished" {
		return nil
	}
	keys := repositoryKeys(e)
	if len(keys) > 0 && oneOf(e.Action, "edited", "deleted", "unpublished") {
		keys = append(keys, auditKeys(e)...)
	}
	return keys
}

// auditKeys: what may be recorded of a release may not be so any more.
func auditKeys(e event) []Key {
	owner, name, _ := strings.Cut(e.Repository.FullName, "/")
	entity, ok := entityOf(registrydata.Repository{Owner: owner, Name: name})
	if tag := e.Release.TagName; !ok || tag == "" || len(tag) > mostTag || strings.ContainsAny(tag, " \n") {
		return nil
	}
	return []Key{AuditKey(entity, e.Release.TagName)}
}

// mostTag is how long a tag may be that a key names.
const mostTag = 200

// createKeys: a new tag is a new version of a module.
func (h *Handlers) createKeys(e event) []Key {
	if e.RefType != "tag" {
		return nil
	}
	return repositoryKeys(e)
}

// repositoryKeys names a repository whose name can be a provider's or a module's.
func repositoryKeys(e event) []Key {
	owner, name, ok := strings.Cut(e.Repository.FullName, "/")
	repo := registrydata.Repository{Owner: owner, Name: name}
	if _, named := entityOf(repo); !ok || !named {
		return nil
	}
	return []Key{RepositoryKey(repo)}
}

// entityOf is what a repository of this name would be registered as.
func entityOf(r registrydata.Repository) (registrydata.Entity, bool) {
	if a, ok := registrydata.ProviderFromRepository(r); ok {
		return a.Entity(), true
	}
	if a, ok := registrydata.ModuleFromRepository(r); ok {
		return a.Entity(), true
	}
	return registrydata.Entity{}, false
}

// repositoryOf is the repository that an entity is called after. Which one its
// versions come from, reconcileRepository knows.
func repositoryOf(e registrydata.Entity) registrydata.Repository {
	return e.Repository(registrydata.Aliases{})
}

// registeredFrom finds what a repository is registered as, at the head of the
// metadata branch; none where it is not. The same repository may be registered
// under several addresses (opentofu's are hashicorp's too). In the place of one
// whose versions come from another, instead names that.
func (h *Handlers) registeredFrom(ctx context.Context, repo registrydata.Repository) (head Commit, entities []registrydata.Entity, instead *registrydata.Repository, err error) {
	e, ok := entityOf(repo)
	if !ok {
		return head, nil, nil, nil
	}
	if head, err = h.snapshots.Head(ctx); err != nil {
		return head, nil, nil, err
	}
	al, err := h.aliasesAt(ctx, head.SHA)
	if err != nil {
		return head, nil, nil, err
	}
	if to := al.EffectiveNamespace(e.Namespace); e.Kind == registrydata.KindProvider && to != e.Namespace {
		return head, nil, &registrydata.Repository{Owner: to, Name: repo.Name}, nil
	}
	entities, err = h.registeredAs(ctx, head.SHA, e)
	return head, entities, nil, err
}

// reconcileRepository looks for versions of a registered repository that are
// not recorded yet, and proposes them by a pull request. A patient look leaves
// versions that failed alone until their next try.
func (h *Handlers) reconcileRepository(ctx context.Context, repo registrydata.Repository, patient bool) (Result, error) {
	head, entities, instead, err := h.registeredFrom(ctx, repo)
	if err != nil {
		return Result{}, err
	}
	if instead != nil {
		return Result{Next: []Key{RepositoryKey(*instead)}}, nil
	}
	var all Result
	for i, e := range entities {
		r, err := h.reconcileEntity(ctx, head, e, repo, patient, i == 0)
		if err != nil {
			return Result{}, fmt.Errorf("new versions of %s %s: %w", e.Kind, e, err)
		}
		all.add(r)
	}
	return all, nil
}

func (h *Handlers) registeredAs(ctx context.Context, commit string, e registrydata.Entity) ([]registrydata.Entity, error) {
	if e.Kind == registrydata.KindModule {
		_, ok, err := h.snapshots.File(ctx, commit, e.Path())
		if !ok {
			return nil, err
		}
		return []registrydata.Entity{e}, err
	}
	found, err := h.registeredProviders(ctx, commit, e.Provider())
	var entities []registrydata.Entity
	for _, a := range found {
		entities = append(entities, a.Entity())
	}
	return entities, err
}

// reconcileEntity proposes the new versions of one entity, and tells the author
// what there is to mend if tell says so: of several addresses of one repository
// one is enough.
func (h *Handlers) reconcileEntity(ctx context.Context, head Commit, e registrydata.Entity, repo registrydata.Repository, patient, tell bool) (Result, error) {
	r, err := h.observeRelease(ctx, head, e, repo, patient)
	if err != nil {
		return Result{}, err
	}
	var result Result
	err = together(ctx,
		func(ctx context.Context) (err error) { result, err = h.propose(ctx, &r); return err },
		func(ctx context.Context) error {
			if !tell || !r.judged {
				return nil
			}
			return h.settleAlertAmong(ctx, r.alerts, e, repo, alertSource(e), r.conditions)
		})
	result.add(Result{Again: r.again})
	if r.follow {
		result.Next = append(result.Next, MovedKey(repo))
	}
	return result, err
}

// alertSource is whose conditions those of a look at releases or tags are.
func alertSource(e registrydata.Entity) templates.AlertSource {
	if e.Kind == registrydata.KindModule {
		return templates.AlertTags
	}
	return templates.AlertReleases
}

// propose makes the entity's branch and pull request hold what is new.
func (h *Handlers) propose(ctx context.Context, r *release) (Result, error) {
	if r.content == nil {
		return h.dropRelease(ctx, r)
	}
	if err := h.upToDate(ctx, r.head, r.pull, r.entity.Path()); err != nil {
		return Result{}, err
	}
	if err := h.applyRelease(ctx, r, h.decideRelease(*r)); err != nil {
		return Result{}, err
	}
	if r.pull != nil && r.pull.Open {
		// By policy merged: the pull request's own handler decides that.
		return h.afterCheck(ctx, r)
	}
	return Result{}, nil
}

// dropRelease clears away a proposal of versions that are recorded by now, at
// once, or that are not there any more.
func (h *Handlers) dropRelease(ctx context.Context, r *release) (Result, error) {
	branch := releaseBranches.of(r.entity)
	if r.pull != nil && r.pull.Open && string(r.base) != string(r.now) {
		return Result{}, h.takeBack(ctx, branch, r.pull, r.tip)
	}
	return h.takeBackSettled(ctx, branch, r.pull, r.tip)
}

// refusedPause is how long to wait after GitHub refused to merge a branch that
// was made anew just now.
const refusedPause = 30 * time.Second

// afterCheck checks the pull request, and by policy merges it. Where that was
// refused, this entity would be looked at once more at once, and without end
// while it is refused: it waits.
func (h *Handlers) afterCheck(ctx context.Context, r *release) (Result, error) {
	result, err := h.checkPull(ctx, r.pull.Number, false)
	again := RepositoryKey(repositoryOf(r.entity))
	if slices.Contains(result.Next, again) {
		result.Next = slices.DeleteFunc(result.Next, func(k Key) bool { return k == again })
		r.waitFor(refusedPause)
	}
	return result, err
}

// overtakenRelease is the repository whose pull request was made from a data file
// that is not what the metadata branch has now.
func (h *Handlers) overtakenRelease(ctx context.Context, number int) ([]Key, error) {
	pull, err := h.pulls.Pull(ctx, number)
	if err != nil {
		return nil, err
	}
	e, ok := releaseBranches.entity(pull.HeadBranch)
	if !ok || !pull.Open || !pull.Own || pull.FromFork {
		return nil, nil
	}
	tip, ok, err := h.branches.Branch(ctx, pull.HeadBranch)
	if err != nil || !ok {
		return nil, err
	}
	head, err := h.snapshots.Head(ctx)
	if err != nil || head.SHA == tip.Parent {
		return nil, err
	}
	changed, err := h.changedBetween(ctx, e.Path(), tip.Parent, head.SHA)
	if err != nil || !changed {
		return nil, err
	}
	return []Key{RepositoryKey(repositoryOf(e))}, nil
}
