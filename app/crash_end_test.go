package main

import (
	"context"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-github/v57/github"

	"github.com/tofu-registrar/registrar/handlers"
	"github.com/tofu-registrar/registrar/registrydata"
)

// dayEnd is all that can be seen at the end of a day, by anyone: issues, pull
// requests, branches, the files of the metadata branch and its commits, and what
// is published. Issues and pull requests go by their titles, because their
// numbers are chance.
type dayEnd map[string]string

// add keeps what is there; a second one of that name is told from the first.
func (e dayEnd) add(kind, name, text string) {
	key := kind + " " + name
	for n := 2; ; n++ {
		if _, there := e[key]; !there {
			e[key] = text
			return
		}
		key = fmt.Sprintf("%s %s (%d)", kind, name, n)
	}
}

// differs lists how another end differs, in order, a name and its lines each.
func (e dayEnd) differs(other dayEnd) (all []string) {
	names := maps.Clone(e)
	maps.Copy(names, other)
	for _, name := range slices.Sorted(maps.Keys(names)) {
		was, before := e[name]
		is, now := other[name]
		switch {
		case before && !now:
			all = append(all, "missing: "+name+"\n"+was)
		case now && !before:
			all = append(all, "too much: "+name+"\n"+is)
		case was != is:
			all = append(all, name+"\n"+cmp.Diff(strings.Split(was, "\n"), strings.Split(is, "\n")))
		}
	}
	return all
}

// dayChance is what differs between two worlds in what people read: ports, commits,
// times.
var dayChance = regexp.MustCompile(`127\.0\.0\.1:\d+|\b[0-9a-f]{40}\b|\b[0-9a-f]{7}\b|"repository_id": \d+|\bprovider-\d{10}\b| input=[0-9a-f]{20}|\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d)?(\.\d+)?Z?( UTC)?`)

// dayNumber is the number of an issue or a pull request in a text, or of a comment.
var dayNumber = regexp.MustCompile(`(\[#|\(#|\*#| #|/issues/|/pull/|issue-|issue=|issuecomment-|comment=| pull=|"pull": ?|"issue": ?)(\d+)`)

// end looks at everything once nothing happens any more.
func (d *scriptedDay) end(ctx context.Context, t testing.TB) dayEnd {
	t.Helper()
	titles := map[int]string{}
	var all []*github.Issue
	for n := 1; ; n++ {
		issue, err := d.maintainer.Issue(ctx, d.metadata, n)
		if err != nil {
			break
		}
		all, titles[n] = append(all, issue), issue.GetTitle()
	}
	plain := func(text string) string {
		text = dayNumber.ReplaceAllStringFunc(text, func(m string) string {
			parts := dayNumber.FindStringSubmatch(m)
			n, _ := strconv.Atoi(parts[2])
			return parts[1] + "<" + titles[n] + ">"
		})
		return dayChance.ReplaceAllString(text, "…")
	}
	e := dayEnd{}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	var pulls []string // sorted, so that those of one title have an order
	for _, issue := range all {
		comments, err := d.maintainer.Comments(ctx, d.metadata, issue.GetNumber())
		must(err)
		text := issue.GetState() + " " + labelsOf(issue) + "\n" + issue.GetBody()
		if issue.IsPullRequest() {
			text, err = d.pullText(ctx, issue)
			must(err)
		}
		for _, c := range comments {
			text += "\ncomment: " + c
		}
		text = plain(text)
		if issue.IsPullRequest() {
			pulls = append(pulls, plain(issue.GetTitle())+"\x00"+text)
			continue
		}
		e.add("issue", issue.GetTitle(), text)
	}
	slices.Sort(pulls)
	for _, p := range pulls {
		title, text, _ := strings.Cut(p, "\x00")
		e.add("pull request", title, text)
	}
	d.endOfBranch(t, e, plain)
	d.endOfDecisions(t, e)
	for name, text := range readTree(t, filepath.Join(d.dir, "public")).served() {
		e.add("published", name, plain(text))
	}
	return e
}

func labelsOf(issue *github.Issue) string {
	var names []string
	for _, l := range issue.Labels {
		names = append(names, l.GetName())
	}
	slices.Sort(names)
	return strings.Join(names, ",")
}

// pullText is the state of a pull request, its text, and its newest check.
func (d *scriptedDay) pullText(ctx context.Context, issue *github.Issue) (string, error) {
	pull, err := d.maintainer.Pull(ctx, d.metadata, issue.GetNumber())
	if err != nil {
		return "", err
	}
	state := pull.GetState()
	if pull.MergedAt != nil {
		state = "merged"
	}
	conclusion, text, err := d.maintainer.PullCheck(ctx, d.metadata, issue.GetNumber())
	return fmt.Sprintf("%s %s %s\n%s\ncheck: %s %s", state, pull.GetHead().GetRef(), labelsOf(issue), issue.GetBody(), conclusion, text), err
}

// endOfBranch reads the branches and the data of the metadata repository.
func (d *scriptedDay) endOfBranch(t testing.TB, e dayEnd, plain func(string) string) {
	t.Helper()
	dir, err := d.github.GitDir(d.metadata.Owner, d.metadata.Name)
	if err != nil {
		t.Fatal(err)
	}
	git := func(args ...string) string {
		t.Helper()
		out, err := exec.Command("git", append([]string{"-C", dir}, args...)...).Output() // #nosec G204 -- a test
		if err != nil {
			t.Fatalf("git %s: %v", args, err)
		}
		return string(out)
	}
	for line := range strings.Lines(git("for-each-ref", "--format=%(refname)", "refs/heads")) {
		e.add("branch", plain(strings.TrimSpace(line)), "")
	}
	for line := range strings.Lines(git("log", "--format=%s", "main")) {
		e.add("commit", plain(strings.TrimSpace(line)), "")
	}
	for name := range strings.SplitSeq(strings.TrimSuffix(git("ls-tree", "-r", "-z", "--name-only", "main"), "\x00"), "\x00") {
		text := plain(git("show", "main:"+name))
		if name == registrydata.BlacklistPath { // in the order of the merges
			lines := strings.Split(text, "\n")
			slices.Sort(lines)
			text = strings.Join(lines, "\n")
		}
		e.add("data", plain(name), text)
	}
}

// endOfDecisions tells of each entry of the metadata branch what the decision log
// holds about it: that it was judged, answered and published, and the versions that
// were let in. How often is chance.
func (d *scriptedDay) endOfDecisions(t testing.TB, e dayEnd) {
	t.Helper()
	log, err := os.Open(d.decisionsFile())
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	did := map[string]map[string]bool{}
	faulty, err := readDecisions(log, func(one handlers.Decision) error {
		for _, about := range one.About {
			if did[about] == nil {
				did[about] = map[string]bool{}
			}
			did[about][string(one.Did)] = true
			for _, v := range one.Versions {
				did[about]["version "+v.Version+" "+v.Outcome] = true
			}
		}
		return nil
	})
	if err != nil || faulty > 0 {
		t.Errorf("the decision log: %d faulty lines, %v", faulty, err)
	}
	for about, what := range did {
		e.add("decided", about, strings.Join(slices.Sorted(maps.Keys(what)), "\n"))
	}
}

// decisionsFile is beside the queue's database.
func (w *world) decisionsFile() string {
	dir := w.dir
	if w.bot != nil {
		dir = filepath.Dir(w.bot.Queue.o.Path)
	}
	return filepath.Join(dir, decisionsFile)
}
