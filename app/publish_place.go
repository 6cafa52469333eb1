package main

import (
	"fmt"
	"io"
	"runtime"

	"github.com/tofu-registrar/registrar/publish"
)

// noCloser is a place that needs no closing.
type noCloser struct{}

func (noCloser) Close() error { return nil }

// publisher opens the place to publish to, with the cache before it; nil where
// the configuration names none.
func (p PublishConfig) publisher() (*publish.Publisher, io.Closer, error) {
	target, closer, err := p.target()
	if err != nil || target == nil {
		return nil, noCloser{}, err
	}
	if p.Cloudflare == nil {
		return publish.New(target), closer, nil
	}
	purger, err := publish.NewCloudflare(publish.CloudflareConfig{
		ZoneID: p.Cloudflare.ZoneID, APIToken: string(p.Cloudflare.APIToken), Plan: p.Cloudflare.Plan,
		ByPrefix: p.Cloudflare.PurgeBy == purgeByPrefix, APIURL: p.Cloudflare.APIURL, BaseURL: p.BaseURL,
	})
	if err != nil {
		_ = closer.Close()
		return nil, noCloser{}, err
	}
	return publish.New(target, publish.WithPurger(purger)), closer, nil
}

// parallel is how many entities are published there at a time. A bucket is far
// away; a folder needs the processor.
func (p PublishConfig) parallel() int {
	if p.Directory != nil {
		return runtime.GOMAXPROCS(0)
	}
	return 32
}

func (p PublishConfig) target() (publish.Target, io.Closer, error) {
	var config publish.S3Config
	switch {
	case p.Directory != nil:
		folder, err := publish.OpenFolder(p.Directory.Path)
		if err != nil {
			return nil, nil, err
		}
		return folder, folder, nil
	case p.R2 != nil:
		config = publish.S3Config{
			Endpoint: publish.R2Endpoint(p.R2.AccountID), PathStyle: true, Bucket: p.R2.Bucket,
			AccessKeyID: string(p.R2.AccessKeyID), SecretAccessKey: string(p.R2.SecretAccessKey),
		}
	case p.S3 != nil:
		config = publish.S3Config{
			Endpoint: p.S3.Endpoint, Region: p.S3.Region, PathStyle: p.S3.PathStyle, Bucket: p.S3.Bucket,
			AccessKeyID: string(p.S3.AccessKeyID), SecretAccessKey: string(p.S3.SecretAccessKey),
		}
	default:
		return nil, nil, nil
	}
	bucket, err := publish.OpenS3(config)
	if err != nil {
		return nil, nil, fmt.Errorf("open the bucket: %w", err)
	}
	return bucket, noCloser{}, nil
}
