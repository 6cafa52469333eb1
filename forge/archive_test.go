package forge_test

import (
	"context"
	"errors"
	"io"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tofu-registrar/registrar/forge"
)

// All files of a commit come in one archive, whatever the branch has become.
func TestSandboxArchive(t *testing.T) {
	h := newHub(t)
	ctx := context.Background()
	must(t, h.grace.PutFile(ctx, registryRepo, "modules/a/acme/net/aws.json", []byte("module")))
	head, err := h.meta.Head(ctx)
	must(t, err)
	must(t, h.grace.PutFile(ctx, registryRepo, "modules/a/acme/net/aws.json", []byte("later")))
	h.calls()

	got := map[string]string{}
	must(t, h.meta.Archive(ctx, head.SHA, func(f forge.ArchiveFile) error {
		content, err := io.ReadAll(f.Content)
		got[f.Path] = string(content)
		if f.Size != int64(len(content)) || f.Link {
			t.Errorf("%s: %d bytes of %d, link %v", f.Path, len(content), f.Size, f.Link)
		}
		return err
	}))
	delete(got, "README.md")
	want := map[string]string{
		"providers/a/acme/old.json": "{}", "keys/a/acme/k.asc": "key\r\n", "modules/a/acme/net/aws.json": "module",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	tarball := "GET /api/v3/repos/registry/metadata/tarball/" + head.SHA
	if calls := h.calls(); !slices.Contains(calls, tarball) || len(calls) > 2 {
		t.Errorf("calls: %q", calls)
	}
}

func TestSandboxArchiveEnds(t *testing.T) {
	h := newHub(t)
	ctx := context.Background()
	head, err := h.meta.Head(ctx)
	must(t, err)
	stop := errors.New("stop")
	seen := 0
	err = h.meta.Archive(ctx, head.SHA, func(forge.ArchiveFile) error { seen++; return stop })
	if !errors.Is(err, stop) || seen != 1 {
		t.Errorf("Archive = %v after %d files", err, seen)
	}
	gone := "0123456789012345678901234567890123456789"
	if err := h.meta.Archive(ctx, gone, func(forge.ArchiveFile) error { return nil }); !errors.Is(err, forge.ErrNotFound) {
		t.Errorf("of no commit: %v", err)
	}
	if err := h.meta.Archive(ctx, "../x", func(forge.ArchiveFile) error { return nil }); err == nil {
		t.Error("no commit id was taken")
	}
}
