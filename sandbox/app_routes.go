package sandbox

import (
	"maps"
	"net/http"
	"slices"
	"time"
)

// tokenLifetime is how long an installation token works.
const tokenLifetime = time.Hour

func (s *Server) registerApps() {
	self := access{caller: appItself}
	s.route("GET /app", self, func(c *call) (*response, error) { return ok(s.ownAppJSON(c.actor.app)) })
	s.route("GET /apps/{slug}", access{}, s.getAppBySlug)
	s.route("GET /app/installations", self, s.listInstallations)
	s.route("GET /app/installations/{id}", self, s.getInstallation)
	s.route("POST /app/installations/{id}/access_tokens", self, s.createToken)
	s.route("PUT /app/installations/{id}/suspended", self, s.suspend)
	s.route("DELETE /app/installations/{id}/suspended", self, s.unsuspend)
	s.route("GET "+repoPath+"/installation", self, s.repoInstallation)
	s.route("GET /orgs/{org}/installation", self, s.accountInstallation)
	s.route("GET /users/{org}/installation", self, s.accountInstallation)
	s.route("GET /installation/repositories", access{caller: installedApp}, s.installationRepos)
	s.route("DELETE /installation/token", access{caller: installedApp}, s.revokeToken)
	s.registerDeliveries()
	s.registerManifests()
}

func (s *Server) appJSON(a *app) obj {
	return obj{"id": a.id, "slug": a.slug, "node_id": nodeID("A", a.id), "client_id": a.clientID,
		"owner": s.userJSON(a.owner), "name": a.name, "description": orNull(a.description),
		"external_url": a.externalURL, "html_url": s.webURL("/apps/" + a.slug), "created_at": stamp(a.created),
		"updated_at": stamp(a.created), "permissions": maps.Clone(a.permissions), "events": slices.Clone(a.events)}
}

func (s *Server) appOrNull(a *app) any {
	if a == nil {
		return nil
	}
	return s.appJSON(a)
}

func (s *Server) ownAppJSON(a *app) obj {
	out := s.appJSON(a)
	out["installations_count"] = len(a.installations)
	return out
}

func (s *Server) installationJSON(inst *installation) obj {
	self := s.api("/app/installations", decimal(inst.id))
	html := "/settings/installations/" + decimal(inst.id)
	if inst.account.kind == kindOrg {
		html = "/organizations/" + inst.account.login + html
	}
	out := obj{"id": inst.id, "node_id": nodeID("IN", inst.id), "account": s.userJSON(inst.account),
		"repository_selection": selection(inst), "access_tokens_url": self + "/access_tokens",
		"repositories_url": s.api("/installation/repositories"), "html_url": s.webURL(html), "app_id": inst.app.id,
		"client_id": inst.app.clientID, "app_slug": inst.app.slug, "target_id": inst.account.id,
		"target_type": inst.account.kind, "permissions": maps.Clone(inst.app.permissions),
		"events": slices.Clone(inst.app.events), "created_at": stamp(inst.created), "updated_at": stamp(inst.created),
		"single_file_name": nil, "has_multiple_single_files": false, "single_file_paths": []any{},
		"suspended_by": nil, "suspended_at": nil}
	if inst.suspended {
		out["suspended_at"], out["suspended_by"] = stamp(s.now()), s.userJSON(inst.account)
	}
	return out
}

func (s *Server) getAppBySlug(c *call) (*response, error) {
	a := s.appsBySlug[c.PathValue("slug")]
	if a == nil {
		return nil, notFound()
	}
	return ok(s.appJSON(a))
}

func (s *Server) listInstallations(c *call) (*response, error) {
	return paginate(c, c.actor.app.installations, func(i *installation) any { return s.installationJSON(i) })
}

// installationOf finds the installation that the route names, of the app that
// asks.
func (s *Server) installationOf(c *call) (*installation, error) {
	id, err := c.number("id")
	if err != nil {
		return nil, err
	}
	inst := s.installations[id]
	if inst == nil || inst.app != c.actor.app {
		return nil, notFound()
	}
	return inst, nil
}

func (s *Server) getInstallation(c *call) (*response, error) {
	inst, err := s.installationOf(c)
	if err != nil {
		return nil, err
	}
	return ok(s.installationJSON(inst))
}

