package sandbox

import (
	"net/http"
	"strings"
)

// role is what an account may do with a repository.
type role int

const (
	roleNone role = iota
	roleRead
	roleTriage
	roleWrite
	roleMaintain
	roleAdmin
)

var roleNames = map[role]string{roleNone: "none", roleRead: "read", roleTriage: "triage",
	roleWrite: "write", roleMaintain: "maintain", roleAdmin: "admin"}

// roleFromName reads "push" and "pull" too, the older names of write and read.
func roleFromName(name string) role {
	switch name {
	case "pull", "read":
		return roleRead
	case "triage":
		return roleTriage
	case "push", "write":
		return roleWrite
	case "maintain":
		return roleMaintain
	case "admin":
		return roleAdmin
	}
	return roleNone
}

// caller is the kind of credential that a route insists on.
type caller int

const (
	anyone       caller = iota // anonymous reads of public things included
	signedIn                   // any person or installation
	personOnly                 // a person's token
	appItself                  // an app's JSON Web Token
	installedApp               // an installation's token
)

// access is what a route demands.
type access struct {
	caller caller
	// permissions are the app permissions of which one is needed, "a|b".
	permissions string
	// role is what a person needs; apps need the permission at "write" when
	// write is set and at "read" otherwise.
	role  role
	write bool
	// denied is the status for a person without the role: GitHub hides what
	// needs push behind 404 and answers 403 for issues. Zero means 404.
	denied int
	// whenArchived lets the route write to an archived repository.
	whenArchived bool
}

// roleOf tells what the account may do. A nil account is a stranger.
func (s *Server) roleOf(a *account, r *repository) role {
	if a != nil {
		if a == r.owner {
			return roleAdmin
		}
		if m := r.owner.members[a.id]; m != nil {
			if m.role == "admin" {
				return roleAdmin
			}
			return max(roleRead, roleFromName(r.collaborators[a.id]))
		}
		if granted := r.collaborators[a.id]; granted != "" {
			return roleFromName(granted)
		}
	}
	if r.private {
		return roleNone
	}
	return roleRead
}

// canSee tells whether the repository exists in the actor's eyes.
func (s *Server) canSee(a *actor, r *repository) bool {
	if !r.private {
		return true
	}
	if a.inst != nil {
		return a.covers(r)
	}
	return s.roleOf(a.user, r) >= roleRead
}

// may tells whether the actor holds the role, or as an app the permission.
func (s *Server) may(a *actor, r *repository, permission string, need role) bool {
	if a.inst != nil {
		return a.covers(r) && a.permits(permission, need > roleRead)
	}
	return s.roleOf(a.user, r) >= need
}

// permits tells whether an installation's token holds one of the permissions.
func (a *actor) permits(permissions string, write bool) bool {
	if permissions == "" || permissions == "metadata" && !write {
		return true
	}
	granted := a.inst.app.permissions
	if a.token != nil {
		granted = a.token.permissions
	}
	for p := range strings.SplitSeq(permissions, "|") {
		level := granted[p]
		if level == "write" || level == "admin" || (level == "read" && !write) {
			return true
		}
	}
	return false
}

func (s *Server) allowUnlocked(c *call) error {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.allow(c)
}

// allow judges the caller against the route's access. Call with the lock held.
func (s *Server) allow(c *call) error {
	if err := allowCaller(c); err != nil {
		return err
	}
	if c.repo == nil || c.route.access.caller == appItself {
		return nil
	}
	if !s.canSee(c.actor, c.repo) {
		return notFound()
	}
	need := c.route.access
	if c.actor.anonymous() && (need.write || need.role > roleRead) {
		return requiresAuth()
	}
	if c.actor.inst != nil {
		return allowInstallation(c)
	}
	if s.roleOf(c.actor.user, c.repo) < need.role {
		if need.denied == http.StatusForbidden {
			return needsAdmin()
		}
		return notFound()
	}
	return allowArchived(c)
}

func allowCaller(c *call) error {
	switch c.route.access.caller {
	case appItself:
		if c.actor.app == nil {
			return fail(http.StatusUnauthorized, "A JSON web token could not be decoded")
		}
		return nil
	case installedApp:
		if c.actor.inst == nil {
			return fail(http.StatusForbidden, "You must authenticate via a GitHub App.")
		}
	case personOnly:
		if c.actor.anonymous() {
			return requiresAuth()
		}
		if c.actor.inst != nil {
			return notForIntegration()
		}
	case signedIn:
		if c.actor.anonymous() {
			return requiresAuth()
		}
	}
	if c.actor.app != nil {
		return fail(http.StatusUnauthorized, "Bad credentials")
	}
	return nil
}

// allowInstallation: an app reads what is public everywhere, and does more only
// where it is installed and holds the permission.
func allowInstallation(c *call) error {
	need := c.route.access
	level := need.write || need.role > roleRead
	if !level && !c.repo.private && (!c.actor.covers(c.repo) || c.actor.permits(need.permissions, false)) {
		return nil
	}
	if !c.actor.covers(c.repo) || !c.actor.permits(need.permissions, level) {
		return notForIntegration()
	}
	return allowArchived(c)
}

func allowArchived(c *call) error {
	if c.repo.archived && c.route.access.write && !c.route.access.whenArchived {
		return fail(http.StatusForbidden, "Repository was archived so is read-only.")
	}
	return nil
}
