package publish

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/tofu-registrar/registrar/registrydata"
)

// Where the publisher keeps what it knows. Nothing below stateDir is served.
const (
	stateDir      = ".registrar"
	manifestDir   = stateDir + "/manifests/"
	publishedPath = stateDir + "/published.json"
)

// manifest is what is live of one entity. It stands at the path of the
// entity's data file below .registrar/manifests.
type manifest struct {
	Entity string `json:"entity"`
	// Sources are the files that the live ones were rendered from: git blob id
	// by path.
	Sources map[string]string `json:"sources"`
	// Files are the live files: lower-case hex sha256 by path.
	Files map[string]string `json:"files"`
	// Unsettled are paths that a run has begun to write or delete. While there
	// are any, nothing is known of their content, nor what the entity as a whole
	// was rendered from.
	Unsettled []string `json:"unsettled,omitempty"`
	// Claim is the run that works on the unsettled paths, and Beat its latest
	// sign of life; see claim. Targets with locks need neither.
	Claim string `json:"claim,omitempty"`
	Beat  int    `json:"beat,omitempty"`

	etag  string // of the stored manifest; "" where there is none
	known bool   // a manifest was there, and could be read
}

func manifestPath(e registrydata.Entity) string { return manifestDir + e.Path() }

// readManifest reads an entity's manifest. One that cannot be understood is
// treated as missing: everything is then written again.
func (p *Publisher) readManifest(ctx context.Context, e registrydata.Entity) (manifest, error) {
	f, err := p.target.Get(ctx, manifestPath(e))
	if errors.Is(err, ErrNotExist) {
		return manifest{}, nil
	}
	if err != nil {
		return manifest{}, fmt.Errorf("manifest of %s: %w", e, err)
	}
	m := manifest{}
	if err := json.Unmarshal(f.Body, &m); err != nil {
		return manifest{etag: f.ETag}, nil
	}
	m.etag, m.known = f.ETag, true
	return m, nil
}

// writeManifest stores m in the place of the manifest that was read.
func (p *Publisher) writeManifest(ctx context.Context, e registrydata.Entity, m manifest) (etag string, err error) {
	m.Entity = e.String()
	body, err := json.Marshal(m)
	if err != nil {
		return "", fmt.Errorf("manifest of %s: %w", e, err)
	}
	etag, err = p.target.PutIf(ctx, manifestPath(e), File{Body: body, ContentType: jsonType, CacheControl: cacheNever}, m.etag)
	if err != nil {
		return "", fmt.Errorf("manifest of %s: %w", e, err)
	}
	return etag, nil
}

// settled are the files whose live content is known.
func (m manifest) settled() map[string]string {
	if len(m.Unsettled) == 0 {
		return m.Files
	}
	files := maps.Clone(m.Files)
	for _, path := range m.Unsettled {
		delete(files, path)
	}
	return files
}

// doubting is m with more paths of which nothing is known.
func (m manifest) doubting(paths []string) manifest {
	if len(paths) > 0 {
		m.Unsettled = slices.Concat(m.Unsettled, paths)
		slices.Sort(m.Unsettled)
		m.Unsettled = slices.Compact(m.Unsettled)
	}
	return m
}
