package validation

import (
	"fmt"
	"sort"
	"strings"
	"time"

	"golang.org/x/mod/semver"

	"github.com/tofu-registrar/registrar/registrydata"
)

// canonicalVersion is the same for all tags that clients take for one version:
// v1.0.0 and 1.0.0, 1.0 and 1.0.0; and for those that would share a path of the
// API, whose paths are lower case.
func canonicalVersion(version string) string {
	v := "v" + version
	return strings.ToLower(semver.Canonical(v) + semver.Build(v))
}

// newestFirst picks the tags for which versionOf gives a version, each version
// once, newest first. Of several tags for one version the one with the most
// telling name is kept: three numbers before fewer, with "v" before without.
// dropped tells for which tag each of the others was dropped.
func newestFirst(tags []Tag, versionOf func(string) (string, bool)) (kept, others []Tag, dropped map[string]Tag) {
	best := map[string]Tag{}
	keys := map[string]string{} // tag -> the version it stands for
	for _, t := range tags {
		version, ok := versionOf(t.Name)
		if !ok {
			others = append(others, t)
			continue
		}
		key := canonicalVersion(version)
		keys[t.Name] = key
		if was, twice := best[key]; !twice || betterTag(t.Name, was.Name) {
			best[key] = t
		}
	}
	dropped = map[string]Tag{}
	for name, key := range keys {
		if best[key].Name != name {
			dropped[name] = best[key]
		}
	}
	for _, t := range best {
		kept = append(kept, t)
	}
	sort.Slice(kept, func(i, j int) bool { return newer(kept[i].Name, kept[j].Name) })
	return kept, others, dropped
}

// newer orders tags by semantic precedence, and those of equal precedence
// (build metadata) by name, so that the order never depends on chance.
func newer(a, b string) bool {
	if c := registrydata.CompareVersions(a, b); c != 0 {
		return c > 0
	}
	return a > b
}

// isShort tells a version or tag of fewer than three numbers. The reference
// takes such for modules, but the clients ask for 1.2.0 where 1.2 is listed.
func isShort(tag string) bool { return !strictVersion.MatchString(strings.TrimPrefix(tag, "v")) }

func betterTag(a, b string) bool {
	if isShort(a) != isShort(b) {
		return isShort(b)
	}
	if vA, vB := strings.HasPrefix(a, "v"), strings.HasPrefix(b, "v"); vA != vB {
		return vA
	}
	return a < b
}

// NewestFirst sorts out the tags that are provider versions, newest first, each
// version once, and returns the others as they came.
func NewestFirst(tags []Tag) (versions, others []Tag) {
	versions, others, _ = newestFirst(tags, providerVersion)
	return versions, others
}

// ModuleVersions are the versions that the tags add to a module (known may be
// nil): never one that is recorded already, under whichever of its tags (spec
// §5.5), nor one that the file does not want. The commit is the one behind the
// tag, so that it is served whatever becomes of the tag. What was recorded first
// stays: a tag that points elsewhere now, or that stands for a recorded version
// and points elsewhere, is a warning. The versions come newest first.
func ModuleVersions(known *registrydata.Module, tags []Tag, blacklist registrydata.Blacklist, a registrydata.ModuleAddress, now time.Time) ([]registrydata.ModuleVersion, []Finding) {
	if known == nil {
		known = &registrydata.Module{}
	}
	recorded := recordedVersions(known)
	versions, _, dropped := newestFirst(tags, registrydata.VersionKey)
	findings := movedTags(known, tags)
	findings = append(findings, secondTags(known, tags, dropped)...)
	var added []registrydata.ModuleVersion
	for _, t := range versions {
		version, _ := registrydata.VersionKey(t.Name)
		if recorded[strings.ToLower(version)] || isShort(version) && recorded[canonicalVersion(version)] || !Wanted(known.Upkeep, version) {
			continue
		}
		if reason, ok := blacklist.Module(a, version); ok {
			findings = append(findings, barred(t.Name, version, reason))
			continue
		}
		added = append(added, registrydata.ModuleVersion{
			Version: t.Name, Commit: commitOf(t), Discovered: now.UTC().Format(time.RFC3339Nano),
		})
	}
	return added, findings
}

// recordedVersions holds each version of a module as it is written and in
// canonical form. A recorded 1.2 does not keep 1.2.0 out, which clients can
// install.
func recordedVersions(known *registrydata.Module) map[string]bool {
	recorded := map[string]bool{}
	for _, v := range known.Versions {
		version := strings.ToLower(strings.TrimPrefix(v.Version, "v"))
		recorded[version] = true
		recorded[canonicalVersion(version)] = true
	}
	return recorded
}

// commitOf is the commit behind a tag; the tag itself where that is all that is
// known.
func commitOf(t Tag) string {
	if t.Commit != "" {
		return t.Commit
	}
	return t.Object
}

func barred(tag, version, reason string) Finding {
	return Finding{
		Code: "version-blacklisted", Severity: Warning, Field: tag,
		Message: fmt.Sprintf("The maintainers of the registry have barred version %s: %s.", version, quote(reason)),
		Fix:     "Tag a new version, or ask the maintainers of the registry.",
	}
}

// maxToldMoved bounds how many moved tags are told about at once.
const maxToldMoved = 20

// movedTags warns of tags that do not point any more to what was recorded. A tag
// of fewer than three numbers moves along by custom.
func movedTags(known *registrydata.Module, tags []Tag) []Finding {
	commits := map[string]string{}
	for _, v := range known.Versions {
		commits[v.Version] = v.Commit
	}
	var out []Finding
	for _, t := range tags {
		was := commits[t.Name]
		if was == "" || was == t.Object || was == t.Commit || commitOf(t) == "" || isShort(t.Name) {
			continue
		}
		if len(out) == maxToldMoved {
			break
		}
		out = append(out, Finding{
			Code: "tag-moved", Severity: Warning, Field: t.Name,
			Message: fmt.Sprintf("The tag %s pointed to %s when it was recorded and points to %s now. The registry keeps serving what it recorded.",
				t.Name, was, commitOf(t)),
			Fix: "Tag a new version; a published one does not change.",
		})
	}
	return out
}

// secondTags warns of tags that stand for a version that another tag stands for
// too, and point to another commit than what was recorded, or is recorded now.
func secondTags(known *registrydata.Module, tags []Tag, dropped map[string]Tag) []Finding {
	names, first := map[string]bool{}, map[string]registrydata.ModuleVersion{}
	for i := len(known.Versions) - 1; i >= 0; i-- { // of two the first counts
		v := known.Versions[i]
		names[v.Version] = true
		first[canonicalVersion(strings.TrimPrefix(v.Version, "v"))] = v
	}
	var out []Finding
	for _, t := range tags {
		version, ok := registrydata.VersionKey(t.Name)
		if !ok || names[t.Name] || isShort(t.Name) || len(out) == maxToldMoved {
			continue
		}
		was, recorded := first[canonicalVersion(version)]
		kept, twice := dropped[t.Name]
		switch {
		case recorded && was.Commit != "" && was.Commit != t.Commit && was.Commit != t.Object && !isShort(was.Version):
			out = append(out, sameVersion(t, Tag{Name: was.Version, Commit: was.Commit}))
		case !recorded && twice && kept.Commit != t.Commit:
			out = append(out, sameVersion(t, kept))
		}
	}
	return out
}
