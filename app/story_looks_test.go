package main

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/tofu-registrar/registrar/registrydata"
	"github.com/tofu-registrar/registrar/sandbox"
)

// storyLooks are the looks of a world that has them: fast ones, because a story
// looks when it says so.
func storyLooks(plain []string) *LookConfig {
	if !slices.Contains(plain, "looks") {
		return nil
	}
	return &LookConfig{FeedsPerSecond: 500, TagsPerSecond: 500, patience: 3 * time.Second, onlyAsked: true}
}

// storyLook: look [tags] [failing=N] [changed=N] looks at all that is registered,
// and waits until that is done; with tags it lists these too, as it is done every
// few hours. How many looks fail, or find something, may be said.
func storyLook(ts *testscript.TestScript, neg bool, args []string) {
	s, ctx := theStory(ts), context.Background()
	plain, set := words(args)
	if slices.Contains(plain, "tags") {
		_, err := s.bot.Queue.db.Exec(`UPDATE registrar_looks SET tags_due_at = 1`)
		ts.Check(err)
	}
	began := time.Now()
	job, err := s.bot.Queue.AskLook(ctx)
	ts.Check(err)
	bounded, cancel := context.WithTimeout(ctx, storyPatience)
	defer cancel()
	_, err = s.bot.Queue.Await(bounded, job, nil)
	ts.Check(err)
	saw, err := lookTable{s.bot.Queue.db.DB}.since(ctx, began)
	ts.Check(err)
	if saw.Looked != saw.Registered {
		ts.Fatalf("%d of %d looked at", saw.Looked, saw.Registered)
	}
	for what, n := range map[string]int{"failing": saw.Failing, "changed": saw.Changed} {
		if set[what] != "" && set[what] != strconv.Itoa(n) {
			ts.Fatalf("%d %s, want %s", n, what, set[what])
		}
	}
}

// storyRegistered: registered OWNER/NAME VERSION registers a module's repository
// with one version, by the maintainer's own hand.
func storyRegistered(ts *testscript.TestScript, neg bool, args []string) {
	s := theStory(ts)
	owner, name, _ := strings.Cut(args[0], "/")
	a, ok := registrydata.ModuleFromRepository(registrydata.Repository{Owner: owner, Name: name})
	if !ok {
		ts.Fatalf("%s is no module's repository", args[0])
	}
	data := `{"versions": [{"version": "` + args[1] + `"}]}`
	ts.Check(s.maintainer.PutFile(context.Background(), s.metadata, a.Path(), []byte(data)))
}

// storyWeb: web PATH SERVE [times=N] [status=N] [after=30s] makes what GitHub's
// web root serves at a path go wrong: html, malformed, deep, huge, hang, redirect,
// status. web heals ends it.
func storyWeb(ts *testscript.TestScript, neg bool, args []string) {
	s := theStory(ts)
	plain, set := words(args)
	ts.Check(s.github.Knobs().Change(func(k *sandbox.Settings) {
		if plain[0] == "heals" {
			k.WebFaults = nil
			return
		}
		f := sandbox.WebFault{Path: plain[0], Serve: plain[1], Location: set["to"]}
		if f.Serve == "status" {
			f.Serve, f.Status = "", number(ts, set["status"])
		}
		if set["times"] != "" {
			f.Times = number(ts, set["times"])
		}
		k.WebFaults = append(k.WebFaults, f)
	}))
}
