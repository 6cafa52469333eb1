package handlers

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/tofu-registrar/registrar/registrydata"
)

// waitingForKeys are the repositories that have versions waiting for the signing
// keys that a publication adds or changes: those of which the data file notes
// failed attempts, or of which an alert is open.
func (h *Handlers) waitingForKeys(ctx context.Context, commit string, changes map[string]registrydata.ChangeKind) ([]Key, error) {
	covered := map[string]bool{} // namespaces, and providers as namespace/name
	for path, kind := range changes {
		if namespace, name, ok := keyPath(path); ok && kind != registrydata.Deleted {
			covered[strings.TrimSuffix(lower(namespace)+"/"+lower(name), "/")] = true
		}
	}
	if len(covered) == 0 || h.threads == nil { // who only publishes looks at no releases
		return nil, nil
	}
	al, err := h.aliasesAt(ctx, commit)
	if err != nil {
		return nil, err
	}
	waiting := map[Key]bool{}
	ask := func(a registrydata.ProviderAddress) {
		ns := al.EffectiveNamespace(a.Namespace)
		if covered[ns] || covered[ns+"/"+a.Name] {
			waiting[RepositoryKey(a.Repository(al))] = true
		}
	}
	if err := h.askAlerted(ctx, ask); err != nil {
		return nil, err
	}
	for name := range covered {
		namespace, _, _ := strings.Cut(name, "/")
		providers, err := h.namespaceProviders(ctx, commit, namespace)
		if err != nil {
			return nil, err
		}
		failing, err := each(ctx, providers, func(ctx context.Context, a registrydata.ProviderAddress) (bool, error) {
			content, _, err := h.snapshots.File(ctx, commit, a.Path())
			if err != nil {
				return false, err
			}
			file, err := registrydata.ParseProvider(content)
			return err == nil && len(file.VersionsErrors) > 0, nil
		})
		if err != nil {
			return nil, err
		}
		for i, a := range providers {
			if failing[i] {
				ask(a)
			}
		}
	}
	return slices.Sorted(maps.Keys(waiting)), nil
}

func (h *Handlers) askAlerted(ctx context.Context, ask func(registrydata.ProviderAddress)) error {
	alerts, err := h.threads.AlertIssues(ctx)
	if err != nil {
		return err
	}
	for _, issue := range alerts {
		if e, ok := h.alertedEntity(issue); ok && e.Kind == registrydata.KindProvider {
			ask(e.Provider())
		}
	}
	return nil
}
