package validation

import (
	"fmt"
	"sort"
	"strings"

	"github.com/tofu-registrar/registrar/registrydata"
)

// The platforms that the reference knows, in the order in which it writes them
// (spec §1.4). Others follow, sorted.
var (
	knownOS   = []string{"darwin", "freebsd", "linux", "windows", "openbsd", "solaris"}
	knownArch = []string{"386", "amd64", "arm", "arm64"}
)

// platformOrder makes a sort key of a platform.
func platformOrder(os, arch string) string {
	o, a := index(knownOS, os), index(knownArch, arch)
	if o < 0 || a < 0 {
		return "~" + os + "_" + arch
	}
	return fmt.Sprintf("%d%d", o, a)
}

func index(names []string, name string) int {
	for i, n := range names {
		if n == name {
			return i
		}
	}
	return -1
}

func sortArchives(list []archive) {
	sort.SliceStable(list, func(i, j int) bool {
		return platformOrder(list[i].os, list[i].arch) < platformOrder(list[j].os, list[j].arch)
	})
}

// downloadBase is the address below which the files of a release are. Owner and
// name are lower case, as in the reference, which lowers every submission;
// GitHub ignores their case.
func downloadBase(webURL string, repo registrydata.Repository, tag string) string {
	if webURL == "" {
		webURL = "https://github.com"
	}
	return strings.TrimSuffix(webURL, "/") + "/" + repo.Key() + "/releases/download/" + tag + "/"
}
