package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/gohcl"
	"github.com/hashicorp/hcl/v2/hclsyntax"
	"github.com/zclconf/go-cty/cty"

	"github.com/tofu-registrar/registrar/registrydata"
)

// mostConfig bounds the configuration and each file that it reads, in bytes.
const mostConfig = 1 << 20

// fileConfig is the shape of the file. Everything is optional here: what is
// missing Config.Faults says better.
type fileConfig struct {
	GitHub *struct {
		AppID         int64     `hcl:"app_id,optional"`
		PrivateKey    string    `hcl:"private_key,optional"`
		WebhookSecret cty.Value `hcl:"webhook_secret,optional"`
		APIURL        string    `hcl:"api_url,optional"`
		WebURL        string    `hcl:"web_url,optional"`
		DownloadHosts []string  `hcl:"download_hosts,optional"`
	} `hcl:"github,block"`
	Metadata *struct {
		Repository string `hcl:"repository,optional"`
		Branch     string `hcl:"branch,optional"`
	} `hcl:"metadata,block"`
	Policy *struct {
		Merge    string `hcl:"merge,optional"`
		Releases string `hcl:"releases,optional"`
	} `hcl:"policy,block"`
	Look     *fileLook   `hcl:"look,block"`
	Audit    *fileUpkeep `hcl:"audit,block"`
	Backfill *fileUpkeep `hcl:"backfill,block"`
	Queue    *struct {
		Database   string `hcl:"database,optional"`
		Workers    int    `hcl:"workers,optional"`
		SweepEvery string `hcl:"sweep_every,optional"`
	} `hcl:"queue,block"`
	Publish *struct {
		BaseURL   string   `hcl:"base_url,optional"`
		Name      string   `hcl:"name,optional"`
		MaxDelete *float64 `hcl:"max_delete,optional"`
		Directory *struct {
			Path string `hcl:"path,optional"`
		} `hcl:"directory,block"`
		R2         *fileR2         `hcl:"r2,block"`
		S3         *fileS3         `hcl:"s3,block"`
		Cloudflare *fileCloudflare `hcl:"cloudflare,block"`
	} `hcl:"publish,block"`
	Server *struct {
		Listen     string        `hcl:"listen,optional"`
		StopWithin string        `hcl:"stop_within,optional"`
		Registry   *fileRegistry `hcl:"registry,block"`
	} `hcl:"server,block"`
	Log *struct {
		Decisions string `hcl:"decisions,optional"`
	} `hcl:"log,block"`
}

// LoadConfig reads a configuration file and checks all of it. Paths in it are
// relative to its folder. The error is a *ConfigError with every fault and its
// place, or says why the file can't be read.
func LoadConfig(path string, getenv func(string) string) (Config, error) {
	src, err := readBounded(path)
	if err != nil {
		return Config{}, fmt.Errorf("read the configuration: %w", err)
	}
	dir := filepath.Dir(path)
	read := func(name string) ([]byte, error) { return readBounded(within(dir, name)) }
	return parseConfig(path, src, dir, getenv, read)
}

// parseConfig is LoadConfig of bytes.
func parseConfig(path string, src []byte, dir string, getenv func(string) string, read func(string) ([]byte, error)) (Config, error) {
	file, diags := hclsyntax.ParseConfig(src, path, hcl.InitialPos)
	if diags.HasErrors() {
		return Config{}, &ConfigError{src: src, diags: diags}
	}
	body, ok := file.Body.(*hclsyntax.Body)
	if !ok {
		return Config{}, errors.New("the configuration is not in HCL's native syntax")
	}
	var raw fileConfig
	diags = withoutEchoes(gohcl.DecodeBody(body, configFunctions(getenv, read), &raw))
	cfg, faults := raw.config(dir)
	faults = append(faults, cfg.Faults()...)
	diags = append(diags, placeFaults(faults, diags, body)...)
	if diags.HasErrors() {
		return Config{}, &ConfigError{src: src, diags: diags}
	}
	return cfg, nil
}

