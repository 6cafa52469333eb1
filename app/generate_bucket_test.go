package main

import (
	"bytes"
	"context"
	"io"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tofu-registrar/registrar/internal/testdata"
	"github.com/tofu-registrar/registrar/publish"
)

// bucketServer is a real S3 server with one bucket, "registry".
func bucketServer(t *testing.T) (environ map[string]string) {
	t.Helper()
	program := os.Getenv("VERSITYGW")
	for _, name := range []string{"versitygw", filepath.Join("..", ".ci", ".bin", "versitygw")} {
		if found, err := exec.LookPath(name); err == nil && program == "" {
			program, _ = filepath.Abs(found)
		}
	}
	if program == "" {
		testdata.Missing(t, "versitygw (set VERSITYGW; .ci/run builds it)")
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	_ = l.Close()
	root := t.TempDir()
	if err := os.Mkdir(filepath.Join(root, "registry"), 0o750); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), program, "--port", addr, "--region", "auto", "--quiet", "posix", root) // #nosec G204 -- a test
	cmd.Env = append(os.Environ(), "ROOT_ACCESS_KEY=key", "ROOT_SECRET_KEY=secret")
	cmd.Dir = t.TempDir()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	for range 200 {
		if c, err := net.Dial("tcp", addr); err == nil {
			_ = c.Close()
			return map[string]string{"AWS_ENDPOINT_URL": "http://" + addr, "AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret"}
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Fatal("versitygw does not listen")
	return nil
}

// A bucket gets the very files that a folder gets, below the prefix.
func TestGenerateToABucket(t *testing.T) {
	t.Parallel()
	environ := bucketServer(t)
	data, out := t.TempDir(), t.TempDir()
	writeTree(t, data, small())
	generates(t, exitOK, "--data", data, "--out", out)
	want := readTree(t, out).served()

	bucket := func(environ map[string]string, to string, args ...string) (code int, text string) {
		return toBucket(environ, append([]string{"--data", data, "--out", to}, args...)...)
	}
	for _, step := range []struct {
		args []string
		want string
	}{
		{[]string{"--dry-run"}, "would write 15 files and delete 0, of 7 entries"},
		{nil, "wrote 15 files and deleted 0, of 7 entries"},
		{[]string{"--dry-run"}, "nothing differs"},
		{nil, "nothing differs"},
	} {
		if code, text := bucket(environ, "s3://registry/sub/registry", step.args...); code != exitOK || !strings.Contains(text, step.want) {
			t.Fatalf("%v: exit %d: %s", step.args, code, text)
		}
	}

	s3, err := publish.OpenS3(publish.S3Config{Endpoint: environ["AWS_ENDPOINT_URL"], Bucket: "registry", AccessKeyID: "key", SecretAccessKey: "secret", PathStyle: true})
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	names, err := s3.List(t.Context(), "sub/registry/")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		f, err := s3.Get(t.Context(), name)
		if err != nil {
			t.Fatal(err)
		}
		if name = strings.TrimPrefix(name, "sub/registry/"); !strings.HasPrefix(name, ".registrar/") {
			got[name] = string(f.Body)
			if f.ContentType != "application/json" || f.CacheControl == "" {
				t.Errorf("%s: %q, %q", name, f.ContentType, f.CacheControl)
			}
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("bucket (+) and folder (-) differ:\n%s", diff)
	}

	wrong := maps.Clone(environ)
	wrong["AWS_SECRET_ACCESS_KEY"] = "guessed"
	for to, environ := range map[string]map[string]string{"s3://registry": wrong, "s3://nowhere": environ} {
		code, text := bucket(environ, to)
		if lines := slices.Collect(strings.Lines(text)); code != exitFailure || len(lines) != 1 {
			t.Errorf("%s: exit %d: %s", to, code, text)
		}
	}
}

// toBucket runs generate with an environment, and gives all that it says.
func toBucket(environ map[string]string, args ...string) (code int, text string) {
	var b bytes.Buffer
	code = run(context.Background(), append([]string{"generate", "--path-style"}, args...), func(name string) string { return environ[name] }, strings.NewReader(""), &b, &b)
	return code, b.String()
}

// What an operator must mend is one line that says what it is.
func TestGenerateToABucketThatRefuses(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	writeTree(t, data, small())
	for code, want := range map[string]string{
		"InvalidAccessKeyId":           "does not accept the access key; check access_key_id",
		"SignatureDoesNotMatch":        "does not accept the access key",
		"NoSuchBucket":                 "there is no bucket \"registry\"",
		"RequestTimeTooSkewed":         "the clock of this machine is 1h0m",
		"AuthorizationHeaderMalformed": "is not in region",
		"AccessDenied":                 "does not let this access key read, write, delete and list objects",
	} {
		for _, writing := range []bool{false, true} {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				switch {
				case writing && r.Method == http.MethodGet && r.URL.Query().Has("list-type"):
					_, _ = io.WriteString(w, "<ListBucketResult></ListBucketResult>")
				case writing && r.Method == http.MethodGet:
					w.WriteHeader(http.StatusNotFound)
					_, _ = io.WriteString(w, "<Error><Code>NoSuchKey</Code></Error>")
				default:
					w.Header().Set("Date", time.Now().Add(-time.Hour).UTC().Format(http.TimeFormat))
					w.WriteHeader(http.StatusForbidden)
					_, _ = io.WriteString(w, "<Error><Code>"+code+"</Code></Error>")
				}
			}))
			environ := map[string]string{"AWS_ENDPOINT_URL": server.URL, "AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret"}
			exit, text := toBucket(environ, "--data", data, "--out", "s3://registry")
			if exit != exitFailure || strings.Count(text, "\n") != 1 || !strings.Contains(text, want) || strings.Contains(text, "secret\"") {
				t.Errorf("%s, while writing: %v: exit %d: %s", code, writing, exit, text)
			}
			server.Close()
		}
	}
}
