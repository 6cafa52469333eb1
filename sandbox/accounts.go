package sandbox

import (
	"fmt"
	"net/http"
	"sort"
	"strconv"
	"strings"
)

// User is a person's account.
type User struct {
	ID    int64
	Login string
	// Token is a personal access token with every scope: for REST, and as the
	// password of git push.
	Token string
}

// Member is a person's place in an organization. Role is "admin" or "member"
// (the default).
type Member struct {
	Login  string
	Public bool
	Role   string
}

// AddUser makes a user, as the sign-up page does. A user who exists is returned
// as they are; an organization of that login is returned without a token.
func (s *Server) AddUser(login string) User {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.addUser(login)
	return User{ID: a.id, Login: a.login, Token: a.token}
}

func (s *Server) addUser(login string) *account {
	if a := s.accounts[strings.ToLower(login)]; a != nil {
		return a
	}
	a := s.addAccount(login, kindUser)
	a.token = "ghp_" + randomToken(18)
	s.tokens[a.token] = &token{value: a.token, user: a}
	return a
}

// AddOrganization makes an organization, or adds members to it. Members who
// have no account yet get one.
func (s *Server) AddOrganization(login string, members ...Member) {
	s.mu.Lock()
	defer s.mu.Unlock()
	org := s.accounts[strings.ToLower(login)]
	if org == nil {
		org = s.addAccount(login, kindOrg)
		org.members = map[int64]*membership{}
	}
	for _, m := range members {
		if m.Role == "" {
			m.Role = "member"
		}
		user := s.addUser(m.Login)
		org.members[user.id] = &membership{user: user, public: m.Public, role: m.Role}
		s.emitMembership(org, user, m.Role)
	}
}

func (s *Server) addAccount(login, kind string) *account {
	a := &account{id: s.nextID(), login: login, kind: kind, created: s.now(), repos: map[string]*repository{}}
	s.accounts[strings.ToLower(login)] = a
	s.accountsByID[a.id] = a
	return a
}

// UserToken gives the personal access token of a user, "" when there is none.
func (s *Server) UserToken(login string) string {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if a := s.account(login); a != nil {
		return a.token
	}
	return ""
}

func (s *Server) account(login string) *account { return s.accounts[strings.ToLower(login)] }

// email is the address that GitHub puts on commits made through it.
func (a *account) email() string {
	return fmt.Sprintf("%d+%s@users.noreply.github.com", a.id, a.login)
}

// accountByEmail reads a noreply address back.
func (s *Server) accountByEmail(email string) *account {
	local, found := strings.CutSuffix(email, "@users.noreply.github.com")
	if !found {
		return nil
	}
	id, login, found := strings.Cut(local, "+")
	if !found {
		return s.account(local)
	}
	n, err := strconv.ParseInt(id, 10, 64)
	if err != nil {
		return s.account(login)
	}
	return s.accountsByID[n]
}

func (s *Server) registerAccounts() {
	s.route("GET /user", access{caller: personOnly}, s.getCurrentUser)
	s.route("GET /users/{login}", access{}, s.getUser)
	s.route("GET /users/{login}/repos", access{}, s.listUserRepos)
	s.route("GET /orgs/{org}", access{}, s.getOrg)
	s.route("GET /orgs/{org}/repos", access{}, s.listOrgRepos)
	s.route("GET /orgs/{org}/public_members", access{}, s.listPublicMembers)
	s.route("GET /orgs/{org}/public_members/{login}", access{}, s.isPublicMember)
	s.route("PUT /orgs/{org}/public_members/{login}", access{caller: personOnly}, s.publicize)
	s.route("DELETE /orgs/{org}/public_members/{login}", access{caller: personOnly}, s.conceal)
	s.route("GET /orgs/{org}/members", access{}, s.listMembers)
	s.route("GET /orgs/{org}/members/{login}", access{}, s.isMember)
	s.route("GET /user/orgs", access{caller: personOnly}, s.listOwnOrgs)
}

