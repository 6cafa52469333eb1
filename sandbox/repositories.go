package sandbox

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/filemode"
	"github.com/go-git/go-git/v5/plumbing/object"
)

const defaultBranch = "main"

// goodRepoName is what GitHub accepts as a repository's name.
var goodRepoName = regexp.MustCompile(`^[A-Za-z0-9._-]{1,100}$`)

// newRepository is the request of POST /user/repos and POST /orgs/{org}/repos.
type newRepository struct {
	Name          string `json:"name"`
	Description   string `json:"description"`
	Private       bool   `json:"private"`
	Visibility    string `json:"visibility"`
	AutoInit      bool   `json:"auto_init"`
	DefaultBranch string `json:"-"`
}

// findRepo finds a repository by its present name, in any case.
func (s *Server) findRepo(owner, name string) *repository {
	a := s.account(owner)
	if a == nil {
		return nil
	}
	return a.repos[strings.ToLower(name)]
}

// formerRepo finds the repository that had the name before.
func (s *Server) formerRepo(owner, name string) *repository {
	return s.repos[s.renamed[strings.ToLower(owner+"/"+name)]]
}

// createRepository makes a repository under owner, with a first commit when
// asked for.
func (s *Server) createRepository(by *actor, owner *account, in newRepository) (*repository, error) {
	if in.Name == "" {
		return nil, missingField("Repository", "name")
	}
	if !goodRepoName.MatchString(in.Name) || in.Name == "." || in.Name == ".." {
		return nil, invalidField("Repository", "name")
	}
	if owner.repos[strings.ToLower(in.Name)] != nil {
		return nil, customError("Repository", "name already exists on this account")
	}
	if in.DefaultBranch == "" {
		in.DefaultBranch = defaultBranch
	}
	r := s.addRepository(owner, in.Name, in.DefaultBranch)
	r.description, r.private = in.Description, in.Private || in.Visibility == "private"
	if in.AutoInit {
		if err := s.seedReadme(by.user, r); err != nil {
			return nil, err
		}
	}
	s.emit(by, r, "repository", "created", nil)
	return r, nil
}

func (s *Server) addRepository(owner *account, name, branch string) *repository {
	now := s.now()
	r := &repository{id: s.nextID(), owner: owner, name: name, defaultBranch: branch,
		created: now, updated: now, pushed: now}
	r.git = newGitStore(filepath.Join(s.dir, "git", strconv.FormatInt(r.id, 10)+".git"), branch)
	s.repos[r.id] = r
	owner.repos[strings.ToLower(name)] = r
	delete(s.renamed, strings.ToLower(r.fullName()))
	r.labels = s.defaultLabels()
	return r
}

// seedReadme makes the first commit without writing to disk.
func (s *Server) seedReadme(by *account, r *repository) error {
	text := "# " + r.name + "\n"
	if r.description != "" {
		text += r.description + "\n"
	}
	blob := blobObject([]byte(text))
	tree, err := encodeObject(&object.Tree{Entries: []object.TreeEntry{
		{Name: "README.md", Mode: filemode.Regular, Hash: blob.Hash()}}})
	if err != nil {
		return err
	}
	commit, err := encodeObject(&object.Commit{TreeHash: tree.Hash(), Message: "Initial commit",
		Author: by.signature(s.now()), Committer: githubSignature(s.now())})
	if err != nil {
		return err
	}
	for _, o := range []*plumbing.MemoryObject{blob, tree, commit} {
		r.git.seed(o)
	}
	return r.git.setRef("refs/heads/"+r.defaultBranch, commit.Hash())
}

// moveRepository renames or transfers; the former name redirects from now on.
func (s *Server) moveRepository(r *repository, owner *account, name string) error {
	if !goodRepoName.MatchString(name) {
		return invalidField("Repository", "name")
	}
	taken := owner.repos[strings.ToLower(name)]
	if taken != nil && taken != r {
		return customError("Repository", "name already exists on this account")
	}
	delete(r.owner.repos, strings.ToLower(r.name))
	s.renamed[strings.ToLower(r.fullName())] = r.id
	r.owner, r.name = owner, name
	owner.repos[strings.ToLower(name)] = r
	delete(s.renamed, strings.ToLower(r.fullName()))
	r.updated = s.now()
	return nil
}

