package registrydata

import (
	"context"
	"crypto/sha1" // #nosec G505 -- git's object ids are SHA-1
	"encoding/hex"
	"fmt"
	"path"
	"slices"
	"strings"
)

// Tree reads the files of the metadata repository in one state: at a commit, or
// in a folder. It is safe for concurrent use.
type Tree interface {
	// File is a file's content; ok is false where there is none. A file that is
	// there and that nothing can be made of (a link, one that is too large) is a
	// *FileFault. Any other error is trouble on the way to the file.
	File(ctx context.Context, path string) (content []byte, ok bool, err error)
	// Dir lists a folder, sorted by name; nothing where it does not exist. A link
	// in its place is a *FileFault.
	Dir(ctx context.Context, path string) ([]TreeEntry, error)
}

// TreeEntry is a file or folder in a folder.
type TreeEntry struct {
	Name string
	Dir  bool
}

// Folders are what stands in each folder, by its path, of files that are known one
// by one.
type Folders map[string][]TreeEntry

// Add enters a file into the folder that it is in, and that into its own. An empty
// folder is nothing that git knows.
func (f Folders) Add(name string) {
	for dir, isDir := path.Dir(name), false; dir != "."; name, dir, isDir = dir, path.Dir(dir), true {
		entry := TreeEntry{Name: path.Base(name), Dir: isDir}
		if slices.Contains(f[dir], entry) {
			return
		}
		f[dir] = append(f[dir], entry)
	}
}

// Sort orders each folder by name.
func (f Folders) Sort() {
	for _, entries := range f {
		slices.SortFunc(entries, func(a, b TreeEntry) int { return strings.Compare(a.Name, b.Name) })
	}
}

// FileFault is a file of the metadata repository that nothing can be made of.
type FileFault struct {
	Path string
	Err  error // a *ParseError where it has a place in the file
}

// Error returns "providers/a/acme/demo.json: line 1: want an object".
func (f *FileFault) Error() string { return f.Path + ": " + f.Err.Error() }

// Unwrap returns what is wrong.
func (f *FileFault) Unwrap() error { return f.Err }

// BlobID is git's id of a file's content: what a commit would call it.
func BlobID(content []byte) string {
	sum := sha1.New() // #nosec G401 -- see the import
	fmt.Fprintf(sum, "blob %d\x00", len(content))
	sum.Write(content)
	return hex.EncodeToString(sum.Sum(nil))
}

// ReadAliases reads the aliases of a tree: its own (AliasesPath), or
// DefaultAliases where it has none. A file that makes no sense is a *FileFault:
// to go on with other aliases would take away what is served under the old
// names.
func ReadAliases(ctx context.Context, t Tree) (Aliases, error) {
	content, ok, err := t.File(ctx, AliasesPath)
	switch {
	case err != nil:
		return Aliases{}, err
	case !ok:
		return DefaultAliases(), nil
	}
	al, err := ParseAliases(content)
	if err != nil {
		return Aliases{}, &FileFault{Path: AliasesPath, Err: err}
	}
	return al, nil
}
