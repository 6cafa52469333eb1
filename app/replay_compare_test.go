package main

import (
	"bytes"
	"cmp"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/tofu-registrar/registrar/registrydata"
)

// compare holds the rebuilt file against the real one. known says how it differs
// where that is as it should be.
func (h *history) compare(rebuilt []byte, web string) (known string, err error) {
	got, err := registrydata.ParseProvider(rebuilt)
	if err != nil {
		return "", err
	}
	got.RepositoryID = 0
	for i := range got.Versions {
		v := &got.Versions[i]
		if v.Discovered == "" {
			return "", fmt.Errorf("%s has no time of discovery", v.Version)
		}
		v.Discovered = ""
		for j := range v.Targets {
			v.Targets[j].H1, v.Targets[j].Size = "", 0
		}
		eachAddress(v, func(address string) string { return strings.Replace(address, web, "https://github.com", 1) })
	}
	h.recorded.Warnings = nil
	for i := range h.recorded.Versions {
		eachAddress(&h.recorded.Versions[i], lowerRepository)
	}
	if bytes.Equal(got.Bytes(), h.recorded.Bytes()) {
		return "", nil
	}
	reasons := asToday(h.recorded)
	asToday(got)
	if want := h.recorded.Bytes(); !bytes.Equal(got.Bytes(), want) {
		return "", fmt.Errorf("the file differs: %s", firstDifference(string(got.Bytes()), string(want)))
	}
	return strings.Join(reasons, ", "), nil
}

// asToday undoes what a few files of the public registry have that its own rules
// would not write today, or that ours refuse, and says what it found:
//
//   - Versions of fewer than three numbers: clients ask for 9001.0.0 where 9001
//     is listed.
//   - Targets in another order than that of the reference: imported in 2023.
//   - Versions of a plugin protocol that no client speaks (1.0.0).
//   - Archives of another tag than the checksums: edited by hand.
//   - Versions that differ in their build metadata only: the reference's sort
//     leaves them in any order.
func asToday(p *registrydata.Provider) (reasons []string) {
	whole := slices.DeleteFunc(slices.Clone(p.Versions), func(v registrydata.ProviderVersion) bool {
		core, _, _ := strings.Cut(v.Version, "-")
		return strings.Count(core, ".") < 2
	})
	if len(whole) < len(p.Versions) {
		p.Versions, reasons = whole, append(reasons, "short versions")
	}
	spoken := slices.DeleteFunc(slices.Clone(p.Versions), func(v registrydata.ProviderVersion) bool {
		return !slices.ContainsFunc(v.Protocols, func(p string) bool { return p[0] == '5' || p[0] == '6' })
	})
	if len(spoken) < len(p.Versions) {
		p.Versions, reasons = spoken, append(reasons, "protocols that no client speaks")
	}
	for i := range p.Versions {
		targets, folder := p.Versions[i].Targets, path.Dir(p.Versions[i].ShasumsURL)
		for n := range targets {
			if path.Dir(targets[n].DownloadURL) != folder {
				targets[n].DownloadURL = strings.TrimSuffix(p.Versions[i].ShasumsURL, path.Base(p.Versions[i].ShasumsURL)) + targets[n].Filename
				reasons = append(reasons, "archives of another tag")
			}
		}
		if !slices.IsSortedFunc(targets, byPlatform) {
			slices.SortFunc(targets, byPlatform)
			reasons = append(reasons, "order of targets")
		}
	}
	for i := 1; i < len(p.Versions); i++ {
		if a, b := &p.Versions[i-1], &p.Versions[i]; registrydata.CompareVersions(a.Version, b.Version) == 0 {
			reasons = append(reasons, "order of builds")
		}
	}
	slices.SortStableFunc(p.Versions, func(a, b registrydata.ProviderVersion) int {
		return cmp.Or(registrydata.CompareVersions(b.Version, a.Version), strings.Compare(a.Version, b.Version))
	})
	slices.Sort(reasons)
	return slices.Compact(reasons)
}

// byPlatform is the order of the reference (spec §1.4).
func byPlatform(a, b registrydata.Target) int {
	place := func(t registrydata.Target) int {
		return 4*slices.Index([]string{"darwin", "freebsd", "linux", "windows", "openbsd", "solaris"}, t.OS) +
			slices.Index([]string{"386", "amd64", "arm", "arm64"}, t.Arch)
	}
	return cmp.Compare(place(a), place(b))
}

func eachAddress(v *registrydata.ProviderVersion, change func(string) string) {
	v.ShasumsURL, v.ShasumsSignatureURL = change(v.ShasumsURL), change(v.ShasumsSignatureURL)
	for i := range v.Targets {
		v.Targets[i].DownloadURL = change(v.Targets[i].DownloadURL)
	}
}

// lowerRepository writes the repository of an address in lower case.
func lowerRepository(address string) string {
	parts := strings.Split(address, "/")
	parts[3], parts[4] = strings.ToLower(parts[3]), strings.ToLower(parts[4])
	return strings.Join(parts, "/")
}

// firstDifference shows the first line in which two texts differ.
func firstDifference(got, want string) string {
	a, b := strings.Split(got, "\n"), strings.Split(want, "\n")
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			return fmt.Sprintf("line %d is %q, want %q", i+1, strings.TrimSpace(a[i]), strings.TrimSpace(b[i]))
		}
	}
	return fmt.Sprintf("%d lines, want %d", len(a), len(b))
}
