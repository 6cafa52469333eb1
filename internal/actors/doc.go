// Package actors plays the people around a registry, authors and maintainers,
// through GitHub's own interfaces: they open issues, publish releases, review
// and merge. The demo and the tests' stories use it; the bot does not.
package actors
