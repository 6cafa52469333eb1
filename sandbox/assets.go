package sandbox

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/google/uuid"
)

// maxAsset is GitHub's limit of one release asset.
const maxAsset = 2 << 30

// Generator makes the bytes of an asset that is too large to keep. It is called
// once a download and must give the same bytes each time.
type Generator func() io.Reader

func (s *Server) registerAssets() {
	one := repoPath + "/releases/assets/{id}"
	s.route("GET "+releasePath+"/assets", reads("contents"), s.listAssets)
	s.route("GET "+one, reads("contents"), s.getAsset)
	s.route("PATCH "+one, pushes("contents"), s.patchAsset)
	s.route("DELETE "+one, pushes("contents"), s.deleteAsset)
	s.route("POST /uploads"+releasePath+"/assets", pushes("contents"), s.uploadAsset, streaming)
}

func (s *Server) assetJSON(a *asset) obj {
	r := a.release.repo
	tag := a.release.tag
	if a.release.draft {
		tag = a.release.untaggedKey
	}
	return obj{"id": a.id, "node_id": nodeID("RA", a.id), "name": a.name, "label": a.label, "state": "uploaded",
		"content_type": a.contentType, "size": a.size, "digest": orNull(a.digest), "download_count": a.downloads,
		"created_at": stamp(a.created), "updated_at": stamp(a.updated), "uploader": s.user(a.uploader),
		"url":                  s.repoURL(r) + "/releases/assets/" + decimal(a.id),
		"browser_download_url": s.repoWeb(r) + "/releases/download/" + escapeTag(tag) + "/" + url.PathEscape(a.name)}
}

func (s *Server) listAssets(c *call) (*response, error) {
	rel, err := c.releaseOf()
	if err != nil {
		return nil, err
	}
	return paginate(c, rel.assets, func(a *asset) any { return s.assetJSON(a) })
}

// assetOf finds the asset that the route names.
func (c *call) assetOf() (*asset, error) {
	id, err := c.number("id")
	if err != nil {
		return nil, err
	}
	for _, rel := range c.repo.releases {
		for _, a := range rel.assets {
			if a.id == id && (!rel.draft || c.s.seesDrafts(c.actor, c.repo)) {
				return a, nil
			}
		}
	}
	return nil, notFound()
}

// getAsset describes the asset, or sends the client to its bytes when it
// accepts application/octet-stream.
func (s *Server) getAsset(c *call) (*response, error) {
	a, err := c.assetOf()
	if err != nil {
		return nil, err
	}
	if c.accepts("application/octet-stream") {
		return &response{status: http.StatusFound, header: http.Header{"Location": {s.signedURL(a)}}, raw: []byte{},
			contentType: "text/html; charset=utf-8"}, nil
	}
	return ok(s.assetJSON(a))
}

func (s *Server) patchAsset(c *call) (*response, error) {
	a, err := c.assetOf()
	if err != nil {
		return nil, err
	}
	var in struct {
		Name  *string `json:"name"`
		Label *string `json:"label"`
	}
	if err := c.decode(&in); err != nil {
		return nil, err
	}
	if in.Name != nil && *in.Name != a.name {
		if a.release.findAsset(*in.Name) != nil {
			return nil, invalid(fieldError{Resource: "ReleaseAsset", Code: "already_exists", Field: "name"})
		}
		a.name = cleanAssetName(*in.Name)
	}
	if in.Label != nil {
		a.label = *in.Label
	}
	a.updated = s.now()
	return ok(s.assetJSON(a))
}

func (s *Server) deleteAsset(c *call) (*response, error) {
	a, err := c.assetOf()
	if err != nil {
		return nil, err
	}
	a.release.assets = slices.DeleteFunc(slices.Clone(a.release.assets), func(o *asset) bool { return o == a })
	s.dropAsset(a)
	return noContent()
}

