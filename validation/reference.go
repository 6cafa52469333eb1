package validation

import (
	"regexp"
	"strings"

	"github.com/tofu-registrar/registrar/registrydata"
)

// reference is what one word of an answer points at.
type reference struct {
	kind  referenceKind
	repo  registrydata.Repository // repository and ownerOnly
	parts []string                // address: namespace, name and perhaps target
	// subject is told by the path of a registry's page; KindNone otherwise.
	subject Kind
	host    string // otherHost
}

// referenceKind orders what an answer can hold by how sure it is: an answer is
// taken for the surest that is in it.
type referenceKind int

const (
	nothing         referenceKind = iota
	nameOnly                      // terraform-provider-demo
	ownerOnly                     // https://github.com/acme
	bareAddress                   // acme/demo
	otherHost                     // https://gitlab.com/acme/terraform-provider-demo
	otherRepository               // https://github.com/acme/demo
	registryAddress               // registry.opentofu.org/acme/demo
	namedRepository               // acme/terraform-provider-demo, by URL or not
)

var (
	ownerName  = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]{0,38}$`)
	pathName   = regexp.MustCompile(`^[A-Za-z0-9._-]{1,100}$`)
	domainName = regexp.MustCompile(`^[a-z0-9-]+(\.[a-z0-9-]+)*\.[a-z]{2,24}$`)
	portPrefix = regexp.MustCompile(`^:[0-9]{1,5}(/|$)`)
	urlScheme  = regexp.MustCompile(`^(?i)(git::|git\+)*[a-z][a-z0-9+.-]{1,11}://`)
	userInfo   = regexp.MustCompile(`^[A-Za-z0-9._-]{1,64}(:[^@/]{0,64})?@`)
)

// notOwners are first segments of GitHub's own pages.
var notOwners = map[string]bool{
	"about": true, "apps": true, "collections": true, "explore": true, "features": true, "login": true,
	"marketplace": true, "new": true, "notifications": true, "search": true, "settings": true, "topics": true,
}

// readWord tells what one word of an answer points at. webHost is the host of
// the GitHub that the registry works with, beside github.com.
func readWord(word, webHost string) reference {
	if strings.HasPrefix(word, "_") && strings.HasSuffix(word, "_") {
		word = strings.Trim(word, "_") // Markdown's emphasis
	}
	word = strings.TrimLeft(word, "@*~.,:;!?/&=$+%#_-")
	word = strings.TrimRight(word, "*~.,:;!?&=$+%/@")
	if i := strings.IndexAny(word, "?#"); i >= 0 {
		word = word[:i]
	}
	rest := urlScheme.ReplaceAllString(word, "")
	isURL := rest != word
	rest = strings.TrimPrefix(rest, "git::")
	bare := userInfo.ReplaceAllString(rest, "")
	scp := bare != rest && !isURL
	host, path := splitHost(bare, scp)
	if host != "" && (isURL || scp || path != "" && domainName.MatchString(host) || host == webHost) {
		return readHostPath(host, segments(path), webHost)
	}
	return readPath(segments(bare))
}

// splitHost cuts "host:port/path", or "host:path" as git's scp form has it.
func splitHost(s string, scp bool) (host, path string) {
	i := strings.IndexAny(s, "/:")
	if i < 0 {
		return strings.ToLower(s), ""
	}
	host, path = strings.ToLower(s[:i]), s[i:]
	if !scp {
		if port := portPrefix.FindString(path); port != "" {
			port = strings.TrimSuffix(port, "/")
			return host + port, path[len(port):]
		}
	}
	return host, strings.TrimLeft(path, ":/")
}

func segments(path string) []string {
	var out []string
	for _, s := range strings.SplitN(path, "/", 20) {
		if s != "" {
			out = append(out, s)
		}
	}
	return out
}

func readHostPath(host string, path []string, webHost string) reference {
	if host == webHost {
		return readGitHub(path)
	}
	name, _, _ := strings.Cut(host, ":")
	switch strings.TrimPrefix(name, "www.") {
	case "github.com", "ssh.github.com", "m.github.com", "raw.githubusercontent.com", "codeload.github.com":
		return readGitHub(path)
	case "api.github.com":
		if len(path) > 0 && path[0] == "repos" {
			path = path[1:]
		}
		return readGitHub(path)
	case "registry.opentofu.org", "search.opentofu.org", "api.opentofu.org", "registry.terraform.io":
		return readRegistryPath(path)
	}
	return reference{kind: otherHost, host: cut(host, maxQuoted)}
}

// readGitHub reads the path of an address on GitHub: /owner/name and anything
// after that.
func readGitHub(path []string) reference {
	if len(path) > 1 && (path[0] == "orgs" || path[0] == "users" || path[0] == "sponsors") {
		path = path[1:2]
	}
	if len(path) == 0 || !ownerName.MatchString(path[0]) || notOwners[strings.ToLower(path[0])] {
		return reference{}
	}
	if len(path) == 1 {
		return reference{kind: ownerOnly, repo: registrydata.Repository{Owner: path[0]}}
	}
	repo := registrydata.Repository{Owner: path[0], Name: withoutGit(path[1])}
	switch {
	case !pathName.MatchString(repo.Name):
		return reference{}
	case hasModulePrefix(repo.Name):
		return reference{kind: namedRepository, repo: repo}
	}
	return reference{kind: otherRepository, repo: repo}
}

// readRegistryPath reads the path of a registry's page or address:
// /providers/acme/demo/latest, /modules/acme/vpc/aws, /acme/demo.
func readRegistryPath(path []string) reference {
	subject := KindNone
	for len(path) > 0 {
		switch strings.ToLower(path[0]) {
		case "provider", "providers":
			subject = KindProvider
		case "module", "modules":
			subject = KindModule
		case "v1", "v2", "registry", "docs", "search":
		default:
			return addressOf(path, registryAddress, subject)
		}
		path = path[1:]
	}
	return reference{}
}

// readPath reads words without a host: acme/terraform-provider-demo, acme/demo,
// acme/vpc/aws, terraform-provider-demo.
func readPath(path []string) reference {
	switch {
	case len(path) == 0 || len(path) > 8 || !pathName.MatchString(path[0]):
		return reference{}
	case len(path) == 1:
		if name := withoutGit(path[0]); hasModulePrefix(name) {
			return reference{kind: nameOnly, repo: registrydata.Repository{Name: name}}
		}
		return reference{}
	case hasModulePrefix(path[1]):
		return readGitHub(path)
	}
	return addressOf(path, bareAddress, KindNone)
}

func addressOf(path []string, kind referenceKind, subject Kind) reference {
	if len(path) < 2 || !ownerName.MatchString(path[0]) || kind == bareAddress && len(path) > 3 {
		return reference{}
	}
	n := 2
	if len(path) > 2 && subject != KindProvider && !isVersionWord(path[2]) {
		n = 3
	}
	for _, p := range path[1:n] {
		if !pathName.MatchString(p) {
			return reference{}
		}
	}
	return reference{kind: kind, parts: path[:n], subject: subject}
}

func isVersionWord(s string) bool {
	_, ok := registrydata.VersionKey(strings.ToLower(s))
	return ok || strings.EqualFold(s, "latest")
}

func hasModulePrefix(name string) bool {
	const prefix = "terraform-"
	return len(name) >= len(prefix) && strings.EqualFold(name[:len(prefix)], prefix)
}

func withoutGit(name string) string {
	if n := len(name) - len(".git"); n > 0 && strings.EqualFold(name[n:], ".git") {
		return name[:n]
	}
	return name
}
