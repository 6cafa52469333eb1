package validation

import (
	"bytes"
	"path"
	"regexp"
	"strings"

	"github.com/tofu-registrar/registrar/registrydata"
)

var keyFileName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,100}\.asc$`)

// keyFile judges a file in a key folder (spec §1.7): every file there is served to
// clients as it stands, and one that can't be read breaks all providers that it
// covers. So it MUST be one key block and nothing else, in a folder of an
// address, and a key on file is not changed.
func (j *dataJudge) keyFile() {
	if j.new == nil {
		if j.old != nil {
			j.warn("key-removed", "", "A maintainer decides. Releases that were signed with it can't be installed any more.",
				"A signing key is taken away: %s.", quote(j.path))
		}
		return
	}
	if !isKeyPath(j.path) {
		j.misplacedKey()
	}
	key, findings := JudgeKeyMaterial(j.new, j.Now)
	j.add(findings...)
	block, repairs := cutKey(j.new)
	if block != nil && (len(repairs) > 0 || !bytes.Equal(block, j.new)) {
		j.fail("key-file-form", "", "Write the file with `gpg --armor --export KEY-ID` and nothing else.",
			"The file holds more than one plain key block; it is served as it stands.")
	}
	if j.old != nil && !bytes.Equal(j.old, j.new) {
		was, err := ParseKey(j.old)
		if err == nil && was.Fingerprint != key.Fingerprint {
			j.fail("key-changed", "", "Add the new key in a file of its own: releases that the old one signed have to stay verifiable.",
				"The file held the key %s and now holds another.", was.KeyID)
		}
	}
}

// isKeyPath accepts keys/<l>/<namespace>/<file>.asc and
// keys/<l>/<namespace>/<name>/<file>.asc in lower case.
func isKeyPath(p string) bool {
	dir, file := path.Split(p)
	seg := strings.Split(strings.TrimSuffix(dir, "/"), "/")
	if !keyFileName.MatchString(file) || len(seg) < 3 || len(seg) > 4 {
		return false
	}
	a := registrydata.ProviderAddress{Namespace: seg[2], Name: "x"}
	want := registrydata.NamespaceKeyDirectory(seg[2])
	if len(seg) == 4 {
		a.Name = seg[3]
		want = registrydata.ProviderKeyDirectory(a)
	}
	return a.Check() == nil && dir == want+"/"
}
