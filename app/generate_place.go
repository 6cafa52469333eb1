package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"strings"
	"syscall"

	"github.com/tofu-registrar/registrar/publish"
)

// generatePlace is where generate publishes to.
type generatePlace struct {
	target publish.Target
	folder *publish.Folder // nil where it is a bucket, or nothing is written
	purger publish.Purger
	// parallel is how many entities are published at the same time: a bucket
	// makes wait, a folder keeps the processor busy.
	parallel int
	close    func()
}

func (p *generatePlace) publisher() *publish.Publisher {
	if p.purger == nil {
		return publish.New(p.target)
	}
	return publish.New(p.target, publish.WithPurger(p.purger))
}

// open opens what --out names. For a dry run it is only read.
func (o generateOptions) open(getenv func(string) string) (*generatePlace, error) {
	place := &generatePlace{close: func() {}}
	var err error
	switch rest, bucket := strings.CutPrefix(o.out, "s3://"); {
	case bucket:
		err = o.openBucket(place, rest, getenv)
	case o.dryRun:
		err = place.openLive(o.out)
	default:
		place.folder, err = publish.OpenFolder(o.out)
		if err == nil {
			place.target = place.folder
			place.close = func() { _ = place.folder.Close() }
		}
	}
	if err != nil {
		return nil, err
	}
	if o.dryRun {
		place.target = readOnly{place.target}
		return place, nil
	}
	if o.zone != "" {
		place.purger, err = publish.NewCloudflare(publish.CloudflareConfig{
			ZoneID: o.zone, APIToken: getenv("CLOUDFLARE_API_TOKEN"), BaseURL: o.baseURL, Plan: o.plan, ByPrefix: o.byPrefix,
		})
		if err != nil {
			return nil, &exitError{code: exitUsage, err: err}
		}
	}
	return place, nil
}

// openBucket opens "bucket/prefix" with the variables that all tools for S3 know.
func (o generateOptions) openBucket(place *generatePlace, rest string, getenv func(string) string) error {
	bucket, prefix, _ := strings.Cut(rest, "/")
	config := publish.S3Config{
		Bucket: bucket, PathStyle: o.pathStyle,
		Region:      firstOf(getenv("AWS_REGION"), getenv("AWS_DEFAULT_REGION")),
		Endpoint:    firstOf(getenv("AWS_ENDPOINT_URL_S3"), getenv("AWS_ENDPOINT_URL")),
		AccessKeyID: getenv("AWS_ACCESS_KEY_ID"), SecretAccessKey: getenv("AWS_SECRET_ACCESS_KEY"),
	}
	if config.Endpoint == "" && config.Region != "" {
		config.Endpoint = "https://s3." + config.Region + ".amazonaws.com"
	}
	if bucket == "" || config.Endpoint == "" || config.AccessKeyID == "" || config.SecretAccessKey == "" {
		return usageError("--out %s: the bucket, or one of AWS_ENDPOINT_URL (or AWS_REGION), AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY is missing", o.out)
	}
	if u, err := url.Parse(config.Endpoint); err == nil && strings.HasSuffix(u.Hostname(), ".r2.cloudflarestorage.com") {
		config.WriteEvery = publish.R2WriteEvery
	}
	s3, err := publish.OpenS3(config)
	if err != nil {
		return err
	}
	if place.target, err = publish.Below(s3, prefix); err != nil {
		return usageError("--out %s: %v", o.out, err)
	}
	place.parallel = 32
	return nil
}

func firstOf(values ...string) string {
	for _, v := range values {
		if v != "" {
			return v
		}
	}
	return ""
}

// errDryRun is a write that a dry run should not have tried.
var errDryRun = errors.New("a dry run writes nothing")

// readOnly is a target that a dry run cannot change.
type readOnly struct{ publish.Target }

func (readOnly) Put(context.Context, string, publish.File) error { return errDryRun }

func (readOnly) PutIf(context.Context, string, publish.File, string) (string, error) {
	return "", errDryRun
}

func (readOnly) Delete(context.Context, string) error { return errDryRun }

// openLive opens a folder without making anything in it, as publish.OpenFolder
// would; a folder that is not there is empty.
func (p *generatePlace) openLive(dir string) error {
	root, err := os.OpenRoot(dir)
	if errors.Is(err, fs.ErrNotExist) {
		p.target = liveFolder{}
		return nil
	}
	if err != nil {
		return fmt.Errorf("publish folder: %w", err)
	}
	p.target = liveFolder{root: root}
	p.close = func() { _ = root.Close() }
	return nil
}

// liveFolder reads what a folder has live.
type liveFolder struct {
	publish.Target // none: it is only read
	root           *os.Root
}

// Get implements publish.Target.
func (l liveFolder) Get(_ context.Context, name string) (publish.File, error) {
	if l.root == nil {
		return publish.File{}, publish.ErrNotExist
	}
	f, err := l.root.Open(name)
	if isAbsent(err) {
		return publish.File{}, publish.ErrNotExist
	}
	if err != nil {
		return publish.File{}, err
	}
	defer f.Close() //nolint:errcheck // only read
	info, err := f.Stat()
	if err != nil || !info.Mode().IsRegular() {
		return publish.File{}, errors.Join(err, publish.ErrNotExist)
	}
	body := make([]byte, info.Size())
	_, err = io.ReadFull(f, body)
	return publish.File{Body: body}, err
}

// List implements publish.Target.
func (l liveFolder) List(_ context.Context, prefix string) ([]string, error) {
	var names []string
	if l.root == nil {
		return nil, nil
	}
	err := fs.WalkDir(l.root.FS(), strings.TrimSuffix(prefix, "/"), func(name string, e fs.DirEntry, err error) error {
		if isAbsent(err) {
			return nil
		}
		if err == nil && !e.IsDir() {
			names = append(names, name)
		}
		return err
	})
	return names, err
}

// isAbsent: nothing is there, or a file where a folder would have to be.
func isAbsent(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR)
}
