package validation

import (
	"fmt"
	"strings"

	"github.com/tofu-registrar/registrar/registrydata"
)

// RecordedNow is what is found now of a recorded version of a provider.
type RecordedNow struct {
	Version registrydata.ProviderVersion
	Tag     string
	// Checksums is the content of the SHA256SUMS file. Fault says, where it could
	// not be read, why.
	Checksums []byte
	Fault     string
	// Missing are the names of recorded archives that are not there.
	Missing []string
}

const (
	fixRecorded   = "Put the files back as they were, or publish a new version. What is recorded goes on being served, and clients refuse whatever differs from it."
	maxToldFiles  = 3
	maxAuditLines = 20_000
)

// AuditVersion says how a release differs from what was recorded of it. A
// published version never changes: nothing of this is ever taken over.
//
//   - SHA256SUMS MUST be there and give each recorded archive the recorded
//     checksum. It is read as leniently as the reference read it (spec §5.4),
//     since old releases were taken in so.
//   - Each recorded archive that was asked for MUST be there.
func AuditVersion(in RecordedNow) []Finding {
	var out []Finding
	find := func(code, format string, args ...any) {
		out = append(out, Finding{Code: code, Severity: Error, Field: in.Tag, Message: fmt.Sprintf(format, args...), Fix: fixRecorded})
	}
	if in.Fault != "" {
		find("recorded-checksums-gone", "The SHA256SUMS file of %s cannot be read any more: %s.", in.Tag, quote(in.Fault))
	} else {
		now := lenientChecksums(in.Checksums)
		var unlisted []string
		told := 0
		for _, t := range in.Version.Targets {
			sum, listed := now[t.Filename]
			switch {
			case !listed:
				unlisted = append(unlisted, quote(t.Filename))
			case !strings.EqualFold(sum, t.Shasum):
				if told++; told <= maxToldFiles {
					find("recorded-checksum-differs", "%s is recorded with the SHA-256 %s, and SHA256SUMS says %s now.", quote(t.Filename), t.Shasum, quote(sum))
				}
			}
		}
		if told > maxToldFiles {
			find("recorded-checksum-differs", "The same is so of %d files more.", told-maxToldFiles)
		}
		if len(unlisted) > 0 {
			find("recorded-archive-unlisted", "SHA256SUMS does not list %s any more.", list(unlisted, maxToldFiles))
		}
	}
	if len(in.Missing) > 0 {
		var names []string
		for _, m := range in.Missing {
			names = append(names, quote(m))
		}
		find("recorded-archive-gone", "The release does not have %s any more.", list(names, maxToldFiles))
	}
	return out
}

// lenientChecksums reads whatever two words stand on a line, as the reference
// does.
func lenientChecksums(b []byte) map[string]string {
	sums := map[string]string{}
	if len(b) > maxChecksums {
		return sums
	}
	n := 0
	for line := range strings.Lines(string(b)) {
		if n++; n > maxAuditLines {
			break
		}
		if words := strings.Fields(line); len(words) == 2 {
			if _, twice := sums[words[1]]; !twice {
				sums[words[1]] = words[0]
			}
		}
	}
	return sums
}

// AuditTags says which recorded versions of a module have no tag any more. That
// a tag points elsewhere, ModuleVersions says.
func AuditTags(m *registrydata.Module, tags []Tag) []Finding {
	there := make(map[string]bool, len(tags))
	for _, t := range tags {
		there[t.Name] = true
	}
	var out []Finding
	for _, v := range m.Versions {
		if there[v.Version] {
			continue
		}
		out = append(out, Finding{
			Code: "recorded-tag-gone", Severity: Error, Field: v.Version,
			Message: fmt.Sprintf("The tag %s is recorded and is not there any more. Users of this version cannot install it.", quote(v.Version)),
			Fix:     "Push the tag again, to the commit that it pointed to.",
		})
	}
	return out
}

// ArchiveNow is what was found when a recorded archive was downloaded.
type ArchiveNow struct {
	Target registrydata.Target
	Zip    ZipFacts
}

// AuditArchives says how the archives of a recorded version differ from their
// recorded checksums. Only without a finding may sizes and hashes be recorded.
func AuditArchives(tag string, archives []ArchiveNow) []Finding {
	var out []Finding
	for _, a := range archives {
		f := Finding{Severity: Error, Field: tag, Fix: fixRecorded}
		switch {
		case a.Zip.Fault != "":
			f.Code, f.Message = "recorded-archive-unusable", fmt.Sprintf("%s can't be used: %s.", quote(a.Target.Filename), quote(a.Zip.Fault))
		case !strings.EqualFold(a.Zip.SHA256, a.Target.Shasum):
			f.Code = "recorded-archive-differs"
			f.Message = fmt.Sprintf("%s is recorded with the SHA-256 %s, and has %s now.", quote(a.Target.Filename), a.Target.Shasum, quote(a.Zip.SHA256))
		default:
			continue
		}
		if out = append(out, f); len(out) == maxToldFiles {
			break
		}
	}
	return out
}
