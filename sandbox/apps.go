package sandbox

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"sync"
)

// AppOptions describe a GitHub App to make. Either Name or Slug may be left
// out. Permissions and Events left nil are those of a bot that works on issues,
// pull requests, checks and contents.
type AppOptions struct {
	Name          string
	Slug          string
	Description   string
	URL           string
	Owner         string // login; a user of that name is made if need be; default "sandbox"
	WebhookURL    string
	WebhookSecret string
	Permissions   map[string]string
	Events        []string
}

// App is a GitHub App.
type App struct {
	ID            int64
	Slug          string
	ClientID      string
	PrivateKeyPEM []byte
	// BotLogin is the login of the app's bot, "slug[bot]".
	BotLogin string
}

// Installation is an app's place on an account.
type Installation struct {
	ID      int64
	Account string
}

func defaultPermissions() map[string]string {
	return map[string]string{"checks": "write", "contents": "write", "issues": "write", "members": "read",
		"metadata": "read", "pull_requests": "write", "statuses": "write"}
}

// defaultEvents are all events that this GitHub sends for a repository.
func defaultEvents() []string {
	return []string{"check_run", "check_suite", "create", "delete", "fork", "issue_comment", "issues", "label",
		"member", "organization", "pull_request", "pull_request_review", "push", "release", "repository"}
}

// AddApp makes an app with a key, as the registration page does.
func (s *Server) AddApp(o AppOptions) (App, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	a, err := s.addApp(o)
	if err != nil {
		return App{}, err
	}
	return App{ID: a.id, Slug: a.slug, ClientID: a.clientID, PrivateKeyPEM: a.key.pem, BotLogin: a.bot.login}, nil
}

var notInSlug = regexp.MustCompile(`[^a-z0-9]+`)

func (s *Server) addApp(o AppOptions) (*app, error) {
	if o.Name == "" {
		o.Name = o.Slug
	}
	if o.Slug == "" {
		o.Slug = strings.Trim(notInSlug.ReplaceAllString(strings.ToLower(o.Name), "-"), "-")
	}
	if o.Slug == "" {
		return nil, fmt.Errorf("sandbox: an app needs a name")
	}
	if s.appsBySlug[o.Slug] != nil {
		return nil, fmt.Errorf("sandbox: there is an app %s already", o.Slug)
	}
	if o.Owner == "" {
		o.Owner = "sandbox"
	}
	if o.Permissions == nil {
		o.Permissions = defaultPermissions()
	}
	if o.Events == nil {
		o.Events = defaultEvents()
	}
	key, err := pooledKey(len(s.apps))
	if err != nil {
		return nil, err
	}
	owner := s.account(o.Owner)
	if owner == nil {
		owner = s.addUser(o.Owner)
	}
	a := &app{id: s.nextID(), slug: o.Slug, name: o.Name, description: o.Description, externalURL: o.URL, owner: owner,
		clientID: "Iv1." + randomToken(8), clientSecret: randomToken(20), key: key, created: s.now(),
		permissions: maps.Clone(o.Permissions), events: slices.Clone(o.Events),
		hookURL: o.WebhookURL, hookSecret: o.WebhookSecret, hookID: s.nextID()}
	if a.externalURL == "" {
		a.externalURL = s.webURL("/apps/" + a.slug)
	}
	a.bot = s.addAccount(a.slug+"[bot]", kindBot)
	a.bot.app = a
	a.sender = newSender(s, a)
	s.apps[a.id], s.appsBySlug[a.slug] = a, a
	s.emitPing(a)
	return a, nil
}

// keyPool holds the keys of the process: making one takes a tenth of a second,
// and a test wants its server at once. The n-th app of every server has the
// n-th key.
var keyPool struct {
	mu   sync.Mutex
	keys []appKey
}

func pooledKey(n int) (appKey, error) {
	keyPool.mu.Lock()
	defer keyPool.mu.Unlock()
	for len(keyPool.keys) <= n {
		key, err := newAppKey()
		if err != nil {
			return key, err
		}
		keyPool.keys = append(keyPool.keys, key)
	}
	return keyPool.keys[n], nil
}

