package forge

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"testing"

	"github.com/tofu-registrar/registrar/validation"
)

func TestHosts(t *testing.T) {
	enterprise := Config{WebURL: "https://git.corp.example:8443", APIURL: "https://git.corp.example:8443/api/v3", AllowedHosts: []string{"media.corp.example", "*.blob.example"}}
	local := Config{WebURL: "http://127.0.0.1:9000", APIURL: "http://127.0.0.1:9001"}
	tests := []struct {
		cfg     Config
		address string
		ok      bool
	}{
		{Config{}, "https://github.com/a/b/releases/download/v1/x.zip", true},
		{Config{}, "https://GitHub.com:443/a", true},
		{Config{}, "https://api.github.com/a", true},
		{Config{}, "https://release-assets.githubusercontent.com/x?sig=1", true},
		{Config{}, "https://objects.githubusercontent.com/x", true},
		{Config{}, "http://github.com/a", false},
		{Config{}, "https://github.com:8443/a", false},
		{Config{}, "https://githubusercontent.com/x", false},
		{Config{}, "https://evilgithubusercontent.com/x", false},
		{Config{}, "https://x.githubusercontent.com.evil.example/x", false},
		{Config{}, "https://github.com.evil.example/x", false},
		{Config{}, "https://github.com./x", false},
		{Config{}, "https://github.com@evil.example/x", false},
		{Config{}, "https://user:pass@github.com/x", false},
		{Config{}, "https://evil.example/x", false},
		{Config{}, "https://127.0.0.1/x", false},
		{Config{}, "https://[::1]/x", false},
		{Config{}, "https:///x", false},
		{Config{}, "file:///etc/passwd", false},
		{Config{}, "ftp://github.com/x", false},
		{Config{AllowedHosts: []string{"other.example"}}, "https://x.githubusercontent.com/x", false},
		{enterprise, "https://git.corp.example:8443/a", true},
		{enterprise, "https://git.corp.example/a", false},
		{enterprise, "https://media.corp.example/a", true},
		{enterprise, "https://x.blob.example/a", true},
		{enterprise, "http://media.corp.example/a", false},
		{enterprise, "https://github.com/a", false},
		{local, "http://127.0.0.1:9000/a", true},
		{local, "http://127.0.0.1:9001/a", true},
		{local, "http://127.0.0.1:9002/a", false},
		{local, "http://127.0.0.1/a", false},
		{local, "http://github.com/a", false},
	}
	for _, tt := range tests {
		h, err := newHosts(tt.cfg.withDefaults())
		if err != nil {
			t.Fatal(err)
		}
		u, err := url.Parse(tt.address)
		if err != nil {
			t.Fatal(err)
		}
		err = h.check(u)
		var fault *Fault
		if (err == nil) != tt.ok || (err != nil && !errors.As(err, &fault)) {
			t.Errorf("%s with %q: %v, want ok %v", tt.address, tt.cfg.WebURL, err, tt.ok)
		}
	}
	for _, bad := range []string{"*", "*.", "*.x", "a*b", "https://x", "a b", ""} {
		if _, err := newHosts(Config{AllowedHosts: []string{bad}}.withDefaults()); err == nil {
			t.Errorf("allowed host %q was accepted", bad)
		}
	}
}

func TestPublicAddresses(t *testing.T) {
	for address, want := range map[string]bool{
		"140.82.121.4": true, "2606:50c0:8000::154": true, "64:ff9b::8c52:7904": true,
		"127.0.0.1": false, "::1": false, "10.1.2.3": false, "172.16.0.1": false, "192.168.1.1": false,
		"169.254.169.254": false, "fe80::1": false, "fe80::1%eth0": false, "fd00::1": false, "0.0.0.0": false, "::": false,
		"100.64.0.1": false, "224.0.0.1": false, "255.255.255.255": false, "::ffff:127.0.0.1": false,
		"::ffff:169.254.169.254": false, "64:ff9b::7f00:1": false, "64:ff9b::a9fe:a9fe": false, "198.18.0.1": false, "2002:7f00:1::": false,
	} {
		if got := public(netip.MustParseAddr(address)); got != want {
			t.Errorf("public(%s) = %v", address, got)
		}
	}
}

// authorsOf is Authors whose GitHub is the server.
func authorsOf(t *testing.T, srv *httptest.Server, limits Limits) *Authors {
	t.Helper()
	cfg := Config{WebURL: srv.URL, APIURL: srv.URL, Log: quiet, Limits: limits}.withDefaults()
	cfg.Limits.SpoolDir = t.TempDir()
	a, err := newAuthors(cfg, nil)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func asset(srv *httptest.Server, path string) validation.Asset {
	return validation.Asset{Name: "x", URL: srv.URL + path}
}

// A release file that redirects elsewhere is the author's fault, and the other
// server is never spoken to.
func TestRedirects(t *testing.T) {
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		t.Error("another host was asked")
	}))
	defer other.Close()
	var srv *httptest.Server
	srv = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "" {
			t.Error("a download carried credentials")
		}
		targets := map[string]string{
			"/elsewhere": other.URL + "/x", "/twice": srv.URL + "/elsewhere", "/loop": srv.URL + "/loop",
			"/metadata": "http://169.254.169.254/latest/meta-data/", "/file": "file:///etc/passwd",
			"/credentials": strings.Replace(srv.URL, "http://", "http://u:p@", 1) + "/ok", "/good": srv.URL + "/ok",
		}
		if to, ok := targets[r.URL.Path]; ok {
			http.Redirect(w, r, to, http.StatusFound)
			return
		}
		_, _ = w.Write([]byte("content"))
	}))
	defer srv.Close()
	a := authorsOf(t, srv, Limits{})
	ctx := context.Background()
	for _, path := range []string{"/elsewhere", "/twice", "/loop", "/metadata", "/file", "/credentials"} {
		_, err := a.File(ctx, asset(srv, path), 100)
		var fault *Fault
		if !errors.As(err, &fault) {
			t.Errorf("File %s: %v, want a fault of the author's", path, err)
		}
		facts, err := a.Zip(ctx, asset(srv, path))
		if err != nil || facts.Fault == "" {
			t.Errorf("Zip %s: %+v, %v", path, facts, err)
		}
	}
	if got, err := a.File(ctx, asset(srv, "/good"), 100); string(got) != "content" || err != nil {
		t.Errorf("a redirect within GitHub: %q, %v", got, err)
	}
}

// A name that an allowed pattern covers but that resolves to this machine.
func TestPrivateAddressIsNotDialled(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	go func() {
		if conn, err := listener.Accept(); err == nil {
			t.Error("a connection was made")
			_ = conn.Close()
		}
	}()
	h, err := newHosts(Config{}.withDefaults())
	if err != nil {
		t.Fatal(err)
	}
	_, port, _ := net.SplitHostPort(listener.Addr().String())
	for _, host := range []string{"127.0.0.1", "localhost", "0.0.0.0"} {
		conn, err := h.dial(context.Background(), "tcp", net.JoinHostPort(host, port))
		if err == nil {
			_ = conn.Close()
			t.Errorf("%s was dialled", host)
		} else if !strings.Contains(err.Error(), "no public address") {
			t.Errorf("%s: %v", host, err)
		}
	}
	inside, err := newHosts(Config{WebURL: fmt.Sprintf("http://localhost:%s", port)}.withDefaults())
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := inside.inside.Load("localhost"); !ok {
		t.Error("the configured host may not lie in a private network")
	}
}
