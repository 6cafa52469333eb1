package validation

import (
	"fmt"
	"strings"
	"time"

	"github.com/tofu-registrar/registrar/registrydata"
)

// LatestRelease is the newest release of a provider that a key would cover.
type LatestRelease struct {
	Provider registrydata.ProviderAddress
	Tag      string
	// Checksums and Signature are the files; nil where the release has none.
	Checksums, Signature []byte
	// Fault says why they could not be read.
	Fault string
	// Keys are those on file for this provider now, namespace keys first.
	Keys []Key
}

// CoverageState says what a key does to a provider.
type CoverageState string

// What a key does to a provider. Breaks is refused.
const (
	CoverageVerifies CoverageState = "verifies" // this key verifies the latest release
	CoverageOther    CoverageState = "other"    // another key on file does, this one doesn't
	CoverageBreaks   CoverageState = "breaks"   // installable now, not with this key
	CoverageUseless  CoverageState = "useless"  // neither with nor without it
	CoverageUnknown  CoverageState = "unknown"  // could not be looked at
)

// KeyCoverage says what the key does to one provider. Before and After are the
// states of its latest release's signature without and with the key.
type KeyCoverage struct {
	Provider      registrydata.ProviderAddress
	Tag           string
	State         CoverageState
	Before, After SignatureState
	// Issuers are the key ids that the release's signature names.
	Issuers []string
	Detail  string
}

// installable tells whether clients install with a signature of this state;
// without any key on file OpenTofu does, from its own registry host.
func (s SignatureState) installable() bool {
	return s == SignatureGood || s == SignatureExpiredKey || s == SignatureUnchecked
}

// cover says what a key would do to each provider that it would be served with:
// a provider with keys on file installs only what one of them has signed, so
// that the first key of a namespace, if it is the wrong one, makes every
// provider in it uninstallable (spec §7, 17).
func cover(key Key, name string, providers []registrydata.ProviderAddress, latest []LatestRelease, now time.Time) []KeyCoverage {
	known := map[registrydata.ProviderAddress]LatestRelease{}
	for _, l := range latest {
		known[l.Provider] = l
	}
	var out []KeyCoverage
	for _, p := range providers {
		if name != "" && p.Name != name {
			continue
		}
		l, ok := known[p]
		if !ok {
			l = LatestRelease{Provider: p, Fault: "its latest release was not found"}
		}
		out = append(out, coverOne(key, l, now))
	}
	return out
}

func coverOne(key Key, l LatestRelease, now time.Time) KeyCoverage {
	c := KeyCoverage{Provider: l.Provider, Tag: l.Tag, State: CoverageUnknown, Detail: l.Fault}
	switch {
	case l.Fault != "":
		return c
	case len(l.Checksums) == 0:
		c.Detail = "the release has no SHA256SUMS file"
		return c
	}
	before := VerifySignature(l.Keys, l.Checksums, l.Signature, now)
	with := append(append([]Key(nil), l.Keys...), key)
	after := VerifySignature(with, l.Checksums, l.Signature, now)
	alone := VerifySignature([]Key{key}, l.Checksums, l.Signature, now)
	c.Before, c.After, c.Issuers, c.Detail = before.State, after.State, after.Issuers, after.Detail
	switch {
	case before.State == SignatureMissing, before.State == SignatureArmored, before.State == SignatureBad && len(l.Keys) == 0:
		c.State, c.Detail = CoverageUseless, "its signature is "+string(before.State)+", so that no client installs it"
	case before.State.installable() && !after.State.installable():
		c.State = CoverageBreaks
	case alone.State.installable() && after.State.installable():
		c.State = CoverageVerifies
	case after.State.installable():
		c.State = CoverageOther
	default:
		c.State = CoverageUseless
	}
	return c
}

