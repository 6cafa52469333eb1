package sandbox

import (
	"fmt"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/format/diff"
	"github.com/go-git/go-git/v5/plumbing/object"
)

// maxDiffFiles is how many files of a comparison GitHub lists.
const maxDiffFiles = 300

// maxPullFiles is how many files of a pull request GitHub lists.
const maxPullFiles = 3000

// fileDiff is one file of a comparison.
type fileDiff struct {
	path      string
	previous  string // of a renamed file
	status    string // added, removed, modified, renamed
	sha       plumbing.Hash
	additions int
	deletions int
	patch     string // hunks of a text file, without the header
}

// renames finds renamed files among at most this many.
var renames = &object.DiffTreeOptions{DetectRenames: true, RenameScore: 50, RenameLimit: 100}

// diff compares two trees file by file, the first limit of them.
func (g *gitStore) diff(from, to plumbing.Hash, limit int) ([]fileDiff, error) {
	changes, err := g.changedFiles(from, to)
	if err != nil {
		return nil, err
	}
	if len(changes) > limit {
		changes = changes[:limit]
	}
	out := make([]fileDiff, 0, len(changes))
	for _, change := range changes {
		f, err := diffFile(change)
		if err != nil {
			return nil, err
		}
		out = append(out, f)
	}
	return out, nil
}

func diffFile(change *object.Change) (fileDiff, error) {
	f := describeChange(change)
	patch, err := change.Patch()
	if err != nil {
		return f, fmt.Errorf("compare %s: %w", f.path, err)
	}
	for _, file := range patch.FilePatches() {
		for _, chunk := range file.Chunks() {
			lines := strings.Count(chunk.Content(), "\n")
			if !strings.HasSuffix(chunk.Content(), "\n") {
				lines++
			}
			switch chunk.Type() {
			case diff.Add:
				f.additions += lines
			case diff.Delete:
				f.deletions += lines
			}
		}
	}
	text := patch.String()
	if hunk := strings.Index(text, "\n@@"); hunk >= 0 {
		f.patch = strings.TrimSuffix(text[hunk+1:], "\n")
	}
	return f, nil
}

func describeChange(change *object.Change) fileDiff {
	from, to := change.From.Name, change.To.Name
	switch {
	case from == "":
		return fileDiff{path: to, status: "added", sha: change.To.TreeEntry.Hash}
	case to == "":
		return fileDiff{path: from, status: "removed", sha: change.From.TreeEntry.Hash}
	case from != to:
		return fileDiff{path: to, previous: from, status: "renamed", sha: change.To.TreeEntry.Hash}
	}
	return fileDiff{path: to, status: "modified", sha: change.To.TreeEntry.Hash}
}

// pathLists sorts what a commit changed into the lists of a push payload.
func (g *gitStore) pathLists(c *object.Commit) (added, removed, modified []string, err error) {
	var parent plumbing.Hash
	if len(c.ParentHashes) > 0 {
		p, err := g.commit(c.ParentHashes[0])
		if err != nil {
			return nil, nil, nil, err
		}
		parent = p.TreeHash
	}
	changes, err := g.changedPaths(parent, c.TreeHash)
	added, removed, modified = []string{}, []string{}, []string{}
	for _, change := range changes {
		switch d := describeChange(change); d.status {
		case "added":
			added = append(added, d.path)
		case "removed":
			removed = append(removed, d.path)
		default:
			modified = append(modified, d.path)
		}
	}
	return added, removed, modified, err
}
