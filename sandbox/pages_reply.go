package sandbox

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
)

// issueNumber is the number in the path, for REST.
func (v *visit) issueNumber() (string, error) {
	if n, err := strconv.Atoi(v.PathValue("number")); err != nil || n < 1 {
		return "", notFound()
	}
	return v.PathValue("number"), nil
}

// pathOfIssue leads back to an issue's page, which knows whether it is a pull
// request.
func (v *visit) pathOfIssue(number string) string {
	return "/" + v.full + "/issues/" + number
}

// commentFromPage adds the comment, if something was typed, and then closes or
// reopens, if that button was pressed.
func commentFromPage(v *visit) (string, error) {
	number, err := v.issueNumber()
	if err != nil {
		return "", err
	}
	change := obj{}
	switch then := v.PostFormValue("then"); then {
	case "completed", "not_planned":
		change = obj{"state": "closed", "state_reason": then}
	case "close":
		change = obj{"state": "closed"}
	case "reopen":
		change = obj{"state": "open"}
	}
	body := v.PostFormValue("body")
	if strings.TrimSpace(body) != "" {
		if _, err := v.restRepo(http.MethodPost, "/issues/"+number+"/comments", obj{"body": body}); err != nil {
			return "", err
		}
	} else if len(change) == 0 {
		return "", unprocessable("There is nothing to comment: the text is empty.")
	}
	if len(change) > 0 {
		if _, err := v.restRepo(http.MethodPatch, "/issues/"+number, change); err != nil {
			return "", err
		}
	}
	return v.pathOfIssue(number), nil
}

func editIssueFromPage(v *visit) (string, error) {
	number, err := v.issueNumber()
	if err != nil {
		return "", err
	}
	change := obj{"title": v.PostFormValue("title"), "body": v.PostFormValue("body")}
	_, err = v.restRepo(http.MethodPatch, "/issues/"+number, change)
	return v.pathOfIssue(number), err
}

func editCommentFromPage(v *visit) (string, error) {
	id, err := strconv.ParseInt(v.PathValue("comment"), 10, 64)
	if err != nil {
		return "", notFound()
	}
	if _, err := v.restRepo(http.MethodPatch, fmt.Sprintf("/issues/comments/%d", id), obj{"body": v.PostFormValue("body")}); err != nil {
		return "", err
	}
	to := "/" + v.full + "/issues"
	v.s.view(func() {
		if c := v.repo.comments[id]; c != nil {
			to = fmt.Sprintf("%s#issuecomment-%d", v.issuePath(c.issue), id)
		}
	})
	return to, nil
}

// labelFromPage makes the labels of an issue those that were ticked.
func labelFromPage(v *visit) (string, error) {
	number, err := v.issueNumber()
	if err != nil {
		return "", err
	}
	labels := v.PostForm["label"]
	if len(labels) == 0 {
		_, err = v.restRepo(http.MethodDelete, "/issues/"+number+"/labels", nil)
	} else {
		_, err = v.restRepo(http.MethodPut, "/issues/"+number+"/labels", obj{"labels": labels})
	}
	return v.pathOfIssue(number), err
}
