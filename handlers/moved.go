package handlers

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/tofu-registrar/registrar/registrydata"
	"github.com/tofu-registrar/registrar/templates"
	"github.com/tofu-registrar/registrar/validation"
)

// repositoryEventKeys: a repository is called otherwise, has another owner, or
// is there no more, or again. The name that it had is what may be registered;
// after a way back it is the name that it has.
func (h *Handlers) repositoryEventKeys(e event) []Key {
	if e.Repository.is(h.metadata) || !oneOf(e.Action, "renamed", "transferred", "deleted", "archived", "unarchived", "privatized", "publicized") {
		return nil
	}
	owner, name, _ := strings.Cut(e.Repository.FullName, "/")
	var keys []Key
	for _, repo := range []registrydata.Repository{{Owner: owner, Name: name}, e.formerRepository(owner, name)} {
		_, named := entityOf(repo)
		if key := MovedKey(repo); named && !slices.Contains(keys, key) {
			keys = append(keys, key)
		}
	}
	return keys
}

// formerRepository is what a repository was called before a rename or transfer.
func (e event) formerRepository(owner, name string) registrydata.Repository {
	if was := e.Changes.Repository.Name.From; was != "" {
		name = was
	}
	for _, from := range []user{e.Changes.Owner.From.User, e.Changes.Owner.From.Organization} {
		if from.Login != "" {
			owner = from.Login
		}
	}
	return registrydata.Repository{Owner: owner, Name: name}
}

// reconcileMoved follows what became of a registered repository: a pull request
// warns users and adds the new address, the alert tells the maintainers. Nothing
// is ever taken out.
func (h *Handlers) reconcileMoved(ctx context.Context, repo registrydata.Repository) (Result, error) {
	head, entities, instead, err := h.registeredFrom(ctx, repo)
	if instead != nil {
		return Result{Next: []Key{MovedKey(*instead)}}, nil
	}
	if err != nil || len(entities) == 0 {
		return Result{}, err
	}
	facts, err := h.authors.Repository(ctx, repo)
	if err != nil {
		return Result{}, err
	}
	var all Result
	for _, e := range entities {
		r, err := h.reconcileMovedEntity(ctx, moved{entity: e, repo: repo, facts: facts, head: head})
		if err != nil {
			return Result{}, fmt.Errorf("follow the repository of %s %s: %w", e.Kind, e, err)
		}
		all.add(r)
	}
	return all, nil
}

func (h *Handlers) reconcileMovedEntity(ctx context.Context, m moved) (Result, error) {
	if err := h.observeMoved(ctx, &m); err != nil {
		return Result{}, err
	}
	if err := h.settleAlert(ctx, m.entity, m.repo, templates.AlertRepository, m.conditions()); err != nil {
		return Result{}, err
	}
	if len(m.files) == 0 {
		return h.takeBackSettled(ctx, warningBranches.of(m.entity), m.pull, m.tip)
	}
	if err := h.upToDate(ctx, m.head, m.pull, slices.Collect(maps.Keys(m.files))...); err != nil {
		return Result{}, err
	}
	p := h.decideMoved(m)
	s := submission{tip: m.tip, pull: m.pull}
	if err := h.applyPull(ctx, &s, p); err != nil {
		return Result{}, err
	}
	if s.pullOpen() {
		return h.checkPull(ctx, s.pull.Number, false)
	}
	return Result{}, nil
}

// moved is what was observed about a registered repository.
type moved struct {
	entity registrydata.Entity
	repo   registrydata.Repository // as registered
	facts  validation.RepositoryFacts
	head   Commit

	state      validation.RepositoryState
	remembered int64
	findings   []validation.Finding // for the maintainers

	tip  *Commit
	pull *Pull
	// files is what the data should hold, by path; none where nothing is to be
	// changed. proposed tells that the last pull request holds that, current that
	// it is still right.
	files             map[string][]byte
	proposed, current bool
	reuse, reused     bool // of the file at the new address, as it was proposed
	check             *CheckRun
	changes           []judgedChange
	warning           string     // that is added
	added             *judgement // of the new address, nil where none is added
	address           string     // the new one
}

