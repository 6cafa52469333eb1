package publish

import (
	"bytes"
	"context"
	"crypto/md5"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/xml"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

const (
	fakeBucket = "registry"
	fakeKey    = "AKIDEXAMPLE"
	fakeSecret = "a secret of the test"
)

// fakeS3 is a strict server of one bucket: it checks signatures, dates and
// digests, keeps conditions, and fails the test at a request that it does not
// know. Knobs make it fail as real ones do.
type fakeS3 struct {
	t   testing.TB
	url string

	pageSize  int           // of a listing, 1000 if 0
	clock     time.Duration // by how much the server's clock is ahead
	gap       time.Duration // least time between two writes of a key, else 429
	etagQuote string        // put around ETags

	mu       sync.Mutex
	fault    func(n int, r *http.Request) *fault
	objects  map[string]File
	written  map[string]time.Time
	log      []string // writes: "PUT key", "DELETE key"
	tooFast  int
	now, top int // requests at the same time
}

// fault is an answer in the place of the real one.
type fault struct {
	status int
	code   string
	header map[string]string
	after  bool // the request is carried out first
	drop   bool // the connection breaks instead of an answer
	hang   bool // no answer until the client gives up
}

func startFakeS3(t testing.TB) *fakeS3 {
	f := &fakeS3{t: t, etagQuote: `"`, objects: map[string]File{}, written: map[string]time.Time{}}
	server := httptest.NewServer(f)
	t.Cleanup(server.Close)
	f.url = server.URL
	return f
}

// open is a Target in the fake's bucket that is quick to try again.
func (f *fakeS3) open(t testing.TB, change ...func(*S3Config)) *S3 {
	t.Helper()
	config := S3Config{Endpoint: f.url, Bucket: fakeBucket, AccessKeyID: fakeKey, SecretAccessKey: fakeSecret, PathStyle: true}
	for _, c := range change {
		c(&config)
	}
	s, err := OpenS3(config)
	if err != nil {
		t.Fatal(err)
	}
	s.retries.first = time.Millisecond
	return s
}

// failWith is asked before each request for a fault, or nil for none; n counts
// writes from 1, and is 0 for reads.
func (f *fakeS3) failWith(fails func(n int, r *http.Request) *fault) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.fault = fails
}

func (f *fakeS3) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the client went away
	}
	f.mu.Lock()
	f.now++
	f.top = max(f.top, f.now)
	f.mu.Unlock()
	defer func() { f.mu.Lock(); f.now--; f.mu.Unlock() }()
	w.Header().Set("Date", time.Now().Add(f.clock).UTC().Format(http.TimeFormat))
	if code, status := f.refusal(r, body); code != "" {
		answerS3(w, status, code)
		return
	}
	bucket, key, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	if bucket != fakeBucket {
		answerS3(w, 404, "NoSuchBucket")
		return
	}
	f.mu.Lock()
	n := 0
	if r.Method != http.MethodGet {
		f.log = append(f.log, r.Method+" "+key)
		n = len(f.log)
	}
	fails := f.fault
	f.mu.Unlock()
	if fails != nil {
		if x := fails(n, r); x != nil {
			f.fail(w, r, key, body, *x)
			return
		}
	}
	f.handle(w, r, key, body)
}

func (f *fakeS3) fail(w http.ResponseWriter, r *http.Request, key string, body []byte, x fault) {
	if x.after {
		f.handle(httptest.NewRecorder(), r, key, body)
	}
	switch {
	case x.drop:
		panic(http.ErrAbortHandler)
	case x.hang:
		<-r.Context().Done()
		return
	}
	for name, value := range x.header {
		w.Header().Set(name, value)
	}
	answerS3(w, x.status, x.code)
}

func (f *fakeS3) handle(w http.ResponseWriter, r *http.Request, key string, body []byte) {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case r.Method == http.MethodPut && key != "" && r.URL.Query().Get("x-id") == "PutObject":
		f.put(w, r, key, body)
	case r.Method == http.MethodGet && key != "":
		f.get(w, key)
	case r.Method == http.MethodDelete && key != "":
		if f.allowed(w, key) {
			delete(f.objects, key)
			w.WriteHeader(http.StatusNoContent)
		}
	case r.Method == http.MethodGet && r.URL.Query().Get("list-type") == "2":
		f.list(w, r)
	default:
		f.t.Errorf("the fake S3 does not know %s %s", r.Method, r.URL)
		answerS3(w, 501, "NotImplemented")
	}
}

// allowed is R2's limit of writes to one key.
func (f *fakeS3) allowed(w http.ResponseWriter, key string) bool {
	if f.gap > 0 && time.Since(f.written[key]) < f.gap {
		f.tooFast++
		answerS3(w, 429, "TooManyRequests")
		return false
	}
	f.written[key] = time.Now()
	return true
}

func (f *fakeS3) put(w http.ResponseWriter, r *http.Request, key string, body []byte) {
	if !f.allowed(w, key) {
		return
	}
	live, exists := f.objects[key]
	match, none := r.Header.Get("If-Match"), r.Header.Get("If-None-Match")
	switch {
	case match != "" && !exists:
		answerS3(w, 404, "NoSuchKey")
		return
	case match != "" && match != live.ETag, none == "*" && exists:
		answerS3(w, 412, "PreconditionFailed")
		return
	case none != "" && none != "*":
		f.t.Errorf("If-None-Match: %s", none)
	}
	sum := md5.Sum(body)
	etag := f.etagQuote + hex.EncodeToString(sum[:]) + f.etagQuote
	f.objects[key] = File{
		Body: body, ETag: etag,
		ContentType: r.Header.Get("Content-Type"), CacheControl: r.Header.Get("Cache-Control"),
	}
	w.Header().Set("ETag", etag)
}