func (s *Server) getCurrentUser(c *call) (*response, error) {
	return ok(s.fullUserJSON(c.actor.user, true))
}

func (s *Server) getUser(c *call) (*response, error) {
	a := s.account(c.PathValue("login"))
	if a == nil {
		return nil, notFound()
	}
	return ok(s.fullUserJSON(a, a == c.actor.user && c.actor.inst == nil))
}

// org finds the organization that the route names.
func (s *Server) org(c *call) (*account, error) {
	a := s.account(c.PathValue("org"))
	if a == nil || a.kind != kindOrg {
		return nil, notFound()
	}
	return a, nil
}

// member finds the membership that the route names; nil when there is none.
func (s *Server) member(c *call) (*membership, error) {
	org, err := s.org(c)
	if err != nil {
		return nil, err
	}
	user := s.account(c.PathValue("login"))
	if user == nil {
		return nil, nil
	}
	return org.members[user.id], nil
}

func (s *Server) getOrg(c *call) (*response, error) {
	org, err := s.org(c)
	if err != nil {
		return nil, err
	}
	return ok(s.orgJSON(org))
}

func (s *Server) isPublicMember(c *call) (*response, error) {
	m, err := s.member(c)
	if err != nil {
		return nil, err
	}
	if m == nil || !m.public {
		return nil, notFound()
	}
	return noContent()
}

// isMember answers as GitHub does: insiders see every member, others are sent
// to the public list.
func (s *Server) isMember(c *call) (*response, error) {
	m, err := s.member(c)
	if err != nil {
		return nil, err
	}
	org := s.account(c.PathValue("org"))
	if !s.insider(c.actor, org) {
		return redirect(http.StatusFound, s.api("/orgs", org.login, "public_members", c.PathValue("login")))
	}
	if m == nil {
		return nil, notFound()
	}
	return noContent()
}

// insider tells whether the actor may see concealed members.
func (s *Server) insider(a *actor, org *account) bool {
	if a.inst != nil {
		return a.inst.account == org && a.permits("members", false)
	}
	return a.user != nil && org.members[a.user.id] != nil
}

func (s *Server) listPublicMembers(c *call) (*response, error) { return s.members(c, false) }

func (s *Server) listMembers(c *call) (*response, error) {
	org, err := s.org(c)
	if err != nil {
		return nil, err
	}
	return s.members(c, s.insider(c.actor, org))
}

func (s *Server) members(c *call, concealed bool) (*response, error) {
	org, err := s.org(c)
	if err != nil {
		return nil, err
	}
	var people []*account
	for _, m := range org.members {
		if m.public || concealed {
			people = append(people, m.user)
		}
	}
	sort.Slice(people, func(i, j int) bool { return people[i].id < people[j].id })
	return paginate(c, people, func(a *account) any { return s.userJSON(a) })
}

func (s *Server) publicize(c *call) (*response, error) { return s.setPublic(c, true) }
func (s *Server) conceal(c *call) (*response, error)   { return s.setPublic(c, false) }

// setPublic changes a membership's visibility; only the member themself may.
func (s *Server) setPublic(c *call, public bool) (*response, error) {
	m, err := s.member(c)
	if err != nil {
		return nil, err
	}
	if m == nil {
		return nil, notFound()
	}
	if m.user != c.actor.user {
		return nil, fail(http.StatusForbidden, "You can only change your own membership's visibility")
	}
	m.public = public
	return noContent()
}

func (s *Server) listOwnOrgs(c *call) (*response, error) {
	var orgs []*account
	for _, a := range s.accounts {
		if a.members[c.actor.user.id] != nil {
			orgs = append(orgs, a)
		}
	}
	sort.Slice(orgs, func(i, j int) bool { return orgs[i].id < orgs[j].id })
	return paginate(c, orgs, func(a *account) any { return s.orgSimpleJSON(a) })
}
