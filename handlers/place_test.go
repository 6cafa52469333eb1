package handlers

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/tofu-registrar/registrar/publish"
)

// place is what is published to, in memory. It can fail, and it counts.
type place struct {
	mu     sync.Mutex
	files  map[string]publish.File
	locks  map[string]chan struct{}
	fails  func(op, path string) error // nil: nothing fails
	writes []string                    // paths of what clients read
	lists  []string
	reads  int
}

var _ publish.Locker = (*place)(nil)

func newPlace(*testing.T) *place {
	return &place{files: map[string]publish.File{}, locks: map[string]chan struct{}{}}
}

// begin notes an operation and leaves the place locked.
func (p *place) begin(op, path string) error {
	p.mu.Lock()
	switch {
	case op == "list":
		p.lists = append(p.lists, path)
	case op == "get":
		p.reads++
	case strings.HasPrefix(path, "v1/"):
		p.writes = append(p.writes, path)
	}
	if p.fails == nil {
		return nil
	}
	return p.fails(op, path)
}

// Get implements publish.Target.
func (p *place) Get(_ context.Context, path string) (publish.File, error) {
	err := p.begin("get", path)
	defer p.mu.Unlock()
	f, ok := p.files[path]
	if err == nil && !ok {
		err = publish.ErrNotExist
	}
	return f, err
}

// Put implements publish.Target.
func (p *place) Put(_ context.Context, path string, f publish.File) error {
	err := p.begin("put", path)
	defer p.mu.Unlock()
	if err == nil {
		p.keep(path, f)
	}
	return err
}

func (p *place) keep(path string, f publish.File) string {
	f.Body, f.ETag = slices.Clone(f.Body), fmt.Sprintf("%q", f.Body)
	p.files[path] = f
	return f.ETag
}

// PutIf implements publish.Target.
func (p *place) PutIf(_ context.Context, path string, f publish.File, etag string) (string, error) {
	err := p.begin("put", path)
	defer p.mu.Unlock()
	if err == nil && p.files[path].ETag != etag {
		err = publish.ErrChanged
	}
	if err != nil {
		return "", err
	}
	return p.keep(path, f), nil
}

// Delete implements publish.Target.
func (p *place) Delete(_ context.Context, path string) error {
	err := p.begin("delete", path)
	defer p.mu.Unlock()
	if err == nil {
		delete(p.files, path)
	}
	return err
}

// List implements publish.Target.
func (p *place) List(_ context.Context, prefix string) ([]string, error) {
	err := p.begin("list", prefix)
	defer p.mu.Unlock()
	var names []string
	for name := range p.files {
		if strings.HasPrefix(name, prefix) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names, err
}

// Lock implements publish.Locker.
func (p *place) Lock(_ context.Context, name string) (unlock func(), err error) {
	p.mu.Lock()
	lock := p.locks[name]
	if lock == nil {
		lock = make(chan struct{}, 1)
		p.locks[name] = lock
	}
	p.mu.Unlock()
	lock <- struct{}{}
	return func() { <-lock }, nil
}

// since are the files that were written or deleted since it was asked last, each
// once.
func (p *place) since() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	slices.Sort(p.writes)
	out := slices.Compact(p.writes)
	p.writes, p.lists, p.reads = nil, nil, 0
	return out
}