// config turns the file's shape into the program's. Its faults are of values
// that have no place in Config.
func (f fileConfig) config(dir string) (Config, []configFault) {
	var cfg Config
	var faults []configFault
	if g := f.GitHub; g != nil {
		cfg.GitHub = GitHubConfig{
			AppID: g.AppID, PrivateKey: Secret(g.PrivateKey), WebhookSecrets: secrets(g.WebhookSecret),
			APIURL: g.APIURL, WebURL: g.WebURL, DownloadHosts: g.DownloadHosts,
		}
	}
	if m := f.Metadata; m != nil {
		owner, name, _ := strings.Cut(m.Repository, "/")
		cfg.Metadata = MetadataConfig{Repository: registrydata.Repository{Owner: owner, Name: name}, Branch: m.Branch}
	}
	if p := f.Policy; p != nil {
		cfg.Policy = PolicyConfig{Merge: p.Merge, Releases: p.Releases}
	}
	cfg.Look = f.Look.config(&faults)
	cfg.Audit.Off, cfg.Audit.Every = f.Audit.config("audit", &faults)
	cfg.Backfill.Off, cfg.Backfill.Every = f.Backfill.config("backfill", &faults)
	if q := f.Queue; q != nil {
		cfg.Queue = QueueConfig{Database: Database(q.Database), Workers: q.Workers}
		cfg.Queue.SweepEvery = duration("queue.sweep_every", q.SweepEvery, &faults)
	}
	if !strings.Contains(string(cfg.Queue.Database), "://") {
		cfg.Queue.Database = Database(within(dir, orElse(string(cfg.Queue.Database), "registrar.db")))
	}
	if s := f.Server; s != nil {
		cfg.Server = ServerConfig{Listen: s.Listen}
		cfg.Server.StopWithin = duration("server.stop_within", s.StopWithin, &faults)
		cfg.Server.Registry = s.Registry.config(dir, &faults)
	}
	if l := f.Log; l != nil && l.Decisions != "" {
		cfg.Log.Decisions = within(dir, l.Decisions)
		if strings.HasSuffix(l.Decisions, "/") { // which within has dropped
			faults = append(faults, decisionsFault)
		}
	} else if cfg.Queue.Database.Server() {
		cfg.Log.Decisions = within(dir, decisionsFile)
	}
	cfg.Publish = f.publish(dir, &faults)
	return cfg, faults
}

func (f fileConfig) publish(dir string, faults *[]configFault) PublishConfig {
	p := f.Publish
	if p == nil {
		return PublishConfig{}
	}
	cfg := PublishConfig{BaseURL: strings.TrimSuffix(p.BaseURL, "/"), Name: p.Name}
	if m := p.MaxDelete; m != nil {
		cfg.MaxDelete = *m
		if *m == 0 { // which in Config is the default
			*faults = append(*faults, maxDeleteFault)
		}
	}
	if d := p.Directory; d != nil {
		cfg.Directory = &DirectoryConfig{}
		if d.Path != "" {
			cfg.Directory.Path = within(dir, d.Path)
		}
	}
	cfg.R2, cfg.S3, cfg.Cloudflare = p.R2.config(), p.S3.config(), p.Cloudflare.config()
	return cfg
}

// secret drops the line end that most editors put after a secret in a file.
func secret(text string) Secret { return Secret(strings.TrimRight(text, "\r\n")) }

// secrets reads one secret or a list of them; anything else is none.
func secrets(v cty.Value) []Secret {
	if v == cty.NilVal || v.IsNull() || !v.IsWhollyKnown() {
		return nil
	}
	if v.Type() == cty.String {
		return []Secret{secret(v.AsString())}
	}
	if !v.CanIterateElements() {
		return nil
	}
	var list []Secret
	for it := v.ElementIterator(); it.Next(); {
		_, element := it.Element()
		if element.IsNull() || element.Type() != cty.String {
			return nil
		}
		list = append(list, secret(element.AsString()))
	}
	return list
}

func duration(path, text string, faults *[]configFault) time.Duration {
	if text == "" {
		return 0
	}
	d, err := time.ParseDuration(text)
	if err != nil || d == 0 {
		*faults = append(*faults, configFault{path, "no time", `Write it as "90s", "5m" or "1h30m".`})
	}
	return d
}

// within makes a path of the configuration relative to the configuration.
func within(dir, name string) string {
	if filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(dir, name)
}

func readBounded(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() || info.Size() > mostConfig {
		return nil, fmt.Errorf("%s is no file of at most %d bytes", path, mostConfig)
	}
	return os.ReadFile(path) // #nosec G304 -- the operator names it
}
