package validation

import (
	"regexp"
	"strings"

	"github.com/tofu-registrar/registrar/registrydata"
)

// baseName is how the names of a provider's release files begin.
func baseName(p registrydata.ProviderAddress) string { return "terraform-provider-" + p.Name + "_" }

// ChecksumFiles are the names that the checksum file of a release can have,
// best first: with the version, and with the extra "v" that some releases have
// (spec §5.4).
func ChecksumFiles(p registrydata.ProviderAddress, tag string) []string {
	version := strings.TrimPrefix(tag, "v")
	return []string{
		baseName(p) + version + "_SHA256SUMS",
		baseName(p) + "v" + version + "_SHA256SUMS",
	}
}

// ReleaseFiles finds the checksum file, its signature and the manifest among
// the uploaded assets; nil for each that isn't there. Case does not count:
// GitHub's repository names have none either.
func ReleaseFiles(p registrydata.ProviderAddress, r Release) (checksums, signature, manifest *Asset) {
	for _, name := range ChecksumFiles(p, r.Tag) {
		if checksums = r.asset(name); checksums != nil {
			break
		}
	}
	if checksums != nil {
		signature = r.exact(checksums.Name + ".sig")
	}
	version := strings.TrimPrefix(r.Tag, "v")
	for _, name := range []string{version, "v" + version} {
		if manifest = r.asset(baseName(p) + name + "_manifest.json"); manifest != nil {
			break
		}
	}
	return checksums, signature, manifest
}

// asset finds an uploaded file: of this very name, else with other case.
func (r Release) asset(name string) *Asset {
	var folded *Asset
	for i := range r.Assets {
		a := &r.Assets[i]
		switch {
		case !a.uploaded():
		case a.Name == name:
			return a
		case strings.EqualFold(a.Name, name):
			folded = a
		}
	}
	return folded
}

// exact finds an uploaded file by its very name.
func (r Release) exact(name string) *Asset {
	if a := r.asset(name); a != nil && a.Name == name {
		return a
	}
	return nil
}

// uploaded tells whether the whole file is there: an upload under way is a
// "starter" (docs.github.com/rest/releases/assets).
func (a Asset) uploaded() bool { return a.State == "" || a.State == "uploaded" }

// archive is a platform archive that SHA256SUMS names.
type archive struct {
	ChecksumLine
	os, arch string
}

// archives finds the platform archives of a version among the lines of
// SHA256SUMS. Where a platform has two, with and without the extra "v", the one
// without it counts, as in the reference.
func archives(p registrydata.ProviderAddress, version string, sums Checksums) []archive {
	at := map[string]int{}
	var out []archive
	for _, line := range sums.Lines {
		os, arch, extraV, ok := archivePlatform(p, version, line.File)
		if !ok {
			continue
		}
		a := archive{ChecksumLine: line, os: os, arch: arch}
		i, twice := at[os+"_"+arch]
		switch {
		case !twice:
			at[os+"_"+arch] = len(out)
			out = append(out, a)
		case !extraV:
			out[i] = a
		}
	}
	return out
}

var platformOfArchive = regexp.MustCompile(`^_([a-z0-9]{1,32})_([a-z0-9]{1,32})\.zip$`)

// archivePlatform reads the platform from the name of an archive of a version:
// terraform-provider-demo_1.0.0_linux_amd64.zip, perhaps with a v before the
// version; the case of the repository's name does not count.
func archivePlatform(p registrydata.ProviderAddress, version, file string) (os, arch string, extraV, ok bool) {
	base := baseName(p)
	if len(file) < len(base) || !strings.EqualFold(file[:len(base)], base) {
		return "", "", false, false
	}
	rest, extraV := strings.CutPrefix(file[len(base):], "v")
	rest, ok = strings.CutPrefix(rest, version)
	m := platformOfArchive.FindStringSubmatch(rest)
	if !ok || m == nil {
		return "", "", false, false
	}
	return m[1], m[2], extraV, true
}

// ZipsWanted are the assets that SHA256SUMS (r.Checksums) names as platform
// archives of this version and that are uploaded.
func ZipsWanted(p registrydata.ProviderAddress, r Release) []Asset {
	sums, _ := ParseChecksums(r.Checksums)
	var out []Asset
	for _, a := range archives(p, strings.TrimPrefix(r.Tag, "v"), sums) {
		if asset := r.exact(a.File); asset != nil {
			out = append(out, *asset)
		}
	}
	return out
}

// MissingAssets are the files that a complete release would have and that are
// not uploaded: those that SHA256SUMS names, and its signature. Where there are
// any, the release may still be on its way.
func MissingAssets(p registrydata.ProviderAddress, r Release) []string {
	checksums, signature, _ := ReleaseFiles(p, r)
	if checksums == nil {
		return []string{ChecksumFiles(p, r.Tag)[0]}
	}
	sums, _ := ParseChecksums(r.Checksums)
	var out []string
	for _, line := range sums.Lines {
		if r.exact(line.File) == nil {
			out = append(out, line.File)
		}
	}
	if signature == nil {
		out = append(out, checksums.Name+".sig")
	}
	return out
}
