package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"

	"github.com/tofu-registrar/registrar/handlers"
	"github.com/tofu-registrar/registrar/registrydata"
)

// folder reads a checkout of the metadata repository as the handlers read the
// repository on GitHub. Links that lead out of it are not followed. The zero
// folder is an empty repository.
type folder struct{ root *os.Root }

var _ handlers.Snapshots = folder{}

// openFolder opens a checkout; no name is an empty one.
func openFolder(name string) (folder, error) {
	if name == "" {
		return folder{}, nil
	}
	root, err := os.OpenRoot(name)
	if err != nil {
		return folder{}, fmt.Errorf("open the metadata folder: %w", err)
	}
	return folder{root: root}, nil
}

// Close closes the folder.
func (f folder) Close() error {
	if f.root == nil {
		return nil
	}
	return f.root.Close()
}

// Head is a commit of the folder's only state.
func (f folder) Head(context.Context) (handlers.Commit, error) {
	return handlers.Commit{SHA: "folder"}, nil
}

// File reads a file.
func (f folder) File(_ context.Context, _, name string) ([]byte, bool, error) {
	if f.root == nil {
		return nil, false, nil
	}
	b, err := fs.ReadFile(f.root.FS(), name)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrInvalid) {
		return nil, false, nil
	}
	return b, err == nil, err
}

// Dir lists a folder.
func (f folder) Dir(_ context.Context, _, name string) ([]handlers.Entry, error) {
	if f.root == nil {
		return nil, nil
	}
	list, err := fs.ReadDir(f.root.FS(), name)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrInvalid) {
		return nil, nil
	}
	var entries []handlers.Entry
	for _, e := range list {
		entries = append(entries, handlers.Entry{Name: e.Name(), Dir: e.IsDir()})
	}
	return entries, err
}

// Files lists all files below a folder.
func (f folder) Files(ctx context.Context, commit, name string) ([]handlers.Entry, error) {
	list, err := f.Dir(ctx, commit, path.Clean(name))
	var entries []handlers.Entry
	for _, e := range list {
		e.Name = path.Join(name, e.Name)
		if !e.Dir {
			entries = append(entries, e)
			continue
		}
		below, err := f.Files(ctx, commit, e.Name)
		if err != nil {
			return nil, err
		}
		entries = append(entries, below...)
	}
	return entries, err
}

// Changes is not for a folder: it has one state.
func (f folder) Changes(context.Context, string, string) ([]registrydata.Change, error) {
	return nil, errors.New("a folder has no history")
}
