package handlers

import (
	"context"
	"strings"

	"github.com/tofu-registrar/registrar/templates"
)

// GiveUp tells the author, in one sentence, that we failed to look at the
// submission, after the queue has used up its retries. The reference is what the
// operator finds in the log. Keys that no author waits for need no sentence.
func (h *Handlers) GiveUp(ctx context.Context, key Key, reference string) error {
	word, rest, _ := strings.Cut(string(key), " ")
	if word != onIssue && word != onRecheck {
		return nil
	}
	number, _, _ := strings.Cut(rest, " ")
	_, err := withNumber(ctx, number, func(ctx context.Context, n int) (Result, error) {
		s, err := h.observeThread(ctx, n)
		if err != nil || !s.needsVerdict(word == onRecheck) {
			return Result{}, err
		}
		c := h.submissionComment(s, templates.StateOperatorFailure)
		c.Incident = reference
		return Result{}, h.applyComment(ctx, s, c)
	})
	return err
}
