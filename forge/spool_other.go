//go:build !linux

package forge

import "os"

// namelessFile makes a temporary file that never has a name: nil, there is no
// such thing here.
func namelessFile(string) *os.File { return nil }
