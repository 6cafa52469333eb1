package handlers

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/tofu-registrar/registrar/registrydata"
)

// observeChanges finds out what the commits between two states of the data
// change, and whose answers that may alter.
func (h *Handlers) observeChanges(ctx context.Context, from, to string) (entities []registrydata.Entity, why purpose, err error) {
	changes, err := h.snapshots.Changes(ctx, from, to)
	if err != nil {
		return nil, why, fmt.Errorf("compare %s with %s: %w", from, to, err)
	}
	if why, err = h.purposeOf(ctx, from, to, changes); err != nil {
		return nil, why, err
	}
	set := registrydata.Affected(changes, why.is)
	h.reportOutside(set.Ignored)
	entities = set.Entities
	if set.All {
		all, err := h.everything(ctx, to, why)
		return distinct(append(entities, all...)), why, err
	}
	lists, err := each(ctx, set.Namespaces, func(ctx context.Context, ns string) ([]registrydata.ProviderAddress, error) {
		return h.namespaceProviders(ctx, to, ns)
	})
	for _, list := range lists {
		for _, a := range list {
			entities = append(entities, a.Entity())
		}
	}
	return distinct(entities), why, err
}

// purposeOf reads what the data says about what goes.
func (h *Handlers) purposeOf(ctx context.Context, from, to string, changes []registrydata.Change) (purpose, error) {
	is, err := h.aliasesAt(ctx, to)
	if err != nil {
		return purpose{}, err
	}
	why := purpose{was: is, is: is, changes: map[string]registrydata.ChangeKind{}}
	for _, c := range changes {
		why.changes[c.Path] = c.Kind
	}
	if from != "" {
		// Where the aliases of then cannot be read, none of them went on purpose.
		if was, err := h.aliasesAt(ctx, from); err == nil {
			why.was = was
		}
	}
	content, ok, err := h.publishTree(to).File(ctx, registrydata.BlacklistPath)
	if err == nil && ok {
		why.blacklist, err = registrydata.ParseBlacklist(content)
	}
	var unread *registrydata.FileFault
	var wrong *registrydata.ParseError
	if errors.As(err, &unread) || errors.As(err, &wrong) {
		h.log.Error("the blacklist cannot be read: what it names counts as lost by mistake", "path", registrydata.BlacklistPath, "error", err)
		err = nil
	}
	return why, err
}

// reportOutside tells of files where only the registry's are, and that nobody is
// served.
func (h *Handlers) reportOutside(paths []string) {
	const most = 20
	n := 0
	for _, p := range paths {
		top, _, _ := strings.Cut(p, "/")
		if !slices.Contains([]string{"providers", "modules", "keys"}, strings.ToLower(top)) {
			continue
		}
		if n++; n <= most {
			h.log.Warn("file outside the layout of the registry's data: nobody is served it", "path", p)
		}
	}
	if n > most {
		h.log.Warn("more files outside the layout of the registry's data", "files", n-most)
	}
}

// distinct keeps the first of equal entities.
func distinct(entities []registrydata.Entity) []registrydata.Entity {
	seen := make(map[registrydata.Entity]bool, len(entities))
	return slices.DeleteFunc(entities, func(e registrydata.Entity) bool {
		was := seen[e]
		seen[e] = true
		return was
	})
}

// everything lists all entities of a commit, and the old addresses of both
// states: one that is an alias no more has to go.
func (h *Handlers) everything(ctx context.Context, commit string, why purpose) ([]registrydata.Entity, error) {
	var out []registrydata.Entity
	for _, al := range []registrydata.Aliases{why.was, why.is} {
		for _, a := range al.Addresses() {
			out = append(out, a.Entity())
		}
	}
	for _, dir := range []string{"providers", "modules"} {
		files, err := h.snapshots.Files(ctx, commit, dir)
		if err != nil {
			return nil, err
		}
		for _, f := range files {
			if e, ok := registrydata.EntityFromPath(f.Name); ok {
				out = append(out, e)
			}
		}
	}
	return out, nil
}
