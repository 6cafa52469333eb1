package sandbox

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"sort"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"
)

// maxPack bounds a pushed pack.
const maxPack = 2 << 30

func (s *Server) registerGit() {
	s.web.HandleFunc("GET /{owner}/{repo}/info/refs", s.git(s.infoRefs))
	s.web.HandleFunc("POST /{owner}/{repo}/git-upload-pack", s.git(s.uploadPack))
	s.web.HandleFunc("POST /{owner}/{repo}/git-receive-pack", s.git(s.receivePack))
}

// gitCall is one request of git's smart HTTP protocol.
type gitCall struct {
	*http.Request
	w     http.ResponseWriter
	repo  *repository
	actor *actor
	dir   string
}

// git finds the repository and judges the caller, then serves.
func (s *Server) git(h func(*gitCall) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		rec := &statusWriter{ResponseWriter: w, status: http.StatusOK}
		g := &gitCall{Request: r, w: rec, actor: &actor{}}
		at := s.now()
		defer func() {
			s.observation.add(Call{Kind: "git", Method: r.Method, Path: r.URL.RequestURI(), Status: rec.status, At: at, Actor: g.actor.name()})
		}()
		s.delay(r.Context())
		if !s.openGit(g) {
			return
		}
		if err := h(g); err != nil {
			s.log.Warn("sandbox: git", "path", r.URL.Path, "err", err)
		}
	}
}

// openGit answers itself and returns false when the caller may not.
func (s *Server) openGit(g *gitCall) bool {
	actor, err := s.authenticate(g.Request)
	if err != nil {
		g.w.Header().Set("WWW-Authenticate", `Basic realm="GitHub"`)
		http.Error(g.w, "remote: Invalid username or token.", http.StatusUnauthorized)
		return false
	}
	g.actor = actor
	write := strings.HasSuffix(g.URL.Path, "/git-receive-pack") || g.URL.Query().Get("service") == "git-receive-pack"
	s.mu.RLock()
	defer s.mu.RUnlock()
	r := s.findRepo(g.PathValue("owner"), strings.TrimSuffix(g.PathValue("repo"), ".git"))
	if r == nil && s.formerRepo(g.PathValue("owner"), strings.TrimSuffix(g.PathValue("repo"), ".git")) != nil {
		s.redirectFormer(g.w, g.Request, actor)
		return false
	}
	if status, text := s.judgeGit(actor, r, write); status != 0 {
		if status == http.StatusUnauthorized {
			g.w.Header().Set("WWW-Authenticate", `Basic realm="GitHub"`)
		}
		http.Error(g.w, text, status)
		return false
	}
	g.repo = r
	if g.dir, err = r.git.folder(); err != nil {
		http.Error(g.w, err.Error(), http.StatusInternalServerError)
		return false
	}
	return true
}

// judgeGit asks strangers to sign in before it tells them that something is
// not there, as GitHub does.
func (s *Server) judgeGit(by *actor, r *repository, write bool) (status int, text string) {
	visible := r != nil && s.canSee(by, r)
	switch {
	case !visible && by.anonymous():
		return http.StatusUnauthorized, "Repository not found."
	case !visible:
		return http.StatusNotFound, "Repository not found."
	case !write:
		return 0, ""
	case by.anonymous():
		return http.StatusUnauthorized, "Authentication required."
	case !s.may(by, r, "contents", roleWrite):
		return http.StatusForbidden, "Permission to " + r.fullName() + ".git denied to " + by.name() + "."
	case r.archived:
		return http.StatusForbidden, "This repository was archived so it is read-only."
	}
	return 0, ""
}

// gitCommand prepares a git process for one request.
func gitCommand(ctx context.Context, g *gitCall, args ...string) *exec.Cmd {
	cmd := gitBinary(ctx, g.dir, args...)
	cmd.Env = append(cmd.Env, "GIT_PROTOCOL="+protocolHeader(g.Request))
	return cmd
}

// protocolHeader passes on only what a client of git sends.
func protocolHeader(r *http.Request) string {
	if v := r.Header.Get("Git-Protocol"); strings.HasPrefix(v, "version=") && len(v) < 100 {
		return v
	}
	return "version=0"
}

func (s *Server) infoRefs(g *gitCall) error {
	service := g.URL.Query().Get("service")
	if service != "git-upload-pack" && service != "git-receive-pack" {
		http.Error(g.w, "Please upgrade your git client.", http.StatusForbidden)
		return nil
	}
	cmd := gitCommand(g.Context(), g, strings.TrimPrefix(service, "git-"), "--stateless-rpc", "--advertise-refs", g.dir)
	out, err := cmd.Output()
	if err != nil {
		http.Error(g.w, "git failed", http.StatusInternalServerError)
		return fmt.Errorf("advertise refs: %w", err)
	}
	gitHeaders(g.w, service+"-advertisement")
	first := "# service=" + service + "\n"
	_, err = fmt.Fprintf(g.w, "%04x%s0000%s", len(first)+4, first, out)
	return err
}