func (s *Server) renameRepository(by *actor, r *repository, name string) error {
	old := r.name
	if name == old {
		return nil
	}
	if err := s.moveRepository(r, r.owner, name); err != nil {
		return err
	}
	s.emit(by, r, "repository", "renamed", func() obj {
		return obj{"changes": obj{"repository": obj{"name": obj{"from": old}}}}
	})
	return nil
}

func (s *Server) transferRepository(by *actor, r *repository, to *account, name string) error {
	old := r.owner
	if name == "" {
		name = r.name
	}
	light, left := s.lightRepos([]*repository{r}), s.coveredBy(r)
	if err := s.moveRepository(r, to, name); err != nil {
		return err
	}
	if old == to {
		return nil
	}
	for _, inst := range left {
		delete(inst.repos, r.id)
		s.emitInstallation(inst, by, "installation_repositories", "removed", func() obj {
			return obj{"repositories_added": []any{}, "repositories_removed": light,
				"repository_selection": selection(inst), "requester": nil}
		})
	}
	s.emit(by, r, "repository", "transferred", func() obj {
		kind := "user"
		if old.kind == kindOrg {
			kind = "organization"
		}
		return obj{"changes": obj{"owner": obj{"from": obj{kind: s.userJSON(old)}}}}
	})
	return nil
}

// coveredBy lists the installations that cover a repository.
func (s *Server) coveredBy(r *repository) []*installation {
	var out []*installation
	for _, inst := range s.installedOn[r.owner.id] {
		if inst.covers(r) {
			out = append(out, inst)
		}
	}
	return out
}

// deleteRepository forgets a repository and its folder.
func (s *Server) deleteRepository(by *actor, r *repository) error {
	s.emit(by, r, "repository", "deleted", nil)
	r.deleted = true
	delete(r.owner.repos, strings.ToLower(r.name))
	delete(s.repos, r.id)
	for _, rel := range r.releases {
		for _, a := range rel.assets {
			s.dropAsset(a)
		}
	}
	for _, i := range s.installedOn[r.owner.id] {
		delete(i.repos, r.id)
	}
	if err := os.RemoveAll(r.git.dir); err != nil {
		return fmt.Errorf("delete repository: %w", err)
	}
	return nil
}

// forkRepository copies a repository to another account, files by hard link.
func (s *Server) forkRepository(by *actor, r *repository, to *account, name string) (*repository, error) {
	if name == "" {
		name = r.name
	}
	for _, f := range r.forks {
		if f.owner == to && !f.deleted {
			return f, nil
		}
	}
	if r.owner == to {
		return nil, fail(http.StatusForbidden, "You cannot fork your own repository")
	}
	if to.repos[strings.ToLower(name)] != nil {
		return nil, customError("Repository", "name already exists on this account")
	}
	f := s.addRepository(to, name, r.defaultBranch)
	f.parent, f.description, f.private = r, r.description, r.private
	r.forks = append(r.forks, f)
	if err := copyGit(r.git, f.git); err != nil {
		return nil, err
	}
	s.emit(by, r, "fork", "", func() obj { return obj{"forkee": s.repoJSON(f, by)} })
	return f, nil
}

// copyGit makes to a repository with the objects, branches and tags of from.
func copyGit(from, to *gitStore) error {
	source, err := from.folder()
	if err != nil {
		return err
	}
	refs := from.snapshot()
	target, err := to.folder()
	if err != nil {
		return err
	}
	err = filepath.WalkDir(filepath.Join(source, "objects"), func(path string, d os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(source, path)
		if err != nil {
			return err
		}
		if d.IsDir() {
			return os.MkdirAll(filepath.Join(target, rel), 0o750)
		}
		return os.Link(path, filepath.Join(target, rel))
	})
	if err != nil {
		return fmt.Errorf("copy repository: %w", err)
	}
	if err := to.reload(); err != nil {
		return err
	}
	for name, h := range refs {
		if strings.HasPrefix(name, "refs/heads/") || strings.HasPrefix(name, "refs/tags/") {
			if err := to.setRef(name, h); err != nil {
				return err
			}
		}
	}
	return nil
}

// GitDir is the folder of a repository's bare git repository, "" when there is
// no such repository. Reading it with any git tool gives what REST gives.
func (s *Server) GitDir(owner, name string) (string, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	r := s.findRepo(owner, name)
	if r == nil {
		return "", fmt.Errorf("sandbox: no repository %s/%s", owner, name)
	}
	return r.git.folder()
}

func (s *Server) touch(r *repository) { r.updated = s.now() }
