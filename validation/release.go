package validation

import (
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/tofu-registrar/registrar/registrydata"
)

// ReleaseInput is what JudgeRelease needs to know about one release.
type ReleaseInput struct {
	Provider   registrydata.ProviderAddress
	Repository registrydata.Repository
	// WebURL is GitHub's web address without a final slash,
	// https://github.com if empty.
	WebURL  string
	Release Release
	// Keys are the parsed keys on file that cover the provider, in the order in
	// which clients get them: those of the namespace, then its own.
	Keys []Key
	// Full says that every archive was downloaded: each must then be in
	// Release.Zips. Otherwise the version is recorded from SHA256SUMS.
	Full       bool
	Blacklist  registrydata.Blacklist
	Discovered time.Time
	Now        time.Time
}

// TagResult is the verdict on one tag.
type TagResult struct {
	Tag, Version string
	// Taken: the version can enter the registry. Verified: every archive was
	// downloaded and compared.
	Taken, Verified bool
	// Data is what to record; the zero value unless Taken.
	Data registrydata.ProviderVersion
	// SignedBy is the id of the key on file that verified the signature, in 16
	// hexadecimal digits; Issuers are the key ids that the signature names.
	SignedBy  string
	Issuers   []string
	Signature SignatureState
	// Findings have the tag as their field.
	Findings []Finding
}

// strictVersion is what a provider's version must be: the clients ask for 0.1.0
// where the registry lists 0.1, so that a short form can't be installed.
var strictVersion = regexp.MustCompile(`^[0-9]+\.[0-9]+\.[0-9]+([-+].*)?$`)

// providerVersion reads a provider's version from a tag.
func providerVersion(tag string) (string, bool) {
	version, ok := registrydata.VersionKey(tag)
	return version, ok && strictVersion.MatchString(version)
}

// JudgeRelease judges one release of a provider (spec §5.4, protocols §2 and
// §3) and gives every reason why it can't be taken:
//
//   - The tag MUST be a three-part semantic version that isn't blacklisted, the
//     release published.
//   - SHA256SUMS MUST be there, in form, and list an archive of this version.
//   - Every archive that it lists MUST be uploaded, and have that checksum where
//     it was downloaded.
//   - The signature MUST be there and be binary: without it no client installs.
//     With keys on file one of them MUST verify it; an expired one is a warning.
//   - The manifest, if any, MUST name a protocol that clients speak.
func JudgeRelease(in ReleaseInput) TagResult {
	j := releaseJudge{in: in}
	j.result.Tag = in.Release.Tag
	if j.tag() && j.published() {
		j.files()
	}
	r := j.result
	r.Taken = !HasErrors(r.Findings)
	r.Verified = r.Taken && in.Full
	if r.Taken {
		r.Data = j.data
	}
	return r
}

// NoRelease is the verdict on a version tag that has no release.
func NoRelease(tag string) TagResult {
	version, _ := registrydata.VersionKey(tag)
	return TagResult{Tag: tag, Version: version, Findings: []Finding{noRelease(tag)}}
}

func noRelease(tag string) Finding {
	return Finding{
		Code: "release-missing", Severity: Error, Field: tag,
		Message: fmt.Sprintf("The tag %s has no published release.", quote(tag)),
		Fix:     "Publish a release for the tag, with the archives, SHA256SUMS and its signature (GoReleaser makes all of them).",
	}
}

// releaseJudge gathers the verdict on one release.
type releaseJudge struct {
	in     ReleaseInput
	result TagResult
	data   registrydata.ProviderVersion
}

func (j *releaseJudge) fail(code, fix, format string, args ...any) {
	j.find(Error, code, fix, format, args...)
}

func (j *releaseJudge) find(s Severity, code, fix, format string, args ...any) {
	j.add(Finding{Code: code, Severity: s, Message: fmt.Sprintf(format, args...), Fix: fix})
}

func (j *releaseJudge) add(findings ...Finding) {
	for _, f := range findings {
		f.Field = j.in.Release.Tag
		j.result.Findings = append(j.result.Findings, f)
	}
}

