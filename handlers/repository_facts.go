package handlers

import (
	"context"
	"fmt"
	"slices"

	"github.com/tofu-registrar/registrar/registrydata"
	"github.com/tofu-registrar/registrar/validation"
)

// judgeRepository judges the submission of a provider or module. Which of the
// repositories that the answer can mean is there decides which it is.
func (h *Handlers) judgeRepository(ctx context.Context, q question) (judgement, error) {
	facts, err := each(ctx, q.Candidates, h.authors.Repository)
	if err != nil {
		return judgement{}, fmt.Errorf("look for the repository: %w", err)
	}
	i, findings := validation.ChooseRepository(q.Submission, facts)
	if i < 0 {
		s := q.Choose(i, findings)
		return judgement{Report: s.Verdict(s.Findings)}, nil
	}
	q.Submission = q.Choose(i, findings)
	if q.Kind == validation.KindModule {
		return h.judgeModule(ctx, q, facts[i])
	}
	return h.judgeProvider(ctx, q, facts[i])
}

// registeredUnder are the addresses at which the chosen repository may be
// registered: the one of the name that was given and, after a rename, the one of
// its name now.
func registeredUnder[A comparable](q question, facts validation.RepositoryFacts, read func(registrydata.Repository) (A, bool)) []A {
	var out []A
	for _, repo := range []registrydata.Repository{facts.Repository, q.Candidates[0]} {
		if a, ok := read(repo); ok && (len(out) == 0 || out[0] != a) {
			out = append(out, a)
		}
	}
	return out
}

// surroundings are the facts that the submission of a provider and of a module
// have in common.
type surroundings struct {
	parentRegistered bool
	authorIsMember   bool
	namespaceIsNew   bool
	blacklist        registrydata.Blacklist
	earlier          []byte // the data file on the submission's own branch
}

func (h *Handlers) lookAround(ctx context.Context, q question, facts validation.RepositoryFacts, e registrydata.Entity) (s surroundings, err error) {
	err = together(ctx,
		func(ctx context.Context) (err error) {
			s.parentRegistered, err = h.parentRegistered(ctx, q.commit, facts)
			return err
		},
		func(ctx context.Context) (err error) { s.blacklist, err = h.blacklist(ctx, q.commit); return err },
		func(ctx context.Context) (err error) {
			s.authorIsMember, err = h.memberOf(ctx, e.Namespace, q.author)
			return err
		},
		func(ctx context.Context) (err error) {
			s.namespaceIsNew, err = h.namespaceIsNew(ctx, q.commit, e)
			return err
		},
		func(ctx context.Context) (err error) {
			if q.branch != "" {
				s.earlier, _, err = h.snapshots.File(ctx, q.branch, e.Path())
			}
			return err
		},
	)
	return s, err
}

func (s surroundings) newcomer() validation.Newcomer {
	return validation.Newcomer{NamespaceIsNew: s.namespaceIsNew, AuthorIsMember: s.authorIsMember}
}

// namespaceIsNew tells whether nothing of an entity's namespace is registered.
func (h *Handlers) namespaceIsNew(ctx context.Context, commit string, e registrydata.Entity) (bool, error) {
	letter := e.Namespace[:1]
	there, err := each(ctx, []string{"providers", "modules"}, func(ctx context.Context, kind string) (bool, error) {
		entries, err := h.snapshots.Dir(ctx, commit, kind+"/"+letter+"/"+e.Namespace)
		return len(entries) > 0, err
	})
	return !slices.Contains(there, true), err
}

// parentRegistered tells whether a fork's original is registered.
func (h *Handlers) parentRegistered(ctx context.Context, commit string, facts validation.RepositoryFacts) (bool, error) {
	if !facts.Fork {
		return false, nil
	}
	if a, ok := registrydata.ProviderFromRepository(facts.Parent); ok {
		found, err := h.registeredProviders(ctx, commit, a)
		return len(found) > 0, err
	}
	if a, ok := registrydata.ModuleFromRepository(facts.Parent); ok {
		_, ok, err := h.snapshots.File(ctx, commit, a.Path())
		return ok, err
	}
	return false, nil
}

// memberOf tells whether a user is the namespace itself or shows membership of
// it in public.
func (h *Handlers) memberOf(ctx context.Context, namespace, login string) (bool, error) {
	if namespace == "" || login == "" {
		return false, nil
	}
	if lower(namespace) == lower(login) {
		return true, nil
	}
	return h.authors.IsPublicMember(ctx, namespace, login)
}

// blacklist is the list of versions that must not be indexed.
func (h *Handlers) blacklist(ctx context.Context, commit string) (registrydata.Blacklist, error) {
	b, ok, err := h.snapshots.File(ctx, commit, registrydata.BlacklistPath)
	if err != nil || !ok {
		return registrydata.Blacklist{}, err
	}
	list, err := registrydata.ParseBlacklist(b)
	if err != nil {
		return list, fmt.Errorf(registrydata.BlacklistPath+": %w", err)
	}
	return list, nil
}
