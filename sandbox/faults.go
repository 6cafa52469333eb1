package sandbox

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// Fault makes matching REST requests fail.
type Fault struct {
	// Method and Path are regular expressions over the whole method and any
	// part of the path ("/api/v3/repos/…"); empty matches all.
	Method string `json:"method,omitempty"`
	Path   string `json:"path,omitempty"`
	// Status is the answer, 502 if 0. Negative drops the connection.
	Status int `json:"status,omitempty"`
	// Times is how often; 0 means always.
	Times int `json:"times,omitempty"`
	// Skip lets that many matching requests pass first.
	Skip int `json:"skip,omitempty"`
	// Probability is the chance of each; 0 means 1.
	Probability float64 `json:"probability,omitempty"`
	// DidIt carries the request out before it answers with the fault.
	DidIt bool `json:"did_it,omitempty"`
	// Limit makes the fault a rate limit, "primary" or "secondary", answered with
	// 403 and over after For, a second if 0.
	Limit string   `json:"limit,omitempty"`
	For   Duration `json:"for,omitempty"`
}

// DeliveryFaults say what happens to webhook deliveries. A count is used up
// before the probability is tried.
type DeliveryFaults struct {
	// Lose loses the next deliveries: they are logged as failed, as when the
	// receiver was down, and can be redelivered.
	Lose            int     `json:"lose,omitempty"`
	LoseProbability float64 `json:"lose_probability,omitempty"`
	// Drop loses them without a trace.
	Drop            int     `json:"drop,omitempty"`
	DropProbability float64 `json:"drop_probability,omitempty"`
	// Duplicate sends the next deliveries twice under one GUID.
	Duplicate            int     `json:"duplicate,omitempty"`
	DuplicateProbability float64 `json:"duplicate_probability,omitempty"`
	// Reorder holds the next deliveries back until the one after has gone out
	// (or half a second has passed).
	Reorder            int     `json:"reorder,omitempty"`
	ReorderProbability float64 `json:"reorder_probability,omitempty"`
	// Late sends the next deliveries after LateBy, and others meanwhile.
	Late            int      `json:"late,omitempty"`
	LateProbability float64  `json:"late_probability,omitempty"`
	LateBy          Duration `json:"late_by,omitempty"`
	// Delay waits before each delivery.
	Delay Duration `json:"delay,omitempty"`
}

// fromPerson tells whether a request carries a personal access token.
func fromPerson(r *http.Request) bool {
	_, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	return strings.HasPrefix(token, "ghp_")
}

// writeFault answers with a fault that a knob ordered.
func (r *record) writeFault(f *Fault) {
	r.observed = false // a fault is not GitHub's contract
	if f.Status < 0 {
		r.status = 0
		panic(http.ErrAbortHandler)
	}
	status, body := f.Status, obj{"message": "Server Error"}
	if status == 0 {
		status = http.StatusBadGateway
	}
	if f.Limit != "" {
		status, body = http.StatusForbidden, limited(f, r.at, r.Header())
	}
	r.Header().Set("Content-Type", "application/json; charset=utf-8")
	r.WriteHeader(status)
	_ = json.NewEncoder(r).Encode(body) // the client is gone when this fails
}

// limited makes the headers of a rate limit, and its body
// (docs.github.com: "Rate limits for the REST API", "Exceeding the rate limit").
func limited(f *Fault, now time.Time, h http.Header) obj {
	wait := max(time.Duration(f.For), time.Second).Truncate(time.Second)
	if f.Limit == "secondary" {
		return secondaryLimit(wait, h)
	}
	h.Set("X-RateLimit-Limit", strconv.Itoa(defaultQuota))
	h.Set("X-RateLimit-Remaining", "0")
	h.Set("X-RateLimit-Used", strconv.Itoa(defaultQuota))
	h.Set("X-RateLimit-Reset", strconv.FormatInt(now.Add(wait).Unix(), 10))
	h.Set("X-RateLimit-Resource", "core")
	return obj{"message": "API rate limit exceeded."}
}

func secondaryLimit(wait time.Duration, h http.Header) obj {
	h.Set("Retry-After", strconv.Itoa(int(wait.Seconds())))
	return obj{"message": secondaryMessage, "documentation_url": secondaryDocumentation}
}
