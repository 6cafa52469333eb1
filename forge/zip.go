package forge

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/tofu-registrar/registrar/validation"
)

// Zip downloads an archive once and computes its facts. The body is hashed
// while it is written to a temporary file, which has no name any more, and the
// entries are hashed from there: an archive's table of contents is at its end.
// Nothing is ever unpacked to disk, and memory does not grow with the archive.
// The author's faults come back in ZipFacts.Fault.
func (a *Authors) Zip(ctx context.Context, asset validation.Asset) (validation.ZipFacts, error) {
	key := assetKey(asset)
	if facts, ok := a.zips.get(key); ok && key != "" {
		return facts, nil
	}
	facts, err := a.readZip(ctx, asset)
	var fault *Fault
	if errors.As(err, &fault) {
		facts.Fault = fault.Message
		return facts, nil
	}
	if err != nil {
		return validation.ZipFacts{}, fmt.Errorf("archive %.100q: %w", asset.Name, err)
	}
	if key != "" {
		a.zips.put(key, facts, 512)
	}
	return facts, nil
}

func (a *Authors) readZip(ctx context.Context, asset validation.Asset) (validation.ZipFacts, error) {
	limit := a.cfg.Limits.Zip
	if asset.Size > limit {
		return validation.ZipFacts{}, tooLarge(asset.Size, limit)
	}
	if asset.Size > 0 { // GitHub knows: more than that is not what it lists
		limit = asset.Size
	}
	// Small archives run eight at a time at most, large ones as disk allows.
	weight := min(max(limit, a.cfg.Limits.Spool/8), a.cfg.Limits.Spool)
	if err := a.spool.Acquire(ctx, weight); err != nil {
		return validation.ZipFacts{}, err
	}
	defer a.spool.Release(weight)

	file, err := spoolFile(a.cfg.Limits.SpoolDir)
	if err != nil {
		return validation.ZipFacts{}, err
	}
	defer file.discard()
	facts, err := a.spoolZip(ctx, asset, limit, file)
	if err != nil {
		return facts, err
	}
	if sum, ok := strings.CutPrefix(asset.Digest, "sha256:"); ok && !strings.EqualFold(sum, facts.SHA256) {
		return facts, &Fault{"the file that was downloaded is not the one that GitHub lists: their sha256 differ"}
	}
	facts.H1, err = hashZip(ctx, file.File, facts.Size, a.cfg.Limits)
	return facts, err
}

// spoolZip downloads the archive into the file and hashes it on the way.
func (a *Authors) spoolZip(ctx context.Context, asset validation.Asset, limit int64, file *spooled) (validation.ZipFacts, error) {
	body, err := a.download(ctx, asset.URL, limit)
	if err != nil {
		return validation.ZipFacts{}, err
	}
	defer body.Close()
	sum := sha256.New()
	n, err := io.Copy(io.MultiWriter(sum, file), body)
	if err != nil {
		return validation.ZipFacts{}, downloadError(asset.URL, err)
	}
	return validation.ZipFacts{SHA256: hex.EncodeToString(sum.Sum(nil)), Size: n}, nil
}

// spooled is a temporary file without a name, where the system allows that: a
// process that is killed leaves none behind.
type spooled struct {
	*os.File
	named bool
}

func spoolFile(dir string) (*spooled, error) {
	if dir == "" {
		dir = os.TempDir()
	}
	if file := namelessFile(dir); file != nil {
		return &spooled{File: file}, nil
	}
	file, err := os.CreateTemp(dir, "registrar-*.zip")
	if err != nil {
		return nil, fmt.Errorf("spool an archive: %w", err)
	}
	return &spooled{File: file, named: os.Remove(file.Name()) != nil}, nil
}

func (s *spooled) discard() {
	_ = s.Close()
	if s.named {
		_ = os.Remove(s.Name())
	}
}
