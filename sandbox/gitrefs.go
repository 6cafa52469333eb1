package sandbox

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"
)

// writeRefFile writes a ref (or HEAD) as git does: into name.lock, then
// renamed, so that a git process never reads half of one. go-git writes in
// place. Call with the lock held.
func (g *gitStore) writeRefFile(name, text string) error {
	path := filepath.Join(g.dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
		return fmt.Errorf("write ref %s: %w", name, err)
	}
	removeEmptyFolders(path)
	lock := path + ".lock"
	f, err := os.OpenFile(lock, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("write ref %s: %w", name, err)
	}
	_, err = f.WriteString(text + "\n")
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(lock, path)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("write ref %s: %w", name, err), os.Remove(lock))
	}
	return nil
}

// removeEmptyFolders clears what deleted refs left where a ref shall be: after
// refs/heads/a/b is gone, refs/heads/a is a folder.
func removeEmptyFolders(path string) {
	entries, err := os.ReadDir(path)
	if err != nil {
		return
	}
	for _, e := range entries {
		if e.IsDir() {
			removeEmptyFolders(filepath.Join(path, e.Name()))
		}
	}
	_ = os.Remove(path) // fails for a folder that is in use, as it should
}

// setRef writes a ref, whatever it was before.
func (g *gitStore) setRef(name string, h plumbing.Hash) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.onDisk && g.seeds[h] != nil {
		g.refs[name] = h
		return nil
	}
	if err := g.materialize(); err != nil {
		return err
	}
	if err := g.writeRefFile(name, h.String()); err != nil {
		return err
	}
	g.refs[name] = h
	return nil
}

func (g *gitStore) removeRef(name string) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.onDisk {
		if err := g.storage.RemoveReference(plumbing.ReferenceName(name)); err != nil {
			return fmt.Errorf("remove ref %s: %w", name, err)
		}
	}
	delete(g.refs, name)
	return nil
}

// setHead names the default branch.
func (g *gitStore) setHead(branch string) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.head = branch
	if !g.onDisk {
		return nil
	}
	return g.writeRefFile("HEAD", "ref: refs/heads/"+branch)
}

// inTheWay finds a ref that a new one can't stand beside: refs/heads/a is a
// file, or a folder for refs/heads/a/b, never both.
func (g *gitStore) inTheWay(name string) (string, bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for other := range g.refs {
		if strings.HasPrefix(other, name+"/") || strings.HasPrefix(name, other+"/") {
			return other, true
		}
	}
	return "", false
}
