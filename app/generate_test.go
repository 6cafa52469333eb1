package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tofu-registrar/registrar/handlers"
	"github.com/tofu-registrar/registrar/internal/testdata"
	"github.com/tofu-registrar/registrar/publish"
	"github.com/tofu-registrar/registrar/registrydata"
)

// generates runs the command and reads its summary.
func generates(t testing.TB, code int, args ...string) generateSummary {
	t.Helper()
	got, stdout, stderr := command(t.Context(), t, append([]string{"generate", "--json"}, args...)...)
	if got != code {
		t.Fatalf("generate %v: exit %d, want %d: %s%s", args, got, code, stdout, stderr)
	}
	var s generateSummary
	if err := json.Unmarshal([]byte(stdout), &s); err != nil && code < exitUsage {
		t.Fatalf("%v: %s", err, stdout)
	}
	return s
}

// tree is what is in a folder: for each file its inode and time of change, so
// that one that is written again is seen, and its content.
type tree map[string]treeFile

type treeFile struct {
	info fs.FileInfo
	body string
}

func readTree(t testing.TB, dir string) tree {
	t.Helper()
	files := tree{}
	err := filepath.WalkDir(dir, func(full string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		body, err := os.ReadFile(full) // #nosec G304 -- a test's own folder
		name, _ := filepath.Rel(dir, full)
		files[filepath.ToSlash(name)] = treeFile{info, string(body)}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

// changed are the files that differ from before, or were written again.
func (now tree) changed(before tree) []string {
	var names []string
	for name, f := range now {
		if was, ok := before[name]; !ok || !os.SameFile(was.info, f.info) || !was.info.ModTime().Equal(f.info.ModTime()) || was.body != f.body {
			names = append(names, name)
		}
	}
	for name := range before {
		if _, ok := now[name]; !ok {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// served are the files that clients read.
func (now tree) served() map[string]string {
	out := map[string]string{}
	for name, f := range now {
		if !strings.HasPrefix(name, ".registrar/") {
			out[name] = f.body
		}
	}
	return out
}

// TestGenerateReproducesTheReference holds what the command makes against the
// files that the reference's generator made of the same data.
func TestGenerateReproducesTheReference(t *testing.T) {
	golden, inputs := testdata.Golden(t)
	data, out := t.TempDir(), t.TempDir()
	files := map[string]string{}
	for name, body := range testdata.Files(t, testdata.Corpus) {
		if inputs[name] || strings.HasPrefix(name, "keys/") {
			files[name] = string(body)
		}
	}
	writeTree(t, data, files)
	s := generates(t, exitOK, "--data", data, "--out", out, "--compatible")
	made := readTree(t, out).served()
	if s.Files != len(made)-1 || s.FilesWritten != s.Files {
		t.Errorf("%d golden files, %d made: %+v", len(golden), len(made), s)
	}
	for name, want := range golden {
		if made[name] != want {
			t.Errorf("%s differs\n--- made\n%.300s\n--- want\n%.300s", name, made[name], want)
		}
	}
	for name := range made {
		part := slices.ContainsFunc(testdata.GoldenParts(), func(folder string) bool { return strings.HasPrefix(name, folder) })
		if _, ok := golden[name]; !ok && !part {
			t.Errorf("%s is not among the golden files", name)
		}
	}

	// Without the flag Registrar is right where the reference errs, and only there.
	out = t.TempDir()
	generates(t, exitOK, "--data", data, "--out", out)
	own, errs := readTree(t, out).served(), testdata.ReferenceErrs()
	for name, want := range golden {
		body, ok := own[strings.ToLower(name)]
		if reason, err := errs[name]; !ok || err != (body != want) {
			t.Errorf("%s: made %v, the reference errs %v, %s\n%.300s", name, ok, err, reason, body)
		}
	}
}

// small is a metadata repository with one of each kind.
func small() map[string]string {
	return map[string]string{
		"providers/a/acme/demo.json":       `{"versions":[{"version":"1.1.0","targets":[{"os":"linux","arch":"amd64","shasum":"11"}]},{"version":"1.0.0","targets":[{"os":"linux","arch":"amd64","shasum":"10"}]}]}`,
		"providers/a/acme/other.json":      `{"versions":[{"version":"1.0.0","targets":[{"os":"linux","arch":"amd64","shasum":"aa"}]}]}`,
		"providers/d/datadog/datadog.json": `{"versions":[{"version":"3.0.0","targets":[{"os":"linux","arch":"amd64"}]}]}`,
		"providers/h/hashicorp/aws.json":   `{"versions":[{"version":"6.0.0","targets":[{"os":"linux","arch":"amd64"}]}]}`,
		"modules/a/acme/vpc/aws.json":      `{"versions":[{"version":"v1.0.0"}]}`,
	}
}

const version12 = `{"version":"1.2.0","targets":[{"os":"linux","arch":"amd64","shasum":"12"}]},`

// A run writes what differs and nothing else; a dry run says the same and writes
// nothing at all.
func TestGenerateWritesWhatDiffers(t *testing.T) {
	t.Parallel()
	data, out := t.TempDir(), filepath.Join(t.TempDir(), "public")
	writeTree(t, data, small())
	dry := generates(t, exitOK, "--data", data, "--out", out, "--dry-run", "--verbose")
	if _, err := os.Stat(out); !os.IsNotExist(err) {
		t.Errorf("a dry run has made the folder: %v", err)
	}
	first := generates(t, exitOK, "--data", data, "--out", out, "--verbose")
	if diff := cmp.Diff(dry.Changes, first.Changes); diff != "" || first.Files != 15 || first.FilesWritten != 15 || first.Entities != 7 || dry.Files != 15 {
		t.Errorf("the dry run said something else: %+v %s", first, diff)
	}
	before := readTree(t, out)
	if got := before.served()["v1/providers/opentofu/datadog/versions"]; got != before["v1/providers/datadog/datadog/versions"].body || got == "" {
		t.Errorf("at the old address: %q", got)
	}

	again := generates(t, exitOK, "--data", data, "--out", out)
	if changed := readTree(t, out).changed(before); len(changed) > 0 || again.EntitiesChanged != 0 || again.Files != 15 {
		t.Errorf("a second run has written %v: %+v", changed, again)
	}

	update := small()
	const demo = "providers/a/acme/demo.json"
	update[demo] = strings.Replace(update[demo], "[{", "["+version12+"{", 1)
	writeTree(t, data, update)
	dry = generates(t, exitOK, "--data", data, "--out", out, "--dry-run", "--verbose")
	if changed := readTree(t, out).changed(before); len(changed) > 0 {
		t.Errorf("a dry run has written %v", changed)
	}
	want := []string{"v1/providers/acme/demo/1.2.0/download/linux/amd64", "v1/providers/acme/demo/versions"}
	if diff := cmp.Diff([]generateChange{{Entity: demo, Write: want}}, dry.Changes); diff != "" {
		t.Errorf("the dry run says: %s", diff)
	}
	s := generates(t, exitOK, "--data", data, "--out", out, "--only", demo)
	if changed := readTree(t, out).changed(before); !slices.Equal(changed, append([]string{".registrar/manifests/" + demo}, want...)) {
		t.Errorf("a new version has written %v", changed)
	}
	if !s.Partial || s.Entities != 1 || s.FilesWritten != 2 {
		t.Errorf("%+v", s)
	}
}

// What the bot publishes after generate is nothing: both record the same.
func TestGenerateAgreesWithTheBot(t *testing.T) {
	t.Parallel()
	data, out := t.TempDir(), t.TempDir()
	files := small()
	files["keys/a/acme/provider-1.asc"] = testArmor(t)
	files["keys/o/opentofu/provider-1.asc"] = testArmor(t)
	files["keys/o/opentofu/README"] = "no key"
	writeTree(t, data, files)
	generates(t, exitFindings, "--data", data, "--out", out, "--commit", "0123")
	before := readTree(t, out)
	snapshots := snapshotsOf(t, files, "0123", "4567")
	folder, err := publish.OpenFolder(out)
	if err != nil {
		t.Fatal(err)
	}
	defer folder.Close()
	p := publish.New(folder)
	if at, err := p.Published(t.Context()); at != "0123" || err != nil {
		t.Errorf("published is %q, %v", at, err)
	}
	h := handlers.New(handlers.Options{Snapshots: snapshots, Publisher: p})
	if _, err := h.Reconcile(t.Context(), handlers.PublishKey); err != nil {
		t.Fatal(err)
	}
	if changed := readTree(t, out).changed(before); !slices.Equal(changed, []string{".registrar/published.json"}) {
		t.Errorf("the bot has written %v", changed)
	}
}

// Bad input is named, everything else is rendered, and nothing live goes.
func TestGenerateOfBadInput(t *testing.T) {
	t.Parallel()
	data, out := t.TempDir(), t.TempDir()
	broken := []string{"modules/a/acme/nojson/aws.json", "modules/a/acme/noversion/aws.json", "modules/a/acme/link/aws.json", "providers/a/acme/huge.json"}
	files := small()
	for _, name := range broken {
		files[name] = files["modules/a/acme/vpc/aws.json"]
		if strings.HasPrefix(name, "providers/") {
			files[name] = files["providers/a/acme/other.json"]
		}
	}
	files["keys/a/acme/provider-0.asc"] = testArmor(t)
	writeTree(t, data, files)
	generates(t, exitOK, "--data", data, "--out", out)
	before := readTree(t, out).served()

	for _, name := range append(slices.Clone(broken), "keys/a/acme/provider-2.asc") {
		_ = os.Remove(filepath.Join(data, name))
	}
	bad := maps.Clone(badInput)
	delete(bad, registrydata.AliasesPath)
	bad["providers/a/acme/demo.json"] = small()["providers/a/acme/demo.json"]
	bad["modules/a/acme/vpc/aws.json"] = `{"versions":[{"version":"v2.0.0"},{"version":"v1.0.0"}]}`
	writeTree(t, data, bad)
	spoil(t, data)
	s := generates(t, exitFindings, "--data", data, "--out", out)
	after := readTree(t, out).served()
	for name, body := range before {
		switch now, ok := after[name]; {
		case !ok:
			t.Errorf("%s is gone", name)
		case now != body && name != "v1/modules/acme/vpc/aws/versions":
			t.Errorf("%s has changed", name)
		}
	}
	if _, ok := after["v1/modules/acme/vpc/aws/2.0.0/download"]; !ok {
		t.Error("what is not broken was not rendered")
	}
	if _, ok := after["v1/modules/acme/securestorage-/aws/versions"]; !ok {
		t.Error("what no client can address is not kept")
	}
	var got []string
	for _, f := range s.Faults {
		got = append(got, f.File)
	}
	want := []string{
		"keys/a/acme/provider-1.asc", "keys/a/acme/provider-2.asc", "modules/a/acme/dangling/aws.json", "modules/a/acme/inside/aws.json",
		"modules/a/acme/link/aws.json", "modules/a/acme/nojson/aws.json", "modules/a/acme/noversion/aws.json", "providers/a/acme/huge.json",
	}
	if diff := cmp.Diff(want, got); diff != "" || s.NotInLayout != 5 {
		t.Errorf("faults (-want +got), %d not in the layout:\n%s", s.NotInLayout, diff)
	}
	for name, body := range after {
		if strings.Contains(body, "hello") {
			t.Errorf("%s shows a key that is none", name)
		}
	}
}

// Without aliases nobody knows what belongs where.
func TestGenerateWithoutAliases(t *testing.T) {
	t.Parallel()
	data, out := t.TempDir(), t.TempDir()
	writeTree(t, data, small())
	writeTree(t, data, map[string]string{registrydata.AliasesPath: "one two three\n"})
	code, _, stderr := command(t.Context(), t, "generate", "--data", data, "--out", out)
	if code != exitFailure || !strings.Contains(stderr, "provider-aliases.txt: aliases, line 1: want two names") {
		t.Errorf("exit %d: %s", code, stderr)
	}
	if made := readTree(t, out).served(); len(made) != 0 {
		t.Errorf("made %v", slices.Sorted(maps.Keys(made)))
	}
}

// What clients rely on goes on purpose only.
func TestGenerateIsGuarded(t *testing.T) {
	t.Parallel()
	data, out := t.TempDir(), t.TempDir()
	writeTree(t, data, small())
	generates(t, exitOK, "--data", data, "--out", out)
	before := readTree(t, out)
	const demo, other = "providers/a/acme/demo.json", "providers/a/acme/other.json"
	refused := func(what string, args ...string) {
		t.Helper()
		code, stdout, stderr := command(t.Context(), t, append([]string{"generate", "--data", data, "--out", out}, args...)...)
		if code != exitFailure || !strings.Contains(stderr, "refused to publish: ") || !strings.Contains(stderr, what) {
			t.Errorf("%v: exit %d: %s", args, code, stderr)
		}
		if slices.Contains(args, "--dry-run") != strings.Contains(stdout, "would write") {
			t.Errorf("%v: %s", args, stdout)
		}
		if changed := readTree(t, out).changed(before); len(changed) > 0 {
			t.Errorf("%v: refused, and has changed %v", args, changed)
		}
	}
	less := strings.Replace(small()[demo], `{"version":"1.1.0","targets":[{"os":"linux","arch":"amd64","shasum":"11"}]},`, "", 1)
	changed := strings.Replace(small()[other], `"aa"`, `"bb"`, 1)
	writeTree(t, data, map[string]string{demo: less, other: changed})
	refused("acme/demo 1.1.0 would vanish; the checksum of acme/other 1.0.0 would change for linux/amd64")
	refused("acme/demo 1.1.0 would vanish", "--remove", other+"@v1.0.0")
	refused("would vanish", "--dry-run")
	refused("would change", "--only", other)

	// The blacklist of the data, and --remove, say what may go.
	writeTree(t, data, map[string]string{registrydata.BlacklistPath: `{"providers":[{"namespace":"acme","name":"demo","version":"1.1.0","reason":"broken"}]}`})
	s := generates(t, exitOK, "--data", data, "--out", out, "--remove", other)
	if s.FilesDeleted != 1 || s.FilesWritten != 2 {
		t.Errorf("%+v", s)
	}
	if served := readTree(t, out).served(); strings.Contains(served["v1/providers/acme/demo/versions"], "1.1.0") || !strings.Contains(served["v1/providers/acme/other/1.0.0/download/linux/amd64"], "bb") {
		t.Error("the run has not published")
	}

	// Whole entries, one alone or with --max-delete.
	before = readTree(t, out)
	for _, name := range []string{demo, other} {
		if err := os.Remove(filepath.Join(data, name)); err != nil {
			t.Fatal(err)
		}
	}
	refused("acme/other 1.0.0 would vanish")
	refused("it would remove 2 of the registry's entries, and one run may remove 1", "--remove", demo+","+other)
	s = generates(t, exitOK, "--data", data, "--out", out, "--remove", demo+","+other, "--max-delete", "0.5")
	if s.FilesDeleted != 4 || s.EntitiesChanged != 2 || s.Entities != 5 {
		t.Errorf("%+v", s)
	}
	for name := range readTree(t, out) {
		if strings.Contains(name, "acme/demo") || strings.Contains(name, "acme/other") {
			t.Errorf("%s is still there", name)
		}
	}

	// A folder that is empty by mistake takes nothing away.
	code, _, stderr := command(t.Context(), t, "generate", "--data", t.TempDir(), "--out", out, "--max-delete", "1")
	if code != exitFailure || !strings.Contains(stderr, "holds no provider and no module, and 5 are live") {
		t.Errorf("exit %d: %s", code, stderr)
	}
}

// --only publishes what a file concerns, and nothing else.
func TestGenerateOnly(t *testing.T) {
	t.Parallel()
	for only, want := range map[string][]string{
		"keys/o/opentofu/a.asc":                                   {"providers/h/hashicorp/aws.json"},
		"keys/a/acme/a.asc":                                       {"providers/a/acme/demo.json", "providers/a/acme/other.json"},
		"keys/a/acme/demo/a.asc":                                  {"providers/a/acme/demo.json", "providers/a/acme/other.json"},
		"providers/d/datadog/datadog.json":                        {"providers/d/datadog/datadog.json", "providers/h/hashicorp/datadog.json", "providers/o/opentofu/datadog.json"},
		"modules/a/acme/vpc/aws.json,providers/a/acme/other.json": {"modules/a/acme/vpc/aws.json", "providers/a/acme/other.json"},
	} {
		data, out := t.TempDir(), t.TempDir()
		writeTree(t, data, small())
		s := generates(t, exitOK, "--data", data, "--out", out, "--verbose", "--only", only)
		var got []string
		for _, c := range s.Changes {
			got = append(got, c.Entity)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("--only %s (-want +got):\n%s", only, diff)
		}
	}
}

func TestGenerateUsage(t *testing.T) {
	t.Parallel()
	data, out := t.TempDir(), t.TempDir()
	writeTree(t, data, small())
	for name, c := range map[string]struct {
		args   []string
		code   int
		stderr string
	}{
		"nothing":             {nil, exitUsage, "--data and --out"},
		"no such data":        {[]string{"--data", filepath.Join(out, "none"), "--out", out}, exitFailure, "no such file"},
		"share":               {[]string{"--data", data, "--out", out, "--max-delete", "2"}, exitUsage, "--max-delete"},
		"remove":              {[]string{"--data", data, "--out", out, "--remove", "acme/demo"}, exitUsage, `--remove "acme/demo"`},
		"only":                {[]string{"--data", data, "--out", out, "--only", "README.md"}, exitUsage, "no answer depends on README.md"},
		"only aliases":        {[]string{"--data", data, "--out", out, "--only", registrydata.AliasesPath}, exitUsage, "everything depends on"},
		"commit of a part":    {[]string{"--data", data, "--out", out, "--only", "modules/a/acme/vpc/aws.json", "--commit", "x"}, exitUsage, "--commit"},
		"bucket without keys": {[]string{"--data", data, "--out", "s3://bucket"}, exitUsage, "AWS_ACCESS_KEY_ID"},
		"purge without base":  {[]string{"--data", data, "--out", out, "--cloudflare-zone", "x"}, exitUsage, "--base-url"},
		"purge without token": {[]string{"--data", data, "--out", out, "--cloudflare-zone", "x", "--base-url", "https://registry.example.org"}, exitUsage, "token"},
		"a file for a folder": {[]string{"--data", data, "--out", filepath.Join(data, "modules/a/acme/vpc/aws.json")}, exitFailure, "not a directory"},
	} {
		code, _, stderr := command(t.Context(), t, append([]string{"generate"}, c.args...)...)
		if code != c.code || !strings.Contains(stderr, c.stderr) {
			t.Errorf("%s: exit %d, %s", name, code, stderr)
		}
	}
}

// What people read.
func TestGenerateForPeople(t *testing.T) {
	t.Parallel()
	data, out := t.TempDir(), t.TempDir()
	writeTree(t, data, map[string]string{"modules/a/acme/vpc/aws.json": goodModule, "modules/a/acme/no/aws.json": "{\n\"versions\": [\n{}]}", "modules/a/Acme/vpc/aws.json": goodModule})
	var b bytes.Buffer
	code := run(context.Background(), []string{"generate", "--data", data, "--out", out, "--dry-run", "-v"}, os.Getenv, nil, &b, &b)
	for _, text := range []string{
		"write  v1/modules/acme/vpc/aws/1.0.0/download\n", "modules/a/acme/no/aws.json:3: versions[0]: the version has no tag: left out, and what is live of it stays\n",
		"2 files of 1 entries rendered in ", "would write 2 files and delete 0, of 1 entries\n", "1 data files stand at no address",
	} {
		if code != exitFindings || !strings.Contains(b.String(), text) {
			t.Errorf("exit %d, lacks %q:\n%s", code, text, b.String())
		}
	}
}
