package registry

import (
	"slices"
	"strings"

	"github.com/tofu-registrar/registrar/registrydata"
)

// packedProvider is a provider's data without what follows from its name: of
// the addresses and file names of a usual release nothing is left but a letter.
type packedProvider struct {
	address  registrydata.ProviderAddress
	base     string // where its releases are: "https://github.com/acme/terraform-provider-demo/releases/download/"
	warnings []string
	versions packedVersions
}

// The forms of an address.
const (
	urlAsText   = iota
	urlTaggedV  // base, "v", version, "/", name of the checksums
	urlTagged   // the same without the "v"
	urlFollows  // what the address before it makes one expect
	platformAny = 0
)

// platforms are the usual targets, by the number that stands for them, less one.
var platforms = strings.Fields(`darwin_amd64 darwin_arm64 freebsd_386 freebsd_amd64 freebsd_arm freebsd_arm64
	linux_386 linux_amd64 linux_arm linux_arm64 windows_386 windows_amd64 windows_arm windows_arm64
	openbsd_386 openbsd_amd64 openbsd_arm openbsd_arm64 solaris_amd64 darwin_386`)

func packProvider(a registrydata.ProviderAddress, p *registrydata.Provider) *packedProvider {
	pp := &packedProvider{address: a, base: releasesOf(p), warnings: cloned(p.Warnings)}
	pp.versions = newPackedVersions(len(p.Versions), func(w *packer, i int) { pp.pack(w, &p.Versions[i]) })
	return pp
}

// releasesOf is the folder of the newest release's tag, for the others to begin
// with too.
func releasesOf(p *registrydata.Provider) string {
	const releases = "/releases/download/"
	for i := range p.Versions {
		before, _, ok := strings.Cut(p.Versions[i].ShasumsURL, releases)
		if ok {
			return strings.Clone(before + releases)
		}
	}
	return ""
}

// cloned copies texts that are parts of a file, so that the file can go.
func cloned(list []string) []string {
	list = slices.Clone(list)
	for i := range list {
		list[i] = strings.Clone(list[i])
	}
	return list
}

func (pp *packedProvider) checksumsURL(form byte, version string) string {
	tag := version
	if form == urlTaggedV {
		tag = "v" + version
	}
	return pp.base + tag + "/terraform-provider-" + pp.address.Name + "_" + version + "_SHA256SUMS"
}

// filename is what the zip of a platform is usually called.
func (pp *packedProvider) filename(version, os, arch string) string {
	return "terraform-provider-" + pp.address.Name + "_" + version + "_" + os + "_" + arch + ".zip"
}

// folderOf is an address up to its last slash.
func folderOf(address string) string { return address[:strings.LastIndexByte(address, '/')+1] }

func (pp *packedProvider) pack(w *packer, v *registrydata.ProviderVersion) {
	w.str(v.Version)
	w.strs(v.Protocols)
	switch v.ShasumsURL {
	case pp.checksumsURL(urlTaggedV, v.Version):
		w.byte(urlTaggedV)
	case pp.checksumsURL(urlTagged, v.Version):
		w.byte(urlTagged)
	default:
		w.byte(urlAsText)
		w.str(v.ShasumsURL)
	}
	w.expected(v.ShasumsSignatureURL, v.ShasumsURL+".sig")
	w.str(v.Discovered)
	w.uint(len(v.Targets))
	for i := range v.Targets {
		pp.packTarget(w, v, &v.Targets[i])
	}
}

func (pp *packedProvider) packTarget(w *packer, v *registrydata.ProviderVersion, t *registrydata.Target) {
	i := slices.Index(platforms, t.OS+"_"+t.Arch)
	w.byte(byte(i + 1)) // #nosec G115 -- there are fewer than 256
	if i+1 == platformAny {
		w.str(t.OS)
		w.str(t.Arch)
	}
	w.expected(t.Filename, pp.filename(v.Version, t.OS, t.Arch))
	w.expected(t.DownloadURL, folderOf(v.ShasumsURL)+t.Filename)
	w.hex(t.Shasum)
	w.h1(t.H1)
	w.int(t.Size)
}

