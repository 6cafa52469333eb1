package forge

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/tofu-registrar/registrar/validation"
)

// File downloads a release file of at most limit bytes. A *Fault is the
// author's to mend: too large, gone, served by a host that is not allowed. Any
// other error is worth a retry.
func (a *Authors) File(ctx context.Context, asset validation.Asset, limit int64) ([]byte, error) {
	if asset.Size > limit {
		return nil, tooLarge(asset.Size, limit)
	}
	key := assetKey(asset)
	if content, ok := a.files.get(key); ok && key != "" {
		return append([]byte(nil), content...), nil
	}
	body, err := a.download(ctx, asset.URL, limit)
	if err != nil {
		return nil, err
	}
	defer body.Close()
	content, err := io.ReadAll(body)
	if err != nil {
		return nil, downloadError(asset.URL, err)
	}
	if err := asListed(asset, content); err != nil {
		return nil, err
	}
	if key != "" {
		a.files.put(key, append([]byte(nil), content...), int64(len(content)))
	}
	return content, nil
}

// asListed refuses a file that is not the one that GitHub listed: a release that
// is edited while it is read is never taken half from before and half from after.
// Files of before June 2025 have no digest, but a size.
func asListed(asset validation.Asset, content []byte) error {
	want, known := strings.CutPrefix(asset.Digest, "sha256:")
	sum := sha256.Sum256(content)
	if known && !strings.EqualFold(want, hex.EncodeToString(sum[:])) || asset.Size > 0 && asset.Size != int64(len(content)) {
		return &Fault{"it is not the file any more that GitHub lists: the release is being edited"}
	}
	return nil
}

// assetKey names what an asset holds; "" where that is not known.
func assetKey(asset validation.Asset) string {
	if asset.ID == 0 {
		return ""
	}
	return strconv.FormatInt(asset.ID, 10) + " " + strconv.FormatInt(asset.Size, 10) + " " + asset.Digest + " " + asset.URL
}

func tooLarge(size, limit int64) *Fault {
	return &Fault{fmt.Sprintf("the file is %s; at most %s are read", bytesText(size), bytesText(limit))}
}

// download opens a file for reading. The body fails with a *Fault past limit
// bytes, and with an error when nothing came for Limits.Idle or when all of it
// takes longer than its size excuses. It must be closed.
func (a *Authors) download(ctx context.Context, address string, limit int64) (io.ReadCloser, error) {
	resp, err := a.ask(ctx, address, "", limit)
	if err != nil {
		return nil, err
	}
	return resp.Body, nil
}

// ask is download of the whole answer, which may be 304 if an etag is given.
func (a *Authors) ask(ctx context.Context, address, etag string, limit int64) (*http.Response, error) {
	u, err := url.Parse(address)
	if err != nil {
		return nil, &Fault{"the address of the file cannot be read"}
	}
	if err := a.hosts.check(u); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, time.Minute+time.Duration(limit>>18)*time.Second) // 256 KiB/s
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		cancel()
		return nil, &Fault{"the address of the file cannot be read"}
	}
	req.Header.Set("User-Agent", a.cfg.UserAgent)
	req.Header.Set("Accept", "application/octet-stream, */*")
	if etag != "" {
		req.Header.Set("If-None-Match", etag)
	}
	resp, err := a.web.Do(req)
	if err == nil && (etag == "" || resp.StatusCode != http.StatusNotModified) {
		if err = checkAnswer200(resp, limit); err != nil {
			_ = resp.Body.Close()
		}
	}
	if err != nil {
		cancel()
		return nil, downloadError(address, err)
	}
	limited := &limitedBody{ReadCloser: resp.Body, left: limit,
		err: &Fault{fmt.Sprintf("the file is larger than %s, which is all that is read", bytesText(limit))}}
	resp.Body = newPatientBody(limited, cancel, a.cfg.Limits.Idle)
	return resp, nil
}

// checkAnswer200 tells an author's faults from GitHub's.
func checkAnswer200(resp *http.Response, limit int64) error {
	switch {
	case resp.StatusCode == http.StatusNotFound || resp.StatusCode == http.StatusGone:
		return &Fault{"the file is not there any more"}
	case resp.StatusCode == http.StatusUnavailableForLegalReasons:
		return &Fault{"GitHub has blocked the file for legal reasons"}
	case resp.StatusCode == http.StatusTooManyRequests:
		return rateLimited(resp)
	case resp.StatusCode != http.StatusOK:
		return fmt.Errorf("status %s", resp.Status)
	case resp.ContentLength > limit:
		return tooLarge(resp.ContentLength, limit)
	}
	return nil
}

// downloadError names the file, but not the query of its address: behind a
// redirect that holds a signature.
func downloadError(address string, err error) error {
	var fault *Fault
	if errors.As(err, &fault) {
		return fault
	}
	var inner *url.Error
	if errors.As(err, &inner) {
		err = inner.Err
	}
	name := address
	if u, parseErr := url.Parse(address); parseErr == nil {
		name = u.Scheme + "://" + u.Host + u.EscapedPath()
	}
	return fmt.Errorf("download %.300s: %w", name, err)
}

// patientBody ends a download in which nothing comes for too long.
type patientBody struct {
	io.ReadCloser
	cancel context.CancelFunc
	idle   time.Duration
	timer  *time.Timer
	silent atomic.Bool
}

func newPatientBody(body io.ReadCloser, cancel context.CancelFunc, idle time.Duration) *patientBody {
	b := &patientBody{ReadCloser: body, cancel: cancel, idle: idle}
	b.timer = time.AfterFunc(idle, func() {
		b.silent.Store(true)
		cancel()
	})
	return b
}

func (b *patientBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if n > 0 {
		b.timer.Reset(b.idle)
	}
	if err != nil && !errors.Is(err, io.EOF) && b.silent.Load() {
		err = fmt.Errorf("nothing came for %s", b.idle)
	}
	return n, err
}

func (b *patientBody) Close() error {
	b.timer.Stop()
	err := b.ReadCloser.Close()
	b.cancel()
	return err
}

// bytesText writes a size for people: "950 B", "1.0 MiB".
func bytesText(n int64) string {
	if n < 1024 {
		return fmt.Sprintf("%d B", n)
	}
	f, unit := float64(n)/1024, 0
	for ; f >= 1024 && unit < 3; unit++ {
		f /= 1024
	}
	return fmt.Sprintf("%.1f %ciB", f, "KMGT"[unit])
}
