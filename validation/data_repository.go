package validation

import (
	"cmp"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/tofu-registrar/registrar/registrydata"
)

// Recorded is what the rules for a metadata repository as a whole look at.
type Recorded struct {
	// Entities are those that have a data file.
	Entities map[registrydata.Entity]bool
	// Keys are the files in the key folders.
	Keys []KeyOnFile
	// OwnAliases says that the repository has aliases of its own. Those of the
	// public registry name providers that another registry need not have.
	OwnAliases bool
}

// Repository judges what no file shows alone. The findings are sorted by file.
//
//   - A key SHOULD be one that some provider is served with: its folder is that
//     of a provider, or of a namespace with providers, whose keys do not come
//     from elsewhere.
//   - A key SHOULD be on file once for those whom it is served to.
//   - An alias SHOULD lead to a provider, and not to an address that has a data
//     file itself.
func (r DataRules) Repository(in Recorded) []FileFinding {
	j := repositoryJudge{DataRules: r, in: in, namespaces: map[string]bool{}}
	for e := range in.Entities {
		if e.Kind == registrydata.KindProvider {
			j.namespaces[e.Namespace] = true
		}
	}
	j.orphans()
	j.repeatedKeys()
	if in.OwnAliases {
		j.aliasTargets()
	}
	slices.SortStableFunc(j.findings, func(a, b FileFinding) int { return cmp.Compare(a.File, b.File) })
	return j.findings
}

type repositoryJudge struct {
	DataRules
	in         Recorded
	namespaces map[string]bool // that have providers
	findings   []FileFinding
}

func (j *repositoryJudge) warn(file, code, fix, format string, args ...any) {
	j.findings = append(j.findings, FileFinding{File: file, Finding: Finding{
		Code: code, Severity: Warning, Message: fmt.Sprintf(format, args...), Fix: fix,
	}})
}

// orphans looks for folders whose keys nobody is served.
func (j *repositoryJudge) orphans() {
	folders := map[string]bool{}
	for _, k := range j.in.Keys {
		folders[path.Dir(k.Path)] = true
	}
	for _, dir := range slices.Sorted(maps.Keys(folders)) {
		if why := j.orphan(strings.Split(dir, "/")); why != "" {
			j.warn(dir, "key-orphan", "Move its keys to the folder of what they sign, or remove them.", "Nobody is served the keys in %s: %s.", dir, why)
		}
	}
}

// orphan says why no provider is served with the keys of a folder.
func (j *repositoryJudge) orphan(seg []string) string {
	if len(seg) < 3 || len(seg) > 4 {
		return "it is no folder that keys are looked for in"
	}
	namespace := seg[2]
	served := j.Aliases.NamespacesServedBy(namespace)
	if len(served) == 0 {
		return "the keys of " + namespace + " are those of " + j.Aliases.EffectiveNamespace(namespace)
	}
	if len(seg) == 3 {
		if !slices.ContainsFunc(served, func(ns string) bool { return j.namespaces[ns] }) {
			return "the namespace has no provider"
		}
		return ""
	}
	for _, ns := range served {
		if j.in.Entities[registrydata.ProviderAddress{Namespace: ns, Name: seg[3]}.Entity()] {
			return ""
		}
	}
	return "there is no provider " + namespace + "/" + seg[3]
}

// repeatedKeys looks for keys that a provider would be served with twice.
func (j *repositoryJudge) repeatedKeys() {
	seen := map[string]string{} // folder and fingerprint: file
	keys := slices.SortedFunc(slices.Values(j.in.Keys), func(a, b KeyOnFile) int {
		return cmp.Or(cmp.Compare(path.Dir(a.Path), path.Dir(b.Path)), cmp.Compare(a.Path, b.Path))
	})
	for _, k := range keys {
		key, err := ParseKey(k.Armor)
		if err != nil {
			continue
		}
		dir := path.Dir(k.Path)
		first, twice := seen[dir+" "+key.Fingerprint]
		if !twice {
			first, twice = seen[path.Dir(dir)+" "+key.Fingerprint]
		}
		if twice {
			j.warn(k.Path, "key-repeated", "Keep one, the newer if they differ.", "The key %s stands in %s too.", key.KeyID, first)
			continue
		}
		seen[dir+" "+key.Fingerprint] = k.Path
	}
}

func (j *repositoryJudge) aliasTargets() {
	for _, old := range j.Aliases.Addresses() {
		to, _ := j.Aliases.Resolve(old)
		switch {
		case j.in.Entities[old.Entity()]:
			j.warn(registrydata.AliasesPath, "alias-unused", "Remove the alias, or the file.", "%s has a data file, which is served in place of %s.", old, to)
		case !j.in.Entities[to.Entity()]:
			j.warn(registrydata.AliasesPath, "alias-dangling", "Name a provider that is registered.", "%s stands for %s, which has no data file.", old, to)
		}
	}
}

// Unread is why a file was not read.
type Unread int

// The reasons: a symbolic link, a file or folder that is none (a device, a
// socket), and one with more bytes than are read.
const (
	UnreadLink Unread = iota + 1
	UnreadSpecial
	UnreadLarge
)

// NotRead is the finding on a file that must not be read.
func (r DataRules) NotRead(file string, why Unread) FileFinding {
	f := Finding{Severity: Error}
	switch why {
	case UnreadLink:
		f.Code, f.Message, f.Fix = "file-link", "It is a symbolic link, which is not followed.", "Put the file itself here."
	case UnreadLarge:
		f.Code, f.Fix = "file-too-large", "Split the entry, or take out what does not belong there."
		f.Message = fmt.Sprintf("It has more than %d bytes, and is not read.", LargestDataFile(file))
	default:
		f.Code, f.Message, f.Fix = "file-special", "It is neither a file nor a folder.", "Remove it."
	}
	return FileFinding{File: file, Finding: f}
}

// LargestDataFile is how much of a file of the metadata repository is read, in
// bytes.
func LargestDataFile(file string) int64 {
	if strings.HasPrefix(file, "keys/") {
		return 1 << 20
	}
	return registrydata.MaxFileSize
}
