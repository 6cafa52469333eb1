// Package validation holds the rules of the registry: what an author's answers
// mean, and whether a repository, a release, a checksum file, a signature or a
// signing key may enter it. Facts go in, findings come out.
//
// Everything here is pure: no network, no disk, no clock, no GitHub client. The
// facts are gathered by the handlers through the forge; the sentences around
// the findings are written by templates. The bot, the command line and the
// checks on pull requests all judge with these functions, so that their
// verdicts cannot differ.
package validation
