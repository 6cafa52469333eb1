package registry

import (
	"bytes"
	"iter"
	"slices"
	"strings"

	"github.com/tofu-registrar/registrar/registrydata"
)

// entity is a provider or module as it is served. It does not change.
type entity struct {
	provider *packedProvider
	module   *packedModule
	keys     []registrydata.SigningKey // a provider's; nil where its namespace has no folder for keys
}

// same tells whether two entities give the same answers.
func (e *entity) same(o *entity) bool {
	return o != nil && e.provider == o.provider && e.module == o.module &&
		(e.keys == nil) == (o.keys == nil) && slices.Equal(e.keys, o.keys)
}

// render gives the answer for what stands behind the entity's name in a path:
// "versions", "1.0.0/download/linux/amd64", "1.0.0/download".
//
// It renders the part of the data that the answer is made of, with the renderer
// that makes the published files.
func (e *entity) render(r registrydata.Renderer, rest string) (registrydata.Object, bool) {
	version, what, _ := strings.Cut(rest, "/")
	if e.module != nil {
		return e.renderModule(r, rest, version, what)
	}
	data := e.provider
	if rest == listSegment {
		return last(r.EachProvider(data.address, data.outline(), nil))
	}
	platform, ok := strings.CutPrefix(what, downloadSegment+"/")
	os, arch, cut := strings.Cut(platform, "/")
	if !ok || !cut {
		return registrydata.Object{}, false
	}
	part, ok := data.platform(version, os, arch)
	if !ok {
		return registrydata.Object{}, false
	}
	return first(r.EachProvider(data.address, part, e.keys))
}

func (e *entity) renderModule(r registrydata.Renderer, rest, version, what string) (registrydata.Object, bool) {
	data := e.module
	if rest == listSegment {
		return last(r.EachModule(data.address, data.all()))
	}
	if what != downloadSegment {
		return registrydata.Object{}, false
	}
	part, ok := data.version(version)
	if !ok {
		return registrydata.Object{}, false
	}
	return first(r.EachModule(data.address, part))
}

const (
	listSegment     = "versions"
	downloadSegment = "download"
)

// first and last are one of several answers. A body is the renderer's own until
// it goes on.
func first(objects iter.Seq[registrydata.Object]) (registrydata.Object, bool) {
	for o := range objects {
		o.Body = bytes.Clone(o.Body)
		return o, true
	}
	return registrydata.Object{}, false
}

func last(objects iter.Seq[registrydata.Object]) (registrydata.Object, bool) {
	var o registrydata.Object
	for o = range objects {
		continue
	}
	return o, o.Kind == registrydata.VersionList
}
