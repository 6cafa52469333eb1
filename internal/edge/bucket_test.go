package edge

import (
	"slices"
	"testing"

	"github.com/tofu-registrar/registrar/publish"
	"github.com/tofu-registrar/registrar/registrydata"
)

// What the publisher stores with its files.
const (
	listControl     = "public, max-age=60"
	downloadControl = "public, max-age=86400"
)

// site is the registry's way out: the publisher, the R2 bucket behind the Worker
// by its S3 API, and the cache before it by Cloudflare's.
type site struct {
	*publish.Publisher
	bucket *publish.S3
}

// openSite opens the bucket and the cache, as a program does that starts.
func openSite(t *testing.T, w *workerd, c *cloudflare, token string) site {
	t.Helper()
	bucket, err := publish.OpenS3(publish.S3Config{
		Endpoint: w.s3Endpoint, Bucket: bucketName, PathStyle: true,
		AccessKeyID: accessKeyID, SecretAccessKey: secretAccessKey, Transport: w.client.Transport,
	})
	if err != nil {
		t.Fatal(err)
	}
	purger, err := publish.NewCloudflare(publish.CloudflareConfig{ZoneID: zoneID, APIToken: token, BaseURL: w.origin, APIURL: c.url})
	if err != nil {
		t.Fatal(err)
	}
	return site{Publisher: publish.New(bucket, publish.WithPurger(purger)), bucket: bucket}
}

// upload makes updates live, all but the purge.
func (s site) upload(t *testing.T, updates ...publish.Update) {
	t.Helper()
	for _, u := range updates {
		if err := s.Publish(t.Context(), u); err != nil {
			t.Fatal(err)
		}
	}
}

// finish purges and records a commit.
func (s site) finish(t *testing.T, commit string) {
	t.Helper()
	if err := s.SetPublished(t.Context(), commit); err != nil {
		t.Fatal(err)
	}
	if left := s.unpurged(t); len(left) > 0 {
		t.Errorf("still to purge: %q", left)
	}
}

// unpurged are the notes of what is still to be purged.
func (s site) unpurged(t *testing.T) []string {
	t.Helper()
	names, err := s.bucket.List(t.Context(), ".registrar/purge/")
	if err != nil {
		t.Fatal(err)
	}
	return names
}

// answers are all answers of the registry.
func (a *author) answers(t *testing.T) []registrydata.Object {
	t.Helper()
	return slices.Concat(a.provider(t).Objects, a.module(t).Objects, []registrydata.Object{a.renderer.Discovery()})
}