// dropAsset forgets the bytes.
func (s *Server) dropAsset(a *asset) {
	delete(s.assetsByKey, a.key)
	if a.file != "" {
		if err := os.Remove(a.file); err != nil {
			s.log.Warn("sandbox: remove asset", "err", err)
		}
	}
}

func (rel *release) findAsset(name string) *asset {
	for _, a := range rel.assets {
		if a.name == name {
			return a
		}
	}
	return nil
}

// strange are the characters that GitHub replaces by dots in asset names.
var strange = regexp.MustCompile(`[^A-Za-z0-9._+~@-]+`)

func cleanAssetName(name string) string { return strange.ReplaceAllString(name, ".") }

// uploadAsset streams the body to a file, then adds the asset.
func (s *Server) uploadAsset(c *call) (*response, error) {
	name := c.query("name")
	if name == "" {
		return nil, missingField("ReleaseAsset", "name")
	}
	if c.Header.Get("Content-Type") == "" {
		return nil, fail(http.StatusBadRequest, "Content-Type header is required")
	}
	s.mu.RLock()
	rel, err := c.releaseOf()
	s.mu.RUnlock()
	if err != nil {
		return nil, err
	}
	a := &asset{key: uuid.NewString(), name: cleanAssetName(name), label: c.query("label"),
		contentType: c.Header.Get("Content-Type"), uploader: c.actor.user, release: rel}
	if err := s.store(a, c.Body); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.addAsset(rel, a); err != nil {
		s.dropAsset(a)
		return nil, err
	}
	return created(s.assetJSON(a))
}

// store writes the bytes to the asset's file and notes size and digest.
func (s *Server) store(a *asset, body io.Reader) (err error) {
	a.file = filepath.Join(s.dir, "assets", a.key)
	f, err := os.OpenFile(a.file, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("store asset: %w", err)
	}
	sum := sha256.New()
	a.size, err = io.Copy(io.MultiWriter(f, sum), io.LimitReader(body, maxAsset))
	if err = errors.Join(err, f.Close()); err != nil {
		return errors.Join(fmt.Errorf("store asset: %w", err), os.Remove(a.file))
	}
	if a.size == 0 || a.size >= maxAsset {
		message := "size must be greater than 0"
		if a.size > 0 {
			message = "size must be less than 2147483648"
		}
		return errors.Join(customError("ReleaseAsset", message), os.Remove(a.file))
	}
	a.digest = "sha256:" + hex.EncodeToString(sum.Sum(nil))
	return nil
}

// addAsset puts an asset into a release. Names are unique in a release.
func (s *Server) addAsset(rel *release, a *asset) error {
	if rel.findAsset(a.name) != nil {
		return invalid(fieldError{Resource: "ReleaseAsset", Code: "already_exists", Field: "name"})
	}
	now := s.now()
	a.id, a.created, a.updated, a.release = s.nextID(), now, now, rel
	rel.assets = append(rel.assets, a)
	s.assetsByKey[a.key] = a
	return nil
}

// AddGeneratedAsset adds an asset whose bytes are made while they are
// downloaded, to the published release of a tag: for files of gigabytes that
// nobody wants to store. size is what GitHub says it is; the generator may lie.
func (s *Server) AddGeneratedAsset(owner, name, tag, asset string, size int64, make Generator) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.findRepo(owner, name)
	if r == nil {
		return fmt.Errorf("sandbox: no repository %s/%s", owner, name)
	}
	rel := r.releaseByTag(tag)
	if rel == nil {
		return fmt.Errorf("sandbox: no release %s in %s/%s", tag, owner, name)
	}
	return s.addAsset(rel, newGenerated(rel, asset, size, make))
}

func newGenerated(rel *release, name string, size int64, make Generator) *asset {
	kind := "application/octet-stream"
	if strings.HasSuffix(name, ".zip") {
		kind = "application/zip"
	}
	return &asset{key: uuid.NewString(), name: cleanAssetName(name), contentType: kind, size: size, generate: make,
		uploader: rel.author}
}
