package registry

import (
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// While the data changes under many readers, none waits, gets an error, or sees
// a mixture: an answer is of one state, whole.
func TestReadersWhileTheDataChanges(t *testing.T) {
	state := func(n int) (provider, module string) {
		version := fmt.Sprintf("1.%d.0", n)
		return strings.NewReplacer("1.1.0", version, `"6.0"`, fmt.Sprintf(`"5.%d"`, n)).Replace(demoProvider),
			fmt.Sprintf(`{"versions":[{"version":%q},{"version":"1.0.0"}]}`, version)
	}
	c := newCheckout(t, nil)
	put := func(n int) {
		provider, module := state(n)
		c.write("providers/a/acme/demo.json", provider)
		c.write("modules/a/acme/net/aws.json", module)
	}
	put(1)
	r := readFrom(t, NewFolder(c.dir))
	var stop atomic.Bool
	var readers sync.WaitGroup
	var read atomic.Int64
	for range 4 {
		readers.Go(func() {
			for !stop.Load() {
				for _, path := range []string{demoList, moduleList, "v1/providers/acme/demo/1.0.0-rc1/download/linux/amd64"} {
					w := httptest.NewRecorder()
					r.ServeHTTP(w, httptest.NewRequest("GET", "/"+path, nil))
					if w.Code != 200 {
						t.Errorf("%s: %d", path, w.Code)
						return
					}
					if path == demoList && !whole(w.Body.Bytes()) {
						t.Errorf("a mixture: %s", w.Body)
						return
					}
				}
				read.Add(1)
			}
		})
	}
	for n := 2; n < 60; n++ {
		put(n)
		if n%7 == 0 {
			c.write("providers/a/acme/demo.json", "{") // broken for a while: what was stays
		}
		must(t, r.Reload(t.Context()))
		if n%7 != 0 && !r.serves(fmt.Sprintf("v1/providers/acme/demo/1.%d.0/download/linux/amd64", n)) {
			t.Errorf("state %d is not served", n)
		}
	}
	stop.Store(true)
	readers.Wait()
	if read.Load() == 0 {
		t.Error("nobody read")
	}
}

// whole tells whether a list is of one state: version 1.n.0 has protocol 5.n.
func whole(body []byte) bool {
	var list struct {
		Versions []struct {
			Version   string
			Protocols []string
		}
	}
	if json.Unmarshal(body, &list) != nil || len(list.Versions) != 2 {
		return false
	}
	n := strings.TrimSuffix(strings.TrimPrefix(list.Versions[0].Version, "1."), ".0")
	return list.Versions[0].Protocols[0] == "5."+n
}