func (m moved) conditions() []templates.AlertCondition {
	if len(m.findings) == 0 {
		return nil
	}
	return []templates.AlertCondition{{Findings: m.findings}}
}

// observeMoved reads the data file and the branch, and where the repository has
// moved what is to be said about its new address.
func (h *Handlers) observeMoved(ctx context.Context, m *moved) error {
	var now []byte
	err := together(ctx,
		func(ctx context.Context) (err error) {
			now, _, err = h.snapshots.File(ctx, m.head.SHA, m.entity.Path())
			return err
		},
		func(ctx context.Context) error {
			tip, pulls, err := h.ownBranch(ctx, warningBranches.of(m.entity))
			m.tip, m.pull = tip, newestPull(pulls)
			return err
		})
	if err != nil {
		return err
	}
	// What was judged for a pull request that waits is not downloaded again.
	for _, m.reuse = range []bool{true, false} {
		if err := h.observeFollowUp(ctx, m, now); err != nil || len(m.files) == 0 {
			return err
		}
		if err := h.observeWarningBranch(ctx, m); err != nil || m.current || m.refused() || !m.reused {
			return err
		}
	}
	return nil
}

// lastProposal is where the last pull request that was not merged stands.
func (m moved) lastProposal() (at Commit, ok bool) {
	switch {
	case m.pull == nil || m.pull.Merged:
		return Commit{}, false
	case m.pull.Open && m.tip != nil:
		return *m.tip, true
	}
	return Commit{SHA: m.pull.HeadSHA, Parent: m.pull.BaseSHA}, true
}

// refused: a maintainer closed the pull request that proposed this very change.
func (m moved) refused() bool {
	return refusedPull(m.pull) && m.proposed
}

// observeFollowUp finds out what should be in the data.
func (h *Handlers) observeFollowUp(ctx context.Context, m *moved, now []byte) error {
	file, err := followedFile(m.entity, now)
	if err != nil {
		return fmt.Errorf("%s: %w", m.entity.Path(), err)
	}
	m.remembered = file.Upkeep().RepositoryID
	m.state = validation.StateOfRepository(m.repo, m.remembered, m.facts)
	m.findings = validation.RepositoryFindings(m.state, m.repo, m.remembered, m.facts)
	m.files, m.added, m.reused, m.warning = map[string][]byte{}, nil, false, ""
	to, registered, err := h.newAddress(ctx, m)
	if err != nil {
		return err
	}
	if m.added != nil {
		maps.Copy(m.files, m.added.files)
	}
	if !registered && m.added == nil {
		to = ""
	}
	m.address = to
	if file.Provider == nil {
		return nil
	}
	was := file.Provider.Warnings
	file.Provider.Warnings = validation.RepositoryWarnings(was, m.state, to)
	if slices.Equal(was, file.Provider.Warnings) {
		return nil
	}
	for _, w := range file.Provider.Warnings {
		if !slices.Contains(was, w) {
			m.warning = w
		}
	}
	if m.remembered == 0 && m.facts.Exists {
		file.Provider.RepositoryID = m.facts.ID
	}
	m.files[m.entity.Path()] = file.Provider.Bytes()
	return nil
}