// expected writes a text that is usually the expected one.
func (p *packer) expected(text, expected string) {
	if text == expected {
		p.byte(urlFollows)
		return
	}
	p.byte(urlAsText)
	p.str(text)
}

func (u *unpacker) expected(expected func() string) string {
	if u.byte() == urlFollows {
		return expected()
	}
	return u.str()
}

func (u *unpacker) skipExpected() { u.expected(func() string { return "" }) }

// unpack is the i-th version.
func (pp *packedProvider) unpack(i int) registrydata.ProviderVersion {
	u := pp.versions.read(i)
	v := registrydata.ProviderVersion{Version: u.str(), Protocols: u.strs()}
	switch form := u.byte(); form {
	case urlAsText:
		v.ShasumsURL = u.str()
	default:
		v.ShasumsURL = pp.checksumsURL(form, v.Version)
	}
	v.ShasumsSignatureURL = u.expected(func() string { return v.ShasumsURL + ".sig" })
	v.Discovered = u.str()
	v.Targets = make([]registrydata.Target, u.uint())
	for k := range v.Targets {
		pp.unpackTarget(u, &v, &v.Targets[k])
	}
	return v
}

func (pp *packedProvider) unpackTarget(u *unpacker, v *registrydata.ProviderVersion, t *registrydata.Target) {
	u.platform(t)
	t.Filename = u.expected(func() string { return pp.filename(v.Version, t.OS, t.Arch) })
	t.DownloadURL = u.expected(func() string { return folderOf(v.ShasumsURL) + t.Filename })
	t.Shasum = u.hex()
	t.H1 = u.h1()
	t.Size = u.int()
}

func (u *unpacker) platform(t *registrydata.Target) {
	if n := int(u.byte()); n == platformAny {
		t.OS, t.Arch = u.str(), u.str()
	} else {
		t.OS, t.Arch, _ = strings.Cut(platforms[n-1], "_")
	}
}

// outline is the part of the data that the list of versions is rendered from.
// Without addresses and hashes the downloads, which come before the list, cost
// next to nothing.
func (pp *packedProvider) outline() *registrydata.Provider {
	p := &registrydata.Provider{Warnings: pp.warnings, Versions: make([]registrydata.ProviderVersion, len(pp.versions.at))}
	for i := range p.Versions {
		p.Versions[i] = pp.unpackOutline(i)
	}
	return p
}

func (pp *packedProvider) unpackOutline(i int) registrydata.ProviderVersion {
	u := pp.versions.read(i)
	v := registrydata.ProviderVersion{Version: u.str(), Protocols: u.strs()}
	if u.byte() == urlAsText {
		u.str()
	}
	u.skipExpected()
	v.Discovered = u.str()
	v.Targets = make([]registrydata.Target, u.uint())
	for k := range v.Targets {
		t := &v.Targets[k]
		u.platform(t)
		u.skipExpected()
		u.skipExpected()
		u.skipHash()
		u.skipHash()
		u.int()
	}
	return v
}

// platform is the part of the data that the download for one platform is
// rendered from: its version, with its target first.
func (pp *packedProvider) platform(segment, os, arch string) (*registrydata.Provider, bool) {
	i, ok := pp.versions.find(segment)
	if !ok {
		return nil, false
	}
	v := pp.unpack(i)
	same := func(t registrydata.Target) bool { return t.OS == os && t.Arch == arch }
	var wanted []registrydata.Target
	for _, t := range v.Targets {
		if same(t) {
			wanted = []registrydata.Target{t} // of two the last counts
		}
	}
	if wanted == nil {
		return nil, false
	}
	v.Targets = append(wanted, slices.DeleteFunc(v.Targets, same)...)
	return &registrydata.Provider{Versions: []registrydata.ProviderVersion{v}}, true
}
