package validation

import (
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/tofu-registrar/registrar/registrydata"
)

const (
	maxWarnings      = 20
	maxWarningLength = 1000 // characters
)

var (
	lowerSHA256 = regexp.MustCompile(`^[0-9a-f]{64}$`)
	hash1       = regexp.MustCompile(`^h1:[A-Za-z0-9+/]{43}=$`)
)

// provider judges a provider's file (spec §1.4, §4):
//
//   - Each new version MUST have three numbers, stand once and in order, name
//     protocols that clients speak, and platforms, each once.
//   - Every address MUST be one of a release file of the provider's own
//     repository, and end in the file's name.
//   - Checksums and hashes MUST have their form.
//   - Warnings are printed on users' terminals: they MUST be short, plain text.
func (j *dataJudge) provider(a registrydata.ProviderAddress) {
	file, err := registrydata.ParseProvider(j.new)
	if err != nil {
		j.unreadable(err, fixSubmit)
		return
	}
	old := &registrydata.Provider{}
	if was, err := registrydata.ParseProvider(j.old); err == nil {
		old = was
	}
	recorded := map[string][]*registrydata.ProviderVersion{} // one file has a version twice
	for i := range old.Versions {
		v := &old.Versions[i]
		recorded[v.Version] = append(recorded[v.Version], v)
	}
	var versions []string
	for i := range file.Versions {
		v := &file.Versions[i]
		versions = append(versions, v.Version)
		j.version = i
		if was := recorded[v.Version]; was != nil {
			j.unchangedVersion(was, v)
		} else {
			j.newVersion(a, v)
		}
		j.barred(v.Version, func() (string, bool) { return j.Blacklist.Provider(a, v.Version) })
	}
	j.version = -1
	j.order(versions, func(v string) bool { return recorded[v] == nil })
	j.removals(a, old, versions)
	j.otherFields(old, file)
	j.upkeep(old.Upkeep, file.Upkeep)
}

func (j *dataJudge) removals(a registrydata.ProviderAddress, old *registrydata.Provider, versions []string) {
	there := map[string]bool{}
	for _, v := range versions {
		there[v] = true
	}
	for _, v := range old.Versions {
		if !there[v.Version] {
			j.removed(a.Entity(), v.Version)
		}
	}
}

func (j *dataJudge) otherFields(old, file *registrydata.Provider) {
	if file.Repository != old.Repository {
		j.in("repository").fail("repository-field", "repository", "Leave the field out.", "The field \"repository\" is not used by any registry; the address tells the repository.")
	}
	if len(file.Warnings) > maxWarnings {
		j.in("warnings").fail("warning-text", "warnings", "Keep one or two.", "There are %d warnings; at most %d are allowed.", len(file.Warnings), maxWarnings)
		return
	}
	for _, w := range file.Warnings {
		if strings.TrimSpace(w) == "" || utf8.RuneCountInString(w) > maxWarningLength || strings.IndexFunc(w, unprintable) >= 0 {
			j.in("warnings").fail("warning-text", "warnings", "Write one line of plain text.",
				"The warning %s is empty, longer than %d characters or holds control characters; it is printed on terminals.", quote(w), maxWarningLength)
		}
	}
}

// unchangedVersion compares a version with what is recorded. What was not known
// may be filled in: h1, size, discovered.
func (j *dataJudge) unchangedVersion(recorded []*registrydata.ProviderVersion, is *registrydata.ProviderVersion) {
	for _, was := range recorded {
		if sameVersionData(was, is) {
			j.filledIn(was, is)
			return
		}
	}
	j.fail("version-changed", is.Version, fixImmutable, "Version %s is recorded already, and the change alters it.", is.Version)
}

func sameVersionData(was, is *registrydata.ProviderVersion) bool {
	same := strings.Join(was.Protocols, ",") == strings.Join(is.Protocols, ",") &&
		was.ShasumsURL == is.ShasumsURL && was.ShasumsSignatureURL == is.ShasumsSignatureURL &&
		len(was.Targets) == len(is.Targets) && filledIn(was.Discovered, is.Discovered)
	for i := 0; same && i < len(is.Targets); i++ {
		same = sameTarget(was.Targets[i], is.Targets[i])
	}
	return same
}

// filledIn judges what a change adds to a recorded version.
func (j *dataJudge) filledIn(was, is *registrydata.ProviderVersion) {
	if was.Discovered == "" {
		j.discovered(is.Version, is.Discovered)
	}
	for i, t := range is.Targets {
		if was.Targets[i].H1 == "" || was.Targets[i].Size == 0 {
			j.target = i
			j.hashes(is.Version, t)
		}
	}
	j.target = -1
}

func sameTarget(was, is registrydata.Target) bool {
	return was.OS == is.OS && was.Arch == is.Arch && was.Filename == is.Filename &&
		was.DownloadURL == is.DownloadURL && was.Shasum == is.Shasum &&
		filledIn(was.H1, is.H1) && (was.Size == 0 || was.Size == is.Size)
}

