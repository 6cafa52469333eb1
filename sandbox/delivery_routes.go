package sandbox

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"time"
)

func (s *Server) registerDeliveries() {
	self := access{caller: appItself}
	s.route("GET /app/hook/config", self, s.getHookConfig)
	s.route("PATCH /app/hook/config", self, s.patchHookConfig)
	s.route("GET /app/hook/deliveries", self, s.listDeliveries)
	s.route("GET /app/hook/deliveries/{id}", self, s.getDelivery)
	s.route("POST /app/hook/deliveries/{id}/attempts", self, s.redeliver)
}

func (s *Server) hookConfigJSON(a *app) obj {
	out := obj{"content_type": "json", "insecure_ssl": "0", "url": a.hookURL}
	if a.hookSecret != "" {
		out["secret"] = "********"
	}
	return out
}

func (s *Server) getHookConfig(c *call) (*response, error) { return ok(s.hookConfigJSON(c.actor.app)) }

func (s *Server) patchHookConfig(c *call) (*response, error) {
	var in struct {
		URL    *string `json:"url"`
		Secret *string `json:"secret"`
	}
	if err := c.decode(&in); err != nil {
		return nil, err
	}
	if in.URL != nil {
		c.actor.app.hookURL = *in.URL
	}
	if in.Secret != nil {
		c.actor.app.hookSecret = *in.Secret
	}
	return ok(s.hookConfigJSON(c.actor.app))
}

func orNullID(id int64) any {
	if id == 0 {
		return nil
	}
	return id
}

func deliveryJSON(d *delivery) obj {
	return obj{"id": d.id, "guid": d.guid, "delivered_at": d.at.UTC().Format(time.RFC3339Nano), "redelivery": d.redelivery,
		"duration": float64(d.duration.Milliseconds()) / 1000, "status": d.status, "status_code": d.code, "event": d.event,
		"action": orNull(d.action), "installation_id": orNullID(d.installation), "repository_id": orNullID(d.repository),
		"throttled_at": nil}
}

// listDeliveries lists the youngest first. The cursor is the ID after which the
// page begins; GitHub pages this list by cursor alone.
func (s *Server) listDeliveries(c *call) (*response, error) {
	list := c.actor.app.sender.logged()
	if c.query("status") == "failure" {
		list = slices.DeleteFunc(list, func(d *delivery) bool { return d.code >= 200 && d.code < 400 })
	}
	if cursor := c.query("cursor"); cursor != "" {
		after, err := strconv.ParseInt(cursor, 10, 64)
		if err != nil {
			return nil, fail(http.StatusBadRequest, "Invalid cursor")
		}
		at := slices.IndexFunc(list, func(d *delivery) bool { return d.id == after })
		list = list[at+1:]
	}
	size := min(c.page().size, len(list))
	out := make([]any, 0, size)
	for _, d := range list[:size] {
		out = append(out, deliveryJSON(d))
	}
	resp := &response{status: http.StatusOK, body: out}
	if size < len(list) && size > 0 {
		q := c.URL.Query()
		q.Set("cursor", decimal(list[size-1].id))
		resp.header = http.Header{"Link": {fmt.Sprintf("<%s?%s>; rel=\"next\"", s.api("/app/hook/deliveries"), q.Encode())}}
	}
	return resp, nil
}

// deliveryOf finds the delivery that the route names.
func (c *call) deliveryOf() (*delivery, error) {
	id, err := c.number("id")
	if err != nil {
		return nil, err
	}
	d := c.actor.app.sender.find(id)
	if d == nil {
		return nil, notFound()
	}
	return d, nil
}

func (s *Server) getDelivery(c *call) (*response, error) {
	d, err := c.deliveryOf()
	if err != nil {
		return nil, err
	}
	out := deliveryJSON(d)
	out["url"] = d.url
	out["request"] = obj{"headers": flatHeader(d.reqHeader), "payload": json.RawMessage(d.payload)}
	out["response"] = obj{"headers": flatHeader(d.respHeader), "payload": orNull(d.respPayload)}
	return ok(out)
}

func flatHeader(h http.Header) any {
	if h == nil {
		return nil
	}
	out := obj{}
	for k := range h {
		out[k] = h.Get(k)
	}
	return out
}

// redeliver sends the same payload under the same GUID again, to where the
// app's webhook is now.
func (s *Server) redeliver(c *call) (*response, error) {
	d, err := c.deliveryOf()
	if err != nil {
		return nil, err
	}
	a := c.actor.app
	a.sender.enqueue(&delivery{id: s.nextID(), guid: d.guid, event: d.event, action: d.action, redelivery: true,
		installation: d.installation, repository: d.repository, payload: d.payload, url: a.hookURL, secret: a.hookSecret})
	return accepted(obj{})
}
