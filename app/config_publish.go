package main

import (
	"net/url"
	"slices"
	"strings"

	"github.com/tofu-registrar/registrar/publish"
)

// PublishConfig is the block publish. Exactly one of Directory, R2 and S3 is
// set, or none where the program itself serves the registry
// (ServerConfig.Registry).
type PublishConfig struct {
	// BaseURL is what clients name the registry by: https://registry.example.org.
	BaseURL string
	// Name is what the registry calls itself, the host of BaseURL if empty.
	Name string
	// MaxDelete is the share of the registry that one publication may remove,
	// 0.01 if 0; 1 sets no limit.
	MaxDelete float64
	// Directory is a folder that a web server serves.
	Directory *DirectoryConfig
	// R2 is a bucket at Cloudflare.
	R2 *R2Config
	// S3 is a bucket anywhere else.
	S3 *S3Config
	// Cloudflare is the cache before it, to purge; nil where there is none.
	Cloudflare *CloudflareConfig
}

// DirectoryConfig is the block publish.directory.
type DirectoryConfig struct {
	// Path is the folder.
	Path string
}

// R2Config is the block publish.r2.
type R2Config struct {
	// AccountID is Cloudflare's id of the account, 32 hex digits.
	AccountID string
	// Bucket is the bucket's name.
	Bucket string
	// AccessKeyID and SecretAccessKey are of an R2 API token.
	AccessKeyID, SecretAccessKey Secret
}

// S3Config is the block publish.s3. The server must know conditional writes.
type S3Config struct {
	// Endpoint is the server: https://s3.eu-central-1.amazonaws.com.
	Endpoint string
	// Region is the bucket's, "auto" if empty.
	Region string
	// Bucket is the bucket's name.
	Bucket string
	// PathStyle puts the bucket's name after the host, not before it.
	PathStyle bool
	// AccessKeyID and SecretAccessKey may read, write, delete and list objects.
	AccessKeyID, SecretAccessKey Secret
}

// CloudflareConfig is the block publish.cloudflare.
type CloudflareConfig struct {
	// ZoneID is Cloudflare's id of the zone, 32 hex digits.
	ZoneID string
	// APIToken may purge the zone's cache.
	APIToken Secret
	// Plan is the zone's, which says how much may be purged: "free" (if empty),
	// "pro", "business" or "enterprise".
	Plan string
	// PurgeBy is what an order names: "address" (if empty), single files, or
	// "prefix", all of an entity for any file of it.
	PurgeBy string
	// APIURL is Cloudflare's API, https://api.cloudflare.com/client/v4 if empty.
	APIURL string
}

// The ways to name what is to be purged.
const (
	purgeByAddress = "address"
	purgeByPrefix  = "prefix"
)

// The shapes of the blocks in the file.
type (
	fileR2 struct {
		AccountID       string `hcl:"account_id,optional"`
		Bucket          string `hcl:"bucket,optional"`
		AccessKeyID     string `hcl:"access_key_id,optional"`
		SecretAccessKey string `hcl:"secret_access_key,optional"`
	}
	fileS3 struct {
		Endpoint        string `hcl:"endpoint,optional"`
		Region          string `hcl:"region,optional"`
		Bucket          string `hcl:"bucket,optional"`
		PathStyle       bool   `hcl:"path_style,optional"`
		AccessKeyID     string `hcl:"access_key_id,optional"`
		SecretAccessKey string `hcl:"secret_access_key,optional"`
	}
	fileCloudflare struct {
		ZoneID   string `hcl:"zone_id,optional"`
		APIToken string `hcl:"api_token,optional"`
		Plan     string `hcl:"plan,optional"`
		PurgeBy  string `hcl:"purge_by,optional"`
		APIURL   string `hcl:"api_url,optional"`
	}
)

func (f *fileR2) config() *R2Config {
	if f == nil {
		return nil
	}
	return &R2Config{
		AccountID: f.AccountID, Bucket: f.Bucket,
		AccessKeyID: secret(f.AccessKeyID), SecretAccessKey: secret(f.SecretAccessKey),
	}
}

func (f *fileS3) config() *S3Config {
	if f == nil {
		return nil
	}
	return &S3Config{
		Endpoint: f.Endpoint, Region: f.Region, Bucket: f.Bucket, PathStyle: f.PathStyle,
		AccessKeyID: secret(f.AccessKeyID), SecretAccessKey: secret(f.SecretAccessKey),
	}
}

func (f *fileCloudflare) config() *CloudflareConfig {
	if f == nil {
		return nil
	}
	return &CloudflareConfig{ZoneID: f.ZoneID, APIToken: secret(f.APIToken), Plan: f.Plan, PurgeBy: f.PurgeBy, APIURL: f.APIURL}
}

