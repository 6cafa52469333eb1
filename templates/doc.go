// Package templates holds every sentence that a person reads on GitHub: the one
// comment of a submission, pull requests, check runs, alerts, commit messages.
// It also holds the issue forms and the parser that reads them back.
//
// Each sentence is a Markdown file beside this one (*.md), embedded, parsed
// once, and filled from one typed struct. Facts come in already judged: nothing
// here decides a verdict, and no function here can fail, look at the clock or
// read the network, so that the same facts always give the same bytes.
//
// Whatever a stranger wrote reaches a page through one function, [Quote].
package templates