func (f *fakeS3) get(w http.ResponseWriter, key string) {
	o, ok := f.objects[key]
	if !ok {
		answerS3(w, 404, "NoSuchKey")
		return
	}
	w.Header().Set("ETag", o.ETag)
	w.Header().Set("Content-Type", o.ContentType)
	w.Header().Set("Cache-Control", o.CacheControl)
	_, _ = w.Write(o.Body)
}

func (f *fakeS3) list(w http.ResponseWriter, r *http.Request) {
	type content struct{ Key string }
	var out struct {
		XMLName               xml.Name `xml:"ListBucketResult"`
		IsTruncated           bool
		NextContinuationToken string `xml:",omitempty"`
		Contents              []content
	}
	q := r.URL.Query()
	var keys []string
	for key := range f.objects {
		if strings.HasPrefix(key, q.Get("prefix")) && key > q.Get("continuation-token") {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	if most := max(f.pageSize, 0); most > 0 && len(keys) > most {
		keys = keys[:most]
		out.IsTruncated, out.NextContinuationToken = true, keys[most-1]
	}
	for _, key := range keys {
		out.Contents = append(out.Contents, content{key})
	}
	w.Header().Set("Content-Type", "application/xml")
	_ = xml.NewEncoder(w).Encode(out)
}

func answerS3(w http.ResponseWriter, status int, code string) {
	w.Header().Set("Content-Type", "application/xml")
	w.WriteHeader(status)
	fmt.Fprintf(w, "<Error><Code>%s</Code><Message>as the test wants it</Message></Error>", code)
}

var authorization = regexp.MustCompile(`^AWS4-HMAC-SHA256 Credential=([^/]+)/\d{8}/([a-z0-9-]+)/s3/aws4_request, SignedHeaders=([a-z0-9;-]+), Signature=[0-9a-f]{64}$`)

// refusal checks the signature (AWS Signature Version 4) and what it covers.
func (f *fakeS3) refusal(r *http.Request, body []byte) (code string, status int) {
	auth := authorization.FindStringSubmatch(r.Header.Get("Authorization"))
	if auth == nil {
		f.t.Errorf("%s %s is not signed: %q", r.Method, r.URL, r.Header.Get("Authorization"))
		return "AccessDenied", 403
	}
	if slices.Contains(strings.Split(auth[3], ";"), "accept-encoding") || r.Header.Get("Accept-Encoding") != "" {
		f.t.Errorf("%s %s: Accept-Encoding %q, signed headers %s", r.Method, r.URL, r.Header.Get("Accept-Encoding"), auth[3])
	}
	if auth[1] != fakeKey {
		return "InvalidAccessKeyId", 403
	}
	if auth[2] != "auto" {
		return "AuthorizationHeaderMalformed", 400
	}
	at, err := time.Parse("20060102T150405Z", r.Header.Get("X-Amz-Date"))
	if err != nil {
		f.t.Errorf("X-Amz-Date: %v", err)
	}
	if skew := time.Since(at) + f.clock; skew.Abs() > 15*time.Minute {
		return "RequestTimeTooSkewed", 403
	}
	payload := r.Header.Get("X-Amz-Content-Sha256")
	if sum := sha256.Sum256(body); payload != "UNSIGNED-PAYLOAD" && payload != hex.EncodeToString(sum[:]) {
		f.t.Errorf("%s %s: the payload's digest is %q", r.Method, r.URL, payload)
		return "XAmzContentSHA256Mismatch", 400
	}
	if r.Method == http.MethodPut {
		sum := md5.Sum(body)
		if got := r.Header.Get("Content-MD5"); got != base64.StdEncoding.EncodeToString(sum[:]) {
			return "BadDigest", 400
		}
		if r.Header.Get("Content-Length") != strconv.Itoa(len(body)) && r.ContentLength != int64(len(body)) {
			f.t.Errorf("PUT %s: length %d", r.URL, r.ContentLength)
		}
	}
	if !f.signed(r, strings.Split(auth[3], ";"), auth[2], payload, at) {
		return "SignatureDoesNotMatch", 403
	}
	return "", 0
}

// signed signs the request once more and compares.
func (f *fakeS3) signed(r *http.Request, headers []string, region, payload string, at time.Time) bool {
	again := &http.Request{
		Method: r.Method, URL: r.URL, Host: r.Host, Header: http.Header{},
		ContentLength: r.ContentLength, Body: io.NopCloser(bytes.NewReader(nil)),
	}
	u := *r.URL
	u.Scheme, u.Host = "http", r.Host
	again.URL = &u
	for _, name := range headers {
		if name != "host" && name != "content-length" {
			again.Header[http.CanonicalHeaderKey(name)] = r.Header.Values(name)
		}
	}
	credentials := aws.Credentials{AccessKeyID: fakeKey, SecretAccessKey: fakeSecret}
	err := v4.NewSigner().SignHTTP(context.Background(), credentials, again, payload, "s3", region, at,
		func(o *v4.SignerOptions) { o.DisableURIPathEscaping = true })
	if err != nil {
		f.t.Error(err)
	}
	return again.Header.Get("Authorization") == r.Header.Get("Authorization")
}
