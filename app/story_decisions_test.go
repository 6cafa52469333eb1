package main

import (
	"context"
	"errors"
	"os"
	"strconv"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/tofu-registrar/registrar/internal/actors"
)

// storyDecided: decided ADDRESS REGEXP, decided issue N REGEXP: waits until the
// history of an address, as audit show prints it, matches. With ! before it, it
// waits until all is idle and then must not.
func storyDecided(ts *testscript.TestScript, neg bool, args []string) {
	s := theStory(ts)
	words, want := args[:len(args)-1], args[len(args)-1]
	var text string
	ask := func(context.Context) (bool, error) {
		var err error
		text, err = s.history(words)
		return matches(want, text), err
	}
	if neg {
		s.idle(ts)
		if ok, err := ask(context.Background()); ok || err != nil {
			ts.Fatalf("did not expect %q: %v, the history is\n%s", want, err, text)
		}
		return
	}
	if err := actors.Until(context.Background(), storyPatience, "decided "+strings.Join(args, " "), ask); err != nil {
		ts.Fatalf("%v; the history is\n%s", err, text)
	}
}

// history is what audit show prints.
func (s *story) history(words []string) (string, error) {
	query, err := parseDecisionQuery(words)
	if err != nil {
		return "", err
	}
	var out, errs strings.Builder
	env := &environment{stdout: &out, stderr: &errs}
	if err := showDecisions(env, s.bot.cfg.decisionsPath(), query, false); err != nil && !errors.Is(err, errFindings) {
		return "", err
	}
	return out.String() + errs.String(), nil
}

// decisionsSize is how much the decision log holds.
func (s *story) decisionsSize(ts *testscript.TestScript) int64 {
	info, err := os.Stat(s.bot.cfg.decisionsPath())
	ts.Check(err)
	return info.Size()
}

// storyRights: rights grant LOGIN PERMISSION, rights revoke LOGIN: the
// maintainer's, in the metadata repository.
func storyRights(ts *testscript.TestScript, neg bool, args []string) {
	s, ctx := theStory(ts), context.Background()
	switch args[0] {
	case "grant":
		ts.Check(s.maintainer.Grant(ctx, s.metadata, args[1], args[2]))
	case "revoke":
		ts.Check(s.maintainer.Revoke(ctx, s.metadata, args[1]))
	default:
		ts.Fatalf("rights cannot %s", args[0])
	}
}

// storyRephrase: rephrase PERSON COMMENT TEXT edits a comment.
func storyRephrase(ts *testscript.TestScript, neg bool, args []string) {
	s := theStory(ts)
	id, err := strconv.ParseInt(args[1], 10, 64)
	ts.Check(err)
	ts.Check(s.person(ts, args[0]).EditComment(context.Background(), s.metadata, id, args[2]))
}
