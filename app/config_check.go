package main

import (
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"net"
	"net/url"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"
)

// configFault is one thing wrong with a configuration. It does not repeat texts
// of the configuration: one may be a secret in the wrong place.
type configFault struct {
	// path names the field as the file does: "publish.base_url". Faults of a
	// whole block name the block.
	path    string
	summary string
	detail  string // what is wanted
}

func (f configFault) Error() string { return f.path + ": " + f.summary + ". " + f.detail }

var (
	ownerShape  = regexp.MustCompile(`^[A-Za-z0-9](?:[A-Za-z0-9-]{0,37}[A-Za-z0-9])?$`)
	nameShape   = regexp.MustCompile(`^[A-Za-z0-9._-]{1,100}$`)
	branchShape = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9._/+-]{0,199}$`)
	hexIDShape  = regexp.MustCompile(`^[0-9a-f]{32}$`)
	bucketShape = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$`)
	regionShape = regexp.MustCompile(`^[a-z0-9-]{1,40}$`)
	hostShape   = regexp.MustCompile(`^(\*\.)?[A-Za-z0-9.-]+(:[0-9]{1,5})?$`)
)

// Faults lists everything that is wrong.
func (c Config) Faults() []configFault {
	c = c.withDefaults()
	if c.registryOnly() {
		return c.Server.faults()
	}
	return slices.Concat(c.GitHub.faults(), c.Metadata.faults(), c.Policy.faults(), c.Look.faults(), c.Audit.faults(), c.Backfill.faults(), c.Queue.faults(), c.Publish.faults(c.servesMetadata()), c.Server.faults(), c.logFaults())
}

var decisionsFault = configFault{"log.decisions", "no file for decisions",
	`Name a file of their own: "decisions.jsonl". It is made where there is none, and only ever appended to.`}

func (c Config) logFaults() []configFault {
	path := c.decisionsPath()
	if path == string(c.Queue.Database) || filepath.Base(path) == ".." || path == string(filepath.Separator) {
		return []configFault{decisionsFault}
	}
	return nil
}

func (g GitHubConfig) faults() (faults []configFault) {
	if g.AppID <= 0 {
		faults = append(faults, configFault{"github.app_id", "no App id", "The App's settings page shows it: a number above 0."})
	}
	if problem := rsaKeyProblem(g.PrivateKey); problem != "" {
		faults = append(faults, configFault{"github.private_key", problem,
			`It is the .pem file that GitHub offers on the App's settings page: private_key = file("registrar.private-key.pem").`})
	}
	if len(g.WebhookSecrets) == 0 || slices.Contains(g.WebhookSecrets, "") {
		faults = append(faults, configFault{"github.webhook_secret", "the webhook secret is empty",
			"Without it anyone could send webhooks. Set the one that the App's settings page has, or a list of two while it is being changed."})
	}
	faults = append(faults, urlFaults("github.api_url", g.APIURL)...)
	faults = append(faults, urlFaults("github.web_url", g.WebURL)...)
	for _, host := range g.DownloadHosts {
		if !hostShape.MatchString(host) {
			faults = append(faults, configFault{"github.download_hosts", "no host",
				`Each is "host", "host:port" or "*.domain".`})
		}
	}
	return faults
}

// rsaKeyProblem says what is wrong with an App's key, and nothing of its content.
func rsaKeyProblem(key Secret) string {
	if key == "" {
		return "no private key"
	}
	block, _ := pem.Decode([]byte(key))
	if block == nil {
		return "the private key is not in PEM form"
	}
	if _, err := x509.ParsePKCS1PrivateKey(block.Bytes); err == nil {
		return ""
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return "the private key can't be read"
	}
	if _, ok := parsed.(*rsa.PrivateKey); !ok {
		return "the private key is no RSA key"
	}
	return ""
}

// urlFaults wants https, or http on this machine.
func urlFaults(path, raw string) []configFault {
	u, err := url.Parse(raw)
	switch {
	case err != nil || u.Host == "" || u.Hostname() == "" || u.Opaque != "":
		return []configFault{{path, "no web address", "It begins with https:// and names a host."}}
	case u.User != nil || u.RawQuery != "" || u.Fragment != "":
		return []configFault{{path, "the address holds more than a place", "It has no user, no query and no fragment."}}
	case u.Scheme == "https" || (u.Scheme == "http" && loopback(u.Hostname())):
		return nil
	}
	return []configFault{{path, "the address is not https", "Only an address of this machine (localhost, 127.0.0.1) may be http."}}
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || (ip != nil && ip.IsLoopback())
}

func (m MetadataConfig) faults() (faults []configFault) {
	r := m.Repository
	if !ownerShape.MatchString(r.Owner) || !nameShape.MatchString(r.Name) || strings.Trim(r.Name, ".") == "" {
		faults = append(faults, configFault{"metadata.repository", "no repository",
			`Name it by owner and name: "opentofu/registry".`})
	}
	if !branchShape.MatchString(m.Branch) || strings.Contains(m.Branch, "..") || strings.HasSuffix(m.Branch, "/") || strings.HasSuffix(m.Branch, ".lock") {
		faults = append(faults, configFault{"metadata.branch", "no name of a branch", `Usually it is "main".`})
	}
	return faults
}

func (p PolicyConfig) faults() (faults []configFault) {
	if !slices.Contains([]string{"manual", "approved", "automatic"}, p.Merge) {
		faults = append(faults, configFault{"policy.merge", "no such policy",
			`It is "manual" (a maintainer merges), "approved" (a maintainer's approving review merges) or "automatic".`})
	}
	if !slices.Contains([]string{"manual", "automatic", "batch"}, p.Releases) {
		faults = append(faults, configFault{"policy.releases", "no such policy",
			`It is "automatic", "batch" (automatic, by one commit for several entries) or "manual".`})
	}
	return faults
}

func (q QueueConfig) faults() (faults []configFault) {
	if strings.Contains(string(q.Database), "://") && !q.Database.Server() {
		faults = append(faults, configFault{"queue.database", "no such database",
			`Name an SQLite file, "registrar.db", or PostgreSQL, "postgres://user:password@host/name".`})
	}
	if q.Workers < 0 || q.Workers > 1000 {
		faults = append(faults, configFault{"queue.workers", fmt.Sprintf("%d workers", q.Workers), "It is a number from 1 to 1000."})
	}
	if q.SweepEvery > 0 && q.SweepEvery < 10*time.Second {
		faults = append(faults, configFault{"queue.sweep_every", fmt.Sprintf("every %s is too often", q.SweepEvery),
			`A sweep asks GitHub for everything under way: leave at least "10s" between two, usually "5m".`})
	}
	return faults
}

// faults lists what is wrong; served says that the program serves what is in the
// metadata repository itself, so that there need not be another place.
func (s ServerConfig) faults() (faults []configFault) {
	if _, port, err := net.SplitHostPort(s.Listen); err != nil || port == "" {
		faults = append(faults, configFault{"server.listen", "no address to listen on",
			`It is a port with or without a host: ":8080", "127.0.0.1:8080".`})
	}
	if s.StopWithin < 0 {
		faults = append(faults, configFault{"server.stop_within", "a time before now", `It is a time such as "25s".`})
	}
	return append(faults, s.Registry.faults(s.Listen)...)
}
