package registry

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/tofu-registrar/registrar/internal/actors"
)

func testKey(t testing.TB) []byte {
	t.Helper()
	key, err := actors.NewSigningKey("ada", "ada@example.org", 0)
	must(t, err)
	armor, err := key.Public()
	must(t, err)
	return []byte(armor)
}

// writeCertificate makes a certificate for 127.0.0.1 and writes it and its key.
func writeCertificate(t testing.TB, dir string, serial int64) (cert, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(serial), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	must(t, err)
	secret, err := x509.MarshalPKCS8PrivateKey(private)
	must(t, err)
	cert, key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	must(t, os.WriteFile(cert, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600))
	must(t, os.WriteFile(key, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret}), 0o600))
	at := time.Now().Add(time.Duration(serial) * time.Second)
	must(t, os.Chtimes(cert, at, at))
	return cert, key
}

func startServer(t testing.TB, r *Registry, o ServerOptions) *Server {
	t.Helper()
	o.Listen = "127.0.0.1:0"
	s, err := NewServer(t.Context(), r, o)
	must(t, err)
	must(t, s.Start(t.Context()))
	t.Cleanup(func() { must(t, s.Stop(context.Background())) })
	return s
}

// client trusts whatever certificate comes; serial is that of the last one.
func client(serial *int64) *http.Client {
	return &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{
		ForceAttemptHTTP2: true, DisableKeepAlives: true,
		TLSClientConfig: &tls.Config{InsecureSkipVerify: true, VerifyConnection: func(c tls.ConnectionState) error {
			*serial = c.PeerCertificates[0].SerialNumber.Int64()
			return nil
		}},
	}}
}

func fetch(t testing.TB, c *http.Client, url string) (*http.Response, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	must(t, err)
	resp, err := c.Do(req)
	must(t, err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	must(t, err)
	return resp, string(body)
}

func TestServerTLS(t *testing.T) {
	dir := t.TempDir()
	cert, key := writeCertificate(t, dir, 1)
	var log logBuffer
	s := startServer(t, readFrom(t, demo), ServerOptions{Certificate: cert, Key: key, Log: log.logger()})
	var serial int64
	c := client(&serial)
	url := "https://" + s.Addr() + "/" + demoList
	resp, body := fetch(t, c, url)
	if resp.ProtoMajor != 2 || resp.StatusCode != 200 || !strings.Contains(body, "1.1.0") || serial != 1 {
		t.Errorf("%s %d, certificate %d: %s", resp.Proto, resp.StatusCode, serial, body)
	}
	// A renewal that is half written leaves the old certificate in use.
	must(t, os.WriteFile(key, []byte("half"), 0o600))
	s.checkCertificate(t.Context())
	if fetch(t, c, url); serial != 1 || !strings.Contains(log.String(), "the old one stays") {
		t.Errorf("certificate %d; log %s", serial, log.String())
	}
	writeCertificate(t, dir, 2)
	s.Again()
	for end := time.Now().Add(10 * time.Second); serial != 2 && time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		fetch(t, c, url)
	}
	if serial != 2 {
		t.Error("the renewed certificate is not used")
	}
}

func TestServerNeedsItsCertificate(t *testing.T) {
	dir := t.TempDir()
	cert, key := writeCertificate(t, dir, 1)
	for _, o := range []ServerOptions{
		{Certificate: cert}, {Key: key}, {Certificate: key, Key: cert}, {Certificate: filepath.Join(dir, "none"), Key: key},
	} {
		if _, err := NewServer(t.Context(), readFrom(t, demo), o); err == nil {
			t.Errorf("%+v was taken", o)
		}
	}
}

// The data is looked at again by itself, and at once when someone asks.
func TestServerKeepsFresh(t *testing.T) {
	c := newCheckout(t, demo)
	r, err := New(Options{Source: NewFolder(c.dir)})
	must(t, err)
	s := startServer(t, r, ServerOptions{Refresh: 5 * time.Millisecond})
	wait := func(path string, status int) {
		t.Helper()
		for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(2 * time.Millisecond) {
			if resp, _ := fetch(t, http.DefaultClient, "http://"+s.Addr()+"/"+path); resp.StatusCode == status {
				return
			}
		}
		t.Errorf("%s never was %d", path, status)
	}
	wait(demoList, 200)
	c.write("providers/b/beta/x.json", demoProvider)
	wait("v1/providers/beta/x/versions", 200)
	must(t, os.Rename(c.dir, c.dir+".away"))
	time.Sleep(20 * time.Millisecond)
	wait(demoList, 200)
	must(t, os.Rename(c.dir+".away", c.dir))
	must(t, os.Remove(c.path("providers/b/beta/x.json")))
	wait("v1/providers/beta/x/versions", 404)
}

