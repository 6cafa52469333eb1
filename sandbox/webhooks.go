package sandbox

import (
	"encoding/json"
	"slices"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/object"
)

// maxPayload is the size above which GitHub does not send a payload.
const maxPayload = 25 << 20

// maxPushCommits is how many commits a push payload lists.
const maxPushCommits = 2048

// eventPermission is what an app must hold to hear of an event.
var eventPermission = map[string]string{"issues": "issues", "issue_comment": conversation, "label": conversation,
	"pull_request": "pull_requests", "pull_request_review": "pull_requests", "push": "contents", "create": "contents",
	"delete": "contents", "release": "contents", "fork": "contents", "check_run": "checks", "check_suite": "checks",
	"repository": "metadata", "member": "members", "organization": "members"}

// emit sends an event to every app that covers the repository and subscribes
// to it. build makes what the event has beyond action, repository, sender,
// organization and installation, and runs only when somebody listens; action
// "" is left out. Call with the lock held, after the change.
func (s *Server) emit(by *actor, r *repository, event, action string, build func() obj) {
	for _, inst := range s.installedOn[r.owner.id] {
		if inst.covers(r) && inst.listens(event) {
			s.emitTo(inst, by, r, event, action, build)
		}
	}
}

func (i *installation) listens(event string) bool {
	heard := &actor{inst: i}
	return !i.suspended && slices.Contains(i.app.events, event) &&
		(event == "member" || heard.permits(eventPermission[event], false))
}

// emitTo sends an event to one installation.
func (s *Server) emitTo(inst *installation, by *actor, r *repository, event, action string, build func() obj) {
	if inst.app.hookURL == "" {
		return
	}
	out := obj{"sender": s.userJSON(s.senderOf(by, r)), "installation": obj{"id": inst.id, "node_id": nodeID("IN", inst.id)}}
	if action != "" {
		out["action"] = action
	}
	var repoID int64
	owner := inst.account
	if r != nil {
		out["repository"] = s.payloadRepo(r, event)
		repoID, owner = r.id, r.owner
	}
	if owner.kind == kindOrg {
		out["organization"] = s.orgSimpleJSON(owner)
	}
	extendBy(out, build)
	s.deliver(inst.app, event, action, inst.id, repoID, out)
}

func (s *Server) senderOf(by *actor, r *repository) *account {
	switch {
	case by.user != nil:
		return by.user
	case by.app != nil:
		return by.app.bot
	case r != nil:
		return r.owner
	}
	return nil
}

// payloadRepo is the repository as payloads carry it.
func (s *Server) payloadRepo(r *repository, event string) obj {
	out := s.repoJSON(r, nil)
	out["custom_properties"] = obj{}
	if event == "push" {
		out["created_at"], out["pushed_at"] = r.created.Unix(), r.pushed.Unix()
		out["stargazers"], out["master_branch"] = 0, r.defaultBranch
		owner := out["owner"].(obj)
		owner["name"], owner["email"] = r.owner.login, r.owner.email()
		if r.owner.kind == kindOrg {
			out["organization"] = r.owner.login
		}
	}
	return out
}

// emitInstallation sends an event of the installation itself, to which every
// app listens.
func (s *Server) emitInstallation(inst *installation, by *actor, event, action string, build func() obj) {
	s.emitTo(inst, by, nil, event, action, func() obj {
		out := obj{"installation": s.installationJSON(inst)}
		return extendBy(out, build)
	})
}

// emitMembership sends organization events to the apps on the organization.
func (s *Server) emitMembership(org, user *account, role string) {
	for _, inst := range s.installedOn[org.id] {
		if !inst.listens("organization") {
			continue
		}
		s.emitTo(inst, actorFor(user), nil, "organization", "member_added", func() obj {
			return obj{"membership": obj{"url": s.api("/orgs", org.login, "memberships", user.login), "state": "active",
				"role": role, "organization_url": s.api("/orgs", org.login), "user": s.userJSON(user)}}
		})
	}
}

