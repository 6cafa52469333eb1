package handlers

import (
	"context"
	"fmt"
	"path"
	"strings"

	"github.com/tofu-registrar/registrar/registrydata"
	"github.com/tofu-registrar/registrar/templates"
	"github.com/tofu-registrar/registrar/validation"
)

// keyFiles reads the key files that stand directly in a folder.
func (h *Handlers) keyFiles(ctx context.Context, commit, dir string) ([]validation.KeyOnFile, error) {
	entries, err := h.snapshots.Dir(ctx, commit, dir)
	if err != nil {
		return nil, err
	}
	var paths []string
	for _, e := range entries {
		if !e.Dir {
			paths = append(paths, path.Join(dir, e.Name))
		}
	}
	return each(ctx, paths, func(ctx context.Context, p string) (validation.KeyOnFile, error) {
		armor, _, err := h.snapshots.File(ctx, commit, p)
		return validation.KeyOnFile{Path: p, Armor: armor}, err
	})
}

// keysOnFile are the key files that cover a provider, in the order in which
// clients get them: those of the namespace, then its own.
func (h *Handlers) keysOnFile(ctx context.Context, commit string, a registrydata.ProviderAddress) ([]validation.KeyOnFile, error) {
	al, err := h.aliasesAt(ctx, commit)
	if err != nil {
		return nil, err
	}
	sets, err := each(ctx, registrydata.KeyDirectories(a, al), func(ctx context.Context, dir string) ([]validation.KeyOnFile, error) {
		return h.keyFiles(ctx, commit, dir)
	})
	var all []validation.KeyOnFile
	for _, set := range sets {
		all = append(all, set...)
	}
	return all, err
}

// keysFor are the usable keys that cover a provider. One that does not parse is
// left out: it is the operator's to mend, and must not stop the others.
func (h *Handlers) keysFor(ctx context.Context, commit string, a registrydata.ProviderAddress) ([]validation.Key, error) {
	files, err := h.keysOnFile(ctx, commit, a)
	if err != nil {
		return nil, err
	}
	return h.parseKeys(files), nil
}

func (h *Handlers) parseKeys(files []validation.KeyOnFile) []validation.Key {
	var keys []validation.Key
	for _, f := range files {
		k, err := validation.ParseKey(f.Armor)
		if err != nil {
			h.log.Warn("signing key on file cannot be read", "path", f.Path, "error", err)
			continue
		}
		keys = append(keys, k)
	}
	return keys
}

func keyIDs(keys []validation.Key) []string {
	var ids []string
	for _, k := range keys {
		ids = append(ids, k.KeyID)
	}
	return ids
}

// judgeKey gathers the facts of a key submission and asks the rules.
func (h *Handlers) judgeKey(ctx context.Context, q question) (judgement, error) {
	in := validation.KeyInput{Submission: q.Submission, Author: q.author, IssueCreated: q.created, Now: h.now()}
	err := together(ctx,
		func(ctx context.Context) (err error) {
			in.AuthorIsMember, err = h.memberOf(ctx, q.Namespace, q.author)
			return err
		},
		func(ctx context.Context) (err error) { in.Aliases, err = h.aliasesAt(ctx, q.commit); return err },
		func(ctx context.Context) (err error) {
			in.Providers, in.AllNamespaces, err = h.providersOf(ctx, q.commit, q.Namespace)
			return err
		},
		func(ctx context.Context) error {
			files, err := h.snapshots.Files(ctx, q.commit, registrydata.NamespaceKeyDirectory(q.Namespace))
			if err != nil {
				return err
			}
			in.OnFile, err = each(ctx, files, func(ctx context.Context, e Entry) (validation.KeyOnFile, error) {
				armor, _, err := h.snapshots.File(ctx, q.commit, e.Name)
				return validation.KeyOnFile{Path: e.Name, Armor: armor}, err
			})
			return err
		},
	)
	if err != nil {
		return judgement{}, fmt.Errorf("look at namespace %s: %w", q.Namespace, err)
	}
	in.Latest, err = each(ctx, covered(in.Providers, q.Name), func(ctx context.Context, a registrydata.ProviderAddress) (validation.LatestRelease, error) {
		return h.latestRelease(ctx, q.commit, a, coveringFiles(in.OnFile, a, in.Aliases))
	})
	if err != nil {
		return judgement{}, err
	}
	v := validation.JudgeKey(in)
	j := judgement{Report: v.Report, already: v.Duplicate != "", isMember: in.AuthorIsMember}
	if v.Key.Fingerprint != "" {
		j.key = &templates.KeyCheck{
			Namespace: v.Namespace, Provider: v.Name, Path: v.Path, Key: v.Key,
			Coverage: v.Coverage, Duplicate: v.Duplicate,
		}
	}
	if v.Path != "" {
		j.path, j.files = v.Path, map[string][]byte{v.Path: v.Armor}
	}
	return j, nil
}

