package houserules

import (
	"slices"
	"strings"
	"testing"
)

// room is what a folder of the repository may import, tests aside.
type room struct {
	name string
	// rooms are the other rooms that it may import.
	rooms []string
	// modules are the libraries that it may import, by prefix; nil allows all.
	modules []string
	// never are packages, by prefix, that it must not import, each with its
	// reason. The longest matching prefix that allows or denies counts.
	never map[string]string
	// neverBelow are packages that must not be reached by any way.
	neverBelow []string
}

const (
	goGitHub    = "github.com/google/go-github"
	goGitHubApp = "github.com/palantir/go-githubapp"
	ghInstall   = "github.com/bradleyfalzon/ghinstallation"
	goCrypto    = "github.com/ProtonMail/go-crypto"
	river       = "github.com/riverqueue/river"
	echo        = "github.com/labstack/echo"
	cobra       = "github.com/spf13/cobra"
	semver      = "golang.org/x/mod/semver"
)

var rooms = []room{
	{
		name:    "registrydata",
		modules: []string{semver},
		never: map[string]string{
			"net": "the data model is a function of bytes: whoever has no network can use it",
			"os":  "it is handed bytes, never a path, so that a git tree and a folder are one to it",
			"log": "what is wrong is returned",
		},
		neverBelow: []string{"net", "net/http", goGitHub},
	},
	{
		name:    "validation",
		rooms:   []string{"registrydata"},
		modules: []string{goCrypto, semver, "github.com/hashicorp/go-version"},
		never: map[string]string{
			"net":     "rules judge facts that forge gathered, so that the same facts always give the same verdict",
			"net/url": "allowed: it only cuts strings",
			"os":      "rules judge bytes; a rule that reads a disk differs between the bot and the command line",
			"log":     "what a rule has to say is a finding",
		},
		neverBelow: []string{"net", "net/http", goGitHub},
	},
	{
		name:    "templates",
		rooms:   []string{"registrydata", "validation"},
		modules: []string{},
		never: map[string]string{
			"net":           "sentences are functions of facts",
			"net/url":       "allowed: it only cuts strings",
			"os":            "the sentences are embedded",
			"log":           "no function here can fail",
			"html/template": "comments are Markdown: HTML escaping in the wrong place would mangle them",
		},
		neverBelow: []string{"net/http", goGitHub},
	},
	{
		name:  "forge",
		rooms: []string{"registrydata", "validation"},
		never: map[string]string{
			river: "forge answers; when to ask again is the app's",
			echo:  "forge is a client and serves nothing",
			cobra: "configuration comes in as a struct",
		},
	},
	{
		name:  "publish",
		rooms: []string{"registrydata"},
		never: map[string]string{
			goGitHub:    "what is published comes in as bytes",
			goGitHubApp: "what is published comes in as bytes",
			goCrypto:    "what is published was verified before",
			river:       "publishing is run, it does not run",
			echo:        "serving what is published is the app's",
			cobra:       "configuration comes in as a struct",
		},
	},
	{
		name:  "handlers",
		rooms: []string{"registrydata", "validation", "templates", "forge", "publish"},
		never: map[string]string{
			"net":       "everything outside is behind the ports of ports.go, so that a test can count the writes",
			"net/url":   "allowed: it only cuts strings",
			"os":        "everything outside is behind the ports of ports.go",
			goGitHub:    "handlers speak forge's model: GitHub's client changes its types with every major version",
			goGitHubApp: "handlers speak forge's model",
			ghInstall:   "handlers speak forge's model",
			river:       "handlers return the keys to run next; the app queues them",
			echo:        "handlers never see HTTP",
			cobra:       "configuration comes in as a struct",
		},
	},
	{
		name: "sandbox",
		modules: []string{
			"github.com/go-git/go-git/v5", "github.com/go-git/go-billy/v5", // real git objects
			"github.com/yuin/goldmark", "github.com/microcosm-cc/bluemonday", "golang.org/x/net/html", // Markdown, shown safely
			"go.yaml.in/yaml/v3",             // issue forms
			"github.com/golang-jwt/jwt/v4",   // the App's token, checked
			"github.com/google/uuid",         // delivery GUIDs
			"golang.org/x/sync/singleflight", // one pack at a time
		},
		never: map[string]string{
			goGitHub: "GitHub's client is what judges the sandbox in its tests; sharing its types would hide a wrong field name",
		},
	},
	{
		name:  "app",
		rooms: []string{"registrydata", "validation", "templates", "forge", "publish", "handlers", "sandbox", "internal/actors"},
		never: map[string]string{
			goCrypto: "rules about keys are validation's",
		},
	},
	{
		name: "internal/actors", // people, for the demo and for tests: they know GitHub only
		never: map[string]string{
			goGitHubApp: "people have no App",
			river:       "people have no queue",
		},
	},
	{name: "internal/edge"},       // tests only: the Worker of deploy on real workerd
	{name: "internal/githubspec"}, // tests only
	{name: "internal/testdata"},   // tests only
	{name: "internal/houserules"}, // tests only
}

