package sandbox

import (
	"bytes"
	"fmt"
	"net/http"
	"os/exec"
	"strings"
)

// registerArchives adds the source archives: REST redirects to the web root,
// as GitHub redirects to codeload.
func (s *Server) registerArchives() {
	for rest, ending := range map[string]string{"tarball": ".tar.gz", "zipball": ".zip"} {
		h := func(c *call) (*response, error) {
			ref := c.PathValue("ref")
			if ref == "" {
				ref = c.repo.defaultBranch
			}
			if _, found := c.repo.git.findCommit(strings.TrimPrefix(ref, "refs/")); !found {
				return nil, notFound()
			}
			return redirect(http.StatusFound, s.repoWeb(c.repo)+"/archive/"+escapeTag(ref)+ending)
		}
		s.route("GET "+repoPath+"/"+rest, reads("contents"), h)
		s.route("GET "+repoPath+"/"+rest+"/{ref...}", reads("contents"), h)
	}
	s.web.HandleFunc("GET /{owner}/{repo}/archive/{file...}", s.git(s.serveArchive))
}

// serveArchive makes the archive with git, in a folder "name-ref" as GitHub
// does.
func (s *Server) serveArchive(g *gitCall) error {
	file := g.PathValue("file")
	ref, format := strings.CutSuffix(file, ".tar.gz")
	kind := "tar.gz"
	if !format {
		ref, format = strings.CutSuffix(file, ".zip")
		kind = "zip"
	}
	commit, found := g.repo.git.findCommit(strings.TrimPrefix(ref, "refs/"))
	if !format || !found {
		http.Error(g.w, "Not Found", http.StatusNotFound)
		return nil
	}
	short := strings.TrimPrefix(strings.TrimPrefix(ref, "refs/tags/"), "refs/heads/")
	prefix := g.repo.name + "-" + strings.ReplaceAll(strings.TrimPrefix(short, "v"), "/", "-")
	g.w.Header().Set("Content-Type", map[string]string{"zip": "application/zip", "tar.gz": "application/x-gzip"}[kind])
	g.w.Header().Set("Content-Disposition", "attachment; filename="+prefix+"."+kind)
	var complaint bytes.Buffer
	cmd := s.archiveCommand(g, kind, prefix, commit.Hash.String())
	cmd.Stdout, cmd.Stderr = g.w, &complaint
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("git archive: %w: %s", err, complaint.String())
	}
	return nil
}

func (s *Server) archiveCommand(g *gitCall, kind, prefix, hash string) *exec.Cmd {
	return gitCommand(g.Context(), g, "--git-dir="+g.dir, "archive", "--format="+kind, "--prefix="+prefix+"/", hash)
}
