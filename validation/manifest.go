package validation

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
)

// maxManifest is the largest manifest that is read, in bytes.
const maxManifest = 64 << 10

var protocolVersion = regexp.MustCompile(`^[0-9]{1,3}(\.[0-9]{1,3}){1,2}$`)

// defaultProtocols is what the reference records where no manifest tells.
func defaultProtocols() []string { return []string{"5.0"} }

// ParseManifest reads the plugin protocol versions from the content of
// …_manifest.json (nil: there is none).
//
//   - Without a manifest, and with one that can't be read, the protocol is 5.0,
//     as in the reference; the latter is a warning, since a provider that speaks
//     6.0 is then recorded wrongly.
//   - At least one version MUST be 5.x or 6.x: no client runs another (spec
//     protocols §2.2).
func ParseManifest(b []byte) ([]string, []Finding) {
	if b == nil {
		return defaultProtocols(), nil
	}
	versions, fault := protocolVersions(b)
	if fault != "" {
		return defaultProtocols(), []Finding{{
			Code: "manifest-unreadable", Severity: Warning, Field: "manifest",
			Message: "The manifest " + fault + ". The plugin protocol is recorded as 5.0.",
			Fix:     `If the provider speaks another protocol, release a manifest like {"version": 1, "metadata": {"protocol_versions": ["6.0"]}}.`,
		}}
	}
	for _, v := range versions {
		if strings.HasPrefix(v, "5.") || strings.HasPrefix(v, "6.") {
			return versions, nil
		}
	}
	return versions, []Finding{{
		Code: "protocols-unsupported", Severity: Error, Field: "manifest",
		Message: fmt.Sprintf("The manifest names the plugin protocols %s. Clients run 5.x and 6.x.", list(versions, 10)),
		Fix:     `Correct metadata.protocol_versions in the manifest, for example to ["6.0"], and make a new release.`,
	}}
}

// protocolVersions returns metadata.protocol_versions, or in words what is
// wrong.
func protocolVersions(b []byte) (versions []string, fault string) {
	if len(b) > maxManifest {
		return nil, fmt.Sprintf("has more than %d bytes", maxManifest)
	}
	var manifest struct {
		Metadata struct {
			ProtocolVersions []string `json:"protocol_versions"`
		} `json:"metadata"`
	}
	if err := json.Unmarshal(b, &manifest); err != nil {
		return nil, "is not JSON of the expected form"
	}
	all := manifest.Metadata.ProtocolVersions
	if len(all) == 0 || len(all) > 16 {
		return nil, "holds no list metadata.protocol_versions"
	}
	seen := map[string]bool{}
	for _, v := range all {
		if !protocolVersion.MatchString(v) {
			return nil, fmt.Sprintf("names the protocol version %s, which is none", quote(v))
		}
		if !seen[v] {
			seen[v] = true
			versions = append(versions, v)
		}
	}
	return versions, ""
}
