package registrydata

import (
	"slices"
	"strings"
)

// providerRender makes the answers for one provider. What several answers have
// in common is encoded once: the keys for the whole provider, protocols and
// packages for each version.
type providerRender struct {
	w         writer
	base      string // "v1/providers/acme/demo/"
	p         *Provider
	downloads []int
	listed    []int
	r         Renderer
	keys      []byte // the value of signing_keys
	protocols []byte
	packages  []byte // the value of packages; empty if there is none
}

func newProviderRender(r Renderer, a ProviderAddress, p *Provider, keys []SigningKey) *providerRender {
	pr := &providerRender{base: "v1/providers/" + a.String() + "/", p: p, r: r}
	pr.downloads, pr.listed = r.versionOrder(len(p.Versions), func(i int) string { return p.Versions[i].Version })
	pr.keys = renderKeys(keys)
	return pr
}

// renderKeys encodes the signing_keys of a download.
func renderKeys(keys []SigningKey) []byte {
	w := writer{depth: 1}
	w.open('{')
	w.key("gpg_public_keys")
	w.list(keys == nil, len(keys), func(i int) {
		w.open('{')
		w.field("ascii_armor", keys[i].ASCIIArmor)
		w.field("key_id", keys[i].KeyID)
		w.end('}')
	})
	w.end('}')
	return w.buf
}

func (pr *providerRender) each(yield func(Object) bool) {
	for _, i := range pr.downloads {
		if !pr.version(&pr.p.Versions[i], yield) {
			return
		}
	}
	pr.list()
	yield(Object{Path: pr.base + "versions", Body: pr.w.buf, Kind: VersionList})
}

// version makes the downloads of one version.
func (pr *providerRender) version(v *ProviderVersion, yield func(Object) bool) bool {
	pr.prepare(v)
	base := pr.base + pr.r.segment(v.Version) + "/download/"
	for _, i := range platforms(v.Targets, false) {
		t := &v.Targets[i]
		pr.download(v, t)
		if !yield(Object{Path: base + t.OS + "/" + t.Arch, Body: pr.w.buf, Kind: Download}) {
			return false
		}
	}
	return true
}

// prepare encodes what the downloads of a version have in common.
func (pr *providerRender) prepare(v *ProviderVersion) {
	w := writer{buf: pr.protocols[:0], depth: 1}
	w.strs(v.Protocols)
	pr.protocols = w.buf
	pr.packages = appendPackages(pr.packages[:0], v)
}

// appendPackages encodes the packages of a version, all platforms by name.
// Clients that read it refuse a platform without its size, so it is left out
// unless every size is known.
func appendPackages(buf []byte, v *ProviderVersion) []byte {
	order := platforms(v.Targets, false)
	if len(order) == 0 {
		return buf
	}
	for _, i := range order {
		if v.Targets[i].Size <= 0 {
			return buf
		}
	}
	slices.SortFunc(order, func(a, b int) int {
		return strings.Compare(v.Targets[a].platform(), v.Targets[b].platform())
	})
	w := writer{buf: buf, depth: 1}
	w.open('{')
	for _, i := range order {
		t := &v.Targets[i]
		w.key(t.platform())
		w.open('{')
		w.key("hashes")
		w.open('[')
		w.elem()
		w.str("zh:" + t.Shasum)
		if t.H1 != "" {
			w.elem()
			w.str(t.H1)
		}
		w.end(']')
		w.key("package_size")
		w.int(t.Size)
		w.end('}')
	}
	w.end('}')
	return w.buf
}

// download encodes the answer for one platform (protocols.md §2.2).
func (pr *providerRender) download(v *ProviderVersion, t *Target) {
	w := &pr.w
	w.buf, w.depth = w.buf[:0], 0
	w.open('{')
	w.key("protocols")
	w.bytes(pr.protocols)
	w.field("os", t.OS)
	w.field("arch", t.Arch)
	w.field("filename", t.Filename)
	w.field("download_url", t.DownloadURL)
	w.field("shasums_url", v.ShasumsURL)
	w.field("shasums_signature_url", v.ShasumsSignatureURL)
	w.field("shasum", t.Shasum)
	w.key("signing_keys")
	w.bytes(pr.keys)
	if len(pr.packages) > 0 {
		w.key("packages")
		w.bytes(pr.packages)
	}
	w.end('}')
}

// list encodes the list of versions (protocols.md §2.1).
func (pr *providerRender) list() {
	w := &pr.w
	w.buf, w.depth = w.buf[:0], 0
	w.open('{')
	w.key("versions")
	w.list(false, len(pr.listed), func(i int) { pr.listEntry(&pr.p.Versions[pr.listed[i]]) })
	if len(pr.p.Warnings) > 0 {
		w.key("warnings")
		w.strs(pr.p.Warnings)
	}
	w.end('}')
}

func (pr *providerRender) listEntry(v *ProviderVersion) {
	w := &pr.w
	w.open('{')
	w.field("version", v.Version)
	w.key("protocols")
	w.strs(v.Protocols)
	w.key("platforms")
	order := platforms(v.Targets, pr.r.Compatible)
	w.list(false, len(order), func(i int) {
		t := &v.Targets[order[i]]
		w.open('{')
		w.field("os", t.OS)
		w.field("arch", t.Arch)
		w.end('}')
	})
	if v.Discovered != "" {
		w.field("discovered", v.Discovered)
	}
	w.end('}')
}

// platforms gives the indexes of the targets that can be served, in order. Of
// two for one platform the last counts, at the place of the first, unless all
// are wanted.
func platforms(targets []Target, all bool) []int {
	order := make([]int, 0, len(targets))
	for i := range targets {
		t := &targets[i]
		if !isPlatformPart(t.OS) || !isPlatformPart(t.Arch) {
			continue
		}
		at := -1
		if !all {
			at = slices.IndexFunc(order, func(k int) bool { return targets[k].OS == t.OS && targets[k].Arch == t.Arch })
		}
		if at >= 0 {
			order[at] = i
		} else {
			order = append(order, i)
		}
	}
	return order
}
