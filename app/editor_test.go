package main

import (
	"fmt"
	"math/rand/v2"
	"path"
	"slices"
	"strings"

	"github.com/tofu-registrar/registrar/registrydata"
)

// editor changes files at random, as maintainers and the bot do.
type editor struct {
	r      *rand.Rand
	files  map[string]string
	armors []string
	counts map[string]int
	made   int
}

// edit makes one change and says which.
func (e *editor) edit() string {
	edits := e.edits()
	pick := edits[e.r.IntN(len(edits))]
	if e.counts == nil {
		e.counts = map[string]int{}
	}
	e.made++
	before := len(e.files)
	what := pick.do()
	if what != "" && !strings.HasPrefix(what, "nothing") || before != len(e.files) {
		e.counts[pick.name]++
	}
	return pick.name + ": " + what
}

// oneEdit is a way to change files; do says what it has changed.
type oneEdit struct {
	name string
	do   func() string
}

func (e *editor) edits() []oneEdit {
	return []oneEdit{
		{"add a version", e.addVersion},
		{"remove a version", e.removeVersion},
		{"add an entity", e.addEntity},
		{"remove an entity", func() string { return e.drop(e.pick("providers/", "modules/")) }},
		{"rename an entity", e.rename},
		{"add a key", e.addKey},
		{"change a key", func() string { return e.write(e.pick("keys/"), e.armor()) }},
		{"remove a key", func() string { return e.drop(e.pick("keys/")) }},
		{"rename a key", e.renameKey},
		{"change a key of opentofu", e.opentofuKey},
		{"change the blacklist", e.changeBlacklist},
		{"break a file", func() string { return e.write(e.pick("providers/", "modules/"), "{") }},
		{"put a file at an old address", e.occupy},
		{"change the aliases", e.changeAliases},
		{"something else", func() string { return e.write("README.md", fmt.Sprint(e.made)) }},
	}
}

// pick is one of the files below some folders, "" where there is none; often
// one on which others depend.
func (e *editor) pick(folders ...string) string {
	var names, hot []string
	for name := range e.files {
		if slices.ContainsFunc(folders, func(f string) bool { return strings.HasPrefix(name, f) }) {
			names = append(names, name)
			if seg := strings.Split(name, "/"); slices.Contains(moved, seg[2]) {
				hot = append(hot, name)
			}
		}
	}
	if len(hot) > 0 && e.r.IntN(3) == 0 {
		names = hot
	}
	if len(names) == 0 {
		return ""
	}
	slices.Sort(names)
	return names[e.r.IntN(len(names))]
}

func (e *editor) write(name, content string) string {
	if name != "" {
		e.files[name] = content
	}
	return name
}

func (e *editor) drop(name string) string {
	delete(e.files, name)
	return name
}

func (e *editor) armor() string { return e.armors[e.r.IntN(len(e.armors))] }

func (e *editor) addVersion() string {
	name := e.pick("providers/", "modules/")
	version := fmt.Sprintf("%d.%d.0", 100+e.r.IntN(100), e.made)
	if strings.HasPrefix(name, "modules/") {
		if m, err := registrydata.ParseModule([]byte(e.files[name])); err == nil && m.Add(registrydata.ModuleVersion{Version: "v" + version}) == nil {
			return e.write(name, string(m.Bytes()))
		}
		return e.write(name, `{"versions":[{"version":"v`+version+`"}]}`)
	}
	p, err := registrydata.ParseProvider([]byte(e.files[name]))
	if err != nil {
		return e.write(name, `{"versions":[{"version":"`+version+`","targets":[{"os":"linux","arch":"amd64"}]}]}`)
	}
	target := registrydata.Target{OS: "linux", Arch: "arm64", Shasum: fmt.Sprint(e.made), Size: int64(e.r.IntN(3))}
	if err := p.Add(registrydata.ProviderVersion{Version: version, Targets: []registrydata.Target{target}}); err != nil {
		return err.Error()
	}
	return e.write(name, string(p.Bytes()))
}