// covered are the providers that a key of a namespace, or of one provider in
// it, would be served with.
func covered(providers []registrydata.ProviderAddress, name string) []registrydata.ProviderAddress {
	if name == "" {
		return providers
	}
	for _, p := range providers {
		if p.Name == name {
			return []registrydata.ProviderAddress{p}
		}
	}
	return nil
}

// providersOf lists the providers of a namespace, and all namespaces that have
// any where this one has none.
func (h *Handlers) providersOf(ctx context.Context, commit, namespace string) ([]registrydata.ProviderAddress, []string, error) {
	providers, err := h.namespaceProviders(ctx, commit, namespace)
	if err != nil || len(providers) > 0 {
		return providers, []string{namespace}, err
	}
	letters, err := h.snapshots.Dir(ctx, commit, "providers")
	if err != nil {
		return nil, nil, err
	}
	sets, err := each(ctx, letters, func(ctx context.Context, e Entry) ([]Entry, error) {
		return h.snapshots.Dir(ctx, commit, path.Join("providers", e.Name))
	})
	var names []string
	for _, set := range sets {
		for _, e := range set {
			if e.Dir {
				names = append(names, e.Name)
			}
		}
	}
	return nil, names, err
}

// namespaceProviders lists the providers registered in one namespace.
func (h *Handlers) namespaceProviders(ctx context.Context, commit, namespace string) ([]registrydata.ProviderAddress, error) {
	dir := path.Dir(registrydata.ProviderAddress{Namespace: namespace, Name: "x"}.Path())
	entries, err := h.snapshots.Dir(ctx, commit, dir)
	var providers []registrydata.ProviderAddress
	for _, e := range entries {
		name, ok := strings.CutSuffix(e.Name, ".json")
		if ok && !e.Dir {
			providers = append(providers, registrydata.ProviderAddress{Namespace: namespace, Name: name})
		}
	}
	return providers, err
}

// latestRelease reads the checksums and the signature of the newest version that
// is recorded for a provider: the one most users install.
func (h *Handlers) latestRelease(ctx context.Context, commit string, a registrydata.ProviderAddress, covering []validation.KeyOnFile) (validation.LatestRelease, error) {
	out := validation.LatestRelease{Provider: a, Keys: h.parseKeys(covering)}
	content, ok, err := h.snapshots.File(ctx, commit, a.Path())
	if err != nil || !ok {
		return out, err
	}
	data, err := registrydata.ParseProvider(content)
	if err != nil || len(data.Versions) == 0 {
		out.Fault = "its data file lists no version that can be read"
		return out, nil
	}
	newest := newestVersion(data.Versions)
	out.Tag = newest.Version
	files := make([][]byte, 2)
	faults := make([]string, 2)
	read := func(i int, url string, limit int64) func(context.Context) error {
		return func(ctx context.Context) (err error) {
			files[i], err = h.authors.File(ctx, validation.Asset{Name: path.Base(url), URL: url}, limit)
			return asFault(err, &faults[i])
		}
	}
	err = together(ctx, read(0, newest.ShasumsURL, checksumsLimit), read(1, newest.ShasumsSignatureURL, signatureLimit))
	out.Checksums, out.Signature = files[0], files[1]
	out.Fault = strings.TrimSpace(faults[0] + " " + faults[1])
	if err != nil {
		return out, fmt.Errorf("read the latest release of %s: %w", a, err)
	}
	return out, nil
}

// newestVersion prefers the newest version that is no pre-release: that is what
// users install unless they ask for another.
func newestVersion(versions []registrydata.ProviderVersion) registrydata.ProviderVersion {
	for _, v := range versions {
		if !strings.Contains(v.Version, "-") {
			return v
		}
	}
	return versions[0]
}

// coveringFiles are those of a namespace's key files that are served with a
// provider.
func coveringFiles(onFile []validation.KeyOnFile, a registrydata.ProviderAddress, al registrydata.Aliases) []validation.KeyOnFile {
	var out []validation.KeyOnFile
	for _, dir := range registrydata.KeyDirectories(a, al) {
		for _, f := range onFile {
			if path.Dir(f.Path) == dir {
				out = append(out, f)
			}
		}
	}
	return out
}
