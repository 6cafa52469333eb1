package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tofu-registrar/registrar/handlers"
	"github.com/tofu-registrar/registrar/publish"
	"github.com/tofu-registrar/registrar/registrydata"
)

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
		"only outside":        {[]string{"--data", data, "--out", out, "--only", "../modules/a/acme/vpc/aws.json"}, exitUsage, "no answer depends on ../modules"},
		"only on a detour":    {[]string{"--data", data, "--out", out, "--only", "modules/a/../../../x/y/aws.json"}, exitUsage, "no answer depends on modules/a/../"},
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
