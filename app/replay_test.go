package main

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash/fnv"
	"io"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/tofu-registrar/registrar/handlers"
	"github.com/tofu-registrar/registrar/internal/actors"
	"github.com/tofu-registrar/registrar/internal/testdata"
	"github.com/tofu-registrar/registrar/registrydata"
	"github.com/tofu-registrar/registrar/sandbox"
)

// replayVariable is how many real providers TestReplay rebuilds.
const replayVariable = "REGISTRAR_TEST_REPLAY"

const (
	// replayShort is that number in an ordinary run, of providers with at most
	// replayTargets archives.
	replayShort   = 16
	replayTargets = 60
	replayLimit   = 30 * time.Minute
)

// TestReplay makes the whole history of real providers into releases of the
// sandbox and has the bot rebuild their data files from nothing: two thirds of
// the versions are there when the provider is submitted, the others are released
// afterwards, back-ports among them. The files must be those of the public
// registry, byte by byte, but for what no release tells or only 2026 records:
//
//   - shasum: the content of the real archives is not known. The sandbox's are
//     made up, and theirs is expected.
//   - h1, size, discovered, repository_id: not recorded in 2025.
//   - warnings: written by the maintainers.
//   - the case of the repository in addresses: lower since 2024, before that as
//     GitHub has it (spec §1.1).
//
// REGISTRAR_TEST_REPLAY=200 takes so many of them, of any size.
func TestReplay(t *testing.T) {
	t.Parallel()
	number, most := replayShort, replayTargets
	if text := os.Getenv(replayVariable); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil {
			t.Fatalf("%s: %v", replayVariable, err)
		}
		number, most = n, 1<<30
	}
	histories := replayHistories(t, number, most)
	ctx, cancel := context.WithTimeout(t.Context(), replayLimit)
	defer cancel()
	w, err := newWorld(ctx, worldOptions{merge: "automatic", releases: "automatic", log: storyLog()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.Close() })
	// A history of years in a minute: GitHub's quota is for an hour.
	if err := w.github.Knobs().Change(func(k *sandbox.Settings) { k.RateLimit = 10_000_000 }); err != nil {
		t.Fatal(err)
	}
	key, err := actors.NewSigningKey("Author", "author@example.org", 0)
	if err != nil {
		t.Fatal(err)
	}
	versions, targets := 0, 0
	err = someAtOnce(histories, func(h *history) error { return h.begin(ctx, w, key) })
	if err == nil {
		err = w.Idle(ctx)
	}
	if err == nil {
		err = someAtOnce(histories, func(h *history) error { return h.goOn(ctx, w, key) })
	}
	if err == nil {
		err = w.Idle(ctx)
	}
	if err != nil {
		t.Fatal(err)
	}
	dir, err := w.github.GitDir(w.metadata.Owner, w.metadata.Name)
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range histories {
		// Over the API a file of more than a megabyte has no content.
		rebuilt, err := exec.CommandContext(ctx, "git", "-C", dir, "show", "main:"+h.entity.Path()).Output() // #nosec G204 -- a test
		if err != nil {
			if reasons := asToday(h.recorded); len(h.recorded.Versions) > 0 {
				t.Errorf("%s was not rebuilt: %v", h.entity, err)
			} else {
				t.Logf("%s is not taken in, as it should: nothing but %s", h.entity, strings.Join(reasons, ", "))
			}
			continue
		}
		known, err := h.compare(rebuilt, w.github.URL())
		if err != nil {
			t.Errorf("%s: %v", h.entity, err)
		}
		if known != "" {
			t.Logf("%s differs as it should: %s", h.entity, known)
		}
		versions += len(h.recorded.Versions)
		targets += h.targets()
	}
	t.Logf("%d providers, %d versions, %d archives", len(histories), versions, targets)
}

func someAtOnce(all []*history, f func(*history) error) error {
	var g errgroup.Group
	g.SetLimit(8)
	for _, h := range all {
		g.Go(func() error {
			if err := f(h); err != nil {
				return fmt.Errorf("%s: %w", h.entity, err)
			}
			return nil
		})
	}
	return g.Wait()
}

// history is a real provider, and its author on the sandbox.
type history struct {
	entity   registrydata.ProviderAddress
	recorded *registrydata.Provider // as the public registry has it, with our archives' checksums
	author   *actors.Person
	repo     actors.Repo
}