// SetWebhook changes where an app's events go. Empty url stops them.
func (s *Server) SetWebhook(slug, url, secret string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := s.appsBySlug[slug]
	if a == nil {
		return fmt.Errorf("sandbox: no app %s", slug)
	}
	a.hookURL, a.hookSecret = url, secret
	s.emitPing(a)
	return nil
}

// Install installs an app on an account: on the repositories named, or on all,
// present and future, when none is. A second call adds repositories.
func (s *Server) Install(slug, login string, repositories ...string) (Installation, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	a, owner := s.appsBySlug[slug], s.account(login)
	if a == nil || owner == nil {
		return Installation{}, fmt.Errorf("sandbox: install %s on %s: no such app or account", slug, login)
	}
	var repos []*repository
	for _, name := range repositories {
		r := owner.repos[strings.ToLower(name[strings.LastIndexByte(name, '/')+1:])]
		if r == nil {
			return Installation{}, fmt.Errorf("sandbox: install %s: no repository %s of %s", slug, name, login)
		}
		repos = append(repos, r)
	}
	inst := s.install(actorFor(owner), a, owner, repos)
	return Installation{ID: inst.id, Account: owner.login}, nil
}

func (s *Server) install(by *actor, a *app, owner *account, repos []*repository) *installation {
	for _, inst := range a.installations {
		if inst.account == owner {
			s.addToInstallation(by, inst, repos)
			return inst
		}
	}
	inst := &installation{id: s.nextID(), app: a, account: owner, all: len(repos) == 0, repos: map[int64]bool{}, created: s.now()}
	for _, r := range repos {
		inst.repos[r.id] = true
	}
	a.installations = append(a.installations, inst)
	s.installations[inst.id] = inst
	s.installedOn[owner.id] = append(s.installedOn[owner.id], inst)
	s.emitInstallation(inst, by, "installation", "created", func() obj {
		return obj{"repositories": s.lightRepos(s.covered(inst)), "requester": nil}
	})
	return inst
}

func (s *Server) addToInstallation(by *actor, inst *installation, repos []*repository) {
	var added []*repository
	for _, r := range repos {
		if !inst.covers(r) {
			inst.repos[r.id] = true
			added = append(added, r)
		}
	}
	if len(repos) == 0 {
		inst.all = true
	}
	if len(added) > 0 {
		s.emitInstallation(inst, by, "installation_repositories", "added", func() obj {
			return obj{"repositories_added": s.lightRepos(added), "repositories_removed": []any{},
				"repository_selection": selection(inst), "requester": nil}
		})
	}
}

// Uninstall removes an app from an account; its tokens stop working.
func (s *Server) Uninstall(slug, login string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	a, owner := s.appsBySlug[slug], s.account(login)
	if a == nil || owner == nil {
		return fmt.Errorf("sandbox: uninstall %s from %s: no such app or account", slug, login)
	}
	for _, inst := range a.installations {
		if inst.account != owner {
			continue
		}
		s.emitInstallation(inst, actorFor(owner), "installation", "deleted", func() obj {
			return obj{"repositories": s.lightRepos(s.covered(inst)), "requester": nil}
		})
		isIt := func(o *installation) bool { return o == inst }
		a.installations = slices.DeleteFunc(slices.Clone(a.installations), isIt)
		s.installedOn[owner.id] = slices.DeleteFunc(slices.Clone(s.installedOn[owner.id]), isIt)
		delete(s.installations, inst.id)
		for value, t := range s.tokens {
			if t.inst == inst {
				delete(s.tokens, value)
			}
		}
		return nil
	}
	return fmt.Errorf("sandbox: %s is not installed on %s", slug, login)
}

// covered lists the repositories of an installation.
func (s *Server) covered(inst *installation) []*repository {
	var out []*repository
	for _, r := range reposOf(inst.account) {
		if inst.covers(r) {
			out = append(out, r)
		}
	}
	return out
}

func selection(inst *installation) string {
	if inst.all {
		return "all"
	}
	return "selected"
}

// lightRepos is how installation events name repositories.
func (s *Server) lightRepos(list []*repository) []any {
	out := make([]any, 0, len(list))
	for _, r := range list {
		out = append(out, obj{"id": r.id, "node_id": nodeID("R", r.id), "name": r.name, "full_name": r.fullName(), "private": r.private})
	}
	return out
}
