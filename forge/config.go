package forge

import (
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/tofu-registrar/registrar/registrydata"
)

// The addresses of GitHub itself.
const (
	DefaultAPIURL = "https://api.github.com"
	DefaultWebURL = "https://github.com"
)

// Config says which GitHub, as which App, for which metadata repository.
type Config struct {
	// APIURL is the root of the REST API, DefaultAPIURL if empty. GitHub
	// Enterprise has https://HOST/api/v3.
	APIURL string
	// WebURL is where repositories are cloned from and release files are
	// downloaded, DefaultWebURL if empty. Plain http is for the sandbox.
	WebURL string
	// AppID and PrivateKey (PEM, PKCS #1 or #8) are the GitHub App's.
	AppID      int64
	PrivateKey []byte
	// Metadata is the metadata repository, Branch the branch that is published
	// ("main" if empty). The App must be installed on it.
	Metadata registrydata.Repository
	Branch   string
	// MergeMethod is "squash" (if empty), "merge" or "rebase".
	MergeMethod string
	// AllowedHosts are the hosts that release files may come from, beside those
	// of WebURL and APIURL: "host", "host:port" or "*.domain". If empty and
	// WebURL is github.com: *.githubusercontent.com, where GitHub keeps them.
	AllowedHosts []string
	// Timeout bounds one API call with its retries; 30 s if zero.
	Timeout time.Duration
	// UserAgent is what GitHub sees; "registrar" if empty.
	UserAgent string
	Limits    Limits
	// Log gets each API call at level debug; slog.Default() if nil.
	Log *slog.Logger
	// Transport carries all requests, for tests. The refusal of private
	// addresses is then its business; hosts and redirects are checked anyway.
	Transport http.RoundTripper
}

// Limits bound what strangers can make the forge do. A zero field has the
// default.
type Limits struct {
	Response int64         // bytes of one API answer; 64 MiB
	Cache    int64         // bytes of cached answers and file contents; 64 MiB
	Zip      int64         // bytes of one archive; 1 GiB
	Spool    int64         // bytes of all archives on disk at once; 2 GiB
	SpoolDir string        // where they are spooled; the system's temporary folder
	Unpacked int64         // bytes that one archive unpacks to; 4 GiB
	Ratio    int64         // unpacked size to archive size, over 64 MiB; 200
	Entries  int           // files in one archive; 10,000
	Tags     int           // tags of one repository; 50,000
	Refs     int64         // bytes of its list of references; 64 MiB
	Releases int           // releases of one repository; 2,000 (the newest)
	Idle     time.Duration // longest silence within a download; 30 s
	Listing  time.Duration // longest listing of a repository's references; 60 s
	Look     time.Duration // longest look at a feed, or at the tags for a look; 20 s
}

func (l Limits) withDefaults() Limits {
	l.Response = or(l.Response, 64<<20)
	l.Cache = or(l.Cache, 64<<20)
	l.Zip = or(l.Zip, 1<<30)
	l.Spool = max(or(l.Spool, 2<<30), l.Zip)
	l.Unpacked = or(l.Unpacked, 4<<30)
	l.Ratio = or(l.Ratio, 200)
	l.Entries = or(l.Entries, 10_000)
	l.Tags = or(l.Tags, 50_000)
	l.Refs = or(l.Refs, 64<<20)
	l.Releases = or(l.Releases, 2_000)
	l.Idle = or(l.Idle, 30*time.Second)
	l.Listing = or(l.Listing, time.Minute)
	l.Look = or(l.Look, 20*time.Second)
	return l
}

func (c Config) withDefaults() Config {
	c.APIURL = strings.TrimSuffix(or(c.APIURL, DefaultAPIURL), "/")
	c.WebURL = strings.TrimSuffix(or(c.WebURL, DefaultWebURL), "/")
	c.Branch = or(c.Branch, "main")
	c.MergeMethod = or(c.MergeMethod, "squash")
	c.Timeout = or(c.Timeout, 30*time.Second)
	c.UserAgent = or(c.UserAgent, "registrar")
	if c.Log == nil {
		c.Log = slog.Default()
	}
	c.Limits = c.Limits.withDefaults()
	return c
}

// check reports every fault of the part that concerns the App.
func (c Config) check() error {
	var errs []error
	fault := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if c.AppID <= 0 {
		fault("the GitHub App's id is missing")
	}
	if err := checkPrivateKey(c.PrivateKey); err != nil {
		fault("the GitHub App's private key: %w", err)
	}
	if !validRepository(c.Metadata) {
		fault("the metadata repository %q is not owner/name", c.Metadata)
	}
	if !validRef(c.Branch) {
		fault("%q is not the name of a branch", c.Branch)
	}
	if c.MergeMethod != "squash" && c.MergeMethod != "merge" && c.MergeMethod != "rebase" {
		fault("merge method %q is none of squash, merge, rebase", c.MergeMethod)
	}
	return errors.Join(append(errs, c.checkURLs())...)
}

// checkURLs reports faults of the addresses.
func (c Config) checkURLs() error {
	var errs []error
	for _, raw := range []string{c.APIURL, c.WebURL} {
		u, err := url.Parse(raw)
		if err != nil || u.Host == "" || u.User != nil || (u.Scheme != "https" && u.Scheme != "http") {
			errs = append(errs, fmt.Errorf("%q is not the http address of a GitHub", raw))
		}
	}
	return errors.Join(errs...)
}

func checkPrivateKey(key []byte) error {
	block, _ := pem.Decode(key)
	if block == nil {
		return errors.New("not in PEM form")
	}
	if _, err := x509.ParsePKCS1PrivateKey(block.Bytes); err == nil {
		return nil
	}
	if _, err := x509.ParsePKCS8PrivateKey(block.Bytes); err != nil {
		return errors.New("no RSA key in PKCS #1 or #8 form")
	}
	return nil
}

// or returns v, or def where v is the zero value.
func or[T comparable](v, def T) T {
	var zero T
	if v == zero {
		return def
	}
	return v
}

var (
	ownerPattern = regexp.MustCompile(`^[A-Za-z0-9](?:[A-Za-z0-9_-]{0,98}[A-Za-z0-9_-])?$`)
	loginPattern = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]{0,98}(?:\[bot\])?$`)
	namePattern  = regexp.MustCompile(`^[A-Za-z0-9._-]{1,100}$`)
	shaPattern   = regexp.MustCompile(`^(?:[0-9a-f]{40}|[0-9a-f]{64})$`)
)

// validRepository accepts what can be a repository on GitHub; anything else is
// never put into an address.
func validRepository(r registrydata.Repository) bool {
	return ownerPattern.MatchString(r.Owner) && namePattern.MatchString(r.Name) && r.Name != "." && r.Name != ".."
}

// validRef accepts branch names as git-check-ref-format does, near enough, with
// a bound on the length.
func validRef(name string) bool {
	if name == "" || len(name) > 255 || strings.ContainsAny(name, " ~^:?*[\\\x7f") ||
		strings.Contains(name, "..") || strings.Contains(name, "@{") || strings.HasSuffix(name, ".lock") {
		return false
	}
	for _, seg := range strings.Split(name, "/") {
		if seg == "" || seg[0] == '.' || seg[0] == '-' || strings.HasSuffix(seg, ".") {
			return false
		}
	}
	return !strings.ContainsFunc(name, func(r rune) bool { return r < ' ' })
}
