// Package forge talks to GitHub: it reads what authors publish (repositories,
// tags, releases, release files, public membership) and reads and writes the
// metadata repository (tree, branch, commit, pull request, check run, comment).
//
// Forge joins the two: New finds the App's installation; Metadata implements
// what handlers ask of the metadata repository, Authors what they ask of
// everyone else's. AnonymousAuthors is the second half without an App, for the
// command line.
//
// Everything that is read is a stranger's: every size, time and address has a
// bound. Release files are fetched from the allowed hosts only, each redirect is
// checked, and a name that resolves into a private network is refused. Fault
// tells an author's error from an operator's.
//
// The package holds no rules about what may enter the registry (validation) and
// writes no sentences that a person reads on GitHub (templates).
package forge
