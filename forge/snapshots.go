package forge

import (
	"bytes"
	"context"
	"crypto/sha1" //nolint:gosec // git names its objects so
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/google/go-github/v57/github"

	"github.com/tofu-registrar/registrar/registrydata"
)

// Metadata reads and writes the metadata repository as the App. It is safe for
// concurrent use.
type Metadata struct {
	f    *Forge
	api  *api
	repo registrydata.Repository

	// What is named by a commit or an object id never changes, so it is kept
	// without asking again.
	commits *lru[Commit]     // by commit id, without the author
	trees   *lru[[]Entry]    // one level, by tree
	blobs   *lru[[]byte]     // content by blob
	paths   *lru[pathAnswer] // what stands at commit:path

	annotated *lru[bool] // whether a check run has annotations, by its id

	comments *recall[int64, commentAnswer] // by id
	opened   *recall[int, issueAnswer]     // by number
	checks   *recall[namedCheck, checkAnswer]
	pulls    *recall[int, pullAnswer] // by number
	merged   *recall[int, string]     // the commit, by the pull request's number
	next     *recall[string, Commit]  // of the metadata branch, by the commit that it follows
}

// pathAnswer is what the contents API said of a path at a commit.
type pathAnswer struct {
	blob    string  // a file's blob; "" where there is no file
	entries []Entry // a folder's entries
}

func newMetadata(f *Forge) *Metadata {
	limit := f.cfg.Limits.Cache
	return &Metadata{
		f: f, api: f.repo, repo: f.cfg.Metadata,
		commits: newLRU[Commit](1 << 20),
		trees:   newLRU[[]Entry](limit / 2),
		blobs:   newLRU[[]byte](limit),
		paths:   newLRU[pathAnswer](limit / 4),

		annotated: newLRU[bool](1 << 20),

		comments: newRecall[int64, commentAnswer](),
		opened:   newRecall[int, issueAnswer](),
		checks:   newRecall[namedCheck, checkAnswer](),
		pulls:    newRecall[int, pullAnswer](),
		merged:   newRecall[int, string](),
		next:     newRecall[string, Commit](),
	}
}

// route is an address below the metadata repository.
func (m *Metadata) route(segments ...any) string {
	return route(append([]any{"repos", m.repo.Owner, m.repo.Name}, segments...)...)
}

// maxFile bounds a file of the metadata repository: what the contents API gives.
const maxFile = 100 << 20

// File is a file's content at a commit; ok is false where there is none.
// (GET /repos/{owner}/{repo}/contents/{path})
func (m *Metadata) File(ctx context.Context, commit, path string) (content []byte, ok bool, err error) {
	if err := checkPlace(commit, path); err != nil {
		return nil, false, err
	}
	if blob, known := m.knownFile(commit, path); known {
		if blob == "" {
			return nil, false, nil
		}
		if content, ok := m.blobs.get(blob); ok {
			return bytes.Clone(content), true, nil
		}
	}
	content, ok, err = m.readFile(ctx, commit, path)
	if err != nil {
		return nil, false, fmt.Errorf("file %s at %.7s: %w", path, commit, err)
	}
	return content, ok, nil
}

func (m *Metadata) readFile(ctx context.Context, commit, path string) ([]byte, bool, error) {
	var content []byte
	resp, err := m.api.call(mark(ctx, keyImmutable), http.MethodGet, m.contents(commit, path), nil,
		func(r io.Reader) (err error) {
			content, err = readAll(r, maxFile)
			return err
		}, accept("application/vnd.github.raw+json"))
	switch {
	case errors.Is(err, ErrNotFound):
		return nil, false, m.rememberAbsent(ctx, commit, path)
	case err != nil:
		return nil, false, err
	case isListing(resp.Response):
		return nil, false, nil
	}
	blob := blobID(content)
	m.paths.put(commit+":"+path, pathAnswer{blob: blob}, 64)
	m.blobs.put(blob, bytes.Clone(content), int64(len(content)))
	return content, true, nil
}

// rememberAbsent keeps that nothing stands at a path, after making sure that it
// is the path that GitHub did not find, and not the commit or the repository.
func (m *Metadata) rememberAbsent(ctx context.Context, commit, path string) error {
	if _, err := m.treeOf(ctx, commit); err != nil {
		return err
	}
	m.paths.put(commit+":"+path, pathAnswer{}, 0)
	return nil
}

// isListing tells whether GitHub answered a request for raw content with the
// listing of a folder. A file's own type is application/vnd.github.raw.
func isListing(resp *http.Response) bool {
	media, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	return media == "application/json"
}

// maxListing is how many entries of a folder the contents API lists at most.
const maxListing = 1000

