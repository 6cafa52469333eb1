package registrydata

import (
	"iter"
	"slices"
	"strings"
)

// ObjectKind says what an answer of the API is, for those who choose its
// caching and headers.
type ObjectKind int

// The kinds of answer.
const (
	Discovery   ObjectKind = iota + 1 // .well-known/terraform.json
	VersionList                       // .../versions: changes with every release
	Download                          // .../download...: settled once published
)

// Object is one answer of the registry API.
type Object struct {
	// Path is the path of the URL without the leading slash, lower case, such
	// as "v1/providers/acme/demo/versions". (Renderer.Compatible keeps the case
	// of versions.)
	Path string
	// Body is the JSON answer.
	Body []byte
	Kind ObjectKind
	// Location is, for a module download, the value of the X-Terraform-Get
	// header, which Terraform needs beside the body.
	Location string
}

// Renderer makes the answers of the registry API: the bytes that the reference
// generator makes of the same data, except where it errs. The zero Renderer is
// ready for use, also by several goroutines at once.
//
// Each method gives the downloads first and the list that names them last,
// which is the order in which they may be written; no path comes twice. An
// address that no data file can have (EntityFromPath) and a version or platform
// that cannot stand in a path give no answer.
type Renderer struct {
	// WebURL is where modules are cloned from, "https://github.com" if empty.
	WebURL string
	// Compatible reproduces the reference of January 2025 where it errs: a
	// version that stands in a file twice is listed twice; a "+" in a module's
	// tag stands unescaped in its location, where clients read it as a space;
	// and a version keeps its case in paths, where a client of an edge that
	// lower-cases them does not find it.
	Compatible bool
}

// Discovery returns the service discovery document. Its tabs and spaces are the
// reference's.
func (r Renderer) Discovery() Object {
	return Object{
		Path: ".well-known/terraform.json",
		Body: []byte("{\n\t  \"modules.v1\": \"/v1/modules/\",\n\t  \"providers.v1\": \"/v1/providers/\"\n}"),
		Kind: Discovery,
	}
}

// Provider returns the answers for one provider: the list of its versions and a
// download for each version and platform. A nil keys says that the namespace
// has no key folder, an empty one that there is no key in it: the API shows
// null or [].
func (r Renderer) Provider(a ProviderAddress, p *Provider, keys []SigningKey) []Object {
	return collect(r.EachProvider(a, p, keys))
}

// Module returns the answers for one module: the list of its versions and a
// download for each.
func (r Renderer) Module(a ModuleAddress, m *Module) []Object {
	return collect(r.EachModule(a, m))
}

// EachProvider is Provider one answer at a time. A Body is valid only until the
// next one comes; a large provider needs no more memory than its largest
// answer.
func (r Renderer) EachProvider(a ProviderAddress, p *Provider, keys []SigningKey) iter.Seq[Object] {
	return func(yield func(Object) bool) {
		if served(a.Entity()) {
			newProviderRender(r, a, p, keys).each(yield)
		}
	}
}

// EachModule is Module one answer at a time. A Body is valid only until the
// next one comes.
func (r Renderer) EachModule(a ModuleAddress, m *Module) iter.Seq[Object] {
	return func(yield func(Object) bool) {
		if served(a.Entity()) {
			newModuleRender(r, a, m).each(yield)
		}
	}
}

// served tells whether the entity can have a data file.
func served(e Entity) bool {
	_, ok := EntityFromPath(e.Path())
	return ok
}

// collect copies the answers into a few large pieces of memory.
func collect(objects iter.Seq[Object]) []Object {
	out, _ := Collect(nil, objects)
	return out
}

// Collect copies answers that come one at a time, their bodies into buf as far
// as it goes. It returns the largest buffer that it has used, for the next call:
// then the bodies of this one are valid no more.
func Collect(buf []byte, objects iter.Seq[Object]) ([]Object, []byte) {
	const piece = 256 << 10
	var out []Object
	buf = buf[:0]
	for o := range objects {
		if free := cap(buf) - len(buf); len(o.Body) > free {
			size := max(2*cap(buf), piece, len(o.Body))
			if len(out) == 0 {
				size = max(4*len(o.Body), cap(buf))
			}
			buf = make([]byte, 0, size)
		}
		start := len(buf)
		buf = append(buf, o.Body...)
		o.Body = slices.Clip(buf[start:])
		out = append(out, o)
	}
	return out, buf
}

// versionOrder gives the indexes of the n entries of a version list, in order:
// downloads once for each version, the last of two entries counting; listed the
// same at the place of the first, or with both entries as the reference has
// them. Entries that cannot be served are left out.
func (r Renderer) versionOrder(n int, version func(i int) string) (downloads, listed []int) {
	last := make(map[string]int, n)
	for i := range n {
		if versionFault(version(i)) == "" {
			last[r.segment(version(i))] = i
			listed = append(listed, i)
		}
	}
	for _, i := range listed {
		key := r.segment(version(i))
		if k, first := last[key]; first {
			downloads = append(downloads, k)
			delete(last, key)
		}
	}
	if !r.Compatible {
		listed = downloads
	}
	return downloads, listed
}

// segment is what stands for a version in a path.
func (r Renderer) segment(version string) string {
	if r.Compatible {
		return strings.TrimPrefix(version, "v")
	}
	return foldedKey(version)
}

func (r Renderer) webURL() string {
	if r.WebURL == "" {
		return "https://github.com"
	}
	return strings.TrimRight(r.WebURL, "/")
}
