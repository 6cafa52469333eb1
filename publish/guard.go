package publish

import (
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/tofu-registrar/registrar/registrydata"
)

// Live is what an entity has live, or had at the commit before: by path, the
// sha256 of each file, and where it is at hand the file.
type Live map[string]LiveFile

// LiveFile is one of them.
type LiveFile struct {
	SHA256 string // lower-case hex
	// Body may be left out of files that stay as they are, and of lists.
	Body []byte
}

// LiveOf is what was rendered before.
func LiveOf(objects []registrydata.Object) Live {
	live := make(Live, len(objects))
	for _, o := range objects {
		live[o.Path] = LiveFile{SHA256: digest(o.Body), Body: o.Body}
	}
	return live
}

// Change is what a run is about to make of an entity.
type Change struct {
	Entity registrydata.Entity
	Before Live
	After  []registrydata.Object // none removes it
	// Settled tells that all of it is live already; see Difference.
	Settled bool
}

// Removal is what a commit removes of an entity on purpose: all of it, or some
// versions (by blacklist entry, or by a pull request that removes them).
type Removal struct {
	All      bool
	Versions []string // with or without a leading "v", in any case
}

// Guard holds back a run that would take away what clients rely on.
type Guard struct {
	// Allowed are the removals on purpose. A version that is named here may go,
	// lose platforms, or change its checksums.
	Allowed map[registrydata.Entity]Removal
	// MaxDelete is the share of the registry that one run may remove, on purpose
	// or not: 0.01 if 0; 1 sets no limit. An entity that loses some of its versions
	// counts as that part of one; one entity may always go.
	MaxDelete float64
	// Entities is how many are live in the whole registry. With 0 there is no
	// limit; Publisher.Entities counts them.
	Entities int
}

// Loss is a fault that the guard finds in one entity.
type Loss struct {
	Entity  registrydata.Entity
	Version string // lower case, without "v"
	// Vanished tells that the version goes whole; else Paths tell what of it.
	Vanished bool
	// Missing and Changed are paths of downloads that would go, or whose checksum
	// (of a module: whose commit) would change.
	Missing, Changed []string
}

func (l Loss) String() string {
	name := l.Entity.String() + " " + l.Version
	switch {
	case l.Vanished:
		return name + " would vanish"
	case len(l.Missing) > 0 && len(l.Changed) > 0:
		return fmt.Sprintf("%s would lose %s and change %s", name, tails(l.Missing), tails(l.Changed))
	case len(l.Missing) > 0:
		return fmt.Sprintf("%s would lose %s", name, tails(l.Missing))
	case strings.HasPrefix(l.Changed[0], "v1/modules/"):
		return name + " would come from another commit"
	}
	return fmt.Sprintf("the checksum of %s would change for %s", name, tails(l.Changed))
}

// tails names some platforms: "linux/amd64, linux/arm64 and 3 more".
func tails(paths []string) string {
	var names []string
	for _, p := range paths {
		_, platform, ok := strings.Cut(p, "/download/")
		if !ok {
			platform = p
		}
		names = append(names, platform)
	}
	return some(names, 3, ", ")
}

func some(list []string, most int, sep string) string {
	if len(list) <= most {
		return strings.Join(list, sep)
	}
	return fmt.Sprintf("%s%sand %d more", strings.Join(list[:most], sep), sep, len(list)-most)
}

// RefusedError is what the guard holds back: nothing of it was published.
type RefusedError struct {
	// Losses were not on purpose, sorted by entity and version.
	Losses []Loss
	// Removed is how many entities the run would take away, parts counted as
	// such, and Limit how many it may; both 0 unless that is what was refused.
	Removed, Limit float64
}

func (e *RefusedError) Error() string {
	var text []string
	if len(e.Losses) > 0 {
		names := make([]string, len(e.Losses))
		for i, l := range e.Losses {
			names[i] = l.String()
		}
		text = append(text, some(names, 5, "; ")+
			": what clients have locked would no longer install. If that is meant, put the versions on the blacklist, as a version-removal pull request does")
	}
	if e.Removed > 0 {
		text = append(text, fmt.Sprintf(
			"it would remove %s of the registry's entries, and one run may remove %s. If that is meant, raise max_delete for this run",
			count(e.Removed), count(e.Limit)))
	}
	return "refused to publish: " + strings.Join(text, "; ")
}

