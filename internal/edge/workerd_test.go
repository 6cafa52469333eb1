package edge

import (
	"bufio"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/big"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tofu-registrar/registrar/internal/testdata"
)

const worker = "../../deploy/cloudflare/worker"

// The bucket that the Worker reads, and who may write to it.
const (
	bucketName      = "registry"
	accessKeyID     = "publisher"
	secretAccessKey = "of-this-test-only"
)

// workerd is the Worker in real workerd, over HTTPS, with a real R2 bucket
// behind it. Its test/serve.mjs says how it is spoken to.
type workerd struct {
	origin     string // "https://127.0.0.1:1234"
	s3Endpoint string
	caFile     string // PEM file with the certificate that it shows
	certs      tls.Certificate
	client     *http.Client

	mu      sync.Mutex // guards what follows
	orders  *json.Encoder
	replies *bufio.Reader
	paths   map[string]bool // that were asked for

	purged atomic.Int64 // entries of the cache
}

// reply is a line of serve.mjs.
type reply struct {
	Origin     string `json:"origin"`
	S3Endpoint string `json:"s3Endpoint"`
	Purged     int    `json:"purged"`
	Error      string `json:"error"`
}

// startWorkerd starts the Worker and ends it with the test.
func startWorkerd(t *testing.T) *workerd {
	t.Helper()
	node, err := exec.LookPath("node")
	if err != nil {
		testdata.Missing(t, "Node, which runs the Worker: "+err.Error())
	}
	if _, err := os.Stat(filepath.Join(worker, "node_modules", "miniflare")); err != nil {
		testdata.Missing(t, "the Worker's packages (npm ci in deploy/cloudflare/worker): "+err.Error())
	}
	w := &workerd{caFile: filepath.Join(t.TempDir(), "ca.pem"), paths: map[string]bool{}}
	certPEM, keyPEM := w.certify(t)
	w.run(t, node)
	got := w.order(t, map[string]any{
		"bucket":      bucketName,
		"credentials": map[string]string{"accessKeyId": accessKeyID, "secretAccessKey": secretAccessKey},
		"tls":         map[string]string{"cert": certPEM, "key": keyPEM},
	})
	w.origin, w.s3Endpoint = got.Origin, got.S3Endpoint
	return w
}

// run starts the process. It ends when its input is closed, also if this
// process is killed.
func (w *workerd) run(t *testing.T, node string) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	cmd := exec.CommandContext(ctx, node, filepath.Join("test", "serve.mjs")) // #nosec G204 -- the node on PATH
	cmd.Dir = worker
	cmd.Stderr = os.Stderr
	cmd.WaitDelay = 5 * time.Second
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatalf("start the Worker: %v", err)
	}
	w.orders, w.replies = json.NewEncoder(in), bufio.NewReader(out)
	t.Cleanup(func() {
		_ = in.Close() // it may have ended already
		late := time.AfterFunc(10*time.Second, cancel)
		defer late.Stop()
		defer cancel()
		if err := cmd.Wait(); err != nil {
			t.Errorf("the Worker's process: %v", err)
		}
	})
}

// order sends a line and reads its reply.
func (w *workerd) order(t *testing.T, order any) reply {
	t.Helper()
	r, err := w.tell(order)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func (w *workerd) tell(order any) (r reply, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := w.orders.Encode(order); err != nil {
		return r, fmt.Errorf("the Worker's process takes no order: %w", err)
	}
	type result struct {
		line []byte
		err  error
	}
	done := make(chan result, 1)
	go func() {
		line, err := w.replies.ReadBytes('\n')
		done <- result{line, err}
	}()
	select {
	case got := <-done:
		if err := errors.Join(got.err, json.Unmarshal(got.line, &r)); err != nil {
			return r, fmt.Errorf("the Worker's process answers %q: %w", got.line, err)
		}
	case <-time.After(2 * time.Minute):
		return r, errors.New("the Worker's process does not answer")
	}
	if r.Error != "" {
		return r, fmt.Errorf("the Worker's process: %s", r.Error)
	}
	return r, nil
}

// asked are the paths that get was called with, all that the test has in the
// cache but for what real clients asked for.
func (w *workerd) asked() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Sorted(maps.Keys(w.paths))
}

// host is what stands before an address in a client's configuration.
func (w *workerd) host() string { return strings.TrimPrefix(w.origin, "https://") }

// get asks for a path. The body is read already.
func (w *workerd) get(t *testing.T, method, path string, headers ...string) (*http.Response, string) {
	t.Helper()
	w.mu.Lock()
	w.paths[path] = true
	w.mu.Unlock()
	req, err := http.NewRequestWithContext(t.Context(), method, w.origin+"/"+path, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	resp, err := w.client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatalf("%s %s: %v", method, path, err)
	}
	return resp, string(body)
}

// untilCached asks until the answer comes out of the cache, where it is put
// after the first one was given.
func (w *workerd) untilCached(t *testing.T, path string) (*http.Response, string) {
	t.Helper()
	for range 1000 {
		resp, body := w.get(t, http.MethodGet, path)
		if resp.Header.Get("Cache-Status") == "registrar; hit" {
			return resp, body
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatalf("%s never was cached", path)
	return nil, ""
}

// certify makes the certificate of this machine's servers, and the client that
// trusts it.
func (w *workerd) certify(t *testing.T) (certPEM, keyPEM string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Registrar test"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, IsCA: true, BasicConstraintsValid: true,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	block := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	if err := os.WriteFile(w.caFile, block, 0o600); err != nil {
		t.Fatal(err)
	}
	w.certs = tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(block)
	w.client = &http.Client{
		Timeout:   time.Minute,
		Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}},
	}
	t.Cleanup(w.client.CloseIdleConnections)
	return string(block), string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret}))
}
