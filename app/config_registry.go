package main

import (
	"net"
	"strings"
	"time"
)

// RegistryConfig is the block server.registry.
type RegistryConfig struct {
	// Listen is the address that clients reach, ":8443" if empty.
	Listen string
	// Data is a folder with a checkout of the metadata repository. If empty the
	// metadata repository itself is kept in memory.
	Data string
	// Refresh is how often the folder is looked at for changes, 15 seconds if 0.
	Refresh time.Duration
	// TLS is the certificate. Clients want HTTPS.
	TLS *TLSConfig
	// PlainHTTP does without: behind a proxy that speaks HTTPS, or for development
	// with clients that are told so in their own configuration.
	PlainHTTP bool
	// AccessLog writes each request to the log.
	AccessLog bool
}

// TLSConfig is the block server.registry.tls. Both are PEM files; they are read
// again when they change.
type TLSConfig struct {
	// Certificate holds the certificate and those that vouch for it.
	Certificate string
	// Key is the certificate's private key.
	Key string
}

// fileRegistry is the shape of the block in the file.
type fileRegistry struct {
	Listen    string `hcl:"listen,optional"`
	Data      string `hcl:"data,optional"`
	Refresh   string `hcl:"refresh,optional"`
	PlainHTTP bool   `hcl:"plain_http,optional"`
	AccessLog bool   `hcl:"access_log,optional"`
	TLS       *struct {
		Certificate string `hcl:"certificate,optional"`
		Key         string `hcl:"key,optional"`
	} `hcl:"tls,block"`
}

func (f *fileRegistry) config(dir string, faults *[]configFault) *RegistryConfig {
	if f == nil {
		return nil
	}
	path := func(name string) string {
		if name == "" {
			return ""
		}
		return within(dir, name)
	}
	cfg := &RegistryConfig{
		Listen: f.Listen, Data: path(f.Data), PlainHTTP: f.PlainHTTP, AccessLog: f.AccessLog,
		Refresh: duration("server.registry.refresh", f.Refresh, faults),
	}
	if f.TLS != nil {
		cfg.TLS = &TLSConfig{Certificate: path(f.TLS.Certificate), Key: path(f.TLS.Key)}
	}
	return cfg
}

func (r *RegistryConfig) withDefaults() *RegistryConfig {
	if r == nil {
		return nil
	}
	c := *r
	c.Listen = orElse(c.Listen, ":8443")
	if c.Data != "" {
		c.Refresh = orElse(c.Refresh, 15*time.Second)
	}
	return &c
}

// registryOnly tells whether the configuration is of a registry without the bot:
// its data is in a folder, and it says nothing of GitHub or of publishing.
func (c Config) registryOnly() bool {
	g := c.GitHub
	return c.Server.Registry != nil && c.Server.Registry.Data != "" &&
		g.AppID == 0 && g.PrivateKey == "" && len(g.WebhookSecrets) == 0 &&
		c.Metadata.Repository.Owner == "" && c.Publish == PublishConfig{}
}

// servesMetadata tells whether what is in the metadata repository is served from
// here, so that it need not be published anywhere else.
func (c Config) servesMetadata() bool {
	return c.Server.Registry != nil && c.Server.Registry.Data == ""
}

// faults lists what is wrong; webhooks is the address of the other server.
func (r *RegistryConfig) faults(webhooks string) (faults []configFault) {
	if r == nil {
		return nil
	}
	if _, port, err := net.SplitHostPort(r.Listen); err != nil || port == "" {
		faults = append(faults, configFault{"server.registry.listen", "no address to listen on",
			`It is a port with or without a host: ":8443", "127.0.0.1:8443".`})
	} else if r.Listen == webhooks && port != "0" {
		faults = append(faults, configFault{"server.registry.listen", "the address is taken",
			"server.listen is for webhooks, health and metrics, which clients must not see: use another port."})
	}
	if r.Refresh != 0 && r.Data == "" {
		faults = append(faults, configFault{"server.registry.refresh", "there is no folder to look at",
			"It is for the folder that data names. The metadata repository in memory is brought up to date by its webhooks."})
	} else if r.Refresh < 0 || (r.Refresh > 0 && r.Refresh < time.Second) {
		faults = append(faults, configFault{"server.registry.refresh", "too often", `Leave at least "1s" between two looks at the folder.`})
	}
	return append(faults, r.transportFaults()...)
}

func (r *RegistryConfig) transportFaults() (faults []configFault) {
	switch {
	case r.TLS == nil && !r.PlainHTTP:
		return []configFault{{"server.registry", "no certificate",
			`Clients want HTTPS. Add a block: tls { certificate = "cert.pem" key = "key.pem" }; or plain_http = true where a proxy speaks HTTPS, or for development.`}}
	case r.TLS == nil:
		return nil
	case r.PlainHTTP:
		faults = append(faults, configFault{"server.registry.plain_http", "HTTPS and plain HTTP at once", "Keep one of plain_http and the block tls."})
	}
	for _, file := range []struct{ field, name string }{{"certificate", r.TLS.Certificate}, {"key", r.TLS.Key}} {
		if file.name == "" || strings.Contains(file.name, "-----BEGIN") {
			faults = append(faults, configFault{"server.registry.tls." + file.field, "no file",
				"It names a PEM file, without file(): the file is read again when it is renewed."})
		}
	}
	return faults
}
