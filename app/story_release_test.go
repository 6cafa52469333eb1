package main

import (
	"context"
	"fmt"
	"maps"
	"strconv"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/tofu-registrar/registrar/forge"
)

// storyLater: later DURATION lets time pass for the bot, when all is idle.
func storyLater(ts *testscript.TestScript, neg bool, args []string) {
	s := theStory(ts)
	s.idle(ts)
	d, err := time.ParseDuration(args[0])
	ts.Check(err)
	s.late.Add(int64(d))
}

// storyRelease: release PERSON OWNER/NAME VERSION uploads|edits|deletes:
// uploads the files that a fault held back, edits the text, deletes the release.
func storyRelease(ts *testscript.TestScript, neg bool, args []string) {
	s, ctx := theStory(ts), context.Background()
	p, r, tag := s.person(ts, args[0]), repo(ts, args[1]), "v"+args[2]
	switch args[3] {
	case "uploads":
		ts.Check(p.Upload(ctx, r, tag, s.held[r.String()+" "+tag]))
	case "edits":
		ts.Check(p.EditReleaseText(ctx, r, tag, "Edited."))
	case "deletes":
		ts.Check(p.DeleteRelease(ctx, r, tag))
	default:
		ts.Fatalf("a release never %s", args[3])
	}
}

// holdBack remembers the files that a mistake leaves out of a release.
func (s *story) holdBack(of string, change func(map[string][]byte)) func(map[string][]byte) {
	if change == nil {
		return nil
	}
	return func(files map[string][]byte) {
		all := maps.Clone(files)
		change(files)
		maps.DeleteFunc(all, func(name string, _ []byte) bool { _, there := files[name]; return there })
		if s.held == nil {
			s.held = map[string]map[string][]byte{}
		}
		s.held[of] = all
	}
}

// storyTag: tag PERSON OWNER/NAME TAG… commits something and lets the tags point
// there, whether they exist or not.
func storyTag(ts *testscript.TestScript, neg bool, args []string) {
	s, ctx := theStory(ts), context.Background()
	p, r := s.person(ts, args[0]), repo(ts, args[1])
	s.commits++
	ts.Check(p.PutFile(ctx, r, "main.tf", []byte(fmt.Sprintf("# %d\n", s.commits))))
	for _, tag := range args[2:] {
		if p.MoveTag(ctx, r, tag) != nil { // it is not there yet
			ts.Check(p.Tag(ctx, r, tag))
		}
	}
}

// seesNewestAlert looks at the newest alert; sets $ALERT.
func (s *story) seesNewestAlert(ctx context.Context, ts *testscript.TestScript, state, want string) (bool, string, error) {
	all, err := s.maintainer.Labelled(ctx, s.metadata, forge.AlertLabel)
	if err != nil || len(all) == 0 {
		return false, "no alert", err
	}
	ts.Setenv("ALERT", strconv.Itoa(all[0].GetNumber()))
	text := strings.ReplaceAll(all[0].GetBody(), "\r\n", "\n")
	return all[0].GetState() == state && matches(want, text), fmt.Sprintf("%d, %s: %s", len(all), all[0].GetState(), text), nil
}

// storyRules: rules PERSON PATH AFTER TEXT writes a text into a data file of the
// metadata branch, behind the first AFTER, as a maintainer does by hand.
func storyRules(ts *testscript.TestScript, neg bool, args []string) {
	s, ctx := theStory(ts), context.Background()
	s.idle(ts)
	p := s.person(ts, args[0])
	text, err := p.File(ctx, s.metadata, args[1])
	ts.Check(err)
	lines := strings.NewReplacer(`\n`, "\n")
	after := lines.Replace(args[2])
	if !strings.Contains(text, after) {
		ts.Fatalf("%q stands not in %s", after, text)
	}
	text = strings.Replace(text, after, after+lines.Replace(args[3]), 1)
	ts.Check(p.PutFile(ctx, s.metadata, args[1], []byte(text)))
}
