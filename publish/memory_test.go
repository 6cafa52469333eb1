package publish

import (
	"context"
	"slices"
	"strings"
	"sync"
)

// memory is a Target without disk or locks.
type memory struct {
	mu    sync.Mutex
	files map[string]File
}

func newMemory() *memory { return &memory{files: map[string]File{}} }

func (m *memory) Get(_ context.Context, path string) (File, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	f, ok := m.files[path]
	if !ok {
		return File{}, ErrNotExist
	}
	return f, nil
}

func (m *memory) Put(_ context.Context, path string, f File) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	f.ETag = etagOf(f.Body)
	m.files[path] = f
	return nil
}

func (m *memory) PutIf(_ context.Context, path string, f File, etag string) (string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.files[path].ETag != etag {
		return "", ErrChanged
	}
	f.ETag = etagOf(f.Body)
	m.files[path] = f
	return f.ETag, nil
}

func (m *memory) Delete(_ context.Context, path string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.files, path)
	return nil
}

func (m *memory) List(_ context.Context, prefix string) ([]string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var names []string
	for name := range m.files {
		if strings.HasPrefix(name, prefix) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names, nil
}
