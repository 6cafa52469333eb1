package main

import (
	"context"
	"slices"

	"github.com/rogpeppe/go-internal/testscript"
)

// storyLooks are the looks of a world that has them: fast ones, because a story
// looks when it says so.
func storyLooks(plain []string) *LookConfig {
	if !slices.Contains(plain, "looks") {
		return nil
	}
	return &LookConfig{FeedsPerSecond: 500, TagsPerSecond: 500}
}

// storyLook: look at all that is registered, and wait until that is done.
// look again lists the tags too, as it is done every few hours.
func storyLook(ts *testscript.TestScript, neg bool, args []string) {
	s, ctx := theStory(ts), context.Background()
	if len(args) > 0 {
		_, err := s.bot.Queue.db.Exec(`UPDATE registrar_looks SET tags_due_at = 1`)
		ts.Check(err)
	}
	job, err := s.bot.Queue.AskLook(ctx)
	ts.Check(err)
	bounded, cancel := context.WithTimeout(ctx, storyPatience)
	defer cancel()
	_, err = s.bot.Queue.Await(bounded, job, nil)
	ts.Check(err)
}
