package main

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/tofu-registrar/registrar/sandbox"
)

// storyGitHub: github fails METHOD PATH STATUS [times=N] [didit], github heals,
// github loses N, github doubles N, github reorders N
// makes GitHub misbehave.
func storyGitHub(ts *testscript.TestScript, neg bool, args []string) {
	s := theStory(ts)
	plain, set := words(args)
	ts.Check(s.github.Knobs().Change(func(k *sandbox.Settings) {
		switch plain[0] {
		case "heals":
			*k = sandbox.Settings{}
		case "fails":
			f := sandbox.Fault{Method: plain[1], Path: plain[2], Status: number(ts, plain[3]), DidIt: len(plain) > 4 && plain[4] == "didit"}
			if set["times"] != "" {
				f.Times = number(ts, set["times"])
			}
			k.Faults = append(k.Faults, f)
		case "loses":
			k.Deliveries.Lose = number(ts, plain[1])
		case "doubles":
			k.Deliveries.Duplicate = number(ts, plain[1])
		case "reorders":
			k.Deliveries.Reorder = number(ts, plain[1])
		default:
			ts.Fatalf("github never %s", plain[0])
		}
	}))
}

// storyAsset: asset OWNER/NAME TAG FILE BYTES adds a file of zeros that nobody
// stores.
func storyAsset(ts *testscript.TestScript, neg bool, args []string) {
	s := theStory(ts)
	r := repo(ts, args[0])
	size := int64(number(ts, args[3]))
	ts.Check(s.github.AddGeneratedAsset(r.Owner, r.Name, args[1], args[2], size, func() io.Reader {
		return io.LimitReader(zeros{}, size)
	}))
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

// storyTags: tags OWNER/NAME N pushes that many version tags at once.
func storyTags(ts *testscript.TestScript, neg bool, args []string) {
	s := theStory(ts)
	r := repo(ts, args[0])
	dir, err := s.github.GitDir(r.Owner, r.Name)
	ts.Check(err)
	out, err := exec.Command("git", "-C", dir, "rev-parse", "HEAD").Output()
	ts.Check(err)
	head := strings.TrimSpace(string(out))
	var refs strings.Builder
	for i := range number(ts, args[1]) {
		fmt.Fprintf(&refs, "create refs/tags/v0.%d.%d %s\n", i/100, i%100, head)
	}
	cmd := exec.Command("git", "-C", dir, "update-ref", "--stdin")
	cmd.Stdin = strings.NewReader(refs.String())
	if out, err := cmd.CombinedOutput(); err != nil {
		ts.Fatalf("make tags: %v: %s", err, out)
	}
}

// storyRepeat: repeat FILE N TEXT writes a file of a text many times over.
func storyRepeat(ts *testscript.TestScript, neg bool, args []string) {
	text := strings.Repeat(strings.ReplaceAll(args[2], `\n`, "\n"), number(ts, args[1]))
	have, _ := os.ReadFile(ts.MkAbs(args[0]))
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), append(have, text...), 0o600))
}

// TestStoriesHaveTheirFiles: a glob that matches nothing must not pass.
func TestStoriesHaveTheirFiles(t *testing.T) {
	files, err := filepath.Glob("testdata/script/*.txtar")
	if err != nil || len(files) < 15 {
		t.Fatalf("%d stories, %v", len(files), err)
	}
}