func count(n float64) string { return fmt.Sprintf("%.4g", n) }

// Check finds everything that speaks against the changes of one run; the error
// is a *RefusedError. It is pure.
func (g Guard) Check(changes []Change) error {
	refused := &RefusedError{}
	var removed float64
	for _, c := range changes {
		losses, gone, had := c.compare()
		if had > 0 {
			removed += float64(gone) / float64(had)
		}
		allowed := g.Allowed[c.Entity]
		for _, l := range losses {
			if !allowed.covers(l.Version) {
				refused.Losses = append(refused.Losses, l)
			}
		}
	}
	share := g.MaxDelete
	if share == 0 {
		share = 0.01
	}
	limit := max(1, share*float64(g.Entities))
	// A sum of parts may exceed a whole by the last bit.
	if g.Entities > 0 && share < 1 && removed > limit*(1+1e-9) {
		refused.Removed, refused.Limit = removed, limit
	}
	if len(refused.Losses) == 0 && refused.Removed == 0 {
		return nil
	}
	slices.SortFunc(refused.Losses, func(a, b Loss) int {
		return cmp.Or(strings.Compare(a.Entity.Path(), b.Entity.Path()), strings.Compare(a.Version, b.Version))
	})
	return refused
}

// covers tells whether a version goes on purpose.
func (r Removal) covers(version string) bool {
	return r.All || slices.ContainsFunc(r.Versions, func(v string) bool {
		v = strings.ToLower(v)
		return v == version || strings.TrimPrefix(v, "v") == version
	})
}

// compare finds the versions that lose something, and counts those that go and
// those that there were.
func (c Change) compare() (losses []Loss, gone, had int) {
	after := make(map[string]registrydata.Object, len(c.After))
	stays := map[string]bool{}
	for _, o := range c.After {
		after[o.Path] = o
		if v, ok := downloadVersion(c.Entity, o.Path); ok {
			stays[v] = true
		}
	}
	found := map[string]*Loss{}
	versions := map[string]bool{}
	for _, path := range slices.Sorted(maps.Keys(c.Before)) {
		version, ok := downloadVersion(c.Entity, path)
		if !ok {
			continue
		}
		versions[version] = true
		o, there := after[path]
		if there && !changesContent(c.Before[path], o) {
			continue
		}
		l := found[version]
		if l == nil {
			l = &Loss{Entity: c.Entity, Version: version, Vanished: !stays[version]}
			found[version] = l
		}
		if there {
			l.Changed = append(l.Changed, path)
		} else {
			l.Missing = append(l.Missing, path)
		}
	}
	for _, version := range slices.Sorted(maps.Keys(found)) {
		losses = append(losses, *found[version])
		if found[version].Vanished {
			gone++
		}
	}
	return losses, gone, len(versions)
}

// downloadVersion is the version that a download is of; false for other paths.
func downloadVersion(e registrydata.Entity, path string) (string, bool) {
	rest, ok := strings.CutPrefix(path, entityPrefix(e))
	if !ok {
		return "", false
	}
	version, rest, ok := strings.Cut(rest, "/")
	return version, ok && (rest == "download" || strings.HasPrefix(rest, "download/"))
}

// changesContent tells whether a download would hand out something else than it
// did. Keys, protocols and addresses may change; the checksum of a provider's
// archive and the commit of a module may not.
func changesContent(before LiveFile, after registrydata.Object) bool {
	if before.Body == nil || before.SHA256 == digest(after.Body) {
		return false
	}
	was, is := contentOf(before.Body), contentOf(after.Body)
	return was != "" && was != is
}

var commitRef = regexp.MustCompile(`[?&]ref=([0-9a-f]{40}|[0-9a-f]{64})(?:&|$)`)

// contentOf is what identifies the content that a download leads to, "" where
// nothing does.
func contentOf(body []byte) string {
	var answer struct {
		SHASum   string `json:"shasum"`
		Location string `json:"location"`
	}
	if json.Unmarshal(body, &answer) != nil {
		return ""
	}
	if answer.SHASum != "" {
		return strings.ToLower(answer.SHASum)
	}
	if m := commitRef.FindStringSubmatch(answer.Location); m != nil {
		return m[1]
	}
	return ""
}