func TestRoomsImportOnlyWhatTheyMay(t *testing.T) {
	byName := map[string]room{}
	for _, r := range rooms {
		byName[r.name] = r
	}
	for _, p := range allPackages(t) {
		r, ok := byName[top(p.Dir)]
		if !ok {
			t.Errorf("%s: a new room; say in internal/houserules what it may import, and in the README what it owns", p.Dir)
			continue
		}
		if isHelper(p.Dir) {
			r.rooms = append(slices.Clone(r.rooms), "internal/actors", "internal/githubspec", "internal/testdata")
		}
		for _, imp := range p.Imports {
			if own, ok := strings.CutPrefix(imp, module+"/"); ok && isHelper(own) && !isHelper(p.Dir) {
				t.Errorf("%s imports %s, which is for tests", p.Dir, imp)
			}
			if why := r.refuses(imp); why != "" {
				t.Errorf("%s imports %s: %s", p.Dir, imp, why)
			}
		}
		for _, dep := range r.neverBelow {
			if slices.Contains(p.Deps, dep) {
				t.Errorf("%s reaches %s through what it imports (go mod why -vendor tells how)", p.Dir, dep)
			}
		}
	}
}

// isHelper tells whether a package holds what the tests of several packages
// share: it is called after its room, as sandboxtest is.
func isHelper(dir string) bool { return strings.HasSuffix(dir, "test") }

// refuses gives the reason why the room may not import the package, or "".
func (r room) refuses(imp string) string {
	if own, ok := strings.CutPrefix(imp, module+"/"); ok {
		if own = top(own); own != r.name && !slices.Contains(r.rooms, own) {
			return "DESIGN.md gives it the rooms [" + strings.Join(r.rooms, " ") + "] only"
		}
		return ""
	}
	longest, why := "", ""
	for prefix, reason := range r.never {
		if within(imp, prefix) && len(prefix) > len(longest) {
			longest, why = prefix, reason
		}
	}
	if strings.HasPrefix(why, "allowed: ") {
		return ""
	}
	if why != "" || r.modules == nil || !isModule(imp) {
		return why
	}
	if slices.ContainsFunc(r.modules, func(m string) bool { return within(imp, m) }) {
		return ""
	}
	return "of libraries it may import [" + strings.Join(r.modules, " ") + "] only"
}

// within tells whether a package is the prefix or below it, a major version's
// suffix included.
func within(imp, prefix string) bool {
	return imp == prefix || strings.HasPrefix(imp, prefix+"/")
}

// isModule tells a library from the standard library, which has no dot in its
// first path element.
func isModule(imp string) bool {
	first, _, _ := strings.Cut(imp, "/")
	return strings.Contains(first, ".")
}

func TestRefuses(t *testing.T) {
	pure := room{name: "pure", rooms: []string{"registrydata"}, modules: []string{semver},
		never: map[string]string{"net": "no network", "net/url": "allowed: strings", goGitHub: "no client"}}
	for imp, refused := range map[string]bool{
		"strings":                        false,
		"net":                            true,
		"net/http":                       true,
		"net/url":                        false,
		"netx":                           false,
		semver:                           false,
		"golang.org/x/mod/sumdb/dirhash": true,
		goGitHub + "/v57/github":         true,
		module + "/registrydata":         false,
		module + "/pure/part":            false,
		module + "/forge":                true,
		module + "/internal/actors":      true,
	} {
		if why := pure.refuses(imp); (why != "") != refused {
			t.Errorf("refuses(%q) = %q, want refused = %v", imp, why, refused)
		}
	}
}
