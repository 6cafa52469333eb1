package forge

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"syscall"
	"time"
)

// hosts says where files may be fetched from.
type hosts struct {
	plain    bool            // http is allowed: WebURL itself is http
	exact    map[string]bool // host, or host:port where it is not the scheme's
	suffixes []string        // ".githubusercontent.com"
	// inside are the names that may lie in a private network, because the
	// operator named them: a GitHub Enterprise, the sandbox, a proxy.
	inside sync.Map
}

func newHosts(cfg Config) (*hosts, error) {
	h := &hosts{exact: map[string]bool{}}
	allowed := cfg.AllowedHosts
	for _, raw := range []string{cfg.WebURL, cfg.APIURL} {
		u, err := url.Parse(raw)
		if err != nil {
			return nil, fmt.Errorf("address %q: %w", raw, err)
		}
		h.plain = h.plain || (raw == cfg.WebURL && u.Scheme == "http")
		h.exact[hostPort(u)] = true
		if raw != DefaultWebURL && raw != DefaultAPIURL {
			h.inside.Store(strings.ToLower(u.Hostname()), true)
		}
		if raw == DefaultWebURL && len(cfg.AllowedHosts) == 0 {
			allowed = []string{"*.githubusercontent.com"}
		}
	}
	for _, pattern := range allowed {
		pattern = strings.ToLower(strings.TrimSpace(pattern))
		if suffix, ok := strings.CutPrefix(pattern, "*"); ok && strings.HasPrefix(suffix, ".") && len(suffix) > 3 {
			h.suffixes = append(h.suffixes, suffix)
			continue
		}
		if pattern == "" || strings.ContainsAny(pattern, "*/@ ") {
			return nil, fmt.Errorf("allowed host %q is none of host, host:port, *.domain", pattern)
		}
		u := url.URL{Host: pattern}
		h.exact[pattern] = true
		h.inside.Store(u.Hostname(), true)
	}
	return h, nil
}

// hostPort is the URL's host with its port where that is not the scheme's own.
func hostPort(u *url.URL) string {
	host, port := strings.ToLower(u.Hostname()), u.Port()
	if port == "" || (u.Scheme == "https" && port == "443") || (u.Scheme == "http" && port == "80") {
		if strings.Contains(host, ":") {
			return "[" + host + "]"
		}
		return host
	}
	return net.JoinHostPort(host, port)
}

// check refuses an address that nothing may be fetched from, with a *Fault.
func (h *hosts) check(u *url.URL) error {
	if u.Scheme != "https" && (u.Scheme != "http" || !h.plain) {
		return &Fault{fmt.Sprintf("the address begins with %.20q; only https is fetched", u.Scheme+"://")}
	}
	host := hostPort(u)
	if u.User != nil || host == "" {
		return &Fault{"the address holds credentials or no host"}
	}
	if h.exact[host] {
		return nil
	}
	for _, suffix := range h.suffixes {
		if strings.HasSuffix(host, suffix) && len(host) > len(suffix) {
			return nil
		}
	}
	return &Fault{fmt.Sprintf("the file is served by %.100q, which is not one of the hosts that files are fetched from", host)}
}

// newWebClient makes the client for downloads and git. It sends no credentials,
// checks each redirect, and connects to no private address.
func newWebClient(cfg Config, h *hosts) *http.Client {
	transport := cfg.Transport
	if transport == nil {
		transport = &http.Transport{
			Proxy:                 h.proxy,
			DialContext:           h.dial,
			DisableCompression:    true, // what is hashed is what was uploaded
			ForceAttemptHTTP2:     true,
			MaxIdleConnsPerHost:   16,
			IdleConnTimeout:       90 * time.Second,
			TLSHandshakeTimeout:   15 * time.Second,
			ResponseHeaderTimeout: cfg.Limits.Idle,
		}
	}
	return &http.Client{Transport: transport, CheckRedirect: h.checkRedirect}
}

const maxRedirects = 5

func (h *hosts) checkRedirect(req *http.Request, via []*http.Request) error {
	if len(via) > maxRedirects {
		return &Fault{fmt.Sprintf("the address redirects more than %d times", maxRedirects)}
	}
	return h.check(req.URL)
}

func (h *hosts) proxy(req *http.Request) (*url.URL, error) {
	u, err := http.ProxyFromEnvironment(req)
	if u != nil {
		h.inside.Store(strings.ToLower(u.Hostname()), true)
	}
	return u, err
}

// dial connects to a host. What a name resolves to is looked at when the
// connection is made, so that an answer of the name server that changes in
// between (DNS rebinding) cannot lead into the operator's network.
func (h *hosts) dial(ctx context.Context, network, address string) (net.Conn, error) {
	dialer := net.Dialer{Timeout: 15 * time.Second, KeepAlive: 30 * time.Second}
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	if _, inside := h.inside.Load(strings.ToLower(host)); !inside {
		dialer.Control = refusePrivate
	}
	return dialer.DialContext(ctx, network, address)
}

func refusePrivate(_, address string, _ syscall.RawConn) error {
	at, err := netip.ParseAddrPort(address)
	if err != nil {
		return err
	}
	if !public(at.Addr()) {
		return fmt.Errorf("the name resolves to %s, which is no public address", at.Addr())
	}
	return nil
}

// reserved are the blocks that netip has no predicate for
// (IANA special-purpose address registries).
var reserved = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"), netip.MustParsePrefix("100.64.0.0/10"),
	netip.MustParsePrefix("192.0.0.0/24"), netip.MustParsePrefix("198.18.0.0/15"),
	netip.MustParsePrefix("240.0.0.0/4"), netip.MustParsePrefix("100::/64"), netip.MustParsePrefix("2002::/16"),
}

// nat64 is where an IPv6-only network shows the IPv4 internet (RFC 6052).
var nat64 = netip.MustParsePrefix("64:ff9b::/96")

func public(addr netip.Addr) bool {
	addr = addr.Unmap().WithZone("")
	if nat64.Contains(addr) {
		b := addr.As16()
		addr = netip.AddrFrom4([4]byte(b[12:]))
	}
	for _, block := range reserved {
		if block.Contains(addr) {
			return false
		}
	}
	return addr.IsGlobalUnicast() && !addr.IsPrivate() // also no loopback, link-local, multicast
}
