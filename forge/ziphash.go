package forge

import (
	"archive/zip"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"

	"golang.org/x/mod/sumdb/dirhash"
)

const (
	// maxZipDirectory bounds the bytes read of an archive's table of contents,
	// and with it the memory that the entries take.
	maxZipDirectory = 4 << 20
	// freeUnpacked is what an archive may unpack to at any ratio.
	freeUnpacked = 64 << 20
)

// hashZip is the "h1:" hash of an archive, equal to dirhash.HashZip with Hash1.
// The error is a *Fault where the archive is to blame: not a zip, damaged,
// encrypted, a bomb, names that are dangerous or occur twice.
func hashZip(ctx context.Context, r io.ReaderAt, size int64, limits Limits) (string, error) {
	source := &zipSource{ctx: ctx, r: r, budget: maxZipDirectory + 256<<10, entries: limits.Entries}
	archive, err := zip.NewReader(source, size)
	if err != nil {
		return "", source.blame(err, "the file is not a zip archive")
	}
	source.budget = -1
	files, names, err := zipEntries(archive, limits)
	if err != nil {
		return "", err
	}
	allowed := max(min(limits.Unpacked, size*limits.Ratio), min(limits.Unpacked, freeUnpacked))
	hash, err := dirhash.Hash1(names, func(name string) (io.ReadCloser, error) {
		content, err := files[name].Open()
		if err != nil {
			return nil, err
		}
		return &unpackedBody{ReadCloser: content, left: &allowed}, nil
	})
	if err != nil {
		return "", source.blame(err, "the archive is damaged")
	}
	return hash, nil
}

// zipEntries checks the table of contents.
func zipEntries(archive *zip.Reader, limits Limits) (map[string]*zip.File, []string, error) {
	if len(archive.File) > limits.Entries {
		return nil, nil, tooManyEntries(limits.Entries)
	}
	files := make(map[string]*zip.File, len(archive.File))
	names := make([]string, 0, len(archive.File))
	for _, f := range archive.File {
		switch {
		case dangerous(f.Name):
			return nil, nil, &Fault{fmt.Sprintf("the archive holds a file with the unsafe name %.100q", f.Name)}
		case files[f.Name] != nil:
			return nil, nil, &Fault{fmt.Sprintf("the archive holds %.100q twice", f.Name)}
		case f.Flags&1 != 0:
			return nil, nil, &Fault{"the archive is encrypted"}
		}
		files[f.Name] = f
		names = append(names, f.Name)
	}
	return files, names, nil
}

func tooManyEntries(limit int) *Fault {
	return &Fault{fmt.Sprintf("the archive holds more than %d files, which is all that is read", limit)}
}

// dangerous tells whether unpacking the name could leave the folder, on any
// system.
func dangerous(name string) bool {
	if name == "" || name[0] == '/' || strings.ContainsAny(name, "\\\x00\n\r") || (len(name) > 1 && name[1] == ':') {
		return true
	}
	for _, segment := range strings.Split(name, "/") {
		if segment == ".." {
			return true
		}
	}
	return false
}

// zipSource reads the archive. It stops a table of contents that is too large
// and remembers errors that are not the archive's.
type zipSource struct {
	ctx     context.Context //nolint:containedctx // archive/zip takes none
	r       io.ReaderAt
	budget  int64 // bytes that may still be read; negative: any number
	entries int   // that the table of contents may announce
	fault   error // the archive's
	broken  error // ours: the disk, the context
}

func (s *zipSource) ReadAt(p []byte, off int64) (int, error) {
	if err := s.ctx.Err(); err != nil {
		s.broken = err
		return 0, err
	}
	if off < 0 {
		return 0, zip.ErrFormat // a place that only a damaged archive points to
	}
	if s.budget >= 0 {
		if s.budget -= int64(len(p)); s.budget < 0 {
			s.budget = 0
			s.fault = &Fault{fmt.Sprintf("the archive's table of contents is larger than %s", bytesText(maxZipDirectory))}
			return 0, s.fault
		}
	}
	n, err := s.r.ReadAt(p, off)
	if err != nil && err != io.EOF {
		s.broken = err
	}
	if announced(p[:n]) > uint64(s.entries) && s.budget >= 0 {
		s.fault = tooManyEntries(s.entries)
		return 0, s.fault
	}
	return n, err
}

// announced is how many entries a zip64 end record announces; 0 for other
// bytes. archive/zip makes room for that many at once, up to a thirtieth of the
// archive's size, before it has seen one.
func announced(p []byte) uint64 {
	const size, entriesAt = 56, 32 // APPNOTE.TXT 4.3.14
	if len(p) != size || string(p[:4]) != "PK\x06\x06" {
		return 0
	}
	return binary.LittleEndian.Uint64(p[entriesAt:])
}

// blame says whose fault an error is; a message without a *Fault of its own
// gets the given one.
func (s *zipSource) blame(err error, message string) error {
	if s.broken != nil {
		return s.broken
	}
	if s.fault != nil {
		return s.fault
	}
	var fault *Fault
	if errors.As(err, &fault) {
		return fault
	}
	return &Fault{fmt.Sprintf("%s: %.200s", message, strings.TrimPrefix(err.Error(), "zip: "))}
}

// unpackedBody ends an archive that unpacks to too much.
type unpackedBody struct {
	io.ReadCloser
	left *int64
}

func (b *unpackedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if *b.left -= int64(n); *b.left < 0 {
		return 0, &Fault{"the archive unpacks to far more than it is: a zip bomb, or too large"}
	}
	return n, err
}
