package validation

import (
	"regexp"
	"strings"

	"github.com/tofu-registrar/registrar/registrydata"
)

// maxTargets is how many platforms of a version are recorded; Go has about 50.
const maxTargets = 200

// platforms records the archives that SHA256SUMS lists; false where there are
// none to record.
func (j *releaseJudge) platforms(sums Checksums, base string) bool {
	found := archives(j.in.Provider, j.data.Version, sums)
	switch {
	case len(found) == 0:
		j.noPlatforms(sums)
		return false
	case len(found) > maxTargets:
		j.fail("platforms-too-many", "List the archives of real platforms only.",
			"SHA256SUMS lists archives for %d platforms; at most %d are taken.", len(found), maxTargets)
		return false
	}
	sortArchives(found)
	for _, a := range found {
		j.data.Targets = append(j.data.Targets, j.target(a, base))
	}
	return true
}

// target judges one archive and makes its entry.
func (j *releaseJudge) target(a archive, base string) registrydata.Target {
	t := registrydata.Target{
		OS: a.os, Arch: a.arch, Filename: a.File, DownloadURL: base + a.File, Shasum: a.Sum,
	}
	r := j.in.Release
	asset := r.exact(a.File)
	switch {
	case asset == nil && len(r.Assets) > 0:
		j.fail("asset-missing", "Upload the file. Nothing else has to change.",
			"SHA256SUMS lists %s, but the release has no such file (or its upload is not finished).", quote(a.File))
		return t
	case asset != nil && differs(asset.Digest, a.Sum):
		j.mismatch(a, strings.TrimPrefix(asset.Digest, "sha256:"))
		return t
	case r.Faults[a.File] != "":
		j.fail("file-unreadable", "Upload the file again or make a new release.", "%s could not be read: %s.", quote(a.File), quote(r.Faults[a.File]))
		return t
	}
	zip, downloaded := r.Zips[a.File]
	switch {
	case !downloaded && j.in.Full:
		j.fail("file-unreadable", "Comment /recheck to have it tried again.", "%s could not be downloaded.", quote(a.File))
	case !downloaded:
	case zip.Fault != "":
		j.fail("zip-unusable", "Build the archive again and make a new release.", "%s can't be used: %s.", quote(a.File), quote(zip.Fault))
	case !strings.EqualFold(zip.SHA256, a.Sum):
		j.mismatch(a, zip.SHA256)
	default:
		t.H1, t.Size = zip.H1, zip.Size
	}
	return t
}

// differs compares GitHub's own digest of a file, where it gives one, with a
// checksum.
func differs(digest, sum string) bool {
	hex, ok := strings.CutPrefix(digest, "sha256:")
	return ok && !strings.EqualFold(hex, sum)
}

func (j *releaseJudge) mismatch(a archive, got string) {
	j.fail("checksum-mismatch", "The file was replaced after SHA256SUMS was made. Make a new release; never upload a file twice.",
		"%s has the SHA-256 %s, but SHA256SUMS says %s.", quote(a.File), quote(got), a.Sum)
}

var anyArchive = regexp.MustCompile(`^(?i:terraform-provider-)(.+)_v?([0-9][^_]*)_([a-z0-9]+)_([a-z0-9]+)\.zip$`)

// noPlatforms says why no line of SHA256SUMS is an archive of this version.
func (j *releaseJudge) noPlatforms(sums Checksums) {
	want := baseName(j.in.Provider) + j.data.Version + "_linux_amd64.zip"
	fix := "Make a release whose archives are named like " + want + "."
	var names []string
	for _, line := range sums.Lines {
		names = append(names, quote(line.File))
		m := anyArchive.FindStringSubmatch(line.File)
		switch {
		case m == nil:
		case !strings.EqualFold(m[1], j.in.Provider.Name):
			j.fail("archives-other-name", fix, "SHA256SUMS lists archives of terraform-provider-%s, not of terraform-provider-%s.", cut(m[1], maxQuoted), j.in.Provider.Name)
			return
		case m[2] != j.data.Version:
			j.fail("archives-other-version", fix, "SHA256SUMS lists archives of version %s, but the tag is %s.", cut(m[2], maxQuoted), j.in.Release.Tag)
			return
		}
	}
	j.fail("platforms-missing", fix, "SHA256SUMS lists no archive for any platform. It lists %s.", list(names, 10))
}