// faults lists what is wrong; served tells that clients are answered from here,
// so that nothing need be published.
func (p PublishConfig) faults(served bool) (faults []configFault) {
	faults = urlFaults("publish.base_url", p.BaseURL)
	if u, err := url.Parse(p.BaseURL); err == nil && strings.Trim(u.Path, "/") != "" {
		faults = append(faults, configFault{"publish.base_url", "the address has a path",
			"Clients look for the registry at the root of a host."})
	}
	places := p.places()
	switch {
	case len(places) == 0 && !served:
		faults = append(faults, configFault{"publish", "no place to publish to", "Add a block: directory { path = … }, r2 { … } or s3 { … }."})
	case len(places) > 1:
		faults = append(faults, configFault{"publish." + places[1], "two places to publish to", "Keep one of the blocks directory, r2 and s3."})
	case len(places) == 0 && p.Cloudflare != nil:
		faults = append(faults, configFault{"publish.cloudflare", "there is nothing to purge",
			"The cache is purged of what is published to a directory or a bucket. What is served from here is cached for a short time only."})
	}
	if !(p.MaxDelete >= 0 && p.MaxDelete <= 1) {
		faults = append(faults, maxDeleteFault)
	}
	if p.Directory != nil && p.Directory.Path == "" {
		faults = append(faults, configFault{"publish.directory.path", "no folder", "Name the folder that a web server serves."})
	}
	return slices.Concat(faults, p.R2.faults(), p.S3.faults(), p.Cloudflare.faults())
}

// maxDeleteFault is a share that is none.
var maxDeleteFault = configFault{"publish.max_delete", "no share of the registry",
	"It is above 0 and at most 1: 0.01 lets one publication remove at most 1 %, 1 sets no limit."}

// places are the names of the blocks that say where to publish.
func (p PublishConfig) places() (names []string) {
	if p.Directory != nil {
		names = append(names, "directory")
	}
	if p.R2 != nil {
		names = append(names, "r2")
	}
	if p.S3 != nil {
		names = append(names, "s3")
	}
	return names
}

func (r *R2Config) faults() (faults []configFault) {
	if r == nil {
		return nil
	}
	if !hexIDShape.MatchString(r.AccountID) {
		faults = append(faults, configFault{"publish.r2.account_id", "no account id", "Cloudflare's dashboard shows it: 32 hex digits."})
	}
	return append(faults, bucketFaults("publish.r2", r.Bucket, r.AccessKeyID, r.SecretAccessKey, "It comes with an R2 API token.")...)
}

func (s *S3Config) faults() (faults []configFault) {
	if s == nil {
		return nil
	}
	faults = urlFaults("publish.s3.endpoint", s.Endpoint)
	if s.Region != "" && !regionShape.MatchString(s.Region) {
		faults = append(faults, configFault{"publish.s3.region", "no name of a region", `At AWS it is the bucket's own, such as "eu-central-1"; most other servers take "auto".`})
	}
	return append(faults, bucketFaults("publish.s3", s.Bucket, s.AccessKeyID, s.SecretAccessKey, "It is one half of the key that may write to the bucket.")...)
}

func bucketFaults(block, bucket string, id, key Secret, hint string) (faults []configFault) {
	if !bucketShape.MatchString(bucket) {
		faults = append(faults, configFault{block + ".bucket", "no bucket name",
			"It has 3 to 63 lower-case letters, digits and hyphens."})
	}
	if id == "" {
		faults = append(faults, configFault{block + ".access_key_id", "no access key", hint})
	}
	if key == "" {
		faults = append(faults, configFault{block + ".secret_access_key", "no secret access key", hint})
	}
	return faults
}

func (c *CloudflareConfig) faults() (faults []configFault) {
	if c == nil {
		return nil
	}
	if !hexIDShape.MatchString(c.ZoneID) {
		faults = append(faults, configFault{"publish.cloudflare.zone_id", "no zone id", "Cloudflare's dashboard shows it: 32 hex digits."})
	}
	if c.APIToken == "" {
		faults = append(faults, configFault{"publish.cloudflare.api_token", "no API token", "It needs the permission to purge the zone's cache."})
	}
	if c.Plan != "" && !slices.Contains(publish.Plans(), c.Plan) {
		faults = append(faults, configFault{"publish.cloudflare.plan", "no such plan", `It is "free", "pro", "business" or "enterprise".`})
	}
	if c.PurgeBy != "" && c.PurgeBy != purgeByAddress && c.PurgeBy != purgeByPrefix {
		faults = append(faults, configFault{"publish.cloudflare.purge_by", "no such way to purge", `It is "address" or "prefix".`})
	}
	if c.APIURL != "" {
		faults = append(faults, urlFaults("publish.cloudflare.api_url", c.APIURL)...)
	}
	return faults
}
