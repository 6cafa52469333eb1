package templates

import (
	"embed"
	"io/fs"
)

//go:embed forms/*.yml
var forms embed.FS

// Forms are the issue forms, by the file name that they have in
// .github/ISSUE_TEMPLATE/ of the metadata repository: provider.yml, module.yml,
// provider_key.yml, version-removal-request.yml, and config.yml beside them
// (docs.github.com/communities/using-templates-to-encourage-useful-issues-and-pull-requests/syntax-for-issue-forms).
func Forms() fs.FS {
	sub, err := fs.Sub(forms, "forms")
	if err != nil { // only for an invalid path
		return forms
	}
	return sub
}
