package handlers

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/tofu-registrar/registrar/registrydata"
)

// Events are the webhook events that Registrar subscribes to and translates.
var Events = []string{
	"issues", "issue_comment", "pull_request", "pull_request_review", "push", "release", "create",
	"check_run", "check_suite", "repository", "installation", "installation_repositories",
}

// event is the little that the top halves read of a webhook's payload
// (docs.github.com/webhooks/webhook-events-and-payloads).
type event struct {
	Action     string     `json:"action"`
	Ref        string     `json:"ref"`
	RefType    string     `json:"ref_type"`
	Deleted    bool       `json:"deleted"`
	Repository repository `json:"repository"`
	Sender     user       `json:"sender"`
	Issue      struct {
		Number      int             `json:"number"`
		PullRequest json.RawMessage `json:"pull_request"`
	} `json:"issue"`
	Comment struct {
		ID   int64  `json:"id"`
		Body string `json:"body"`
		User user   `json:"user"`
	} `json:"comment"`
	PullRequest struct {
		Number int `json:"number"`
		Head   struct {
			Ref  string     `json:"ref"`
			Repo repository `json:"repo"`
		} `json:"head"`
		Base struct {
			Ref string `json:"ref"`
		} `json:"base"`
	} `json:"pull_request"`
	Release struct {
		TagName string `json:"tag_name"`
		Draft   bool   `json:"draft"`
	} `json:"release"`
	Changes struct {
		Repository struct {
			Name struct {
				From string `json:"from"`
			} `json:"name"`
		} `json:"repository"`
		Owner struct {
			From struct {
				User         user `json:"user"`
				Organization user `json:"organization"`
			} `json:"from"`
		} `json:"owner"`
	} `json:"changes"`
	Installation struct {
		ID int64 `json:"id"`
	} `json:"installation"`
	CheckRun   checkEvent `json:"check_run"`
	CheckSuite checkEvent `json:"check_suite"`
}

type repository struct {
	FullName string `json:"full_name"`
}

type user struct {
	Login string `json:"login"`
	Type  string `json:"type"`
}

type checkEvent struct {
	PullRequests []struct {
		Number int `json:"number"`
	} `json:"pull_requests"`
}

// is tells whether the repository is this one; GitHub ignores case.
func (r repository) is(other registrydata.Repository) bool {
	return strings.EqualFold(r.FullName, other.String())
}

// Keys translates a webhook into the keys of what it may have changed. Events
// that are not ours give none. The error is a payload that does not parse.
func (h *Handlers) Keys(name string, payload []byte) ([]Key, error) {
	translate, ok := h.translations()[name]
	if !ok {
		return nil, nil
	}
	var e event
	if err := json.Unmarshal(payload, &e); err != nil {
		return nil, fmt.Errorf("parse %s payload: %w", name, err)
	}
	return translate(e), nil
}

func (h *Handlers) translations() map[string]func(event) []Key {
	return map[string]func(event) []Key{
		"issues":                    h.issueKeys,
		"issue_comment":             h.commentKeys,
		"pull_request":              h.pullKeys,
		"pull_request_review":       h.reviewKeys,
		"push":                      h.pushKeys,
		"release":                   h.releaseKeys,
		"create":                    h.createKeys,
		"check_run":                 h.checkKeys,
		"check_suite":               h.checkKeys,
		"repository":                h.repositoryEventKeys,
		"installation":              h.installationKeys,
		"installation_repositories": h.installationKeys,
	}
}

// own tells whether this App itself caused the event: what it has done it need
// not look at again.
func (h *Handlers) own(e event) bool {
	return h.site.BotLogin != "" && strings.EqualFold(e.Sender.Login, h.site.BotLogin)
}

func oneOf(action string, actions ...string) bool {
	for _, a := range actions {
		if a == action {
			return true
		}
	}
	return false
}
