package main

import (
	"crypto/md5"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/tofu-registrar/registrar/publish"
	"github.com/tofu-registrar/registrar/registrydata"
)

// bucketAndCache is a server that is a bucket below /registry/ and Cloudflare's
// API below /client/v4/: just enough to see who asks for what.
type bucketAndCache struct {
	mu      sync.Mutex
	objects map[string]string
	purged  []string
	users   map[string]bool // of the bucket, and of the API
}

func (b *bucketAndCache) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	b.mu.Lock()
	defer b.mu.Unlock()
	body, _ := io.ReadAll(r.Body)
	auth := r.Header.Get("Authorization")
	_, credential, _ := strings.Cut(auth, "Credential=")
	user, _, _ := strings.Cut(credential, "/")
	if strings.HasPrefix(auth, "Bearer ") {
		user = auth
	}
	b.users[user] = true
	key, inBucket := strings.CutPrefix(r.URL.Path, "/registry/")
	switch {
	case strings.HasPrefix(r.URL.Path, "/client/v4/zones/"):
		var order struct{ Files, Prefixes []string }
		_ = json.Unmarshal(body, &order)
		b.purged = slices.Concat(b.purged, order.Files, order.Prefixes)
		fmt.Fprint(w, `{"success":true}`)
	case r.Method == http.MethodGet && (key == "" || !inBucket):
		fmt.Fprint(w, "<ListBucketResult>")
		for name := range b.objects {
			if strings.HasPrefix(name, r.URL.Query().Get("prefix")) {
				fmt.Fprintf(w, "<Contents><Key>%s</Key></Contents>", name)
			}
		}
		fmt.Fprint(w, "</ListBucketResult>")
	case r.Method == http.MethodPut:
		b.objects[key] = string(body)
		w.Header().Set("ETag", fmt.Sprintf(`"%x"`, md5.Sum(body)))
	case r.Method == http.MethodDelete:
		delete(b.objects, key)
		w.WriteHeader(http.StatusNoContent)
	case b.objects[key] != "":
		w.Header().Set("ETag", fmt.Sprintf(`"%x"`, md5.Sum([]byte(b.objects[key]))))
		fmt.Fprint(w, b.objects[key])
	default:
		w.WriteHeader(http.StatusNotFound)
		fmt.Fprint(w, "<Error><Code>NoSuchKey</Code></Error>")
	}
}

// What is configured is what is published to, and purged.
func TestPublishToBucketAndCache(t *testing.T) {
	t.Parallel()
	for purgeBy, want := range map[string]string{
		"":       "https://registry.example.org/v1/modules/acme/net/aws/versions",
		"prefix": "registry.example.org/v1/modules/acme/net/aws",
	} {
		t.Run(purgeBy, func(t *testing.T) { publishesToBucketAndCache(t, purgeBy, want) })
	}
}

func publishesToBucketAndCache(t *testing.T, purgeBy, want string) {
	b := &bucketAndCache{objects: map[string]string{}, users: map[string]bool{}}
	server := httptest.NewServer(b)
	defer server.Close()
	app := testApp(t, &fakeReconciler{}, func(c *Config) {
		c.Publish.Directory = nil
		c.Publish.S3 = &S3Config{Endpoint: server.URL, Bucket: "registry", PathStyle: true, AccessKeyID: "id", SecretAccessKey: "key"}
		c.Publish.Cloudflare = &CloudflareConfig{ZoneID: strings.Repeat("0", 32), APIToken: "token", PurgeBy: purgeBy, APIURL: server.URL + "/client/v4"}
	})
	publisher, err := app.publisher()
	if err != nil {
		t.Fatal(err)
	}
	e := registrydata.Entity{Kind: registrydata.KindModule, Namespace: "acme", Name: "net", Target: "aws"}
	update := publish.Update{Entity: e, Objects: []registrydata.Object{
		{Path: "v1/modules/acme/net/aws/versions", Body: []byte("{}"), Kind: registrydata.VersionList},
	}}
	if err := publisher.Publish(t.Context(), update); err != nil {
		t.Fatal(err)
	}
	if err := publisher.SetPublished(t.Context(), "abc"); err != nil {
		t.Fatal(err)
	}
	if b.objects["v1/modules/acme/net/aws/versions"] != "{}" {
		t.Errorf("the bucket has %v", b.objects)
	}
	if !slices.Equal(b.purged, []string{want}) {
		t.Errorf("purged %v, want %s", b.purged, want)
	}
	if !b.users["id"] || !b.users["Bearer token"] || len(b.users) != 2 {
		t.Errorf("who asked: %v", b.users)
	}
}

func TestPublishPlaces(t *testing.T) {
	t.Parallel()
	cloudflare := &CloudflareConfig{ZoneID: strings.Repeat("0", 32), APIToken: "token"}
	for name, p := range map[string]PublishConfig{
		"folder":           {Directory: &DirectoryConfig{Path: t.TempDir()}},
		"folder and cache": {BaseURL: "https://registry.example.org", Directory: &DirectoryConfig{Path: t.TempDir()}, Cloudflare: cloudflare},
		"R2":               {BaseURL: "https://registry.example.org", R2: &R2Config{AccountID: strings.Repeat("0", 32), Bucket: "registry", AccessKeyID: "id", SecretAccessKey: "key"}, Cloudflare: cloudflare},
	} {
		publisher, closer, err := p.publisher()
		if publisher == nil || err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if err := closer.Close(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if publisher, _, err := (PublishConfig{}).publisher(); publisher != nil || err != nil {
		t.Errorf("no place: %v, %v", publisher, err)
	}
	target, _, err := PublishConfig{R2: &R2Config{AccountID: "0123", Bucket: "b", AccessKeyID: "id", SecretAccessKey: "key"}}.target()
	if _, ok := target.(*publish.S3); !ok || err != nil {
		t.Errorf("R2: %T, %v", target, err)
	}
	if _, _, err := (PublishConfig{Directory: &DirectoryConfig{Path: filepath.Join("/dev/null", "x")}}).publisher(); err == nil || errors.Is(err, publish.ErrNotExist) {
		t.Errorf("a folder that cannot be: %v", err)
	}
}
