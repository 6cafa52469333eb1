package houserules

import (
	"go/ast"
	"go/token"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/hashicorp/hcl/v2"
	"github.com/hashicorp/hcl/v2/hclsyntax"
)

// pages are what newcomers read.
var pages = []string{"README.md", "CONTRIBUTING.md", "SECURITY.md"}

var fence = regexp.MustCompile("(?ms)^ *```([a-z]+)\n(.*?)^ *```$")

// fenced gives the lines of the code blocks in a language, comments cut off.
func fenced(text, language string) []string {
	var lines []string
	for _, block := range fence.FindAllStringSubmatch(text, -1) {
		if block[1] != language {
			continue
		}
		for line := range strings.Lines(block[2]) {
			line, _, _ = strings.Cut(strings.TrimSpace(line), " #")
			if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
				lines = append(lines, line)
			}
		}
	}
	return lines
}

// Each command that a page tells to run is one that there is, with flags that
// there are.
func TestCommandsOfThePagesExist(t *testing.T) {
	uses, words := programWords(t)
	steps := read(t, ".ci/run")
	seen := 0
	for _, page := range pages {
		for _, line := range fenced(read(t, page), "sh") {
			seen++
			args := strings.Fields(line)
			switch {
			case strings.HasPrefix(line, "go run ./app "):
				checkCommand(t, page, line, args[3:], uses, words)
			case args[0] == ".ci/run":
				for _, step := range args[1:] {
					if step != "--list" && !strings.Contains(steps, "step_"+step+"()") {
						t.Errorf("%s: %q: .ci/run has no step %s", page, line, step)
					}
				}
			case strings.HasPrefix(line, "go test "):
				checkTestCommand(t, page, line, args[2:])
			case strings.HasPrefix(line, "git clone "):
			default:
				t.Errorf("%s: %q: say in this test how it is known that this command works", page, line)
			}
		}
	}
	if seen < 5 {
		t.Errorf("%d commands found in %v", seen, pages)
	}
}

// checkCommand holds the words of a command line against those of the program.
func checkCommand(t *testing.T, page, line string, args []string, uses, words map[string]bool) {
	t.Helper()
	if !uses[args[0]] {
		t.Errorf("%s: %q: there is no command %s", page, line, args[0])
	}
	if args[0] == "check" && !uses[args[1]] {
		t.Errorf("%s: %q: there is no command check %s", page, line, args[1])
	}
	for _, arg := range args {
		if flag, ok := strings.CutPrefix(arg, "--"); ok && !words[flag] {
			t.Errorf("%s: %q: there is no flag --%s", page, line, flag)
		}
	}
}

// checkTestCommand looks for the packages, fuzz targets and flags of a command.
func checkTestCommand(t *testing.T, page, line string, args []string) {
	t.Helper()
	for i, arg := range args {
		switch {
		case strings.HasPrefix(arg, "./"):
			dir := strings.TrimSuffix(strings.TrimSuffix(arg, "..."), "/")
			if _, err := os.Stat(filepath.Join(root, dir)); err != nil {
				t.Errorf("%s: %q: %v", page, line, err)
			}
		case arg == "-fuzz":
			name := strings.Trim(args[i+1], "'^$")
			if !someTest(t, "func "+name+"(") {
				t.Errorf("%s: %q: there is no %s", page, line, name)
			}
		case arg == "-update":
			if !someTest(t, `flag.Bool("update"`) {
				t.Errorf("%s: %q: no test has the flag", page, line)
			}
		}
	}
}

func someTest(t *testing.T, text string) bool {
	t.Helper()
	return slices.ContainsFunc(goFiles(t), func(name string) bool {
		return isTest(name) && top(name) != "internal/houserules" && strings.Contains(read(t, name), text)
	})
}

