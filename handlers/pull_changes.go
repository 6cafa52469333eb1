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

// judgeChange judges one file of a pull request: its form, and whether it says
// what its author's repository says.
func (h *Handlers) judgeChange(ctx context.Context, pull Pull, author string, c registrydata.Change) (templates.CheckedFile, error) {
	from := c.Path
	if c.OldPath != "" {
		from = c.OldPath
	}
	var was, is []byte
	err := together(ctx,
		func(ctx context.Context) (err error) {
			was, _, err = h.snapshots.File(ctx, pull.BaseSHA, from)
			return err
		},
		func(ctx context.Context) (err error) {
			if c.Kind != registrydata.Deleted {
				is, _, err = h.snapshots.File(ctx, pull.HeadSHA, c.Path)
			}
			return err
		})
	if err != nil {
		return templates.CheckedFile{}, err
	}
	al, err := h.aliasesAt(ctx, pull.BaseSHA)
	if err != nil {
		return templates.CheckedFile{}, err
	}
	barred, err := h.blacklistAfter(ctx, pull.HeadSHA)
	if err != nil {
		return templates.CheckedFile{}, err
	}
	file := templates.CheckedFile{Path: c.Path, Subject: pathSubject(c.Path), Removed: is == nil}
	rules := validation.DataRules{WebURL: h.webURL, Aliases: al, Blacklist: barred, Now: h.now()}
	faulty := false
	for _, f := range rules.Change(c.Path, was, is) {
		faulty = faulty || f.Severity == validation.Error
		file.Findings = append(file.Findings, templates.FileFinding{Finding: f.Finding, Line: max(1, f.Line)})
	}
	if faulty || is == nil {
		return file, nil
	}
	more, err := h.compareWithSource(ctx, pull, author, c.Path, was, is)
	for _, f := range more {
		file.Findings = append(file.Findings, templates.FileFinding{Finding: f, Line: lineOf(is, f.Field)})
	}
	return file, err
}

// blacklistAfter is the blacklist as a pull request leaves it; an empty one
// where it cannot be read, of which the rules for that file say why.
func (h *Handlers) blacklistAfter(ctx context.Context, commit string) (registrydata.Blacklist, error) {
	content, ok, err := h.snapshots.File(ctx, commit, registrydata.BlacklistPath)
	if err != nil || !ok {
		return registrydata.Blacklist{}, err
	}
	list, err := registrydata.ParseBlacklist(content)
	if err != nil {
		return registrydata.Blacklist{}, nil
	}
	return list, nil
}

// pathSubject says in words what a data file is about.
func pathSubject(p string) string {
	if e, ok := registrydata.EntityFromPath(p); ok {
		return e.Kind.String() + " " + e.String()
	}
	if namespace, name, ok := keyPath(p); ok {
		return strings.TrimSuffix("key of "+namespace+"/"+name, "/")
	}
	return p
}

// keyPath reads keys/<l>/<namespace>/[<name>/]<file>.
func keyPath(p string) (namespace, name string, ok bool) {
	seg := strings.Split(p, "/")
	switch {
	case len(seg) == 4 && seg[0] == "keys":
		return seg[2], "", true
	case len(seg) == 5 && seg[0] == "keys":
		return seg[2], seg[3], true
	}
	return "", "", false
}

// lineOf finds the line of the file that a finding's field, a version or a file
// name, stands on; 1 where it stands nowhere.
func lineOf(content []byte, field string) int {
	if field == "" {
		return 1
	}
	i := strings.Index(string(content), `"`+strings.TrimPrefix(field, "v")+`"`)
	if i < 0 {
		return 1
	}
	return 1 + strings.Count(string(content[:i]), "\n")
}

// compareWithSource regenerates what a file adds and compares: the content of a
// pull request is never trusted.
func (h *Handlers) compareWithSource(ctx context.Context, pull Pull, author, p string, was, is []byte) ([]validation.Finding, error) {
	if namespace, name, ok := keyPath(p); ok {
		j, err := h.judgeKey(ctx, question{
			Submission: validation.Submission{Kind: validation.KindProviderKey, Namespace: namespace, Name: name, Key: is},
			author:     author, created: h.now(), commit: pull.BaseSHA,
		})
		return j.Findings, err
	}
	e, ok := registrydata.EntityFromPath(p)
	if !ok {
		return nil, nil
	}
	if e.Kind == registrydata.KindModule {
		return h.compareModule(ctx, e.Module(), was, is)
	}
	return h.compareProvider(ctx, pull.BaseSHA, e.Provider(), was, is)
}

