package handlers

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/tofu-registrar/registrar/forge"
	"github.com/tofu-registrar/registrar/registrydata"
	"github.com/tofu-registrar/registrar/templates"
)

// commentKeys: only a comment that asks to look again concerns us, when it is
// written; an edit afterwards gives no rights, and an App's quotation of the
// command is no command.
func (h *Handlers) commentKeys(e event) []Key {
	if !e.Repository.is(h.metadata) || e.Action != "created" || e.Comment.User.Type == "Bot" {
		return nil
	}
	if e.Issue.Number <= 0 || e.Comment.ID <= 0 || !asksRecheck(e.Comment.Body) {
		return nil
	}
	return []Key{RecheckKey(e.Issue.Number, e.Comment.ID)}
}

// unheardAfter is how old a request is before a sweep takes its webhook for lost,
// and requestsSince how old it may be.
const (
	unheardAfter  = 30 * time.Second
	requestsSince = time.Hour
)

// unheardRechecks are the requests to look again that nobody has answered by a
// reaction.
func (h *Handlers) unheardRechecks(ctx context.Context) ([]Key, error) {
	comments, err := h.threads.RecentComments(ctx, h.listedSince(requestsSince))
	var keys []Key
	for _, c := range comments {
		answered := c.Reactions[recheckDone] > 0 || c.Reactions[recheckDenied] > 0
		if !answered && !c.ByBot && !c.Edited && asksRecheck(c.FirstLine) && h.now().Sub(c.Created) > unheardAfter {
			keys = append(keys, RecheckKey(c.Issue, c.ID))
		}
	}
	return keys, err
}

// asksRecheck tells whether a comment's first line is the command.
func asksRecheck(body string) bool {
	line, _, _ := strings.Cut(strings.TrimSpace(body), "\n")
	word, _, _ := strings.Cut(strings.TrimSpace(line), " ")
	return strings.EqualFold(word, "/recheck")
}

// recheckDone and recheckDenied are the reactions that answer a request.
const (
	recheckDone   = "rocket"
	recheckDenied = "-1"
)

// reconcileRecheck answers a request to look again, from the author of the
// submission or from someone with write permission.
func (h *Handlers) reconcileRecheck(ctx context.Context, rest string) (Result, error) {
	numberText, idText, _ := strings.Cut(rest, " ")
	number, err := strconv.Atoi(numberText)
	id, err2 := strconv.ParseInt(idText, 10, 64)
	if err != nil || err2 != nil || number <= 0 || id <= 0 {
		return Result{}, fmt.Errorf("%w: recheck %q", ErrMalformedKey, rest)
	}
	comment, ok, err := h.threads.Comment(ctx, id)
	if err != nil || !ok || comment.ByBot || comment.Edited || !asksRecheck(comment.Body) {
		return Result{}, err
	}
	issue, err := h.threads.Issue(ctx, number)
	if err != nil {
		return Result{}, err
	}
	allowed, err := h.mayAsk(ctx, comment.Author, issue)
	if err != nil {
		return Result{}, err
	}
	if !allowed {
		return Result{}, h.denyRecheck(ctx, number, comment)
	}
	result, err := h.lookAgain(ctx, issue)
	if err != nil {
		return Result{}, err
	}
	return result, h.threads.React(ctx, id, recheckDone)
}

// mayAsk: the author of the submission, on its issue and on its pull request,
// and whoever has write permission now.
func (h *Handlers) mayAsk(ctx context.Context, login string, issue Issue) (bool, error) {
	author := issue.Author
	if issue.IsPull {
		pull, err := h.pulls.Pull(ctx, issue.Number)
		if err != nil {
			return false, err
		}
		if author, err = h.responsible(ctx, pull); err != nil {
			return false, err
		}
	}
	if login != "" && strings.EqualFold(login, author) {
		return true, nil
	}
	if e, ok := h.alertedEntity(issue); ok {
		mine, err := h.isAuthorOf(ctx, e, login, templates.AlertAuthor(issue.Body))
		if err != nil || mine {
			return mine, err
		}
	}
	return h.threads.CanWrite(ctx, login)
}

// isAuthorOf: an alert concerns who made the release, and those to whom the
// namespace belongs.
func (h *Handlers) isAuthorOf(ctx context.Context, e registrydata.Entity, login, called string) (bool, error) {
	if login != "" && strings.EqualFold(login, called) {
		return true, nil
	}
	return h.memberOf(ctx, e.Namespace, login)
}

func (h *Handlers) lookAgain(ctx context.Context, issue Issue) (Result, error) {
	if issue.IsPull {
		return h.checkPull(ctx, issue.Number, true)
	}
	if e, ok := h.alertedEntity(issue); ok {
		return Result{Next: []Key{RepositoryKey(repositoryOf(e))}}, nil
	}
	return h.reconcileSubmission(ctx, issue.Number, true)
}

// denyRecheck says no by a reaction, and explains itself once on an issue, so
// that nobody can make the bot talk without end.
func (h *Handlers) denyRecheck(ctx context.Context, number int, comment Comment) error {
	own, err := h.threads.OwnComments(ctx, number)
	if err != nil {
		return err
	}
	explained := false
	for _, c := range own {
		explained = explained || strings.HasPrefix(c.Body, "<!-- registrar:"+templates.MarkerReply+" ")
	}
	if !explained {
		if err := h.decisions.record(ctx, Decision{Did: DidRefuse, Issue: number, Asked: comment.Author}); err != nil {
			return err
		}
		err = h.threads.CreateComment(ctx, number, templates.RecheckDeniedReply(templates.RecheckDenied{
			Site: h.site, Comment: comment.ID, Asker: comment.Author,
		}))
	}
	if errors.Is(err, forge.ErrNotFound) {
		return nil // the issue is gone: nobody is left to answer
	}
	if err != nil {
		return err
	}
	return h.threads.React(ctx, comment.ID, recheckDenied)
}
