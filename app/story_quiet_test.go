package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/tofu-registrar/registrar/handlers"
)

// storyQuiet: quiet KEY… runs handlers once more, when all is done, and fails if
// any of them writes.
func storyQuiet(ts *testscript.TestScript, neg bool, args []string) {
	s := theStory(ts)
	for _, key := range args {
		key = strings.ReplaceAll(key, "_", " ")
		s.idle(ts)
		complaint := s.runAgain(ts, key)
		if complaint != "" {
			// On a busy machine a job of the bot's own may have come in between: a
			// handler that writes each time does so once more.
			s.idle(ts)
			complaint = s.runAgain(ts, key)
		}
		if complaint != "" {
			ts.Fatalf("a second run of %q %s", key, complaint)
		}
	}
}

// runAgain runs the handler of a key and says what it writes; "" if nothing.
func (s *story) runAgain(ts *testscript.TestScript, key string) string {
	s.github.ResetCalls()
	decided := s.decisionsSize(ts)
	if _, err := s.bot.Handlers.Reconcile(context.Background(), handlers.Key(key)); err != nil {
		ts.Fatalf("second run of %q: %v", key, err)
	}
	var writes []string
	for _, c := range s.github.Calls() {
		if !strings.HasPrefix(c.Actor, "app:") && c.Actor != "registrar[bot]" {
			continue
		}
		reads := c.Method == "GET" || c.Method == "HEAD" || strings.Contains(c.Path, "access_tokens") || strings.Contains(c.Path, "git-upload-pack")
		// A sweep beside the run may ask for webhooks that a busy machine missed.
		if !reads && !strings.Contains(c.Path, "/app/hook/deliveries/") {
			writes = append(writes, fmt.Sprintf("%s %s %d", c.Method, c.Path, c.Status))
		}
	}
	switch {
	case len(writes) > 0:
		return "writes:\n" + strings.Join(writes, "\n")
	case s.decisionsSize(ts) != decided:
		return "decides something"
	}
	return ""
}
