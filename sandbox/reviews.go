package sandbox

import (
	"net/http"
	"strings"
)

func (s *Server) registerReviews() {
	one := pullPath + "/reviews/{review}"
	s.route("GET "+pullPath+"/reviews", reads("pull_requests"), s.listReviews)
	s.route("POST "+pullPath+"/reviews", contributes("pull_requests"), s.postReview)
	s.route("GET "+one, reads("pull_requests"), s.getReview)
	s.route("POST "+one+"/events", contributes("pull_requests"), s.submitReview)
	s.route("PUT "+one+"/dismissals", pushesOr403("pull_requests"), s.dismissReview)
	s.route("GET "+pullPath+"/comments", reads("pull_requests"), func(c *call) (*response, error) {
		if _, err := c.pullOf(); err != nil {
			return nil, err
		}
		return ok([]any{}) // comments on lines are not kept here
	})
}

// newReview is the request of POST reviews.
type newReview struct {
	CommitID string `json:"commit_id"`
	Body     string `json:"body"`
	Event    string `json:"event"`
}

// reviewStates translates what a reviewer does into what the review is.
var reviewStates = map[string]string{"APPROVE": "APPROVED", "REQUEST_CHANGES": "CHANGES_REQUESTED",
	"COMMENT": "COMMENTED", "": "PENDING"}

// addReview reviews a pull request. Anybody who reads may; whether it counts is
// for the reader of the review to judge.
func (s *Server) addReview(by *actor, i *issue, in newReview) (*review, error) {
	state, known := reviewStates[in.Event]
	if !known {
		return nil, invalidField("PullRequestReview", "event")
	}
	if err := s.mayReview(by, i, in.Event, in.Body); err != nil {
		return nil, err
	}
	if in.CommitID == "" {
		in.CommitID = i.pull.headSHA
	}
	r := &review{id: s.nextID(), user: by.user, body: in.Body, state: state, commit: in.CommitID}
	i.pull.reviews = append(i.pull.reviews, r)
	if state != "PENDING" {
		s.reviewSubmitted(by, i, r)
	}
	return r, nil
}

func (s *Server) mayReview(by *actor, i *issue, event, body string) error {
	if err := s.mayComment(by, i); err != nil {
		return err
	}
	if by.user == i.user && event == "APPROVE" {
		return unprocessable("Can not approve your own pull request")
	}
	if by.user == i.user && event == "REQUEST_CHANGES" {
		return unprocessable("Can not request changes on your own pull request")
	}
	if strings.TrimSpace(body) == "" && (event == "REQUEST_CHANGES" || event == "COMMENT") {
		return unprocessable("Body can't be blank")
	}
	return checkBody("PullRequestReview", body)
}

func (s *Server) reviewSubmitted(by *actor, i *issue, r *review) {
	r.submitted = s.now()
	s.emitReview(by, i, r, "submitted")
}

// emitReview sends the event; payloads spell the state in lower case.
func (s *Server) emitReview(by *actor, i *issue, r *review, action string) {
	s.emit(by, i.repo, "pull_request_review", action, func() obj {
		out := s.reviewJSON(i, r)
		out["state"] = strings.ToLower(r.state)
		out["body"] = orNull(r.body)
		return obj{"review": out, "pull_request": s.pullJSON(i, nil)}
	})
}

// reviewOf finds the pull request and review that the route names.
func (c *call) reviewOf() (*issue, *review, error) {
	i, err := c.pullOf()
	if err != nil {
		return nil, nil, err
	}
	id, err := c.number("review")
	if err != nil {
		return nil, nil, err
	}
	for _, r := range i.pull.reviews {
		if r.id == id && (r.state != "PENDING" || r.user == c.actor.user) {
			return i, r, nil
		}
	}
	return nil, nil, notFound()
}

func (s *Server) postReview(c *call) (*response, error) {
	i, err := c.pullOf()
	if err != nil {
		return nil, err
	}
	var in newReview
	if err := c.decode(&in); err != nil {
		return nil, err
	}
	r, err := s.addReview(c.actor, i, in)
	if err != nil {
		return nil, err
	}
	return ok(s.reviewJSON(i, r))
}

func (s *Server) listReviews(c *call) (*response, error) {
	i, err := c.pullOf()
	if err != nil {
		return nil, err
	}
	var seen []*review
	for _, r := range i.pull.reviews {
		if r.state != "PENDING" || r.user == c.actor.user {
			seen = append(seen, r)
		}
	}
	return paginate(c, seen, func(r *review) any { return s.reviewJSON(i, r) })
}

func (s *Server) getReview(c *call) (*response, error) {
	i, r, err := c.reviewOf()
	if err != nil {
		return nil, err
	}
	return ok(s.reviewJSON(i, r))
}

func (s *Server) submitReview(c *call) (*response, error) {
	i, r, err := c.reviewOf()
	if err != nil {
		return nil, err
	}
	var in newReview
	if err := c.decode(&in); err != nil {
		return nil, err
	}
	state, known := reviewStates[in.Event]
	if !known || in.Event == "" || r.state != "PENDING" {
		return nil, invalidField("PullRequestReview", "event")
	}
	if in.Body != "" {
		r.body = in.Body
	}
	if err := s.mayReview(c.actor, i, in.Event, r.body); err != nil {
		return nil, err
	}
	r.state = state
	s.reviewSubmitted(c.actor, i, r)
	return ok(s.reviewJSON(i, r))
}

func (s *Server) dismissReview(c *call) (*response, error) {
	i, r, err := c.reviewOf()
	if err != nil {
		return nil, err
	}
	if r.state != "APPROVED" && r.state != "CHANGES_REQUESTED" {
		return nil, fail(http.StatusUnprocessableEntity, "Can not dismiss a commented pull request review")
	}
	r.state = "DISMISSED"
	s.emitReview(c.actor, i, r, "dismissed")
	return ok(s.reviewJSON(i, r))
}
