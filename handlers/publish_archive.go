package handlers

import (
	"bytes"
	"compress/flate"
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/tofu-registrar/registrar/forge"
	"github.com/tofu-registrar/registrar/registrydata"
)

// mostReadSingly is how many affected entities are read file by file. Beyond, one
// archive costs less of GitHub's hourly quota, which the public registry's 27,500
// entities exceed by far.
const mostReadSingly = 250

// treeOf reads what the entities of a publication are made of.
func (h *Handlers) treeOf(ctx context.Context, commit string, entities []registrydata.Entity, al registrydata.Aliases) (registrydata.Tree, error) {
	if len(entities) <= mostReadSingly || h.archives == nil {
		return h.publishTree(commit), nil
	}
	wanted := make(map[string]bool, len(entities))
	for _, e := range entities {
		wanted[e.Path()] = true
		if e.Kind == registrydata.KindProvider {
			source, _ := al.Resolve(e.Provider())
			wanted[source.Path()] = true
		}
	}
	t := archiveTree{files: map[string]packedFile{}, keys: registrydata.Folders{}}
	pack, err := newPacker()
	if err != nil {
		return nil, err
	}
	err = h.archives.Archive(ctx, commit, func(f forge.ArchiveFile) error {
		if !wanted[f.Path] && !strings.HasPrefix(f.Path, "keys/") {
			return ctx.Err()
		}
		return t.add(f, pack)
	})
	t.keys.Sort()
	return t, err
}

// archiveTree holds files of a commit, compressed: the public registry's take
// about 40 MB.
type archiveTree struct {
	files map[string]packedFile
	keys  registrydata.Folders
}

var _ registrydata.Tree = archiveTree{}

// packedFile is a file, or why it is not read.
type packedFile struct {
	packed []byte // as flate makes it
	size   int64
	fault  error
}

func (t archiveTree) add(f forge.ArchiveFile, pack *packer) (err error) {
	p := packedFile{size: f.Size, fault: unread(f.Path, f.Link, f.Size)}
	if p.fault == nil {
		if p.packed, err = pack.pack(f.Content, f.Size); err != nil {
			return fmt.Errorf("read %s: %w", f.Path, err)
		}
	}
	t.files[f.Path] = p
	if strings.HasPrefix(f.Path, "keys/") {
		t.keys.Add(f.Path)
	}
	return nil
}

// packer compresses one file after the other.
type packer struct {
	buf   bytes.Buffer
	flate *flate.Writer
}

func newPacker() (*packer, error) {
	p := &packer{}
	var err error
	p.flate, err = flate.NewWriter(&p.buf, flate.BestSpeed)
	return p, err
}

func (p *packer) pack(content io.Reader, size int64) ([]byte, error) {
	p.buf.Reset()
	p.flate.Reset(&p.buf)
	if _, err := io.CopyN(p.flate, content, size); err != nil {
		return nil, err
	}
	if err := p.flate.Close(); err != nil {
		return nil, err
	}
	return bytes.Clone(p.buf.Bytes()), nil
}

// File implements registrydata.Tree.
func (t archiveTree) File(_ context.Context, name string) ([]byte, bool, error) {
	f, ok := t.files[name]
	if !ok || f.fault != nil {
		return nil, false, f.fault
	}
	content := make([]byte, f.size)
	_, err := io.ReadFull(flate.NewReader(bytes.NewReader(f.packed)), content)
	return content, err == nil, err
}

// Dir implements registrydata.Tree, for the folders of keys.
func (t archiveTree) Dir(_ context.Context, name string) ([]registrydata.TreeEntry, error) {
	return t.keys[name], nil
}