// programWords gives the commands of the program (the first word of each Use of
// package app) and every string of its source, of which flags are some. To
// build the program for its --help would take longer than all other tests here.
func programWords(t *testing.T) (uses, words map[string]bool) {
	t.Helper()
	uses, words = map[string]bool{}, map[string]bool{}
	for _, name := range goFiles(t) {
		if isTest(name) || top(name) != "app" {
			continue
		}
		ast.Inspect(parse(t, name).tree, func(n ast.Node) bool {
			if pair, ok := n.(*ast.KeyValueExpr); ok {
				if key, ok := pair.Key.(*ast.Ident); ok && key.Name == "Use" {
					word, _, _ := strings.Cut(stringOf(pair.Value), " ")
					uses[word] = true
				}
			}
			if e, ok := n.(ast.Expr); ok {
				words[stringOf(e)] = true
			}
			return true
		})
	}
	return uses, words
}

func stringOf(e ast.Expr) string {
	lit, ok := e.(*ast.BasicLit)
	if !ok || lit.Kind != token.STRING {
		return ""
	}
	s, err := strconv.Unquote(lit.Value)
	if err != nil {
		return ""
	}
	return s
}

// The commands table has each command that the program has, and no other.
func TestREADMEListsTheCommands(t *testing.T) {
	uses, _ := programWords(t)
	readme := read(t, "README.md")
	_, table, _ := strings.Cut(readme, "\n## Commands\n")
	table, _, _ = strings.Cut(table, "\n## ")
	listed := regexp.MustCompile("`([a-z]+)(?: ([a-z]+))?`").FindAllStringSubmatch(table, -1)
	named := map[string]bool{"registrar": true, "help": true}
	for _, m := range listed {
		for _, word := range m[1:] {
			named[word] = true
			if word != "" && !uses[word] {
				t.Errorf("README.md lists the command %q, which there is not", m[0])
			}
		}
	}
	for use := range uses {
		if !named[use] {
			t.Errorf("README.md does not list the command %q", use)
		}
	}
}

// The folder table has each folder of the repository, and no other.
func TestREADMEListsTheFolders(t *testing.T) {
	_, table, _ := strings.Cut(read(t, "README.md"), "\n## Folders\n")
	table, _, _ = strings.Cut(table, "\n## ")
	var listed []string
	for _, m := range regexp.MustCompile("(?m)^\\| `([a-z]+)` \\|").FindAllStringSubmatch(table, -1) {
		listed = append(listed, m[1])
	}
	var have []string
	for _, name := range allFiles(t) {
		dir, _, ok := strings.Cut(name, "/")
		if ok && !strings.HasPrefix(dir, ".") && !slices.Contains(have, dir) {
			have = append(have, dir)
		}
	}
	slices.Sort(have)
	slices.Sort(listed)
	if !slices.Equal(have, listed) {
		t.Errorf("README.md lists the folders\n%v, there are\n%v", listed, have)
	}
}

var link = regexp.MustCompile(`\]\(([^)#:]+)(#[^)]*)?\)`)

func TestLinksBetweenPagesLead(t *testing.T) {
	links := 0
	for _, name := range allFiles(t) {
		if path.Ext(name) != ".md" || (!slices.Contains(pages, name) && top(name) != "docs") {
			continue
		}
		for _, m := range link.FindAllStringSubmatch(read(t, name), -1) {
			links++
			if _, err := os.Stat(filepath.Join(root, path.Dir(name), m[1])); err != nil {
				t.Errorf("%s links to %s: %v", name, m[1], err)
			}
		}
	}
	if links == 0 {
		t.Error("no link was looked at")
	}
}

// The configuration in the README is HCL; that the program takes it is a test
// of the program.
func TestREADMEConfigurationParses(t *testing.T) {
	blocks := fenced(read(t, "README.md"), "hcl")
	if len(blocks) == 0 {
		t.Fatal("README.md shows no configuration")
	}
	_, diags := hclsyntax.ParseConfig([]byte(strings.Join(blocks, "\n")+"\n"), "README.md", hcl.InitialPos)
	if diags.HasErrors() {
		t.Error(diags)
	}
}