// compareModule looks for the tag of each version that the file adds.
func (h *Handlers) compareModule(ctx context.Context, a registrydata.ModuleAddress, was, is []byte) ([]validation.Finding, error) {
	old := &registrydata.Module{}
	if was != nil {
		parsed, err := registrydata.ParseModule(was)
		if err != nil {
			return nil, nil // the rules for data files have said so
		}
		old = parsed
	}
	file, err := registrydata.ParseModule(is)
	if err != nil {
		return nil, nil
	}
	tags, err := h.authors.Tags(ctx, a.Repository())
	if err != nil {
		return nil, err
	}
	byName := map[string]validation.Tag{}
	for _, t := range tags {
		byName[t.Name] = t
	}
	var findings []validation.Finding
	for _, v := range file.Versions {
		if _, ok := old.Version(v.Version); ok {
			continue
		}
		if t, ok := byName[v.Version]; !ok || v.Commit != "" && v.Commit != t.Commit && v.Commit != t.Object {
			findings = append(findings, notAsReleased(v.Version, fmt.Sprintf("%s has no tag %s at commit %s", a.Repository(), v.Version, v.Commit)))
		}
	}
	return findings, nil
}

// compareProvider judges the release of each version that the file adds, the
// newest in full, and compares what is recorded with what it should be.
func (h *Handlers) compareProvider(ctx context.Context, commit string, a registrydata.ProviderAddress, was, is []byte) ([]validation.Finding, error) {
	old := &registrydata.Provider{}
	if was != nil {
		parsed, err := registrydata.ParseProvider(was)
		if err != nil {
			return nil, nil // the rules for data files have said so
		}
		old = parsed
	}
	file, err := registrydata.ParseProvider(is)
	if err != nil {
		return nil, nil
	}
	var added []registrydata.ProviderVersion
	var tags []validation.Tag
	for _, v := range first(file.Versions, mostVersions) {
		if _, ok := old.Version(v.Version); !ok {
			added = append(added, v)
			tags = append(tags, validation.Tag{Name: tagOf(v)})
		}
	}
	findings, err := h.compareFilled(ctx, old, file)
	if err != nil || len(added) == 0 {
		return findings, err
	}
	al, err := h.aliasesAt(ctx, commit)
	if err != nil {
		return nil, err
	}
	repo := a.Repository(al)
	keys, err := h.keysFor(ctx, commit, a)
	if err != nil {
		return nil, err
	}
	list, err := h.blacklist(ctx, commit)
	if err != nil {
		return nil, err
	}
	releases, err := h.authors.Releases(ctx, repo)
	if err != nil {
		return nil, err
	}
	results, err := h.judgeReleases(ctx, subject{
		address: a, repository: repo, keys: keys, blacklist: list, full: fullyVerified,
	}, tags, releases)
	if err != nil {
		return nil, err
	}
	for i, r := range results {
		findings = append(findings, compareVersion(added[i], r)...)
	}
	return findings, nil
}

// tagOf is the tag that a recorded version was released under: the folder of
// its checksums.
func tagOf(v registrydata.ProviderVersion) string { return path.Base(path.Dir(v.ShasumsURL)) }

// compareVersion says where a recorded version differs from the release.
func compareVersion(v registrydata.ProviderVersion, r validation.TagResult) []validation.Finding {
	if !r.Taken {
		return append([]validation.Finding{notAsReleased(v.Version, "its release cannot be published")}, r.Findings...)
	}
	var out []validation.Finding
	if strings.Join(v.Protocols, ",") != strings.Join(r.Data.Protocols, ",") {
		out = append(out, notAsReleased(v.Version, "the protocol versions are "+strings.Join(r.Data.Protocols, ", ")))
	}
	if v.ShasumsURL != r.Data.ShasumsURL || v.ShasumsSignatureURL != r.Data.ShasumsSignatureURL {
		out = append(out, notAsReleased(v.Version, "the checksums are at "+r.Data.ShasumsURL))
	}
	want := map[string]registrydata.Target{}
	for _, t := range r.Data.Targets {
		want[t.Filename] = t
	}
	for _, t := range v.Targets {
		w, ok := want[t.Filename]
		delete(want, t.Filename)
		switch {
		case !ok:
			out = append(out, notAsReleased(v.Version, "the release does not list "+t.Filename))
		case t.OS != w.OS || t.Arch != w.Arch || t.Shasum != w.Shasum || t.DownloadURL != w.DownloadURL:
			out = append(out, notAsReleased(v.Version, t.Filename+" has the checksum "+w.Shasum))
		case w.H1 != "" && t.H1 != "" && t.H1 != w.H1 || w.Size != 0 && t.Size != 0 && t.Size != w.Size:
			out = append(out, notAsReleased(v.Version, fmt.Sprintf("%s has the hash %s and %d bytes", t.Filename, w.H1, w.Size)))
		}
	}
	for name := range want {
		out = append(out, notAsReleased(v.Version, name+" is missing"))
	}
	return out
}

func notAsReleased(version, what string) validation.Finding {
	return validation.Finding{
		Code: "not-as-released", Severity: validation.Error, Field: version,
		Message: "Version " + version + " is not recorded as it was released: " + what + ".",
		Fix:     "Submit it through the issue form: the file is then made from the release itself.",
	}
}
