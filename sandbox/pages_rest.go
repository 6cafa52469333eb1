package sandbox

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
)

// rest does what a client's request would do, acting as the visitor: the same
// route with the same demands, operation and webhooks. Only what belongs to the
// wire is left out: the token, quota, faults and the record of calls. Call
// without the lock held. path begins after "/api/v3".
func (v *visit) rest(method, path string, body any) (*response, error) {
	return v.restAs(v.actor(), method, path, body)
}

func (v *visit) restAs(by *actor, method, path string, body any) (*response, error) {
	data, err := json.Marshal(body)
	if err != nil {
		return nil, fmt.Errorf("write request: %w", err)
	}
	if body == nil {
		data = nil
	}
	request, err := http.NewRequestWithContext(v.Context(), method, "/api/v3"+path, bytes.NewReader(data))
	if err != nil {
		return nil, fmt.Errorf("make request: %w", err)
	}
	c := &call{Request: request, s: v.s, id: requestID(), actor: by, body: data}
	if err := v.s.match(c); err != nil {
		return nil, err
	}
	return v.s.runLocked(c)
}

// restRepo is rest below the visit's repository.
func (v *visit) restRepo(method, path string, body any) (*response, error) {
	return v.rest(method, "/repos/"+v.full+path, body)
}