func gitHeaders(w http.ResponseWriter, kind string) {
	w.Header().Set("Content-Type", "application/x-"+kind)
	w.Header().Set("Cache-Control", "no-cache, max-age=0, must-revalidate")
}

// gitBody unpacks what git compresses on the way.
func gitBody(r *http.Request) (io.Reader, error) {
	if r.Header.Get("Content-Encoding") != "gzip" {
		return io.LimitReader(r.Body, maxPack), nil
	}
	z, err := gzip.NewReader(r.Body)
	if err != nil {
		return nil, fmt.Errorf("read git request: %w", err)
	}
	return io.LimitReader(z, maxPack), nil
}

func (s *Server) uploadPack(g *gitCall) error {
	body, err := gitBody(g.Request)
	if err != nil {
		http.Error(g.w, "bad request", http.StatusBadRequest)
		return err
	}
	gitHeaders(g.w, "git-upload-pack-result")
	var complaint bytes.Buffer
	cmd := gitCommand(g.Context(), g, "upload-pack", "--stateless-rpc", g.dir)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = body, flushing{g.w}, &complaint
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("upload-pack: %w: %s", err, complaint.String())
	}
	return nil
}

// flushing sends each piece at once, so that progress is seen.
type flushing struct{ w http.ResponseWriter }

func (f flushing) Write(p []byte) (int, error) {
	n, err := f.w.Write(p)
	if flushErr := http.NewResponseController(f.w).Flush(); flushErr != nil && !errors.Is(flushErr, http.ErrNotSupported) {
		err = errors.Join(err, flushErr)
	}
	return n, err
}

// receivePack takes a push. The refs are held still from before git reads them
// until the events of what it moved are on their way.
func (s *Server) receivePack(g *gitCall) error {
	body, err := spool(g.Request)
	if err != nil {
		http.Error(g.w, "bad request", http.StatusBadRequest)
		return err
	}
	defer func() { _ = body.Close(); _ = os.Remove(body.Name()) }()
	g.repo.refsMu.Lock()
	defer g.repo.refsMu.Unlock()
	before := g.repo.git.snapshot()
	var out, complaint bytes.Buffer
	cmd := gitCommand(g.Context(), g, "receive-pack", "--stateless-rpc", g.dir)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = body, &out, &complaint
	runErr := cmd.Run()
	if err := s.afterPush(g, before); err != nil {
		http.Error(g.w, "push could not be recorded", http.StatusInternalServerError)
		return err
	}
	gitHeaders(g.w, "git-receive-pack-result")
	_, err = g.w.Write(out.Bytes())
	if runErr != nil {
		return fmt.Errorf("receive-pack: %w: %s", runErr, complaint.String())
	}
	return err
}

// spool reads the whole push before anything is locked.
func spool(r *http.Request) (*os.File, error) {
	body, err := gitBody(r)
	if err != nil {
		return nil, err
	}
	f, err := os.CreateTemp("", "sandbox-push-")
	if err != nil {
		return nil, fmt.Errorf("read push: %w", err)
	}
	_, err = io.Copy(f, body)
	if err == nil {
		_, err = f.Seek(0, io.SeekStart)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("read push: %w", err), f.Close(), os.Remove(f.Name()))
	}
	return f, nil
}

// afterPush finds what moved and tells.
func (s *Server) afterPush(g *gitCall, before map[string]plumbing.Hash) error {
	if err := g.repo.git.reload(); err != nil {
		return err
	}
	after := g.repo.git.snapshot()
	moved := map[string]bool{}
	for name := range before {
		moved[name] = after[name] != before[name]
	}
	for name := range after {
		moved[name] = after[name] != before[name]
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	names := sortedKeys(moved)
	// The default branch goes first: other new branches are told apart from it.
	main := "refs/heads/" + g.repo.defaultBranch
	sort.SliceStable(names, func(i, j int) bool { return names[i] == main && names[j] != main })
	if err := s.adoptFirstBranch(g.repo, after); err != nil {
		return err
	}
	for _, name := range names {
		if !moved[name] {
			continue
		}
		if err := s.refMoved(g.actor, g.repo, name, before[name], after[name]); err != nil {
			return err
		}
	}
	return nil
}

// adoptFirstBranch makes the first branch ever pushed the default one when the
// default branch is not there.
func (s *Server) adoptFirstBranch(r *repository, refs map[string]plumbing.Hash) error {
	if _, found := refs["refs/heads/"+r.defaultBranch]; found {
		return nil
	}
	for _, name := range sortedKeys(refs) {
		if branch, isBranch := strings.CutPrefix(name, "refs/heads/"); isBranch {
			r.defaultBranch = branch
			return r.git.setHead(branch)
		}
	}
	return nil
}
