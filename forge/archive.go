package forge

import (
	"archive/tar"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/google/go-github/v57/github"
)

// The bounds of a metadata repository's archive. The public registry has 40 MB,
// 300 MB unpacked, in 27,600 files.
const (
	maxArchive        = 1 << 30 // bytes, compressed
	maxArchiveContent = 8 << 30 // bytes, unpacked
	maxArchiveFiles   = 2_000_000
)

// ArchiveFile is one file of an archive.
type ArchiveFile struct {
	Path string // from the repository's root
	Size int64
	// Link says that the file is a symbolic link: it has no content.
	Link bool
	// Content may be read until the next file comes.
	Content io.Reader
}

// Archive reads all files of a commit, one after the other, through one request
// and without a disk. An error of each ends it.
// (GET /repos/{owner}/{repo}/tarball/{ref}, which redirects to codeload)
func (m *Metadata) Archive(ctx context.Context, commit string, each func(ArchiveFile) error) error {
	if err := checkPlace(commit, ""); err != nil {
		return err
	}
	err := m.archive(ctx, commit, each)
	if err != nil {
		return fmt.Errorf("archive of %s at %.7s: %w", m.repo, commit, err)
	}
	return nil
}

func (m *Metadata) archive(ctx context.Context, commit string, each func(ArchiveFile) error) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Minute)
	defer cancel()
	address, err := m.archiveAddress(ctx, commit)
	if err != nil {
		return err
	}
	cfg := m.f.cfg
	if cfg.AllowedHosts, err = archiveHosts(cfg); err != nil {
		return err
	}
	allowed, err := newHosts(cfg)
	if err != nil {
		return err
	}
	if err := allowed.check(address); err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address.String(), nil)
	if err != nil {
		return err
	}
	req.Header.Set("User-Agent", cfg.UserAgent)
	client := newWebClient(cfg, allowed)
	defer client.CloseIdleConnections()
	resp, err := client.Do(req)
	if err == nil {
		defer resp.Body.Close()
		err = checkAnswer200(resp, maxArchive)
	}
	if err != nil {
		return downloadError(address.String(), err)
	}
	bounded := &limitedBody{ReadCloser: resp.Body, left: maxArchive, err: errResponseTooLarge}
	body := newPatientBody(bounded, cancel, cfg.Limits.Idle)
	defer body.Close()
	return readArchive(body, maxArchiveContent, maxArchiveFiles, each)
}

// archiveAddress asks where the archive is. For a private repository the address
// holds a token that is good for some minutes.
func (m *Metadata) archiveAddress(ctx context.Context, commit string) (*url.URL, error) {
	client, err := m.api.client(ctx)
	if err != nil {
		return nil, err
	}
	address, resp, err := client.Repositories.GetArchiveLink(mark(ctx, keyImmutable), m.repo.Owner, m.repo.Name,
		github.Tarball, &github.RepositoryContentGetOptions{Ref: commit}, 0)
	if err != nil && resp != nil && resp.Response != nil {
		err = &github.ErrorResponse{Response: resp.Response, Message: err.Error()}
	}
	return address, classify(err)
}

// archiveHosts are the hosts that archives come from, beside the web's and the
// API's own: codeload.github.com, on GitHub Enterprise codeload.HOST.
func archiveHosts(cfg Config) ([]string, error) {
	u, err := url.Parse(cfg.WebURL)
	if err != nil {
		return nil, err
	}
	return append([]string{"codeload." + hostPort(u)}, cfg.AllowedHosts...), nil
}

var errArchiveTooLarge = errors.New("the archive holds more than is read")

// readArchive reads a tar archive of at most so many bytes, unpacked, and so many
// entries. GitHub puts everything into one folder, whose name says nothing.
func readArchive(compressed io.Reader, most int64, mostFiles int, each func(ArchiveFile) error) error {
	plain, err := gzip.NewReader(compressed)
	if err != nil {
		return err
	}
	bounded := &limitedBody{ReadCloser: plain, left: most, err: errArchiveTooLarge}
	defer bounded.Close()
	files := tar.NewReader(bounded)
	for n := 0; ; n++ {
		header, err := files.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err == nil && n >= mostFiles {
			err = errArchiveTooLarge
		}
		if err != nil {
			return err
		}
		_, path, _ := strings.Cut(header.Name, "/")
		f := ArchiveFile{Path: path, Size: header.Size, Content: files, Link: header.Typeflag == tar.TypeSymlink}
		if (header.Typeflag != tar.TypeReg && !f.Link) || path == "" {
			continue
		}
		if err := each(f); err != nil {
			return err
		}
	}
}
