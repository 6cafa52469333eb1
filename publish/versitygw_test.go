package publish

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/tofu-registrar/registrar/internal/testdata"
)

// versitygw is a real S3 server, shared by the tests of this package. It ends
// with the test program, which TestMain sees to.
type versitygw struct {
	endpoint string
	buckets  atomic.Int64
}

var theVersitygw = sync.OnceValues(startVersitygw)

var errNoVersitygw = errors.New("versitygw is not on PATH (set VERSITYGW; .ci/run builds it)")

// findVersitygw looks at $VERSITYGW, on PATH, and where .ci/run puts it.
func findVersitygw() (string, error) {
	if path := os.Getenv("VERSITYGW"); path != "" {
		return path, nil
	}
	if path, err := exec.LookPath("versitygw"); err == nil {
		return path, nil
	}
	_, file, _, _ := runtime.Caller(0)
	path := filepath.Join(filepath.Dir(file), "..", ".ci", ".bin", "versitygw")
	if _, err := os.Stat(path); err == nil {
		return path, nil
	}
	return "", errNoVersitygw
}

func startVersitygw() (*versitygw, error) {
	path, err := findVersitygw()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "versitygw") // outlives the test that needs it first
	if err != nil {
		return nil, err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	addr := l.Addr().String()
	_ = l.Close()
	log, err := os.Create(filepath.Join(dir, "log"))
	if err != nil {
		return nil, err
	}
	defer log.Close()
	root := filepath.Join(dir, "root")
	if err := os.Mkdir(root, 0o755); err != nil {
		return nil, err
	}
	cmd := exec.Command(path, "--port", addr, "--region", "auto", "--quiet", "posix", root)
	cmd.Env = append(os.Environ(), "ROOT_ACCESS_KEY="+fakeKey, "ROOT_SECRET_KEY="+fakeSecret)
	cmd.Stdout, cmd.Stderr, cmd.Dir = log, log, dir
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	stopVersitygw = func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		_ = os.RemoveAll(dir)
	}
	for range 200 {
		if c, err := net.Dial("tcp", addr); err == nil {
			_ = c.Close()
			return &versitygw{endpoint: "http://" + addr}, nil
		}
		time.Sleep(50 * time.Millisecond)
	}
	text, _ := os.ReadFile(log.Name())
	return nil, fmt.Errorf("versitygw does not listen: %s", text)
}

// newVersityBucket makes a bucket of the test's own, and gives handles of it.
func newVersityBucket(t testing.TB) func() Target {
	t.Helper()
	v, err := theVersitygw()
	if errors.Is(err, errNoVersitygw) {
		testdata.Missing(t, err.Error())
	}
	if err != nil {
		t.Fatal(err)
	}
	config := S3Config{
		Endpoint: v.endpoint, Bucket: fmt.Sprintf("bucket-%d", v.buckets.Add(1)),
		AccessKeyID: fakeKey, SecretAccessKey: fakeSecret, PathStyle: true,
	}
	open := func() Target {
		s, err := OpenS3(config)
		if err != nil {
			t.Fatal(err)
		}
		s.retries.first = time.Millisecond
		return s
	}
	if _, err := open().(*S3).client.CreateBucket(context.Background(), &s3.CreateBucketInput{Bucket: &config.Bucket}); err != nil {
		t.Fatal(err)
	}
	return open
}

// stopVersitygw ends the server, if a test has started it.
var stopVersitygw = func() {}

func TestMain(m *testing.M) {
	code := m.Run()
	stopVersitygw()
	os.Exit(code)
}
