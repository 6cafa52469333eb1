package registrydata

import "strings"

// moduleRender makes the answers for one module.
type moduleRender struct {
	w         writer
	base      string // "v1/modules/acme/net/aws/"
	source    string // "git::https://github.com/acme/terraform-aws-net?ref="
	m         *Module
	downloads []int
	listed    []int
	r         Renderer
}

func newModuleRender(r Renderer, a ModuleAddress, m *Module) *moduleRender {
	mr := &moduleRender{
		base:   "v1/modules/" + a.String() + "/",
		source: "git::" + r.webURL() + "/" + a.Repository().String() + "?ref=",
		m:      m,
		r:      r,
	}
	mr.downloads, mr.listed = r.versionOrder(len(m.Versions), func(i int) string { return m.Versions[i].Version })
	return mr
}

func (mr *moduleRender) each(yield func(Object) bool) {
	for _, i := range mr.downloads {
		if !yield(mr.download(&mr.m.Versions[i])) {
			return
		}
	}
	mr.list()
	yield(Object{Path: mr.base + "versions", Body: mr.w.buf, Kind: VersionList})
}

// download encodes the location of one version (protocols.md §4).
func (mr *moduleRender) download(v *ModuleVersion) Object {
	w := &mr.w
	w.buf, w.depth = w.buf[:0], 0
	location := mr.source + mr.ref(v)
	w.open('{')
	w.field("location", location)
	w.end('}')
	path := mr.base + mr.r.segment(v.Version) + "/download"
	return Object{Path: path, Body: w.buf, Kind: Download, Location: location}
}

// ref is what to check out: the recorded commit, which a moved tag cannot
// change, else the tag.
func (mr *moduleRender) ref(v *ModuleVersion) string {
	switch {
	case isObjectID(v.Commit):
		return v.Commit
	case mr.r.Compatible:
		return v.Version
	default:
		return strings.ReplaceAll(v.Version, "+", "%2B")
	}
}

// list encodes the list of versions.
func (mr *moduleRender) list() {
	w := &mr.w
	w.buf, w.depth = w.buf[:0], 0
	w.open('{')
	w.key("modules")
	w.open('[')
	w.elem()
	w.open('{')
	w.key("versions")
	w.list(false, len(mr.listed), func(i int) {
		v := &mr.m.Versions[mr.listed[i]]
		w.open('{')
		w.field("version", strings.TrimPrefix(v.Version, "v"))
		if v.Discovered != "" {
			w.field("discovered", v.Discovered)
		}
		w.end('}')
	})
	w.end('}')
	w.end(']')
	w.end('}')
}