func filledIn(was, is string) bool { return was == "" || was == is }

func (j *dataJudge) newVersion(a registrydata.ProviderAddress, v *registrydata.ProviderVersion) {
	if isShort(v.Version) {
		j.in("version").fail("version-invalid", v.Version, fixSubmit, "Version %s has fewer than three numbers. Clients would ask for another version.", v.Version)
	}
	j.protocols(v)
	j.discovered(v.Version, v.Discovered)
	repo := a.Repository(j.Aliases)
	bases := []string{downloadBase(j.WebURL, repo, "v"+v.Version), downloadBase(j.WebURL, repo, v.Version)}
	base, ok := baseOf(v.ShasumsURL, bases)
	if !ok {
		j.in("shasums_url").fail("address-foreign", v.Version, fixSubmit, "The address %s is no release file of version %s in %s.", quote(v.ShasumsURL), v.Version, repo)
		base = bases[0]
	} else if name := v.ShasumsURL[len(base):]; !isOneOf(name, ChecksumFiles(a, v.Version)) {
		j.in("shasums_url").fail("address-name", v.Version, fixSubmit, "The checksum file %s has not the name that the release should have.", quote(name))
	}
	if v.ShasumsSignatureURL != v.ShasumsURL+".sig" {
		j.in("shasums_signature_url").fail("address-name", v.Version, fixSubmit, "The address of the signature is not that of the checksums with .sig: %s.", quote(v.ShasumsSignatureURL))
	}
	j.targets(a, v, base)
}

// baseOf finds the release folder that an address is in; owner and name in any
// case.
func baseOf(address string, bases []string) (string, bool) {
	for _, base := range bases {
		if len(address) > len(base) && strings.EqualFold(address[:len(base)], base) && !strings.Contains(address[len(base):], "/") {
			return address[:len(base)], true
		}
	}
	return "", false
}

func isOneOf(name string, names []string) bool {
	for _, n := range names {
		if strings.EqualFold(n, name) {
			return true
		}
	}
	return false
}

func (j *dataJudge) protocols(v *registrydata.ProviderVersion) {
	supported := false
	for _, p := range v.Protocols {
		if !protocolVersion.MatchString(p) {
			j.in("protocols").fail("protocols-invalid", v.Version, fixSubmit, "%s is no protocol version.", quote(p))
		}
		supported = supported || strings.HasPrefix(p, "5.") || strings.HasPrefix(p, "6.")
	}
	if !supported {
		j.in("protocols").fail("protocols-unsupported", v.Version, fixSubmit, "Version %s names no plugin protocol that clients speak (5.x, 6.x).", v.Version)
	}
}

func (j *dataJudge) targets(a registrydata.ProviderAddress, v *registrydata.ProviderVersion, base string) {
	if len(v.Targets) == 0 {
		j.in("targets").fail("platforms-missing", v.Version, fixSubmit, "Version %s has no platforms.", v.Version)
	}
	seen := map[string]bool{}
	defer func() { j.target = -1 }()
	for i, t := range v.Targets {
		j.target = i
		platform := t.OS + "_" + t.Arch
		if seen[platform] {
			j.fail("platform-repeated", v.Version, fixSubmit, "The platform %s stands twice.", platform)
		}
		seen[platform] = true
		if os, arch, _, ok := archivePlatform(a, v.Version, t.Filename); !ok || os != t.OS || arch != t.Arch {
			j.in("filename").fail("file-name", v.Version, fixSubmit, "%s is not the name of the archive of version %s for %s.", quote(t.Filename), v.Version, platform)
		}
		if t.DownloadURL != base+t.Filename {
			j.in("download_url").fail("address-foreign", v.Version, fixSubmit, "The address %s is not that of %s in the version's own release.", quote(t.DownloadURL), quote(t.Filename))
		}
		if !lowerSHA256.MatchString(t.Shasum) {
			j.in("shasum").fail("checksum-form", v.Version, fixSubmit, "The checksum of %s is not 64 lower-case hexadecimal digits: %s.", quote(t.Filename), quote(t.Shasum))
		}
		j.hashes(v.Version, t)
	}
}

func (j *dataJudge) hashes(version string, t registrydata.Target) {
	if t.H1 != "" && !hash1.MatchString(t.H1) {
		j.in("h1").fail("hash-form", version, fixSubmit, "The hash of %s is not \"h1:\" and 44 characters of base64: %s.", quote(t.Filename), quote(t.H1))
	}
	if t.Size < 0 || t.H1 != "" && t.Size == 0 {
		j.in("size").fail("size", version, fixSubmit, "The size of %s is missing. Clients refuse a size of %d beside a hash.", quote(t.Filename), t.Size)
	}
}
