package registrydata

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/tofu-registrar/registrar/internal/testdata"
)

// smallProvider wraps one target's keys into a provider file.
func smallProvider(target string) string {
	return `{"versions": [{"version": "1.0.0", "targets": [{"os": "linux", "arch": "amd64"` + target + `}]}]}`
}

func TestParseProviderRefuses(t *testing.T) {
	for in, want := range map[string]string{
		"":                                       "line 1: want an object, found end of file",
		"null":                                   "line 1: want an object, found null",
		"[]":                                     "line 1: want an object, found a list",
		"\ufeff{}":                               "line 1: the file begins with a byte order mark",
		"{}":                                     "line 1: versions: must hold at least one version",
		"{\"a\":1,\n}":                           `line 2: a comma before '}'`,
		"{\"a\" 1}":                              `line 1: a: want a colon after the key, found a number`,
		"{a: 1}":                                 `line 1: want a key, found 'a'`,
		"{\"a\":1 \x01":                          `line 1: want a comma or '}', found byte 0x01`,
		"{\"a\":":                                "line 1: a: want a value, found end of file",
		"{\"a\":nul}":                            "line 1: a: want a value, found 'n'",
		"{\"a\":01}":                             `line 1: want a comma or '}', found a number`,
		"{\"a\":1.}":                             `line 1: a: malformed number`,
		`{"versions": null}`:                     "line 1: versions: must hold at least one version",
		`{"versions": []}`:                       "line 1: versions: must hold at least one version",
		`{"versions": {}}`:                       "line 1: versions: want a list, found an object",
		`{"versions": [null]}`:                   "line 1: versions[0]: want an object, found null",
		`{"versions": [{}]}`:                     "line 1: versions[0]: the version has no number",
		`{"versions": [{"version": 1}]}`:         "line 1: versions[0].version: want a string, found a number",
		`{"versions": [{"version": "v1.0.0"}]}`:  `line 1: versions[0].version: "v1.0.0": a provider's version is written without the "v"`,
		`{"versions": [{"version": "latest"}]}`:  `line 1: versions[0].version: "latest" is no semantic version`,
		`{"versions": [{"version": "../../x"}]}`: `line 1: versions[0].version: "../../x" is no semantic version`,
		`{"versions": [], "versions": []}`:       "line 1: versions: the key stands twice in its object",
		`{"x": {"y": [1, {"z": 1, "\u007a": 2}]}}`:     "line 1: x.y[1].z: the key stands twice in its object",
		`{"Versions": []}`:                             `line 1: Versions: the key must be written "versions"`,
		`{"ver\u017fions": []}`:                        `line 1: ["verſions"]: the key must be written "versions"`,
		`{"warnings": ["a", 1]}`:                       "line 1: warnings[1]: want a string, found a number",
		`{"warnings": ["` + "\n" + `"]}`:               "line 1: warnings[0]: a control character in a string",
		`{"warnings": ["` + "\xff" + `"]}`:             "line 1: warnings[0]: a string that is not valid UTF-8",
		`{"warnings": ["\n` + "\xff" + `"]}`:           "line 1: warnings[0]: a string that is not valid UTF-8",
		`{"warnings": ["\x"]}`:                         "line 1: warnings[0]: an escape that JSON does not have",
		`{"warnings": ["\u12"]}`:                       "line 1: warnings[0]: an escape that JSON does not have",
		`{"warnings": ["\ud800"]}`:                     "line 1: warnings[0]: an escape that JSON does not have",
		`{"warnings": ["\ud800\u0020"]}`:               "line 1: warnings[0]: an escape that JSON does not have",
		`{"warnings": ["\`:                             "line 1: warnings[0]: an escape that JSON does not have",
		`{"warnings": ["x`:                             "line 1: warnings[0]: a string without an end",
		`{"warnings": ["\n`:                            "line 1: warnings[0]: a string without an end",
		smallProvider(`, "size": "7"`):                 "line 1: versions[0].targets[0].size: want a number, found a string",
		smallProvider(`, "size": -7`):                  `line 1: versions[0].targets[0].size: want a whole number that is not negative, found "-7"`,
		smallProvider(`, "size": 1e3`):                 `line 1: versions[0].targets[0].size: want a whole number that is not negative, found "1e3"`,
		smallProvider(`, "size": 9223372036854775808`): `line 1: versions[0].targets[0].size: want a whole number that is not negative, found "9223372036854775808"`,
		`{"prereleases": 1}`:                           "line 1: prereleases: want true or false, found a number",
		`{"prereleases": null}`:                        "line 1: prereleases: want true or false, found null",
		`{"repository_id": "1"}`:                       "line 1: repository_id: want a number, found a string",
		smallProvider(`, "h1": null`):                  "line 1: versions[0].targets[0].h1: want a string, found null",
		smallProvider("") + "\n{}":                     "line 2: unexpected an object after the end of the document",
		smallProvider("") + "\n\nx":                    `line 3: unexpected 'x' after the end of the document`,
		`{"versions": [{"version": "1.0.0", "targets": [{"os": "linux"}]}]}`:                          "line 1: versions[0].targets[0]: the target has no os or no arch",
		`{"versions": [{"version": "1.0.0", "targets": [{"os": "..", "arch": "x"}]}]}`:                `line 1: versions[0].targets[0].os: "..": want letters a-z and digits, at most 32`,
		`{"x": ` + strings.Repeat("[", 40):                                                            "nested more than 32 deep",
		`{"x": ` + strings.Repeat(`{"a":`, 40):                                                        "nested more than 32 deep",
		`{"warnings": [` + strings.Repeat(`"",`, 1000) + `""]}`:                                       "line 1: warnings[1000]: the list has more than 1000 elements",
		`{"versions": [{"version": "1.0.0-` + strings.Repeat("a", 200) + `"}]}`:                       `"... has more than 128 characters`,
		`{"versions": [{"version": "1", "targets": [` + strings.Repeat(`{"os":"a","arch":"b"},`, 257): "line 1: versions[0].targets[256]: the list has more than 256 elements",
		strings.Repeat(" ", MaxFileSize+1):                                                            "at most 33554432 are read",
	} {
		_, err := ParseProvider([]byte(in))
		var pe *ParseError
		if !errors.As(err, &pe) {
			t.Errorf("%.80q: error %v, want a *ParseError", in, err)
			continue
		}
		if got := err.Error(); got != want && (strings.HasPrefix(want, "line ") || !strings.HasSuffix(got, want)) {
			t.Errorf("%.80q:\n got %s\nwant %s", in, got, want)
		}
	}
}

func TestParseModuleRefuses(t *testing.T) {
	for in, want := range map[string]string{
		`{}`:                            "line 1: versions: must hold at least one version",
		`{"versions": [{}]}`:            "line 1: versions[0]: the version has no tag",
		`{"versions": [{"version":1}]}`: "line 1: versions[0].version: want a string, found a number",
		"{\"versions\": [\n {\"version\": \"v1\"},\n {\"version\": \"main\"}]}":    `line 3: versions[1].version: "main" is no semantic version`,
		`{"versions": [{"version": "v1", "commit": "HEAD"}]}`:                      `line 1: versions[0].commit: "HEAD": want a git object id of 40 or 64 hexadecimal digits`,
		`{"versions": [{"version": "v1", "Commit": "x"}]}`:                         `line 1: versions[0].Commit: the key must be written "commit"`,
		`{"versions": [{"version": "v1"}], "extra": [1, 2,, 3]}`:                   "line 1: extra[2]: want a value, found ','",
		`{"versions": [{"version": "v1"}]}]`:                                       "line 1: unexpected ']' after the end of the document",
		`{"versions": [{"version": "v1", "commit": ` + strings.Repeat("[", 5) + ``: "line 1: versions[0].commit: want a string, found a list",
	} {
		if _, err := ParseModule([]byte(in)); err == nil || err.Error() != want {
			t.Errorf("%s:\n got %v\nwant %s", in, err, want)
		}
	}
}

// A key of a stranger does not make an error message long.
func TestParseErrorIsShort(t *testing.T) {
	key := strings.Repeat("k", 100_000)
	_, err := ParseModule([]byte(strings.Repeat(`{"`+key+`":`, 20) + "?"))
	if err == nil || len(err.Error()) > 600 {
		t.Errorf("error of %d bytes", len(err.Error()))
	}
}

// Hostile files of the largest size cost time in proportion to their size.
func TestParseHostileSize(t *testing.T) {
	many := []byte(`{"x": {`)
	for i := range 200_000 {
		many = append(many, `"k`...)
		many = appendNumber(many, i)
		many = append(many, `": 0,`...)
	}
	many = append(many, `"k7": 0}}`...)
	_, err := ParseProvider(many)
	checkError(t, err, "x.k7: the key stands twice")
}

func appendNumber(b []byte, n int) []byte {
	j, _ := json.Marshal(n)
	return append(b, j...)
}

func TestFormat2026RoundTrip(t *testing.T) {
	root := filepath.Join(testdata.Shared(t), "format-2026")
	n := 0
	err := filepath.WalkDir(root, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		body, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		rel, _ := filepath.Rel(root, path)
		if rel == BlacklistPath {
			return nil
		}
		n++
		if _, ok := EntityFromPath(filepath.ToSlash(rel)); !ok {
			t.Errorf("%s: no entity", rel)
		}
		same, encoded, err := rewritten(filepath.ToSlash(rel), body)
		if err != nil || !bytes.Equal(same, body) || !bytes.Equal(encoded, body) {
			t.Errorf("%s: does not keep its bytes (%v)", rel, err)
		}
		return nil
	})
	if err != nil || n != 4 {
		t.Errorf("%d files, want 4: %v", n, err)
	}
}

var providerSeeds = []string{
	smallProvider(""), smallProvider(`, "size": 7, "h1": "h1:x"`), smallProvider(`, "x": {"y": [1.5e3, null, true, {}]}, "size": 0`) + "\n",
	`{"warnings": null, "versions": [{"targets": null, "protocols": [], "version": "1.0.0", "discovered": ""}], "versions_errors": []}`,
	`{"versions": [{"version": "1", "version": "2"}]}`, `{"prereleases": false, "repository_id": 7, "minimum_version": "1.0.0", "versions": [{"version": "1"}]}`, `{"repository": "\u003c\ud83d\ude00", "versions": [{"version": "1.0.0+a"}]}`, "{", `{"VERSIONS": []}`, "",
}

// What parses is read by encoding/json to the same values; the file keeps its
// bytes; and what the encoder makes of it holds the same values, unknown ones
// too, and is what the encoder makes of that.
func FuzzParseProvider(f *testing.F) {
	for _, s := range providerSeeds {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		p, err := ParseProvider(b)
		if err != nil {
			return
		}
		checkRoundTrip(t, b, p.Bytes(), p.encode())
		again, err := ParseProvider(p.encode())
		if err != nil {
			t.Fatalf("encoded form does not parse: %v", err)
		}
		if !bytes.Equal(again.encode(), p.encode()) || !reflect.DeepEqual(plainProvider(again), plainProvider(p)) {
			t.Errorf("the encoded form parses to another provider:\n%s", p.encode())
		}
		for _, o := range (Renderer{}).Provider(ProviderAddress{"acme", "demo"}, p, nil) {
			if !json.Valid(o.Body) || strings.Contains(o.Path, "..") {
				t.Errorf("%s: bad answer", o.Path)
			}
		}
	})
}

