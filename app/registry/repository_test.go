package registry

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/tofu-registrar/registrar/forge"
	"github.com/tofu-registrar/registrar/registrydata"
)

// history is a metadata repository whose every commit is kept.
type history struct {
	commits  []given // the last is the head; a commit's id is its number
	archives int
	files    int // read one by one
	mu       sync.Mutex
	fail     error // of the next file or archive
}

func (h *history) Head(context.Context) (forge.Commit, error) {
	return forge.Commit{SHA: fmt.Sprint(len(h.commits))}, nil
}

func (h *history) at(commit string) given {
	var n int
	_, _ = fmt.Sscan(commit, &n)
	return h.commits[n-1]
}

func (h *history) File(_ context.Context, commit, path string) ([]byte, bool, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.files++
	content, ok := h.at(commit)[path]
	return content, ok, h.fail
}

func (h *history) Changes(_ context.Context, from, to string) (changes []registrydata.Change, err error) {
	before, after := h.at(from), h.at(to)
	for path, content := range after {
		old, there := before[path]
		if !there || !bytes.Equal(old, content) {
			changes = append(changes, registrydata.Change{Path: path, Kind: registrydata.Modified})
		}
	}
	for path := range before {
		if _, there := after[path]; !there {
			changes = append(changes, registrydata.Change{Path: path, Kind: registrydata.Deleted})
		}
	}
	return changes, nil
}

func (h *history) Archive(_ context.Context, commit string, each func(forge.ArchiveFile) error) error {
	h.archives++
	for path, content := range h.at(commit) {
		f := forge.ArchiveFile{Path: path, Size: int64(len(content)), Content: bytes.NewReader(content)}
		if string(content) == "link" {
			f = forge.ArchiveFile{Path: path, Link: true, Content: bytes.NewReader(nil)}
		}
		if err := each(f); err != nil {
			return err
		}
	}
	return h.fail
}

func (g given) with(path, content string) given {
	next := given{}
	for name, c := range g {
		next[name] = c
	}
	if next[path] = []byte(content); content == "" {
		delete(next, path)
	}
	return next
}

func TestRepository(t *testing.T) {
	h := &history{commits: []given{demo.with("README.md", "x").with("providers/l/link/x.json", "link")}}
	r := readFrom(t, NewRepository(h))
	if !r.serves(demoList) || !r.serves(moduleList) || r.Version() != "1" || h.archives != 1 || h.files != 0 {
		t.Fatalf("version %q, %d archives, %d files", r.Version(), h.archives, h.files)
	}
	if faults := r.Faults(); len(faults) != 1 || faults["providers/l/link/x.json"] == nil {
		t.Errorf("faults: %v", faults)
	}
	must(t, r.Reload(t.Context()))
	if h.archives != 1 || h.files != 0 {
		t.Error("read again, though nothing has changed")
	}

	next := h.commits[0].with("providers/b/beta/x.json", demoProvider).with("modules/a/acme/net/aws.json", "").
		with("README.md", "y").with("providers/l/link/x.json", "").with("keys/a/acme/k.asc", string(testKey(t)))
	h.commits = append(h.commits, next)
	must(t, r.Reload(t.Context()))
	if !r.serves("v1/providers/beta/x/versions") || r.serves(moduleList) || len(r.Faults()) != 0 || r.Version() != "2" {
		t.Errorf("after a push: version %s, faults %v", r.Version(), r.Faults())
	}
	if body := r.bodyOf("v1/providers/acme/demo/1.1.0/download/linux/amd64"); !strings.Contains(string(body), "BEGIN PGP") {
		t.Errorf("without its new key: %s", body)
	}
	if h.archives != 1 || h.files != 2 {
		t.Errorf("%d archives, %d files read for two that have changed", h.archives, h.files)
	}
}

// What cannot be read half way is not served, and read again the next time.
func TestRepositoryFails(t *testing.T) {
	h := &history{commits: []given{demo}, fail: errors.New("GitHub is down")}
	r, err := New(Options{Source: NewRepository(h)})
	must(t, err)
	if err := r.Reload(t.Context()); !errors.Is(err, h.fail) || r.Loaded() {
		t.Errorf("half an archive is served: %v", err)
	}
	h.fail = nil
	must(t, r.Reload(t.Context()))

	h.commits = append(h.commits, demo.with("providers/b/beta/x.json", demoProvider).with("modules/a/acme/net/aws.json", ""))
	h.fail = errors.New("GitHub is down")
	if err := r.Reload(t.Context()); !errors.Is(err, h.fail) || r.Version() != "1" || !r.serves(moduleList) || r.serves("v1/providers/beta/x/versions") {
		t.Errorf("half a push is served: %v, version %s", err, r.Version())
	}
	h.fail = nil
	must(t, r.Reload(t.Context()))
	if r.Version() != "2" || r.serves(moduleList) || !r.serves("v1/providers/beta/x/versions") {
		t.Errorf("the push is not served: version %s", r.Version())
	}
}

// A push that changes more than can be asked for one by one is read whole.
func TestRepositoryLargePush(t *testing.T) {
	h := &history{commits: []given{demo}}
	r := readFrom(t, NewRepository(h))
	next := given{"modules/a/acme/net/aws.json": []byte(demoModule)}
	for i := range mostChanges {
		next[fmt.Sprintf("modules/m/many/m%d/aws.json", i)] = []byte(demoModule)
	}
	h.commits = append(h.commits, next)
	must(t, r.Reload(t.Context()))
	if h.archives != 2 || h.files != 0 || r.serves(demoList) || !r.serves("v1/modules/many/m7/aws/versions") {
		t.Errorf("%d archives, %d files", h.archives, h.files)
	}
}
