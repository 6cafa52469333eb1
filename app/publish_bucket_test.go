package main

import (
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tofu-registrar/registrar/publish"
)

func isNotThere(err error) bool { return errors.Is(err, publish.ErrNotExist) }

// The data of these tests: a provider with one version or two, and a module.
const (
	demoOne = `{"versions":[{"version":"1.0.0","targets":[{"os":"linux","arch":"amd64","shasum":"aaaa"}]}]}`
	demoTwo = `{"versions":[{"version":"1.0.0","targets":[{"os":"linux","arch":"amd64","shasum":"aaaa"}]},{"version":"1.1.0","targets":[{"os":"linux","arch":"amd64","shasum":"bbbb"}]}]}`
	netOne  = `{"versions":[{"version":"v1.0.0"}]}`
	netTwo  = `{"versions":[{"version":"v1.0.0"},{"version":"v1.1.0"}]}`

	demoFile = "providers/a/acme/demo.json"
	netFile  = "modules/a/acme/net/aws.json"
)

// What is merged gets into the bucket, and the cache forgets what has changed: in
// a bucket of ours, and in a real one.
func TestBotPublishesToBucketAndCache(t *testing.T) {
	t.Parallel()
	for name, open := range map[string]func(t *testing.T) *S3Config{
		"fake": func(t *testing.T) *S3Config { _, config := newMemoryBucket(t); return config },
		"versitygw": func(t *testing.T) *S3Config {
			return &S3Config{Endpoint: bucketServer(t)["AWS_ENDPOINT_URL"], Bucket: "registry", PathStyle: true, AccessKeyID: "key", SecretAccessKey: "secret"}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cache, cloudflare := newPurgeRecorder(t)
			bucket := open(t)
			w := newPublishingWorld(t, func(p *PublishConfig) { p.S3, p.Cloudflare = bucket, cloudflare })
			purged := func(want ...string) {
				t.Helper()
				for i := range want {
					want[i] = w.registryURL + "/" + want[i]
				}
				if diff := cmp.Diff(want, cache.since()); diff != "" {
					t.Errorf("purged (-want +got):\n%s", diff)
				}
			}
			w.push(map[string]string{demoFile: demoOne, netFile: netOne})
			if !strings.Contains(w.live("v1/providers/acme/demo/1.0.0/download/linux/amd64"), "aaaa") || !strings.Contains(w.live("v1/modules/acme/net/aws/versions"), "1.0.0") {
				t.Error("what was pushed is not live")
			}
			purged(".well-known/terraform.json", "v1/modules/acme/net/aws/1.0.0/download", "v1/modules/acme/net/aws/versions",
				"v1/providers/acme/demo/1.0.0/download/linux/amd64", "v1/providers/acme/demo/versions")

			w.push(map[string]string{demoFile: demoTwo})
			purged("v1/providers/acme/demo/1.1.0/download/linux/amd64", "v1/providers/acme/demo/versions")

			w.push(map[string]string{demoFile: demoOne, netFile: netTwo})
			if !strings.Contains(w.live("v1/providers/acme/demo/versions"), "1.1.0") || !strings.Contains(w.live("v1/modules/acme/net/aws/versions"), "1.1.0") {
				t.Error("the guard let the version go, or held back more than that")
			}
			purged("v1/modules/acme/net/aws/1.1.0/download", "v1/modules/acme/net/aws/versions")
			if n := strings.Count(w.log.String(), "acme/demo 1.1.0 would vanish"); n < 2 {
				t.Errorf("the refusal stands %d times in the log, for a job that is tried 3 times: %s", n, w.log)
			}
			if !w.metric(`registrar_publish_held_back{reason="loss"} 1`) {
				t.Error("the refusal is no metric")
			}

			// The cache refuses: what is live is live, and purged once it does not.
			cache.answer(http.StatusForbidden)
			w.push(map[string]string{demoFile: demoTwo + "\n", netFile: strings.Replace(netTwo, "v1.1.0", "v1.1.0\"},{\"version\":\"v1.2.0", 1)})
			if !strings.Contains(w.live("v1/modules/acme/net/aws/versions"), "1.2.0") || !strings.Contains(w.log.String(), "does not let this API token purge") {
				t.Errorf("not live, or nobody was told: %s", w.log)
			}
			purged()
			cache.answer(0)
			w.again()
			purged("v1/modules/acme/net/aws/1.2.0/download", "v1/modules/acme/net/aws/versions")
			if !w.metric(`registrar_publish_held_back{reason="loss"} 0`) {
				t.Error("something is held back still")
			}
			w.again()
			purged()
		})
	}
}

// checkTrouble wants the trouble told as an error, once a try; and after it was
// mended, everything live.
func (w *publishingWorld) checkTrouble(says string, mend func()) {
	w.t.Helper()
	tries, told := 0, 0
	for line := range strings.Lines(w.log.String()) {
		if strings.Contains(line, "key=publish") {
			tries++
			told += strings.Count(line, says)
			if !strings.Contains(line, "level=ERROR") {
				w.t.Errorf("no error for the operator: %s", line)
			}
		}
	}
	if tries < 3 || told != tries {
		w.t.Errorf("%q was told %d times in %d tries, want once in each of 3: %s", says, told, tries, w.log)
	}
	mend()
	w.again()
	for _, path := range []string{"v1/providers/acme/demo/versions", "v1/providers/acme/demo/1.1.0/download/linux/amd64", "v1/modules/acme/net/aws/versions"} {
		if w.live(path) == "" {
			w.t.Errorf("mended, and %s is not live", path)
		}
	}
}

// A bucket that refuses is one error for the operator, the job comes back, and
// mending it is enough.
func TestBotMeetsATroubledBucket(t *testing.T) {
	t.Parallel()
	for code, says := range map[string]string{
		"InvalidAccessKeyId": "does not accept the access key",
		"AccessDenied":       "does not let this access key read, write",
		"NoSuchBucket":       `there is no bucket \"registry\"`,
	} {
		t.Run(code, func(t *testing.T) {
			t.Parallel()
			b, config := newMemoryBucket(t)
			w := newPublishingWorld(t, func(p *PublishConfig) { p.S3 = config })
			b.refuse(code)
			w.push(map[string]string{demoFile: demoTwo, netFile: netOne})
			w.checkTrouble(says, func() { b.refuse("") })
		})
	}
}

// A disk that is full is one error for the operator. Nothing is listed that is
// not there, and room is all that is needed.
func TestBotMeetsAFullDisk(t *testing.T) {
	onOwnDisk(t, botOnFullDisk)
}

func botOnFullDisk(t *testing.T, disk ownDisk) {
	disk.mount(t, "size=96k")
	w := newPublishingWorld(t, func(p *PublishConfig) { p.Directory = &DirectoryConfig{Path: filepath.Join(string(disk), "public")} })
	var many strings.Builder
	many.WriteString(`{"versions":[{"version":"v1.0.0"}`)
	for i := range 300 {
		fmt.Fprintf(&many, `,{"version":"v1.1.%d"}`, i)
	}
	many.WriteString(`]}`)
	w.push(map[string]string{demoFile: demoTwo, netFile: many.String()})
	names, err := w.target.List(t.Context(), "v1/")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if w.live(name) == "" {
			t.Errorf("%s is half written", name)
		}
	}
	if slices.Contains(names, "v1/modules/acme/net/aws/versions") {
		t.Error("a list is there, and not all that it names")
	}
	w.checkTrouble("no room left", func() { disk.mount(t, "remount,size=64m") })
}
