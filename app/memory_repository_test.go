package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/tofu-registrar/registrar/forge"
	"github.com/tofu-registrar/registrar/handlers"
	"github.com/tofu-registrar/registrar/publish"
	"github.com/tofu-registrar/registrar/registrydata"
)

// commits is a metadata repository in memory: file contents by path, by commit.
// Its last commit is the head.
type commits struct {
	handlers.Snapshots // none: Head to Changes is all
	names              []string
	files              map[string]map[string]string
}

// snapshotsOf has the same files at each commit.
func snapshotsOf(t testing.TB, files map[string]string, names ...string) *commits {
	t.Helper()
	c := &commits{names: names, files: map[string]map[string]string{}}
	for _, name := range names {
		c.files[name] = files
	}
	return c
}

// Head implements handlers.Snapshots.
func (c *commits) Head(context.Context) (handlers.Commit, error) {
	return handlers.Commit{SHA: c.names[len(c.names)-1]}, nil
}

// File implements handlers.Snapshots.
func (c *commits) File(_ context.Context, commit, name string) ([]byte, bool, error) {
	content, ok := c.files[commit][name]
	return []byte(content), ok, nil
}

// Dir implements handlers.Snapshots.
func (c *commits) Dir(_ context.Context, commit, dir string) ([]handlers.Entry, error) {
	found := map[string]handlers.Entry{}
	for name := range c.files[commit] {
		if rest, ok := strings.CutPrefix(name, dir+"/"); ok {
			first, _, below := strings.Cut(rest, "/")
			found[first] = handlers.Entry{Name: first, Dir: below}
		}
	}
	return slices.SortedFunc(maps.Values(found), func(a, b handlers.Entry) int { return strings.Compare(a.Name, b.Name) }), nil
}

// Files implements handlers.Snapshots.
func (c *commits) Files(_ context.Context, commit, dir string) ([]handlers.Entry, error) {
	var out []handlers.Entry
	for _, name := range slices.Sorted(maps.Keys(c.files[commit])) {
		if strings.HasPrefix(name, dir+"/") {
			out = append(out, handlers.Entry{Name: name})
		}
	}
	return out, nil
}

// Changes implements handlers.Snapshots. A file that stands elsewhere with the
// same content was renamed.
func (c *commits) Changes(_ context.Context, from, to string) ([]registrydata.Change, error) {
	var out []registrydata.Change
	gone := map[string]string{} // path by content
	for name, was := range c.files[from] {
		if _, there := c.files[to][name]; !there {
			gone[was] = name
			out = append(out, registrydata.Change{Path: name, Kind: registrydata.Deleted})
		}
	}
	for name, is := range c.files[to] {
		switch was, there := c.files[from][name]; {
		case !there && gone[is] != "":
			old := gone[is]
			out = slices.DeleteFunc(out, func(c registrydata.Change) bool { return c.Path == old })
			out = append(out, registrydata.Change{Path: name, Kind: registrydata.Added, OldPath: old})
			delete(gone, is)
		case !there:
			out = append(out, registrydata.Change{Path: name, Kind: registrydata.Added})
		case was != is:
			out = append(out, registrydata.Change{Path: name, Kind: registrydata.Modified})
		}
	}
	return out, nil
}

// Archive implements handlers.Archives.
func (c *commits) Archive(_ context.Context, commit string, each func(forge.ArchiveFile) error) error {
	for name, content := range c.files[commit] {
		if err := each(forge.ArchiveFile{Path: name, Size: int64(len(content)), Content: strings.NewReader(content)}); err != nil {
			return err
		}
	}
	return nil
}

// shelf is a Target in memory.
type shelf struct {
	mu    sync.Mutex
	files map[string]publish.File
	n     int // writes, for the ETags
}

func newShelf() *shelf { return &shelf{files: map[string]publish.File{}} }

// Get implements publish.Target.
func (s *shelf) Get(_ context.Context, name string) (publish.File, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f, ok := s.files[name]
	if !ok {
		return f, publish.ErrNotExist
	}
	return f, nil
}

// Put implements publish.Target.
func (s *shelf) Put(_ context.Context, name string, f publish.File) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.put(name, f)
	return nil
}

func (s *shelf) put(name string, f publish.File) string {
	s.n++
	f.ETag, f.Body = fmt.Sprint(s.n), slices.Clone(f.Body)
	s.files[name] = f
	return f.ETag
}

// PutIf implements publish.Target.
func (s *shelf) PutIf(_ context.Context, name string, f publish.File, etag string) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.files[name].ETag != etag {
		return "", publish.ErrChanged
	}
	return s.put(name, f), nil
}

// Delete implements publish.Target.
func (s *shelf) Delete(_ context.Context, name string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.files, name)
	return nil
}

// List implements publish.Target.
func (s *shelf) List(_ context.Context, prefix string) ([]string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var names []string
	for name := range s.files {
		if strings.HasPrefix(name, prefix) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names, nil
}