// replayHistories chooses providers by chance that is always the same.
func replayHistories(t *testing.T, number, most int) []*history {
	type chosen struct {
		order uint64
		*history
	}
	var all []chosen
	for path, content := range testdata.Files(t, testdata.Corpus) {
		e, ok := registrydata.EntityFromPath(path)
		if !ok || e.Kind != registrydata.KindProvider || e.Namespace == "hashicorp" { // the mirror of opentofu
			continue
		}
		file, err := registrydata.ParseProvider(content)
		if err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		h := &history{entity: e.Provider(), recorded: file}
		if h.targets() > most {
			continue
		}
		sum := fnv.New64a()
		_, _ = sum.Write([]byte(path))
		all = append(all, chosen{sum.Sum64(), h})
	}
	slices.SortFunc(all, func(a, b chosen) int {
		if a.order < b.order {
			return -1
		}
		return 1
	})
	var out []*history
	for _, c := range all[:min(number, len(all))] {
		c.repo = repositoryIn(c.recorded.Versions[0].ShasumsURL)
		out = append(out, c.history)
	}
	return out
}

// repositoryIn is the repository of an address of github.com, in its own case.
func repositoryIn(address string) actors.Repo {
	parts := strings.Split(address, "/")
	return actors.Repo{Owner: parts[3], Name: parts[4]}
}

func (h *history) targets() (n int) {
	for _, v := range h.recorded.Versions {
		n += len(v.Targets)
	}
	return n
}

// later tells which versions are released after the submission.
func later(i int) bool { return i%3 == 1 }

// begin signs the author up, publishes what there is at first, and submits it.
func (h *history) begin(ctx context.Context, w *world, key *actors.SigningKey) (err error) {
	if h.author, err = w.signUp(h.repo.Owner); err != nil {
		return err
	}
	if err := h.author.CreateRepository(ctx, h.repo); err != nil {
		return err
	}
	if err := h.publish(ctx, w, key, func(i int) bool { return !later(i) }); err != nil {
		return err
	}
	_, err = h.author.OpenIssue(ctx, w.metadata, "Provider: "+h.entity.String(),
		"### Provider Repository\n\n"+h.repo.String()+"\n", "provider", "submission")
	return err
}

// goOn publishes the others, and has the bot look.
func (h *history) goOn(ctx context.Context, w *world, key *actors.SigningKey) error {
	if err := h.publish(ctx, w, key, later); err != nil {
		return err
	}
	return w.bot.Queue.Enqueue(ctx, handlers.RepositoryKey(registrydata.Repository{Owner: h.repo.Owner, Name: h.repo.Name}))
}

func (h *history) publish(ctx context.Context, w *world, key *actors.SigningKey, wanted func(i int) bool) error {
	for i := range h.recorded.Versions {
		if !wanted(i) {
			continue
		}
		v := &h.recorded.Versions[i]
		if err := h.release(ctx, w, key, v); err != nil {
			return fmt.Errorf("release %s: %w", v.Version, err)
		}
	}
	return nil
}

// release publishes one version, as its record says that it was, and puts the
// checksums of the made up archives into the record.
func (h *history) release(ctx context.Context, w *world, key *actors.SigningKey, v *registrydata.ProviderVersion) error {
	parts := strings.Split(v.ShasumsURL, "/")
	tag, sumsFile := parts[len(parts)-2], parts[len(parts)-1]
	if err := h.author.PublishRelease(ctx, h.repo, tag, nil); err != nil {
		return err
	}
	files := map[string][]byte{}
	var lines []string
	for i := range v.Targets {
		t := &v.Targets[i]
		body, err := smallZip(t.Filename)
		if err != nil {
			return err
		}
		files[t.Filename] = body
		sum := sha256.Sum256(body)
		t.Shasum = hex.EncodeToString(sum[:])
		lines = append(lines, t.Shasum+"  "+t.Filename+"\n")
	}
	// A manifest tells the protocols; half of those that speak 5.0 have none.
	if !slices.Equal(v.Protocols, []string{"5.0"}) || len(v.Targets)%2 == 0 {
		name := strings.TrimSuffix(sumsFile, "SHA256SUMS") + "manifest.json"
		files[name] = fmt.Appendf(nil, `{"version": 1, "metadata": {"protocol_versions": ["%s"]}}`, strings.Join(v.Protocols, `", "`))
		lines = append(lines, fmt.Sprintf("%x  %s\n", sha256.Sum256(files[name]), name))
	}
	slices.Sort(lines) // by checksum: in no order
	files[sumsFile] = []byte(strings.Join(lines, ""))
	sig, err := key.Sign(files[sumsFile])
	if err != nil {
		return err
	}
	files[sumsFile+".sig"] = sig
	for name, body := range files {
		err := w.github.AddGeneratedAsset(h.repo.Owner, h.repo.Name, tag, name, int64(len(body)), func() io.Reader { return bytes.NewReader(body) })
		if err != nil {
			return err
		}
	}
	return nil
}

// smallZip is an archive that holds its name.
func smallZip(name string) ([]byte, error) {
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	f, err := z.Create("terraform-provider")
	if err != nil {
		return nil, err
	}
	if _, err := io.WriteString(f, name); err != nil {
		return nil, err
	}
	err = z.Close()
	return b.Bytes(), err
}