func (s *Server) repoInstallation(c *call) (*response, error) {
	for _, inst := range c.actor.app.installations {
		if inst.covers(c.repo) {
			return ok(s.installationJSON(inst))
		}
	}
	return nil, notFound()
}

func (s *Server) accountInstallation(c *call) (*response, error) {
	for _, inst := range c.actor.app.installations {
		if isNamed(inst.account, c.PathValue("org")) {
			return ok(s.installationJSON(inst))
		}
	}
	return nil, notFound()
}

// createToken makes an installation token, narrowed to repositories and
// permissions when the body asks for it. The body may be empty or null.
func (s *Server) createToken(c *call) (*response, error) {
	inst, err := s.installationOf(c)
	if err != nil {
		return nil, err
	}
	if inst.suspended {
		return nil, fail(http.StatusForbidden, "This installation has been suspended")
	}
	var in struct {
		Repositories  []string          `json:"repositories"`
		RepositoryIDs []int64           `json:"repository_ids"`
		Permissions   map[string]string `json:"permissions"`
	}
	if err := c.decode(&in); err != nil {
		return nil, err
	}
	t := &token{value: "ghs_" + randomToken(18), inst: inst, permissions: inst.app.permissions, expires: s.now().Add(tokenLifetime)}
	if in.Permissions != nil {
		if t.permissions, err = narrow(inst.app.permissions, in.Permissions); err != nil {
			return nil, err
		}
	}
	chosen, err := s.chooseRepos(inst, in.Repositories, in.RepositoryIDs)
	if err != nil {
		return nil, err
	}
	s.tokens[t.value] = t
	body := obj{"token": t.value, "expires_at": stamp(t.expires), "permissions": maps.Clone(t.permissions),
		"repository_selection": selection(inst)}
	if chosen != nil {
		t.repos = map[int64]bool{}
		list := []any{}
		for _, r := range chosen {
			t.repos[r.id] = true
			list = append(list, s.repoJSON(r, nil))
		}
		body["repositories"], body["repository_selection"] = list, "selected"
	}
	return created(body)
}

// narrow grants what is asked, never more than the app holds.
func narrow(held, asked map[string]string) (map[string]string, error) {
	out := map[string]string{"metadata": "read"}
	for name, level := range asked {
		if held[name] == "" || (held[name] == "read" && level != "read") {
			return nil, unprocessable("The permissions requested are not granted to this installation.")
		}
		out[name] = level
	}
	return out, nil
}

func (s *Server) chooseRepos(inst *installation, names []string, ids []int64) ([]*repository, error) {
	if names == nil && ids == nil {
		return nil, nil
	}
	var out []*repository
	for _, name := range names {
		out = append(out, s.findRepo(inst.account.login, name))
	}
	for _, id := range ids {
		out = append(out, s.repos[id])
	}
	for _, r := range out {
		if r == nil || !inst.covers(r) {
			return nil, unprocessable("There is at least one repository that does not exist or is not accessible to the parent installation.")
		}
	}
	return out, nil
}

func (s *Server) suspend(c *call) (*response, error)   { return s.setSuspended(c, true) }
func (s *Server) unsuspend(c *call) (*response, error) { return s.setSuspended(c, false) }

func (s *Server) setSuspended(c *call, to bool) (*response, error) {
	inst, err := s.installationOf(c)
	if err != nil {
		return nil, err
	}
	action := map[bool]string{true: "suspend", false: "unsuspend"}[to]
	if inst.suspended != to {
		inst.suspended = to
		s.emitInstallation(inst, actorFor(inst.account), "installation", action, nil)
	}
	return noContent()
}

func (s *Server) installationRepos(c *call) (*response, error) {
	var list []*repository
	for _, r := range s.covered(c.actor.inst) {
		if c.actor.covers(r) {
			list = append(list, r)
		}
	}
	return paginateIn(c, "repositories", list, func(r *repository) any { return s.repoJSON(r, c.actor) },
		obj{"repository_selection": selection(c.actor.inst)})
}

func (s *Server) revokeToken(c *call) (*response, error) {
	delete(s.tokens, c.actor.token.value)
	return noContent()
}