// Dir lists a folder at a commit, sorted by name; none where it does not exist.
// (GET /repos/{owner}/{repo}/contents/{path}; large folders by their tree)
func (m *Metadata) Dir(ctx context.Context, commit, path string) ([]Entry, error) {
	if err := checkPlace(commit, path); err != nil {
		return nil, err
	}
	if entries, known := m.knownDir(commit, path); known {
		return slices.Clone(entries), nil
	}
	entries, err := m.readDir(ctx, commit, path)
	if err != nil {
		return nil, fmt.Errorf("folder %q at %.7s: %w", path, commit, err)
	}
	return slices.Clone(entries), nil
}

func (m *Metadata) readDir(ctx context.Context, commit, path string) ([]Entry, error) {
	var items []struct {
		Name, SHA, Type string
		Size            int64
	}
	err := m.api.get(mark(ctx, keyImmutable), m.contents(commit, path), func(r io.Reader) error {
		raw, err := readAll(r, m.f.cfg.Limits.Response)
		if err != nil || !bytes.HasPrefix(bytes.TrimSpace(raw), []byte("[")) {
			return err // an object is a file: no folder
		}
		return unmarshal(raw, &items)
	})
	if errors.Is(err, ErrNotFound) {
		return nil, m.rememberAbsent(ctx, commit, path)
	}
	if err != nil {
		return nil, err
	}
	if len(items) >= maxListing {
		entries, _, err := m.walk(ctx, commit, path)
		return entries, err
	}
	entries := make([]Entry, 0, len(items))
	for _, i := range items {
		if i.Type != "submodule" {
			entries = append(entries, Entry{Name: i.Name, Blob: i.SHA, Dir: i.Type == "dir", Link: i.Type == "symlink", Size: i.Size})
		}
	}
	sortEntries(entries)
	m.paths.put(commit+":"+path, pathAnswer{entries: entries}, sizeOf(entries))
	return entries, nil
}

// contents is the address of the contents API for a path at a commit.
func (m *Metadata) contents(commit, path string) string {
	address := m.route("contents")
	if path != "" {
		address += "/" + escapePath(path)
	}
	return address + "?" + url.Values{"ref": {commit}}.Encode()
}

// knownFile tells without a request which blob stands at a path, "" for none.
func (m *Metadata) knownFile(commit, path string) (blob string, known bool) {
	if a, ok := m.paths.get(commit + ":" + path); ok && a.entries == nil {
		return a.blob, true
	}
	parent, name := splitPath(path)
	entries, known := m.knownDir(commit, parent)
	if !known {
		return "", false
	}
	for _, e := range entries {
		if e.Name == name && !e.Dir {
			return e.Blob, true
		}
	}
	return "", true
}

// knownDir lists a folder without a request, from an answer or from trees that
// were read before.
func (m *Metadata) knownDir(commit, path string) (entries []Entry, known bool) {
	if a, ok := m.paths.get(commit + ":" + path); ok && a.blob == "" {
		return a.entries, true
	}
	c, ok := m.commits.get(commit)
	if !ok {
		return nil, false
	}
	tree := c.Tree
	entries, ok = m.trees.get(tree)
	for rest := path; ok && rest != ""; {
		var name string
		name, rest, _ = strings.Cut(rest, "/")
		if tree = subtree(entries, name); tree == "" {
			return nil, true
		}
		entries, ok = m.trees.get(tree)
	}
	return entries, ok
}

func splitPath(path string) (parent, name string) {
	if i := strings.LastIndexByte(path, '/'); i >= 0 {
		return path[:i], path[i+1:]
	}
	return "", path
}

// checkPlace refuses what is no commit id or no plain path, before either gets
// into an address.
func checkPlace(commit, path string) error {
	if !shaPattern.MatchString(commit) {
		return fmt.Errorf("%q is no commit id", commit)
	}
	if path == "" {
		return nil
	}
	for _, seg := range strings.Split(path, "/") {
		if seg == "" || seg == "." || seg == ".." {
			return fmt.Errorf("%q is no path of a repository", path)
		}
	}
	return nil
}

// blobID is the id that git gives a file's content.
func blobID(content []byte) string {
	h := sha1.New() //nolint:gosec // git's object names
	fmt.Fprintf(h, "blob %d\x00", len(content))
	h.Write(content)
	return hex.EncodeToString(h.Sum(nil))
}

func accept(media string) github.RequestOption {
	return func(req *http.Request) { req.Header.Set("Accept", media) }
}

// readAll reads all of r, and fails where that is more than limit bytes.
func readAll(r io.Reader, limit int64) ([]byte, error) {
	b, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err == nil && int64(len(b)) > limit {
		return nil, errResponseTooLarge
	}
	return b, err
}

func sizeOf(entries []Entry) int64 {
	n := int64(0)
	for _, e := range entries {
		n += int64(len(e.Name)) + 120
	}
	return n
}

func sortEntries(entries []Entry) {
	slices.SortFunc(entries, func(a, b Entry) int { return strings.Compare(a.Name, b.Name) })
}
