package forge

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tofu-registrar/registrar/registrydata"
)

var (
	testKey = sync.OnceValue(func() []byte {
		key, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			panic(err)
		}
		return pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)})
	})
	metadataRepo = registrydata.Repository{Owner: "acme", Name: "registry"}
	quiet        = slog.New(slog.DiscardHandler)
)

// fakeHub answers as GitHub does where a test needs an answer that the sandbox
// would not give. Answers are looked up by "METHOD /path", a call that has none
// fails the test.
type fakeHub struct {
	*httptest.Server
	t     *testing.T
	mu    sync.Mutex
	on    map[string]http.HandlerFunc
	calls []string
}

func newFakeHub(t *testing.T) *fakeHub {
	t.Helper()
	h := &fakeHub{t: t, on: map[string]http.HandlerFunc{}}
	h.Server = httptest.NewServer(h)
	t.Cleanup(h.Close)
	h.json("GET /app", 200, `{"id":7,"slug":"registrar"}`)
	h.json("GET /repos/acme/registry/installation", 200, `{"id":1}`)
	h.json("GET /users/registrar[bot]", 200, `{"id":99,"login":"registrar[bot]"}`)
	h.json("POST /app/installations/1/access_tokens", 201, fmt.Sprintf(`{"token":"t0","expires_at":%q}`, time.Now().Add(time.Hour).Format(time.RFC3339)))
	return h
}

func (h *fakeHub) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	name := r.Method + " " + r.URL.Path
	h.mu.Lock()
	h.calls = append(h.calls, name)
	answer := h.on[name]
	h.mu.Unlock()
	if answer == nil {
		h.t.Errorf("unexpected call %s?%s", name, r.URL.RawQuery)
		http.Error(w, "unexpected", http.StatusTeapot)
		return
	}
	answer(w, r)
}

func (h *fakeHub) handle(name string, answer http.HandlerFunc) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.on[name] = answer
}

func (h *fakeHub) json(name string, status int, body string) {
	h.handle(name, func(w http.ResponseWriter, _ *http.Request) { writeJSON(w, status, body) })
}

// inTurn answers with one status and body after the other; the last stays.
func (h *fakeHub) inTurn(name string, answers ...any) {
	n := 0
	var mu sync.Mutex
	h.handle(name, func(w http.ResponseWriter, _ *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		writeJSON(w, answers[n].(int), answers[n+1].(string))
		n = min(n+2, len(answers)-2)
	})
}

func writeJSON(w http.ResponseWriter, status int, body string) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, body)
}

// count is how many calls have been made that begin so, since the last reset.
func (h *fakeHub) count(prefix string) int {
	h.mu.Lock()
	defer h.mu.Unlock()
	n := 0
	for _, c := range h.calls {
		if strings.HasPrefix(c, prefix) {
			n++
		}
	}
	return n
}

func (h *fakeHub) reset() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.calls = nil
}

func (h *fakeHub) config() Config {
	return Config{
		APIURL: h.URL, WebURL: h.URL, AppID: 7, PrivateKey: testKey(), Metadata: metadataRepo,
		Log: quiet, Timeout: 10 * time.Second,
	}
}

// forge is a Forge that knows who it is and talks to the fake.
func (h *fakeHub) forge() *Forge {
	h.t.Helper()
	f, err := New(context.Background(), h.config())
	if err != nil {
		h.t.Fatal(err)
	}
	if _, err := f.Identity(context.Background()); err != nil {
		h.t.Fatal(err)
	}
	h.reset()
	return f
}

// fakeRepo answers the contents and git parts of the API for commits that are
// plain lists of files.
type fakeRepo struct {
	hub     *fakeHub
	commits map[string]map[string]string // content by path, by commit
	limit   int                          // entries of one recursive listing; more are truncated
}

func (h *fakeHub) repo(commits map[string]map[string]string) *fakeRepo {
	r := &fakeRepo{hub: h, commits: commits, limit: 100_000}
	trees := map[string]map[string]string{} // files below it, by tree
	for sha, files := range commits {
		tree := treeID(files)
		trees[tree] = files
		h.json("GET /repos/acme/registry/git/commits/"+sha, 200, fmt.Sprintf(`{"sha":%q,"tree":{"sha":%q},"parents":[]}`, sha, tree))
		dirs := map[string]bool{}
		for path := range files {
			for dir := path; strings.Contains(dir, "/"); {
				dir = dir[:strings.LastIndexByte(dir, '/')]
				dirs[dir] = true
			}
		}
		for dir := range dirs {
			sub := below(files, dir)
			trees[treeID(sub)] = sub
		}
	}
	for tree, files := range trees {
		h.handle("GET /repos/acme/registry/git/trees/"+tree, func(w http.ResponseWriter, q *http.Request) {
			r.serveTree(w, tree, files, q.URL.Query().Get("recursive") != "")
		})
	}
	return r
}

func below(files map[string]string, dir string) map[string]string {
	sub := map[string]string{}
	for path, content := range files {
		if rest, ok := strings.CutPrefix(path, dir+"/"); ok {
			sub[rest] = content
		}
	}
	return sub
}

func treeID(files map[string]string) string {
	raw, _ := json.Marshal(files) // sorted by path
	return blobID(raw)
}

func (r *fakeRepo) serveTree(w http.ResponseWriter, tree string, files map[string]string, recursive bool) {
	type entry struct {
		Path string `json:"path"`
		Type string `json:"type"`
		SHA  string `json:"sha"`
		Size int    `json:"size,omitempty"`
	}
	seen, entries := map[string]bool{}, []entry{}
	for path, content := range files {
		if dir, _, nested := strings.Cut(path, "/"); nested && !recursive {
			if !seen[dir] {
				entries = append(entries, entry{Path: dir, Type: "tree", SHA: treeID(below(files, dir))})
			}
			seen[dir] = true
			continue
		}
		entries = append(entries, entry{Path: path, Type: "blob", SHA: blobID([]byte(content)), Size: len(content)})
	}
	truncated := recursive && len(entries) > r.limit
	if truncated {
		entries = entries[:r.limit]
	}
	body, _ := json.Marshal(map[string]any{"sha": tree, "tree": entries, "truncated": truncated})
	writeJSON(w, 200, string(body))
}

// sha makes a commit id of one digit.
func sha(digit string) string { return strings.Repeat(digit, 40) }
