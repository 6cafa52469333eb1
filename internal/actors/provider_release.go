package actors

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strings"

	"github.com/google/go-github/v57/github"
)

// ProviderRelease is a release of a provider as GoReleaser would make it.
type ProviderRelease struct {
	Name      string   // "demo"
	Version   string   // "1.0.0"; the tag is "v" + Version
	Platforms []string // "linux_amd64"; the common five if empty
	Protocols []string // ["5.0"] if empty
	Key       *SigningKey
	// Program is the content of the executable; a shell script if empty, which
	// is enough for init.
	Program []byte
	// Change alters the files just before they are uploaded, to play an author
	// whose release is faulty.
	Change func(files map[string][]byte)
}

// Files are the files of the release by name.
func (r ProviderRelease) Files() (map[string][]byte, error) {
	files := map[string][]byte{}
	prefix := "terraform-provider-" + r.Name + "_" + r.Version + "_"
	platforms := r.Platforms
	if len(platforms) == 0 {
		platforms = []string{"linux_amd64", "linux_arm64", "darwin_amd64", "darwin_arm64", "windows_amd64"}
	}
	for _, p := range platforms {
		body, err := r.archive(p)
		if err != nil {
			return nil, err
		}
		files[prefix+p+".zip"] = body
	}
	protocols := r.Protocols
	if len(protocols) == 0 {
		protocols = []string{"5.0"}
	}
	files[prefix+"manifest.json"] = fmt.Appendf(nil,
		"{\n  \"version\": 1,\n  \"metadata\": {\"protocol_versions\": [\"%s\"]}\n}\n", strings.Join(protocols, `", "`))
	sums := checksums(files)
	if r.Key != nil {
		sig, err := r.Key.Sign(sums)
		if err != nil {
			return nil, err
		}
		files[prefix+"SHA256SUMS.sig"] = sig
	}
	files[prefix+"SHA256SUMS"] = sums
	return files, nil
}

func checksums(files map[string][]byte) []byte {
	names := make([]string, 0, len(files))
	for name := range files {
		names = append(names, name)
	}
	sort.Strings(names)
	var b bytes.Buffer
	for _, name := range names {
		fmt.Fprintf(&b, "%x  %s\n", sha256.Sum256(files[name]), name)
	}
	return b.Bytes()
}

// archive is the zip for one platform: the executable and a licence.
func (r ProviderRelease) archive(platform string) ([]byte, error) {
	program := r.Program
	if program == nil {
		program = fmt.Appendf(nil, "#!/bin/sh\n# %s %s for %s\nexit 1\n", r.Name, r.Version, platform)
	}
	suffix := ""
	if strings.HasPrefix(platform, "windows") {
		suffix = ".exe"
	}
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, f := range []struct {
		name string
		mode os.FileMode
		body []byte
	}{
		{"LICENSE", 0o644, []byte("Apache-2.0\n")},
		{"terraform-provider-" + r.Name + "_v" + r.Version + suffix, 0o755, program},
	} {
		h := &zip.FileHeader{Name: f.name, Method: zip.Deflate}
		h.SetMode(f.mode)
		w, err := z.CreateHeader(h)
		if err != nil {
			return nil, err
		}
		if _, err := w.Write(f.body); err != nil {
			return nil, err
		}
	}
	if err := z.Close(); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

// PublishProvider tags the repository and publishes a release with all its
// files: as a draft first, so that nobody sees it half uploaded.
func (p *Person) PublishProvider(ctx context.Context, repo Repo, r ProviderRelease) error {
	files, err := r.Files()
	if err != nil {
		return err
	}
	if r.Change != nil {
		r.Change(files)
	}
	return p.PublishRelease(ctx, repo, "v"+r.Version, files)
}

// PublishRelease publishes a release with any files.
func (p *Person) PublishRelease(ctx context.Context, repo Repo, tag string, files map[string][]byte) error {
	rel, _, err := p.gh.Repositories.CreateRelease(ctx, repo.Owner, repo.Name, &github.RepositoryRelease{
		TagName: &tag, Name: &tag, Draft: github.Bool(true), Prerelease: github.Bool(strings.Contains(tag, "-")),
	})
	if err != nil {
		return wrap(err, "draft release %s of %s", tag, repo)
	}
	for name, body := range files {
		if err := p.upload(ctx, repo, rel.GetID(), name, body); err != nil {
			return err
		}
	}
	_, _, err = p.gh.Repositories.EditRelease(ctx, repo.Owner, repo.Name, rel.GetID(), &github.RepositoryRelease{
		Draft: github.Bool(false),
	})
	return wrap(err, "publish release %s of %s", tag, repo)
}

func (p *Person) upload(ctx context.Context, repo Repo, release int64, name string, body []byte) error {
	dir, err := os.MkdirTemp("", "upload-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "file")
	if err := os.WriteFile(path, body, 0o600); err != nil {
		return err
	}
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	_, _, err = p.gh.Repositories.UploadReleaseAsset(ctx, repo.Owner, repo.Name, release, &github.UploadOptions{
		Name: name, MediaType: "application/octet-stream",
	}, f)
	return wrap(err, "upload %s to %s", name, repo)
}