// newAddress is what the repository would be registered as now, and whether it
// is. Where it is not, it is judged as a submission is.
func (h *Handlers) newAddress(ctx context.Context, m *moved) (address string, registered bool, err error) {
	to, ok := entityOf(m.facts.Repository)
	if m.state != validation.RepositoryMoved || !ok || to.Kind != m.entity.Kind {
		return "", false, nil
	}
	found, err := h.registeredAs(ctx, m.head.SHA, to)
	if err != nil || len(found) > 0 {
		return to.String(), len(found) > 0, err
	}
	if own, _ := entityOf(m.repo); own != m.entity {
		return to.String(), false, nil // its twin's pull request adds it
	}
	if at, waits := m.lastProposal(); waits && m.reuse {
		content, ok, err := h.snapshots.File(ctx, at.SHA, to.Path())
		if ok || err != nil {
			m.reused = true
			m.added = &judgement{path: to.Path(), files: map[string][]byte{to.Path(): content}}
			return to.String(), false, err
		}
	}
	q := question{commit: m.head.SHA, created: h.now(), Submission: validation.Submission{
		Kind: kindOf(to), Candidates: []registrydata.Repository{m.facts.Repository}, Read: m.facts.Repository,
		Namespace: to.Namespace, Name: to.Name, Target: to.Target,
	}}
	if m.tip != nil {
		q.branch = m.tip.SHA
	}
	judge := h.judgeProvider
	if to.Kind == registrydata.KindModule {
		judge = h.judgeModule
	}
	j, err := judge(ctx, q, m.facts)
	if err != nil {
		return "", false, err
	}
	if j.Verdict == validation.Accept {
		m.added = &j
		return to.String(), false, nil
	}
	// Users cannot be sent to an address that has nothing.
	m.findings = append(m.findings, validation.MovedUnadded(m.repo, m.facts.Repository, j.Findings)...)
	return to.String(), false, nil
}

// observeWarningBranch compares what is proposed with what should be.
func (h *Handlers) observeWarningBranch(ctx context.Context, m *moved) error {
	var err error
	at, waits := m.lastProposal()
	if m.changes, err = h.judgeData(ctx, m.head.SHA, m.files); err != nil || !waits {
		return err
	}
	same, err := each(ctx, slices.Sorted(maps.Keys(m.files)), func(ctx context.Context, path string) ([2]bool, error) {
		holds, fits, err := h.fileState(ctx, at, m.head, path, m.files[path])
		return [2]bool{holds, fits}, err
	})
	if err != nil {
		return err
	}
	m.proposed, m.current = true, m.pull.Open && m.tip != nil
	for _, s := range same {
		m.proposed, m.current = m.proposed && s[0], m.current && s[0] && s[1]
	}
	check, ok, err := h.checks.Check(ctx, at.SHA, checkName)
	if ok {
		m.check = &check
	}
	return err
}

// followedFile is the data file of an entity that was registered when the run
// began.
func followedFile(e registrydata.Entity, content []byte) (registrydata.DataFile, error) {
	if content == nil {
		return registrydata.DataFile{}, errors.New("it is gone since the run began")
	}
	return registrydata.ParseDataFile(e.Kind, content)
}

// frozen tells whether the repository that has the name of a registered one is
// another one, so that nothing may be taken in from it. The alert is told of
// what became of the repository, and follow is set where more is to be done.
func (h *Handlers) frozen(ctx context.Context, r *release) (bool, error) {
	file, err := followedFile(r.entity, r.now)
	if err != nil {
		return false, fmt.Errorf("%s: %w", r.entity.Path(), err)
	}
	remembered := file.Upkeep().RepositoryID
	state := validation.StateOfRepository(r.repo, remembered, r.facts)
	r.follow = state == validation.RepositoryGone || state == validation.RepositoryMoved ||
		file.Provider != nil && !slices.Equal(file.Provider.Warnings, validation.RepositoryWarnings(file.Provider.Warnings, state, ""))
	m := moved{findings: validation.RepositoryFindings(state, r.repo, remembered, r.facts)}
	if r.follow && state != validation.RepositoryThere {
		return false, nil // whoever follows tells it in full
	}
	err = h.settleAlertAmong(ctx, r.alerts, r.entity, r.repo, templates.AlertRepository, m.conditions())
	return state == validation.RepositoryReplaced, err
}

// remember notes the id of the repository that versions come from, at first use.
func remember(u *registrydata.Upkeep, f validation.RepositoryFacts) {
	if u.RepositoryID == 0 && f.Exists {
		u.RepositoryID = f.ID
	}
}