func (j *releaseJudge) tag() bool {
	tag := j.in.Release.Tag
	version, ok := registrydata.VersionKey(tag)
	switch {
	case !ok:
		j.fail("tag-not-a-version", "Release under a tag like v1.2.3.", "The tag %s is no semantic version.", quote(tag))
		return false
	case !strictVersion.MatchString(version):
		j.fail("tag-not-a-version", "Release under a tag with three numbers, like v1.2.0.",
			"The tag %s has fewer than three numbers. Clients would ask for another version and find nothing.", quote(tag))
		return false
	}
	j.result.Version, j.data.Version = version, version
	if reason, ok := j.in.Blacklist.Provider(j.in.Provider, version); ok {
		j.fail("version-blacklisted", "Release a new version, or ask the maintainers of the registry.",
			"The maintainers of the registry have barred version %s: %s.", version, quote(reason))
		return false
	}
	return true
}

func (j *releaseJudge) published() bool {
	r := j.in.Release
	switch {
	case r.Draft:
		j.fail("release-draft", "Publish the release.", "The release %s is a draft.", quote(r.Tag))
		return false
	case r.Published.IsZero() && len(r.Assets) == 0 && r.Checksums == nil:
		j.add(noRelease(r.Tag))
		return false
	}
	return true
}

func (j *releaseJudge) files() {
	sums, name, ok := j.checksums()
	if !ok {
		return
	}
	base := downloadBase(j.in.WebURL, j.in.Repository, j.in.Release.Tag)
	j.data.ShasumsURL = base + name
	j.data.ShasumsSignatureURL = base + name + ".sig"
	if !j.in.Discovered.IsZero() {
		j.data.Discovered = j.in.Discovered.UTC().Format(time.RFC3339Nano)
	}
	if j.platforms(sums, base) {
		j.otherFiles(sums)
	}
	j.signature(name)
	j.manifest()
}

// checksums reads SHA256SUMS, or says why there is none to read.
func (j *releaseJudge) checksums() (sums Checksums, name string, ok bool) {
	r := j.in.Release
	asset, _, _ := ReleaseFiles(j.in.Provider, r)
	switch {
	case asset != nil:
		name = asset.Name
	case r.ChecksumsFile != "":
		name = r.ChecksumsFile
	case r.Checksums != nil && len(r.Assets) == 0:
		name = ChecksumFiles(j.in.Provider, r.Tag)[0]
	default:
		j.noChecksums()
		return sums, "", false
	}
	if fault := r.Faults[name]; fault != "" {
		j.fail("file-unreadable", "Upload the file again or make a new release.", "%s could not be read: %s.", quote(name), quote(fault))
		return sums, name, false
	}
	sums, findings := ParseChecksums(r.Checksums)
	j.add(findings...)
	return sums, name, !HasErrors(findings)
}

// noChecksums tells a release without SHA256SUMS from one whose SHA256SUMS has
// another name.
func (j *releaseJudge) noChecksums() {
	want := ChecksumFiles(j.in.Provider, j.in.Release.Tag)[0]
	var names, similar, uploading []string
	for _, a := range j.in.Release.Assets {
		names = append(names, quote(a.Name))
		switch {
		case !strings.HasSuffix(strings.ToUpper(a.Name), "SHA256SUMS"):
		case a.uploaded():
			similar = append(similar, quote(a.Name))
		default:
			uploading = append(uploading, quote(a.Name))
		}
	}
	fix := fmt.Sprintf("Make a release that has %s and its signature %s.sig.", want, want)
	switch {
	case len(similar) > 0:
		j.fail("checksums-other-name", fix, "The release has no file %s, but %s.", want, list(similar, 3))
	case len(uploading) > 0:
		j.fail("asset-missing", "Wait for the upload to end, or upload the file again.", "The upload of %s is not finished.", list(uploading, 3))
	case len(names) == 0:
		j.fail("checksums-missing", fix, "The release has no files at all.")
	default:
		j.fail("checksums-missing", fix, "The release has no file %s. It has %s.", want, list(names, 10))
	}
}
