package main

import (
	"slices"
	"strings"

	"github.com/tofu-registrar/registrar/registrydata"
)

// inMemory is a data folder whose files are not on disk.
func inMemory(files map[string][]byte) *dataFolder {
	d := &dataFolder{
		listed: map[string]bool{"keys": true, "modules": true, "providers": true},
		files:  map[string]dataFile{}, keys: registrydata.Folders{},
	}
	d.read = func(name string, _ int64) ([]byte, error) { return files[name], nil }
	for name, body := range files {
		d.paths = append(d.paths, name)
		d.files[name] = dataFile{size: int64(len(body))}
	}
	slices.Sort(d.paths)
	for _, name := range d.paths {
		if strings.HasPrefix(name, "keys/") {
			d.keys.Add(name)
		}
	}
	return d
}