// emitPing greets a webhook that was just set.
func (s *Server) emitPing(a *app) {
	if a.hookURL == "" {
		return
	}
	s.deliver(a, "ping", "", 0, 0, obj{"zen": "Keep it logically awesome.", "hook_id": a.hookID, "hook": obj{
		"type": "App", "id": a.hookID, "name": "web", "active": true, "events": slices.Clone(a.events), "app_id": a.id,
		"config":         obj{"url": a.hookURL, "content_type": "json", "insecure_ssl": "0", "secret": "********"},
		"deliveries_url": s.api("/app/hook/deliveries"), "updated_at": stamp(s.now()), "created_at": stamp(a.created)}})
}

// emitPush sends the push event of a moved ref.
func (s *Server) emitPush(by *actor, r *repository, name string, before, after plumbing.Hash, fresh []plumbing.Hash) {
	s.emit(by, r, "push", "", func() obj {
		forced := false
		if !before.IsZero() && !after.IsZero() {
			forward, err := r.git.isAncestor(before, after)
			forced = err == nil && !forward
		}
		who := s.senderOf(by, r)
		out := obj{"ref": name, "before": before.String(), "after": after.String(), "created": before.IsZero(),
			"deleted": after.IsZero(), "forced": forced, "base_ref": nil, "commits": s.pushCommits(r, fresh), "head_commit": nil,
			"pusher":  obj{"name": who.login, "email": who.email()},
			"compare": s.repoWeb(r) + "/compare/" + before.String()[:12] + "..." + after.String()[:12]}
		if tip, found := r.git.peeledCommit(after); found {
			out["head_commit"] = s.pushCommit(r, tip)
		}
		return out
	})
}

func (s *Server) pushCommits(r *repository, fresh []plumbing.Hash) []any {
	out := []any{}
	for _, h := range fresh[max(0, len(fresh)-maxPushCommits):] {
		if c, err := r.git.commit(h); err == nil {
			out = append(out, s.pushCommit(r, c))
		}
	}
	return out
}

func (s *Server) pushCommit(r *repository, c *object.Commit) obj {
	added, removed, modified, err := r.git.pathLists(c)
	if err != nil {
		s.log.Warn("sandbox: list what a commit changed", "commit", c.Hash.String(), "err", err)
	}
	out := simpleCommitJSON(c)
	out["distinct"], out["url"] = true, s.repoWeb(r)+"/commit/"+c.Hash.String()
	out["added"], out["removed"], out["modified"] = added, removed, modified
	for field, sig := range map[string]object.Signature{"author": c.Author, "committer": c.Committer} {
		person := obj{"name": sig.Name, "email": sig.Email, "date": sig.When.Format("2006-01-02T15:04:05Z07:00")}
		if a := s.accountByEmail(sig.Email); a != nil {
			person["username"] = a.login
		}
		if sig.Email == "noreply@github.com" {
			person["username"] = "web-flow"
		}
		out[field] = person
	}
	return out
}

// simpleCommitJSON is how check suites name their commit.
func simpleCommitJSON(c *object.Commit) obj {
	return obj{"id": c.Hash.String(), "tree_id": c.TreeHash.String(), "message": c.Message,
		"timestamp": c.Committer.When.Format("2006-01-02T15:04:05Z07:00"),
		"author":    obj{"name": c.Author.Name, "email": c.Author.Email},
		"committer": obj{"name": c.Committer.Name, "email": c.Committer.Email}}
}

// deliver renders a payload now, as the state is, and hands it to the app's
// sender.
func (s *Server) deliver(a *app, event, action string, installation, repository int64, payload obj) {
	data, err := json.Marshal(payload)
	if err != nil {
		s.log.Error("sandbox: render payload", "event", event, "err", err)
		return
	}
	if len(data) > maxPayload {
		s.log.Warn("sandbox: payload too large, not sent", "event", event, "bytes", len(data))
		return
	}
	a.sender.enqueue(&delivery{id: s.nextID(), event: event, action: action, installation: installation,
		repository: repository, payload: data, url: a.hookURL, secret: a.hookSecret})
}