// coverageFindings judges what the key does to the providers.
func coverageFindings(key Key, name string, coverage []KeyCoverage) []Finding {
	breaks, verified := inState(coverage, CoverageBreaks), inState(coverage, CoverageVerifies)
	var out []Finding
	switch {
	case len(breaks) > 0 && name != "" && breaks[0].After == SignatureBad:
		out = append(out, keyError("release-badly-signed",
			fmt.Sprintf("The signature of the latest release of %s does not hold (%s). With the key on file clients would refuse it.", breaks[0].Provider, breaks[0].Detail),
			"Publish a release whose SHA256SUMS is signed last, after everything that writes to it, then comment /recheck."))
	case len(breaks) > 0 && name != "":
		out = append(out, keyError("key-does-not-match",
			fmt.Sprintf("The latest release of %s; the key submitted is %s.", described(breaks[0]), ownerOf(key)),
			fmt.Sprintf("Submit the key %s, or publish a release that is signed with %s.", list(breaks[0].Issuers, 3), key.KeyID)))
	case len(breaks) > 0:
		out = append(out, breaksFinding(key, breaks, verified))
	case len(verified) == 0 && len(coverage) > 0:
		out = append(out, Finding{
			Code: "key-signs-nothing", Severity: Warning, Field: fieldKey,
			Message: fmt.Sprintf("The key %s has signed no latest release that it would cover. %s", key.KeyID, signedBy(coverage)),
			Fix:     "That is right for a key that older releases were signed with, or future ones will be. Otherwise submit the key that signs your releases.",
		})
	}
	if unknown := inState(coverage, CoverageUnknown); len(unknown) > 0 {
		out = append(out, Finding{
			Code: "key-unchecked", Severity: Warning, Field: fieldKey,
			Message: "It could not be checked what the key means for " + list(addresses(unknown), 10) + ": " + cut(unknown[0].Detail, maxQuoted*2) + ".",
			Fix:     "Comment /recheck when the releases can be read.",
		})
	}
	return out
}

// breaksFinding refuses a key for a whole namespace with the list of providers
// that it would make uninstallable.
func breaksFinding(key Key, breaks, verified []KeyCoverage) Finding {
	var lines []string
	for _, c := range breaks {
		lines = append(lines, described(c))
	}
	fix := "Submit the key that signs their releases first. "
	if len(verified) > 0 {
		fix = fmt.Sprintf("Give the name of the provider in the form, so that the key covers that one alone: it fits %s. ", list(names(verified), 10))
	}
	return keyError("key-breaks-providers",
		fmt.Sprintf("The key %s would cover all providers of the namespace, and %d of them could not be installed any more: %s.",
			key.KeyID, len(breaks), list(lines, 10)),
		fix+"A key for the whole namespace has to fit the latest release of every provider that no other key on file fits.")
}

// described says "acme/demo v1.2.0 is signed with key 0123456789ABCDEF".
func described(c KeyCoverage) string {
	what := c.Provider.String()
	if c.Tag != "" {
		what += " (" + cut(c.Tag, maxQuoted) + ")"
	}
	switch {
	case c.After == SignatureBad:
		return what + " has a signature that does not hold (" + c.Detail + ")"
	case len(c.Issuers) == 0:
		return what + " is signed with another key"
	}
	return what + " is signed with key " + list(c.Issuers, 3)
}

func signedBy(coverage []KeyCoverage) string {
	var lines []string
	for _, c := range coverage {
		if len(c.Issuers) > 0 {
			lines = append(lines, described(c))
		}
	}
	if len(lines) == 0 {
		return "None could be read."
	}
	return strings.ToUpper(lines[0][:1]) + lines[0][1:] + andMore(len(lines)-1)
}

func andMore(n int) string {
	if n == 0 {
		return "."
	}
	return fmt.Sprintf(", and so on for %d more.", n)
}

// ownerOf names a key by its id and its user ids.
func ownerOf(key Key) string {
	if len(key.UserIDs) == 0 {
		return key.KeyID
	}
	return key.KeyID + " of " + quote(key.UserIDs[0])
}

func inState(coverage []KeyCoverage, state CoverageState) []KeyCoverage {
	var out []KeyCoverage
	for _, c := range coverage {
		if c.State == state {
			out = append(out, c)
		}
	}
	return out
}

func addresses(coverage []KeyCoverage) []string {
	var out []string
	for _, c := range coverage {
		out = append(out, c.Provider.String())
	}
	return out
}

func names(coverage []KeyCoverage) []string {
	var out []string
	for _, c := range coverage {
		out = append(out, c.Provider.Name)
	}
	return out
}