func TestServerStopsGracefully(t *testing.T) {
	s := startServer(t, readFrom(t, demo), ServerOptions{})
	url := "http://" + s.Addr() + "/" + demoList
	var clients sync.WaitGroup
	for range 8 {
		clients.Go(func() {
			for {
				resp, err := http.Get(url)
				if err != nil {
					return
				}
				body, err := io.ReadAll(resp.Body)
				_ = resp.Body.Close()
				if err != nil || !strings.HasSuffix(string(body), "}") {
					t.Errorf("cut short: %v", err)
				}
			}
		})
	}
	time.Sleep(20 * time.Millisecond)
	must(t, s.Stop(t.Context()))
	clients.Wait()
}

// A client that sends headers without end, or nothing, does not stay.
func TestServerRefusesLongHeaders(t *testing.T) {
	s := startServer(t, readFrom(t, demo), ServerOptions{})
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", s.Addr())
	must(t, err)
	defer conn.Close()
	must(t, conn.SetDeadline(time.Now().Add(10*time.Second)))
	go func() {
		_, _ = conn.Write([]byte("GET / HTTP/1.1\r\nHost: x\r\nX-Long: " + strings.Repeat("a", 64<<10)))
	}()
	answer, err := io.ReadAll(conn)
	if !bytes.Contains(answer, []byte("431 ")) && err == nil {
		t.Errorf("%q", answer)
	}
}

func TestAccessLogIsOffByDefault(t *testing.T) {
	for _, on := range []bool{false, true} {
		var log logBuffer
		s := startServer(t, readFrom(t, demo), ServerOptions{AccessLog: on, Log: log.logger()})
		fetch(t, http.DefaultClient, "http://"+s.Addr()+"/v1/nothing")
		end := time.Now().Add(5 * time.Second)
		for on && !strings.Contains(log.String(), "path=/v1/nothing status=404 bytes=") && time.Now().Before(end) {
			time.Sleep(time.Millisecond)
		}
		if logged := strings.Contains(log.String(), "/v1/nothing"); logged != on {
			t.Errorf("access log %v: %s", on, log.String())
		}
	}
}

func TestMetrics(t *testing.T) {
	registerer := prometheus.NewRegistry()
	r, err := New(Options{Source: demo.with("modules/b/bad/x/aws.json", "{"), Metrics: registerer})
	must(t, err)
	must(t, r.Reload(t.Context()))
	ask(t, r, "GET", "/"+demoList)
	ask(t, r, "GET", "/v1/modules/acme/net/aws/9.9.9/download")
	ask(t, r, "POST", "/"+demoList)
	families, err := registerer.Gather()
	must(t, err)
	got := map[string]float64{}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			name := strings.TrimPrefix(f.GetName(), "registrar_registry_")
			for _, l := range m.GetLabel() {
				name += " " + l.GetValue()
			}
			got[name] = m.GetCounter().GetValue() + m.GetGauge().GetValue()
		}
	}
	for name, want := range map[string]float64{
		"requests_total provider-versions 200": 1, "requests_total module-download 404": 1, "requests_total other 405": 1,
		"requests_total provider-download 200": 0, "entities provider": 1, "entities module": 1, "faulty_files": 1, "reloads_total changed": 1,
	} {
		if v, there := got[name]; !there || v != want {
			t.Errorf("%s = %v, %v; want %v", name, v, there, want)
		}
	}
	if at := got["last_reload_timestamp_seconds"]; at < float64(time.Now().Add(-time.Minute).Unix()) {
		t.Errorf("last reload at %v", at)
	}
}

// logBuffer is a log that tests read while it is written.
type logBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logBuffer) logger() *slog.Logger { return slog.New(slog.NewTextHandler(l, nil)) }

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}