func FuzzParseModule(f *testing.F) {
	for _, s := range []string{
		`{"versions": [{"version": "v1.0.0"}]}`, `{"versions": [{"discovered": "x", "commit": "", "version": "1.0.0", "note": "é"}, {"version": "v1"}], "by": {"a": []}}`,
		`{"versions": [{"version": "v1", "commit": "b4867e9de3ef9fed5febe827ff2e49330167c627"}]}` + "\r\n", `{"versions": []}`, "[]",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := ParseModule(b)
		if err != nil {
			return
		}
		checkRoundTrip(t, b, m.Bytes(), m.encode())
		again, err := ParseModule(m.encode())
		if err != nil {
			t.Fatalf("encoded form does not parse: %v", err)
		}
		if !bytes.Equal(again.encode(), m.encode()) {
			t.Errorf("the encoded form parses to another module:\n%s", m.encode())
		}
		for _, o := range (Renderer{}).Module(ModuleAddress{"acme", "net", "aws"}, m) {
			if !json.Valid(o.Body) || strings.ContainsAny(o.Location, "\r\n ") {
				t.Errorf("%s: bad answer", o.Path)
			}
		}
	})
}

func checkRoundTrip(t *testing.T, in, same, encoded []byte) {
	t.Helper()
	if !bytes.Equal(same, in) {
		t.Errorf("does not keep its bytes:\n%q\n%q", in, same)
	}
	if want, got := anyJSON(t, in), anyJSON(t, encoded); !reflect.DeepEqual(want, got) {
		t.Errorf("encoded with other values:\n%s\n%s", in, encoded)
	}
}

func anyJSON(t *testing.T, b []byte) (v any) {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	if err := d.Decode(&v); err != nil {
		t.Fatalf("encoding/json does not read %q: %v", b, err)
	}
	return v
}

// plainProvider is a provider without what it remembers of its file.
func plainProvider(p *Provider) Provider {
	q := Provider{Repository: p.Repository, Warnings: p.Warnings}
	for _, v := range p.Versions {
		v.layout = nil
		v.Targets = append([]Target(nil), v.Targets...)
		for i := range v.Targets {
			v.Targets[i].layout = nil
		}
		q.Versions = append(q.Versions, v)
	}
	for _, e := range p.VersionsErrors {
		e.layout = nil
		q.VersionsErrors = append(q.VersionsErrors, e)
	}
	return q
}
