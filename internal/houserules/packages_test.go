package houserules

import (
	"path"
	"regexp"
	"strings"
	"testing"
)

// Each package says once, at the top of one file, what it owns; a program says
// what it does.
func TestOnePackageDocAPackage(t *testing.T) {
	for _, p := range allPackages(t) {
		var docs []string
		for _, f := range p.GoFiles {
			doc := parse(t, path.Join(p.Dir, f)).tree.Doc.Text()
			if doc == "" {
				continue
			}
			docs = append(docs, f)
			want := "Package " + p.Name + " "
			if p.Name == "main" {
				want = "Command "
			}
			if !strings.HasPrefix(doc, want) && (p.Name != "main" || !strings.HasPrefix(doc, "Registrar ")) {
				t.Errorf("%s/%s: the package doc begins %.30q, want %q…", p.Dir, f, doc, want)
			}
		}
		if len(docs) != 1 && len(p.GoFiles) > 0 {
			t.Errorf("%s: package doc in %d files %v, want exactly one", p.Dir, len(docs), docs)
		}
	}
}

// A file that outgrows this is more than one subject.
const longestFile = 400

func TestFilesStayReadable(t *testing.T) {
	for _, name := range goFiles(t) {
		if isTest(name) {
			continue
		}
		if n := strings.Count(read(t, name), "\n"); n > longestFile {
			t.Errorf("%s: %d lines, want at most %d", name, n, longestFile)
		}
	}
}

// Files are named after what they are about; these names are about nothing.
var emptyNames = regexp.MustCompile(`^(utils?|helpers?|common|misc|services?|managers?|shared|types|base|core|stuff)(_test)?\.go$`)

// shared_data is a subject: it is what the package finds.
var namedAfterItsSubject = map[string]bool{"internal/testdata/shared.go": true}

func TestFilesAreNamedAfterTheirSubject(t *testing.T) {
	for _, name := range goFiles(t) {
		if emptyNames.MatchString(path.Base(name)) && !namedAfterItsSubject[name] {
			t.Errorf("%s: name it after its subject", name)
		}
		if base := path.Base(name); base != strings.ToLower(base) || strings.Contains(base, "-") {
			t.Errorf("%s: Go files are lower_case", name)
		}
	}
}
