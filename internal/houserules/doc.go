// Package houserules holds the rules that this repository keeps about itself,
// as tests: which room may import what and why, where the clock and panics are
// allowed, how files are named and how long they get, what the README promises.
//
// It has no code of its own and nothing imports it.
package houserules
