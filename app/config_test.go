package main

import (
	"bytes"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/txtar"

	"github.com/tofu-registrar/registrar/registrydata"
)

var update = flag.Bool("update", false, "rewrite what the golden cases want")

var makeTestKey = sync.OnceValues(func() (string, error) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return "", err
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)})), nil
})

// testKey is an App's private key.
func testKey(t testing.TB) string {
	t.Helper()
	key, err := makeTestKey()
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// configCase is a configuration with the files and the environment that it
// reads. The file app.pem is made; it is the App's key.
type configCase struct {
	faults int
	files  map[string]string
	env    map[string]string
}

func readConfigCase(t testing.TB, path string) (*txtar.Archive, configCase) {
	t.Helper()
	archive, err := txtar.ParseFile(path)
	if err != nil {
		t.Fatal(err)
	}
	c := configCase{faults: -1, files: map[string]string{"app.pem": testKey(t)}, env: map[string]string{}}
	for line := range strings.Lines(string(archive.Comment)) {
		if _, err := fmt.Sscanf(line, "faults: %d", &c.faults); err == nil {
			break
		}
	}
	for _, f := range archive.Files {
		c.files[f.Name] = string(f.Data)
	}
	for line := range strings.Lines(c.files["env"]) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), "=")
		c.env[name] = value
	}
	return archive, c
}

func (c configCase) parse() (Config, error) {
	return parseConfig("registrar.hcl", []byte(c.files["registrar.hcl"]), "conf",
		func(name string) string { return c.env[name] },
		func(name string) ([]byte, error) {
			text, ok := c.files[name]
			if !ok {
				return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
			}
			return []byte(text), nil
		})
}

// TestConfigFaults compares the faults of the cases of testdata/config.
func TestConfigFaults(t *testing.T) {
	paths, err := filepath.Glob("testdata/config/*.txtar")
	if err != nil || len(paths) < 10 {
		t.Fatalf("%d cases, %v", len(paths), err)
	}
	for _, path := range paths {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txtar"), func(t *testing.T) {
			archive, c := readConfigCase(t, path)
			_, err := c.parse()
			var got bytes.Buffer
			faults := 0
			var faulty *ConfigError
			if errors.As(err, &faulty) {
				faults = len(faulty.diags)
				faulty.Write(&got, false)
				got.WriteString("\n")
				faulty.Write(&got, true)
			} else if err != nil {
				t.Fatal(err)
			}
			if faults != c.faults {
				t.Errorf("%d faults, the case says %d:\n%s", faults, c.faults, got.String())
			}
			if *update {
				for i := range archive.Files {
					if archive.Files[i].Name == "want" {
						archive.Files[i].Data = got.Bytes()
					}
				}
				if err := os.WriteFile(path, txtar.Format(archive), 0o600); err != nil {
					t.Fatal(err)
				}
				return
			}
			if diff := cmp.Diff(c.files["want"], got.String()); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
		})
	}
}

func TestConfigBucket(t *testing.T) {
	_, c := readConfigCase(t, "testdata/config/bucket.txtar")
	got, err := c.parse()
	if err != nil {
		t.Fatal(err)
	}
	want := PublishConfig{
		BaseURL: "https://registry.example.org",
		S3: &S3Config{
			Endpoint: "https://s3.example.org", Region: "eu-central-1", Bucket: "registry", PathStyle: true,
			AccessKeyID: "id", SecretAccessKey: "key",
		},
		Cloudflare: &CloudflareConfig{
			ZoneID: "0123456789abcdef0123456789abcdef", APIToken: "token", Plan: "business", PurgeBy: "prefix", APIURL: "http://127.0.0.1:8787/client/v4",
		},
	}
	if diff := cmp.Diff(want, got.Publish); diff != "" {
		t.Errorf("publish (-want +got):\n%s", diff)
	}
}

func TestConfigValues(t *testing.T) {
	_, c := readConfigCase(t, "testdata/config/whole.txtar")
	got, err := c.parse()
	if err != nil {
		t.Fatal(err)
	}
	want := Config{
		GitHub: GitHubConfig{
			AppID: 123456, PrivateKey: Secret(testKey(t)), WebhookSecrets: []Secret{"new", "old"},
			APIURL: "https://github.example.org/api/v3", WebURL: "https://github.example.org",
			DownloadHosts: []string{"downloads.example.org", "*.cdn.example.org", "127.0.0.1:8401"},
		},
		Metadata: MetadataConfig{Repository: registrydata.Repository{Owner: "opentofu", Name: "registry"}, Branch: "main"},
		Policy:   PolicyConfig{Merge: "approved", Releases: "manual"},
		Queue:    QueueConfig{Database: Database(filepath.Join("conf", "registrar.db")), Workers: 4, SweepEvery: 10 * time.Minute},
		Publish: PublishConfig{
			BaseURL: "https://registry.example.org", Name: "Example Registry",
			Directory: &DirectoryConfig{Path: "/srv/registry"},
		},
		Server: ServerConfig{Listen: "127.0.0.1:9000", StopWithin: time.Minute},
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(LookConfig{})); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

func TestLoadConfigReadsBesideTheFile(t *testing.T) {
	dir := t.TempDir()
	cfg, err := LoadConfig(writeConfig(t, dir, ""), os.Getenv)
	if err != nil {
		t.Fatal(err)
	}
	if cfg.Queue.Database != Database(filepath.Join(dir, "registrar.db")) || cfg.Publish.Directory.Path != filepath.Join(dir, "public") {
		t.Errorf("database %s, directory %s; want both beside the configuration", cfg.Queue.Database, cfg.Publish.Directory.Path)
	}
	if err := os.Truncate(filepath.Join(dir, "app.pem"), mostConfig+1); err != nil {
		t.Fatal(err)
	}
	if _, err := LoadConfig(filepath.Join(dir, "registrar.hcl"), os.Getenv); err == nil {
		t.Error("a file() of any size is read")
	}
}

// FuzzConfig parses a stranger's configuration: it must end, and each fault must
// have its place in the file.
func FuzzConfig(f *testing.F) {
	paths, err := filepath.Glob("testdata/config/*.txtar")
	if err != nil || len(paths) == 0 {
		f.Fatalf("no seeds: %v", err)
	}
	for _, path := range paths {
		_, c := readConfigCase(f, path)
		f.Add([]byte(c.files["registrar.hcl"]))
	}
	key := testKey(f)
	f.Fuzz(func(t *testing.T, src []byte) {
		_, err := parseConfig("registrar.hcl", src, "conf",
			func(string) string { return "value" }, func(string) ([]byte, error) { return []byte(key), nil })
		var faulty *ConfigError
		if !errors.As(err, &faulty) {
			return
		}
		if text := err.Error(); strings.Contains(text, "PRIVATE KEY") {
			t.Errorf("the faults hold a secret: %.200q", text)
		}
		for _, d := range faulty.diags {
			if d.Subject == nil || d.Subject.Filename != "registrar.hcl" || d.Subject.Start.Line < 1 {
				t.Errorf("%s: %s has no place", d.Summary, d.Detail)
			}
		}
		faulty.Write(&bytes.Buffer{}, true)
	})
}