func (e *editor) removeVersion() string {
	name := e.pick("providers/", "modules/")
	if m, err := registrydata.ParseModule([]byte(e.files[name])); err == nil && strings.HasPrefix(name, "modules/") && len(m.Versions) > 1 {
		i := e.r.IntN(len(m.Versions))
		m.Versions = slices.Delete(m.Versions, i, i+1)
		return e.write(name, string(m.Bytes()))
	}
	p, err := registrydata.ParseProvider([]byte(e.files[name]))
	if err != nil || len(p.Versions) < 2 || strings.HasPrefix(name, "modules/") {
		return "nothing"
	}
	i := e.r.IntN(len(p.Versions))
	p.Versions = slices.Delete(p.Versions, i, i+1)
	return e.write(name, string(p.Bytes()))
}

func (e *editor) addEntity() string {
	from := e.pick("providers/", "modules/")
	return e.write(strings.TrimSuffix(path.Dir(from)+"/"+fmt.Sprintf("new%d.json", e.made), "/"), e.files[from])
}

func (e *editor) rename() string {
	from := e.pick("providers/", "modules/")
	to := path.Dir(from) + "/" + fmt.Sprintf("moved%d.json", e.made)
	if from == "" {
		return "nothing"
	}
	e.files[to] = e.files[from]
	return e.drop(from) + " to " + to
}

// addKey adds a key to a namespace or to one provider, often one that has none.
func (e *editor) addKey() string {
	of := e.pick("providers/")
	dir := "keys/" + strings.TrimPrefix(path.Dir(of), "providers/")
	if e.r.IntN(2) == 0 {
		dir += "/" + strings.TrimSuffix(path.Base(of), ".json")
	}
	return e.write(fmt.Sprintf("%s/provider-%d.asc", dir, e.made), e.armor())
}

// renameKey gives a key another name, or another owner.
func (e *editor) renameKey() string {
	from := e.pick("keys/")
	if from == "" {
		return "nothing"
	}
	to := fmt.Sprintf("%s/provider-%d.asc", path.Dir(from), e.made)
	if e.r.IntN(2) == 0 {
		to = "keys/" + strings.TrimPrefix(path.Dir(e.pick("providers/")), "providers/") + "/" + path.Base(to)
	}
	e.files[to] = e.files[from]
	return e.drop(from) + " to " + to
}

// opentofuKey changes, adds or removes a key that is hashicorp's too.
func (e *editor) opentofuKey() string {
	name := "keys/o/opentofu/20231115.asc"
	if e.r.IntN(3) == 0 {
		name = "keys/o/opentofu/github/provider.asc"
	}
	if _, there := e.files[name]; there && e.r.IntN(2) == 0 {
		return e.drop(name) + " dropped"
	}
	return e.write(name, e.armor())
}

func (e *editor) changeBlacklist() string {
	namespace, name, _ := strings.Cut(e.provider(), "/")
	const form = `{"providers":[{"namespace":%q,"name":%q,"version":"1.%d.0","reason":"broken"}]}`
	return e.write(registrydata.BlacklistPath, fmt.Sprintf(form, namespace, name, e.made))
}

// occupy puts a file where another provider was served.
func (e *editor) occupy() string {
	old := registrydata.DefaultAliases().Addresses()
	return e.write(old[e.r.IntN(len(old))].Path(), e.files[e.pick("providers/")])
}

func (e *editor) changeAliases() string {
	if e.r.IntN(3) == 0 {
		return e.drop(registrydata.AliasesPath) + " dropped"
	}
	var lines []string
	if e.r.IntN(2) == 0 {
		lines = append(lines, "hashicorp opentofu")
	}
	if e.r.IntN(2) == 0 {
		lines = append(lines, "toowoxx claranet")
	}
	seen := map[string]bool{}
	for range e.r.IntN(5) {
		from, to := fmt.Sprintf("opentofu/old%d", e.r.IntN(5)), e.provider()
		if !seen[from] && from != to && !strings.Contains(to, "/old") {
			seen[from] = true
			lines = append(lines, from+" "+to)
		}
	}
	text := strings.Join(lines, "\n") + "\n"
	if _, err := registrydata.ParseAliases([]byte(text)); err != nil {
		return "nothing: " + err.Error()
	}
	return e.write(registrydata.AliasesPath, text)
}

func (e *editor) provider() string {
	name := e.pick("providers/")
	return path.Base(path.Dir(name)) + "/" + strings.TrimSuffix(path.Base(name), ".json")
}
