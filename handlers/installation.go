package handlers

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/tofu-registrar/registrar/forge"
	"github.com/tofu-registrar/registrar/registrydata"
	"github.com/tofu-registrar/registrar/templates"
)

// mostInstalled bounds how many repositories of one installation are looked at.
const mostInstalled = 1000

// installationKeys: the App was installed, or got more repositories.
func (h *Handlers) installationKeys(e event) []Key {
	if e.Installation.ID <= 0 || !oneOf(e.Action, "created", "unsuspend", "added") {
		return nil
	}
	return []Key{InstallationKey(e.Installation.ID)}
}

// InstallationKey is an installation of the App on someone's repositories.
func InstallationKey(id int64) Key { return Key(onInstallation + " " + strconv.FormatInt(id, 10)) }

// installed is a public repository of an installation that holds a provider or
// module by its name.
type installed struct {
	forge.InstalledRepository
	entity     registrydata.Entity
	registered bool
}

// reconcileInstallation looks at once for new versions in those repositories of
// an installation that are registered. Others are offered to their owner on the
// setup page, and nothing is submitted for anyone.
func (h *Handlers) reconcileInstallation(ctx context.Context, text string) (Result, error) {
	id, err := strconv.ParseInt(text, 10, 64)
	if err != nil || id <= 0 {
		return Result{}, fmt.Errorf("%w: installation %q", ErrMalformedKey, text)
	}
	list, err := h.observeInstallation(ctx, id)
	if errors.Is(err, forge.ErrNotFound) {
		return Result{}, nil // uninstalled since
	}
	var result Result
	for _, r := range list {
		if r.registered {
			result.Next = append(result.Next, RepositoryKey(r.Repository))
		}
	}
	return result, err
}

// observeInstallation lists the repositories of an installation that may be
// registered, and whether they are: at the cost of a look-up each.
func (h *Handlers) observeInstallation(ctx context.Context, id int64) ([]installed, error) {
	var repos []forge.InstalledRepository
	var head Commit
	err := together(ctx,
		func(ctx context.Context) (err error) {
			repos, err = h.installations.InstallationRepositories(ctx, id, mostInstalled)
			return err
		},
		func(ctx context.Context) (err error) { head, err = h.snapshots.Head(ctx); return err },
	)
	if err != nil {
		return nil, err
	}
	var list []installed
	for _, r := range repos {
		if e, ok := entityOf(r.Repository); ok && !r.Private && e.Check() == nil {
			list = append(list, installed{InstalledRepository: r, entity: e})
		}
	}
	return each(ctx, list, func(ctx context.Context, r installed) (installed, error) {
		found, err := h.registeredAs(ctx, head.SHA, r.entity)
		r.registered = len(found) > 0
		return r, err
	})
}

// Setup is what the people are shown who have installed the App: what
// of theirs is registered, and a form to submit for what is not. Anyone may
// guess the number of an installation, so that it shows nothing but public
// repositories. forge.ErrNotFound: there is no such installation.
func (h *Handlers) Setup(ctx context.Context, id int64) (templates.Setup, error) {
	list, err := h.observeInstallation(ctx, id)
	if err != nil {
		return templates.Setup{}, err
	}
	page := templates.Setup{Site: h.site}
	for _, r := range list {
		offer := templates.Offer{Kind: kindOf(r.entity), Address: r.entity.String(), Repository: r.Repository, Fork: r.Fork, Archived: r.Archived}
		if r.registered {
			page.Registered = append(page.Registered, offer)
		} else {
			page.Offered = append(page.Offered, offer)
		}
	}
	return page, nil
}
