package forge

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
)

// keptFile is a small file as it was read last.
type keptFile struct {
	etag    string
	content []byte
}

// FileAgain reads a small release file by its address, perhaps once more: what
// has not changed since is not sent again (If-None-Match). The *Fault is as that
// of File.
func (a *Authors) FileAgain(ctx context.Context, address string, limit int64) ([]byte, error) {
	kept, _ := a.again.get(address)
	resp, err := a.ask(ctx, address, kept.etag, limit)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	if resp.StatusCode == http.StatusNotModified {
		return slices.Clone(kept.content), nil
	}
	content, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, downloadError(address, err)
	}
	if etag := resp.Header.Get("ETag"); etag != "" && len(etag) < 256 {
		a.again.put(address, keptFile{etag, slices.Clone(content)}, int64(len(content)))
	}
	return content, nil
}

// There tells whether a release has a file, without reading it: GitHub answers
// with a redirect to where the bytes are, which is not followed.
func (a *Authors) There(ctx context.Context, address string) (bool, error) {
	u, err := url.Parse(address)
	if err != nil {
		return false, &Fault{"the address of the file cannot be read"}
	}
	if err := a.hosts.check(u); err != nil {
		return false, err
	}
	ctx, cancel := context.WithTimeout(ctx, a.cfg.Limits.Idle)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodHead, address, nil)
	if err != nil {
		return false, &Fault{"the address of the file cannot be read"}
	}
	req.Header.Set("User-Agent", a.cfg.UserAgent)
	web := *a.web
	web.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	resp, err := web.Do(req)
	if err != nil {
		return false, downloadError(address, err)
	}
	_ = resp.Body.Close()
	switch {
	case resp.StatusCode < http.StatusBadRequest:
		return true, nil
	case resp.StatusCode == http.StatusNotFound || resp.StatusCode == http.StatusGone:
		return false, nil
	}
	if limited := rateLimited(resp); limited != nil {
		return false, limited
	}
	return false, downloadError(address, fmt.Errorf("status %s", resp.Status))
}
