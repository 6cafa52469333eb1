package main

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"strings"
	"sync"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/tofu-registrar/registrar/internal/actors"
)

// storyPush: push PERSON MESSAGE PATH FILE… commits to the metadata branch, past
// all review. For a FILE of "-" the path is deleted, for "link:TARGET" it becomes
// a symbolic link.
func storyPush(ts *testscript.TestScript, neg bool, args []string) {
	s := theStory(ts)
	var changes []actors.FileChange
	for i := 2; i+1 < len(args); i += 2 {
		c := actors.FileChange{Path: args[i]}
		target, link := strings.CutPrefix(args[i+1], "link:")
		switch {
		case link:
			c.Link, c.Content = true, target
		case args[i+1] == "-":
			c.Delete = true
		default:
			c.Content = s.text(ts, args[i+1])
		}
		changes = append(changes, c)
	}
	ts.Check(s.person(ts, args[0]).Push(context.Background(), s.metadata, args[1], changes...))
}

// tail keeps what is written to it, for a test to look at.
type tail struct {
	mu   sync.Mutex
	text bytes.Buffer
	also io.Writer // nil for none
}

func (l *tail) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.also != nil {
		_, _ = l.also.Write(p)
	}
	return l.text.Write(p)
}

func (l *tail) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// figures is what the bot tells whoever watches it.
func (w *world) figures(ctx context.Context) (string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, w.botURL+"/metrics", nil)
	if err != nil {
		return "", err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	return string(text), err
}
