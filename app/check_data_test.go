package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tofu-registrar/registrar/internal/testdata"
	"github.com/tofu-registrar/registrar/registrydata"
	"github.com/tofu-registrar/registrar/validation"
)

const (
	goodModule = `{"versions": [{"version": "v1.0.0"}]}`
	badKey     = "-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nhello\n-----END PGP PUBLIC KEY BLOCK-----\n"
)

// writeTree writes files below a folder.
func writeTree(t testing.TB, dir string, files map[string]string) {
	t.Helper()
	for name, content := range files {
		full := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(full), 0o750); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(full, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// spoil adds to a metadata repository what no listing of files can hold: links
// and a file of 100 MB.
func spoil(t testing.TB, dir string) {
	t.Helper()
	outside := filepath.Join(t.TempDir(), "secret.json")
	if err := os.WriteFile(outside, []byte(goodModule), 0o600); err != nil {
		t.Fatal(err)
	}
	for link, to := range map[string]string{
		"modules/a/acme/link/aws.json":     outside,
		"modules/a/acme/inside/aws.json":   "../vpc/aws.json",
		"modules/l":                        filepath.Dir(outside),
		"keys/a/acme/provider-2.asc":       outside,
		"modules/a/acme/dangling/aws.json": "nowhere",
	} {
		link = filepath.Join(dir, filepath.FromSlash(link))
		if err := os.MkdirAll(filepath.Dir(link), 0o750); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(to, link); err != nil {
			t.Fatal(err)
		}
	}
	huge := filepath.Join(dir, "providers", "a", "acme", "huge.json")
	if err := os.WriteFile(huge, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(huge, 100<<20); err != nil {
		t.Fatal(err)
	}
}

// badInput is one of each thing that can be wrong with a metadata repository.
var badInput = map[string]string{
	"modules/a/acme/vpc/aws.json":            goodModule,
	"modules/a/acme/nojson/aws.json":         "hello",
	"modules/a/acme/noversion/aws.json":      "{\"versions\": [\n{}]}",
	"modules/a/acme/twice/aws.json":          "{\"versions\": [{\"version\": \"v1.0.0\"},\n{\"version\": \"1.0.0\"}]}",
	"modules/a/Acme/vpc/aws.json":            goodModule,
	"modules/a/acme/vpc./aws.json":           goodModule,
	"modules/a/acme/acme/vpc/aws.json":       goodModule,
	"modules/a/acme/securestorage-/aws.json": goodModule,
	"modules/b/acme/vpc/aws.json":            goodModule,
	"keys/a/acme/provider-1.asc":             badKey,
	"keys/a/acme/gone/provider-1.asc":        badKey,
	"providers/a/acme/demo.json":             `{"versions": [{"version": "1.0.0"}]}`,
	"versions_blacklist.json":                `{"providers": [{"namespace": "acme"}]}`,
	"provider-aliases.txt":                   "one two three\n",
	"README.md":                              "no data",
	".github/workflows/x.json":               "no data",
}

func TestCheckDataOfBadInput(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	writeTree(t, dir, badInput)
	spoil(t, dir)
	code, stdout, stderr := command(t.Context(), t, "check", "data", "--json", dir)
	if code != exitFindings || stderr != "" {
		t.Errorf("exit %d, %s", code, stderr)
	}
	var got []string
	var last struct{ Summary *dataSummary }
	for line := range strings.Lines(stdout) {
		var f validation.FileFinding
		if err := json.Unmarshal([]byte(line), &f); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal([]byte(line), &last); err != nil {
			t.Fatal(err)
		}
		if f.Code != "" {
			got = append(got, fmt.Sprintf("%s:%d %s %s", f.File, f.Line, f.Where, f.Code))
		}
	}
	want := strings.Split(strings.TrimSpace(`
keys/a/acme/gone/provider-1.asc:1  key-unreadable
keys/a/acme/provider-1.asc:1  key-unreadable
keys/a/acme/provider-2.asc:0  file-link
modules/a/Acme/vpc/aws.json:1  path-layout
modules/a/acme/acme/vpc/aws.json:1  path-doubled
modules/a/acme/dangling/aws.json:0  file-link
modules/a/acme/inside/aws.json:0  file-link
modules/a/acme/link/aws.json:0  file-link
modules/a/acme/nojson/aws.json:1  file-unreadable
modules/a/acme/noversion/aws.json:2 versions[0] file-unreadable
modules/a/acme/securestorage-/aws.json:1  address
modules/a/acme/twice/aws.json:2 versions[1].version version-repeated
modules/a/acme/vpc./aws.json:1  path-layout
modules/b/acme/vpc/aws.json:1  path-layout
modules/l:0  file-link
provider-aliases.txt:1  file-unreadable
providers/a/acme/demo.json:1 versions[0].protocols protocols-unsupported
providers/a/acme/demo.json:1 versions[0].shasums_url address-foreign
providers/a/acme/demo.json:1 versions[0].shasums_signature_url address-name
providers/a/acme/demo.json:1 versions[0].targets platforms-missing
providers/a/acme/huge.json:0  file-too-large
versions_blacklist.json:1 providers[0] file-unreadable
keys/a/acme/gone:0  key-orphan
`), "\n")
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("findings (-want +got):\n%s", diff)
	}
	if s := last.Summary; s == nil || s.Files != 20 || s.Errors != 22 || s.Warnings != 1 || s.Keys != 3 || s.Modules != 8 || s.Providers != 2 {
		t.Errorf("summary: %+v", s)
	}
}

func TestCheckDataForPeople(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	writeTree(t, dir, map[string]string{"modules/a/acme/twice/aws.json": badInput["modules/a/acme/twice/aws.json"]})
	code, stdout, _ := command(t.Context(), t, "check", "data", dir)
	for _, text := range []string{
		"modules/a/acme/twice/aws.json:2: error version-repeated (versions[1].version): 1.0.0 and v1.0.0 are one version.\n        Keep one of them.\n",
		"1 files (0 providers, 1 modules, 0 keys)", ": 1 errors, 0 warnings\n", "  error   version-repeated            1 in 1 files\n",
	} {
		if code != exitFindings || !strings.Contains(stdout, text) {
			t.Errorf("exit %d, lacks %q:\n%s", code, text, stdout)
		}
	}
}

func TestCheckDataExits(t *testing.T) {
	t.Parallel()
	good, empty := t.TempDir(), t.TempDir()
	writeTree(t, good, map[string]string{"modules/a/acme/vpc/aws.json": goodModule})
	for dir, want := range map[string]int{good: exitOK, empty: exitUsage, filepath.Join(empty, "none"): exitFailure} {
		if code, _, stderr := command(t.Context(), t, "check", "data", dir); code != want || (code > exitFindings) != (stderr != "") {
			t.Errorf("%s: exit %d, want %d: %s", dir, code, want, stderr)
		}
	}
}

// What cannot be read is trouble, and no reason to stop.
func TestCheckDataTrouble(t *testing.T) {
	t.Parallel()
	data := inMemory(map[string][]byte{"modules/a/acme/vpc/aws.json": nil, "modules/a/acme/worse/aws.json": []byte("x")})
	read := data.read
	data.read = func(name string, size int64) ([]byte, error) {
		if strings.Contains(name, "vpc") {
			return nil, fmt.Errorf("read %s: the disk is on fire", name)
		}
		return read(name, size)
	}
	var out bytes.Buffer
	c := dataCheck{now: time.Now, out: &out, progress: &progress{}}
	err := c.judge(t.Context(), data)
	if err == nil || !strings.Contains(err.Error(), "vpc/aws.json: the disk is on fire") || !strings.Contains(out.String(), "worse/aws.json:1: error file-unreadable") {
		t.Errorf("%v\n%s", err, out.String())
	}
}

// TestCheckDataOfThePublicRegistry finds in the registry of January 2025 what
// its specification says is wrong with it (registry.md §1), and a little more.
func TestCheckDataOfThePublicRegistry(t *testing.T) {
	if testing.Short() {
		t.Skip("judges 27,637 files")
	}
	data := inMemory(maps.Collect(testdata.Files(t, testdata.Corpus)))
	c := dataCheck{
		now: func() time.Time { return time.Date(2025, 1, 28, 0, 0, 0, 0, time.UTC) },
		out: io.Discard, progress: &progress{}, json: true,
	}
	if err := c.judge(t.Context(), data); err != errFindings { //nolint:errorlint // not wrapped
		t.Errorf("ends with %v", err)
	}
	want := map[string][2]int{ // findings, files
		"address":               {72, 72}, // 71 modules, 1 provider
		"address-foreign":       {2, 1},
		"file-name":             {8, 2}, // hashicorp/nomad: 1.4.20 taken for 1.4.2
		"key-expired":           {4, 4},
		"key-file-form":         {4, 4},
		"key-no-mail":           {4, 4},
		"key-orphan":            {5, 5}, // 3 named after the repository, 2 namespaces without providers
		"key-repeated":          {4, 4},
		"key-weak":              {2, 2},
		"path-doubled":          {14, 14},
		"path-layout":           {3, 3}, // the keys of the 3 folders named after the repository
		"protocols-unsupported": {2, 2},
		"tag-short-version":     {2293, 2293},
		"version-invalid":       {55, 37},
		"version-order":         {23, 7},
		"version-repeated":      {606, 328}, // 327 modules, and chanzuckerberg/okta
		"version-synonym":       {996, 475},
	}
	got := map[string][2]int{}
	for _, n := range c.summary.Codes {
		got[n.Code] = [2]int{n.Findings, n.Files}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("findings and files by code (-want +got):\n%s", diff)
	}
	if s := c.summary; s.Files != 27637 || s.Providers != 3931 || s.Modules != 23534 || s.Keys != 158 {
		t.Errorf("%+v", s)
	}
	okta, err := c.judgeFile(t.Context(), data, "providers/c/chanzuckerberg/okta.json")
	if err != nil || len(okta) != 1 || okta[0].Code != "version-repeated" || okta[0].Field != "3.7.4" {
		t.Errorf("chanzuckerberg/okta: %+v, %v", okta, err)
	}
	if _, ok := registrydata.EntityFromPath("modules/d/dtherhtun/dtherhtun/alb/kubernetes.json"); ok {
		t.Error("a doubled folder is an entity")
	}
}