// otherFiles warns of files that SHA256SUMS lists and that are not there. The
// clients don't ask for them.
func (j *releaseJudge) otherFiles(sums Checksums) {
	if len(j.in.Release.Assets) == 0 {
		return
	}
	wanted := map[string]bool{}
	for _, t := range j.data.Targets {
		wanted[t.Filename] = true
	}
	var missing []string
	for _, line := range sums.Lines {
		if !wanted[line.File] && j.in.Release.exact(line.File) == nil {
			missing = append(missing, quote(line.File))
		}
	}
	if len(missing) > 0 {
		j.find(Warning, "other-file-missing", "Upload what SHA256SUMS lists, a manifest above all: without it the plugin protocol is taken for 5.0.",
			"SHA256SUMS lists %s, which the release does not have.", list(missing, 5))
	}
}

// manifest reads the plugin protocols.
func (j *releaseJudge) manifest() {
	_, _, asset := ReleaseFiles(j.in.Provider, j.in.Release)
	if asset != nil && j.in.Release.Faults[asset.Name] != "" {
		j.find(Warning, "manifest-unreadable", "Upload the manifest again or make a new release.",
			"The manifest could not be read: %s. The plugin protocol is recorded as 5.0.", quote(j.in.Release.Faults[asset.Name]))
		j.data.Protocols = defaultProtocols()
		return
	}
	protocols, findings := ParseManifest(j.in.Release.Manifest)
	j.data.Protocols = protocols
	j.add(findings...)
}

// signature judges the signature of SHA256SUMS. sums is that file's name.
func (j *releaseJudge) signature(sums string) {
	r := j.in.Release
	name := sums + ".sig"
	if fault := r.Faults[name]; fault != "" {
		j.fail("file-unreadable", "Upload the file again or make a new release.", "%s could not be read: %s.", quote(name), quote(fault))
		return
	}
	s := VerifySignature(j.in.Keys, r.Checksums, r.Signature, j.in.Now)
	j.result.Signature, j.result.SignedBy, j.result.Issuers = s.State, s.SignedBy, s.Issuers
	switch s.State {
	case SignatureGood:
	case SignatureUnchecked:
		j.find(Info, "signature-unchecked", "", "No key is on file yet, so the signature (by key %s) was not verified.", list(s.Issuers, 3))
	case SignatureExpiredKey:
		j.find(Warning, "signature-expired-key", "Extend the key or make a new one, submit it, and sign the next release with it.",
			"The signature is good, but key %s or the signature itself has expired. Clients still accept it, some with a warning.", s.SignedBy)
	case SignatureUnknownIssuer:
		j.fail("signature-unknown-issuer", "Submit the key that signed this release, or sign with one that is on file.",
			"SHA256SUMS is signed with key %s, which is not on file. On file: %s.", list(s.Issuers, 3), list(keyIDs(j.in.Keys), 5))
	case SignatureArmored:
		j.fail("signature-armored", "Sign with `gpg --detach-sign` without --armor, and make a new release.",
			"%s is armored (text). Clients read a binary signature only.", quote(name))
	case SignatureMissing:
		j.fail("signature-missing", "Sign SHA256SUMS with `gpg --detach-sign` and upload the signature as "+name+".",
			"The release has no signature %s. Clients download it always and stop without it.", quote(name))
	case SignatureBad:
		j.fail("signature-bad", "Make a new release, and sign SHA256SUMS last, after everything that writes to it.",
			"The signature does not hold for SHA256SUMS: %s.", s.Detail)
	}
}

func keyIDs(keys []Key) []string {
	ids := make([]string, len(keys))
	for i, k := range keys {
		ids[i] = k.KeyID
	}
	return ids
}
