// Package registrydata is the model of the metadata repository: the addresses
// of providers and modules, their data files, the signing-key folders, the
// blacklist and the aliases; which entities a set of changed paths concerns;
// and the bytes of each answer of the registry API.
//
// The format is that of github.com/opentofu/registry, both as it was in January
// 2025 and as it is in 2026. A file that is read and written without a change
// keeps its bytes; a file that is changed keeps what this package does not know
// (unknown keys, the order of keys, a final newline).
//
// Everything here is a pure function of its arguments. The package must never
// touch the network, GitHub, the disk or the clock, and it holds no rule about
// what may be submitted: those are in package validation. What it refuses is
// what cannot be represented or served at all.
package registrydata
