package handlers

import (
	"context"
	"maps"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tofu-registrar/registrar/forge"
	"github.com/tofu-registrar/registrar/publish"
	"github.com/tofu-registrar/registrar/registrydata"
)

// history is a metadata repository: files by path, by commit. The last commit
// by name is the head.
type history map[string]map[string]string

func (h history) Head(context.Context) (Commit, error) {
	return Commit{SHA: slices.Max(slices.Collect(maps.Keys(h)))}, nil
}

func (h history) File(_ context.Context, commit, path string) ([]byte, bool, error) {
	content, ok := h[commit][path]
	return []byte(content), ok, nil
}

func (h history) Dir(_ context.Context, commit, dir string) ([]Entry, error) {
	found := map[string]Entry{}
	for p := range h[commit] {
		if rest, ok := strings.CutPrefix(p, dir+"/"); ok {
			name, _, below := strings.Cut(rest, "/")
			found[name] = Entry{Name: name, Dir: below, Link: strings.HasPrefix(h[commit][p], linkTo), Size: int64(len(h[commit][p]))}
		}
	}
	return slices.SortedFunc(maps.Values(found), func(a, b Entry) int { return strings.Compare(a.Name, b.Name) }), nil
}

func (h history) Files(_ context.Context, commit, dir string) ([]Entry, error) {
	var out []Entry
	for _, p := range slices.Sorted(maps.Keys(h[commit])) {
		if strings.HasPrefix(p, dir+"/") {
			out = append(out, Entry{Name: p})
		}
	}
	return out, nil
}

func (h history) Changes(_ context.Context, from, to string) ([]registrydata.Change, error) {
	var out []registrydata.Change
	for p, is := range h[to] {
		was, there := h[from][p]
		switch {
		case !there:
			out = append(out, registrydata.Change{Path: p, Kind: registrydata.Added})
		case was != is:
			out = append(out, registrydata.Change{Path: p, Kind: registrydata.Modified})
		}
	}
	for p := range h[from] {
		if _, there := h[to][p]; !there {
			out = append(out, registrydata.Change{Path: p, Kind: registrydata.Deleted})
		}
	}
	return out, nil
}

func (h history) Archive(_ context.Context, commit string, each func(forge.ArchiveFile) error) error {
	for _, p := range slices.Sorted(maps.Keys(h[commit])) {
		content := h[commit][p]
		target, link := strings.CutPrefix(content, linkTo)
		f := forge.ArchiveFile{Path: p, Size: int64(len(content)), Link: link, Content: strings.NewReader(content)}
		if link {
			f.Size, f.Content = 0, strings.NewReader(target)
		}
		if err := each(f); err != nil {
			return err
		}
	}
	return nil
}

// linkTo begins a file that is a symbolic link.
const linkTo = "link to "

const (
	oneVersion = `{"versions":[{"version":"1.0.0","targets":[{"os":"linux","arch":"amd64"}]}]}`
	twoVersion = `{"versions":[{"version":"2.0.0","targets":[{"os":"linux","arch":"amd64"}]}]}`
)

// What is served at old addresses follows the aliases of the commit, those that
// are gone included.
func TestAliasesOfTheCommitArePublished(t *testing.T) {
	data := map[string]string{
		"providers/v/vendor/cloud.json":    oneVersion,
		"providers/v/vendor/disk.json":     twoVersion,
		"providers/h/hashicorp/cloud.json": twoVersion,
		"providers/d/datadog/datadog.json": oneVersion,
	}
	with := func(aliases string) map[string]string {
		files := maps.Clone(data)
		if aliases != "" {
			files[registrydata.AliasesPath] = aliases
		}
		return files
	}
	repository := history{"1": with("")}
	target, err := publish.OpenFolder(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer target.Close()
	h := New(Options{Snapshots: repository, Publisher: publish.New(target), MaxDelete: 1})
	own := []string{"datadog/datadog 1.0.0", "hashicorp/cloud 2.0.0", "vendor/cloud 1.0.0", "vendor/disk 2.0.0"}
	for commit, step := range []struct{ aliases, more string }{
		{"", "hashicorp/datadog 1.0.0,opentofu/datadog 1.0.0"},
		{"old/cloud vendor/cloud\nhashicorp/cloud vendor/cloud\nold older", "old/cloud 1.0.0,older/cloud 1.0.0"},
		{"old/cloud vendor/disk", "old/cloud 2.0.0"},
		{"", "hashicorp/datadog 1.0.0,opentofu/datadog 1.0.0"},
	} {
		repository[string(rune('1'+commit))] = with(step.aliases)
		if _, err := h.Reconcile(t.Context(), PublishKey); err != nil {
			t.Fatal(err)
		}
		want := append(strings.Split(step.more, ","), own...)
		slices.Sort(want)
		if diff := cmp.Diff(want, servedProviders(t, target)); diff != "" {
			t.Errorf("commit %d (-want +got):\n%s", commit+1, diff)
		}
	}
	broken := "9"
	repository[broken] = with("x")
	if _, err := h.Reconcile(t.Context(), PublishKey); err == nil || !strings.Contains(err.Error(), registrydata.AliasesPath+": aliases, line 1") {
		t.Errorf("broken aliases: %v", err)
	}
	if got := servedProviders(t, target); len(got) != len(own)+2 {
		t.Errorf("broken aliases have changed what is served: %v", got)
	}
}

// servedProviders lists the downloads: "acme/demo 1.0.0".
func servedProviders(t *testing.T, target publish.Target) []string {
	t.Helper()
	files, err := target.List(t.Context(), "v1/")
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, f := range files {
		if seg := strings.Split(f, "/"); path.Base(f) == "amd64" {
			out = append(out, seg[2]+"/"+seg[3]+" "+seg[4])
		}
	}
	slices.Sort(out)
	return out
}

// A repository whose namespace stands for another is looked at under that one,
// where the versions of both addresses come from.
func TestRepositoryOfAnAliasedNamespace(t *testing.T) {
	h := New(Options{Snapshots: history{"1": {
		registrydata.AliasesPath: "old new", "providers/o/old/demo.json": oneVersion, "providers/n/new/demo.json": oneVersion,
	}}})
	r, err := h.Reconcile(t.Context(), "repository old/terraform-provider-demo")
	if want := []Key{"repository new/terraform-provider-demo"}; err != nil || !slices.Equal(r.Next, want) {
		t.Errorf("%v, %v; want %v", r.Next, err, want)
	}
	found, err := h.registeredProviders(t.Context(), "1", registrydata.ProviderAddress{Namespace: "new", Name: "demo"})
	if err != nil || len(found) != 2 {
		t.Errorf("registered as %v, %v", found, err)
	}
}
