package main

import (
	"log/slog"
	"time"

	"github.com/tofu-registrar/registrar/registrydata"
)

// Config is the configuration of the bot, as the file holds it (see LoadConfig)
// and as Go code may make it. Zero fields have the stated defaults; Faults lists
// what is wrong.
type Config struct {
	// GitHub says which GitHub, as which App.
	GitHub GitHubConfig
	// Metadata is the repository that holds the registry's data.
	Metadata MetadataConfig
	// Policy says what happens without a maintainer's hand.
	Policy PolicyConfig
	// Look says how often registered repositories are looked at.
	Look LookConfig
	// Audit and Backfill look after what is recorded already.
	Audit    AuditConfig
	Backfill BackfillConfig
	// Queue keeps work until it is done.
	Queue QueueConfig
	// Publish says where clients read.
	Publish PublishConfig
	// Server is what the bot listens on.
	Server ServerConfig
	// Log says where decisions are kept.
	Log LogConfig
}

// GitHubConfig is the block github.
type GitHubConfig struct {
	// AppID is the App's number, from its settings page.
	AppID int64
	// PrivateKey is the App's RSA key in PEM form.
	PrivateKey Secret
	// WebhookSecrets are what webhooks are signed with: one, or while it is
	// being changed the new one and the old one.
	WebhookSecrets []Secret
	// APIURL is the root of the REST API, https://api.github.com if empty; on
	// GitHub Enterprise https://HOST/api/v3.
	APIURL string
	// WebURL is where repositories and release files are, https://github.com if
	// empty.
	WebURL string
	// DownloadHosts are more hosts that release files may come from: "host",
	// "host:port" or "*.domain". GitHub's own need not be named.
	DownloadHosts []string
}

// MetadataConfig is the block metadata.
type MetadataConfig struct {
	// Repository is owner/name. The App is installed on it.
	Repository registrydata.Repository
	// Branch is what is published, "main" if empty.
	Branch string
}

// PolicyConfig is the block policy.
type PolicyConfig struct {
	// Merge is how submissions get in: "manual" (if empty), a maintainer merges;
	// "approved", a maintainer's approving review merges; "automatic".
	Merge string
	// Releases is how new versions of registered entries get in: "automatic" (if
	// empty), "batch" (so too, but one commit for several entries) or "manual".
	Releases string
}

// QueueConfig is the block queue.
type QueueConfig struct {
	// Database is an SQLite file, "registrar.db" beside the configuration if
	// empty; or "postgres://user:password@host/name", which several processes may
	// serve.
	Database Database
	// Workers is how many jobs run at a time, 16 if 0. Jobs mostly wait for
	// GitHub.
	Workers int
	// SweepEvery is how often everything under way is looked after, 5 minutes
	// if 0, never if negative.
	SweepEvery time.Duration
}

// ServerConfig is the block server.
type ServerConfig struct {
	// Listen is the address for webhooks, health and metrics, ":8080" if empty.
	Listen string
	// StopWithin is how long running jobs may go on when the program is asked to
	// stop, 25 seconds if 0. Jobs that still run then go back to the queue.
	StopWithin time.Duration
	// Registry makes the program answer the registry API itself; nil leaves that
	// to whatever serves what is published.
	Registry *RegistryConfig
}

// withDefaults fills the fields that are zero.
func (c Config) withDefaults() Config {
	c.GitHub.APIURL = orElse(c.GitHub.APIURL, "https://api.github.com")
	c.GitHub.WebURL = orElse(c.GitHub.WebURL, "https://github.com")
	c.Metadata.Branch = orElse(c.Metadata.Branch, "main")
	c.Policy.Merge = orElse(c.Policy.Merge, "manual")
	c.Policy.Releases = orElse(c.Policy.Releases, "automatic")
	c.Audit, c.Backfill = c.Audit.withDefaults(), c.Backfill.withDefaults()
	c.Queue.Database = orElse(c.Queue.Database, "registrar.db")
	c.Server.Listen = orElse(c.Server.Listen, ":8080")
	c.Server.StopWithin = orElse(c.Server.StopWithin, 25*time.Second)
	c.Server.Registry = c.Server.Registry.withDefaults()
	return c
}

func orElse[T comparable](v, def T) T {
	var zero T
	if v == zero {
		return def
	}
	return v
}

// Secret is text that must not be shown. Whatever prints it shows "[secret]".
type Secret string

// String implements fmt.Stringer.
func (Secret) String() string { return "[secret]" }

// GoString implements fmt.GoStringer, for %#v.
func (Secret) GoString() string { return `"[secret]"` }

// LogValue implements slog.LogValuer.
func (Secret) LogValue() slog.Value { return slog.StringValue("[secret]") }

// MarshalText implements encoding.TextMarshaler, for JSON.
func (Secret) MarshalText() ([]byte, error) { return []byte("[secret]"), nil }
