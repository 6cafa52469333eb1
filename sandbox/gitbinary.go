package sandbox

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/go-git/go-git/v5/plumbing"
)

// gitBinary prepares a git process that depends on nothing of this machine's
// configuration.
func gitBinary(ctx context.Context, dir string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "git", append([]string{"-c", "safe.directory=*"}, args...)...) // #nosec G204 -- own arguments
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + dir, "GIT_CONFIG_NOSYSTEM=1", "LC_ALL=C"}
	return cmd
}

// readSizes notes the size of every blob below a tree, once for the packs that
// are there: git reads them twenty times faster than they are read one by one.
// Objects outside packs need none of this.
func (g *gitStore) readSizes(ctx context.Context, tree plumbing.Hash) error {
	dir, packed := g.unsizedPacks()
	if !packed {
		return nil
	}
	out, err := gitBinary(ctx, dir, "--git-dir="+dir, "ls-tree", "-r", "-l", "-z", tree.String()).Output()
	if err != nil {
		return fmt.Errorf("git ls-tree %s: %w", tree, err)
	}
	sizes := map[plumbing.Hash]int64{}
	lines := bufio.NewScanner(strings.NewReader(string(out)))
	lines.Buffer(nil, 1<<20)
	lines.Split(splitNUL)
	for lines.Scan() {
		meta, _, _ := strings.Cut(lines.Text(), "\t")
		fields := strings.Fields(meta) // mode, type, hash, size
		if len(fields) < 4 {
			continue
		}
		if size, err := strconv.ParseInt(fields[3], 10, 64); err == nil {
			sizes[plumbing.NewHash(fields[2])] = size
		}
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.sizes = sizes
	return lines.Err()
}

// unsizedPacks tells whether there are packs whose sizes were not read yet.
func (g *gitStore) unsizedPacks() (dir string, packed bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.onDisk || g.sizes != nil {
		return g.dir, false
	}
	packs, err := os.ReadDir(filepath.Join(g.dir, "objects", "pack"))
	return g.dir, err == nil && len(packs) > 0
}

// splitNUL is a bufio.SplitFunc for text that zero bytes divide.
func splitNUL(data []byte, atEOF bool) (advance int, token []byte, err error) {
	for i, b := range data {
		if b == 0 {
			return i + 1, data[:i], nil
		}
	}
	if atEOF && len(data) > 0 {
		return len(data), data, nil
	}
	return 0, nil, nil
}
