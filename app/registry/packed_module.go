package registry

import "github.com/tofu-registrar/registrar/registrydata"

// packedModule is a module's data.
type packedModule struct {
	address  registrydata.ModuleAddress
	versions packedVersions
}

func packModule(a registrydata.ModuleAddress, m *registrydata.Module) *packedModule {
	return &packedModule{address: a, versions: newPackedVersions(len(m.Versions), func(w *packer, i int) {
		v := &m.Versions[i]
		w.str(v.Version)
		w.hex(v.Commit)
		w.str(v.Discovered)
	})}
}

// unpack is the i-th version.
func (pm *packedModule) unpack(i int) registrydata.ModuleVersion {
	u := pm.versions.read(i)
	return registrydata.ModuleVersion{Version: u.str(), Commit: u.hex(), Discovered: u.str()}
}

// all is the module's whole data.
func (pm *packedModule) all() *registrydata.Module {
	m := &registrydata.Module{Versions: make([]registrydata.ModuleVersion, len(pm.versions.at))}
	for i := range m.Versions {
		m.Versions[i] = pm.unpack(i)
	}
	return m
}

// version is the part of the data that one version's download is rendered from.
func (pm *packedModule) version(segment string) (*registrydata.Module, bool) {
	i, ok := pm.versions.find(segment)
	if !ok {
		return nil, false
	}
	return &registrydata.Module{Versions: []registrydata.ModuleVersion{pm.unpack(i)}}, true
}
