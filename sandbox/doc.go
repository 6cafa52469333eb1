// Package sandbox is a GitHub on this machine: the REST, git, webhook, feed and
// download parts that Registrar and its users touch, over real git objects, for
// the demo and for tests.
//
// It is stateful and strict. What one request writes the next one reads, every
// change signs and sends the webhooks it would cause on GitHub, misuse fails
// with GitHub's own status and error body, and a request for a route that does
// not exist here fails loudly and is remembered (Server.Unknown), so that a
// mistyped path can't pass for an empty answer.
//
// The layout is that of a GitHub Enterprise server: the web root plays
// github.com, REST lives under /api/v3/, uploads under /api/uploads/. Release
// downloads redirect to a second origin, as they do on GitHub.
//
// How the code is cut: state.go holds the model, routes.go the table of REST
// routes with what each demands of the caller, call.go the way of a request.
// Operations (createIssue, mergePull, publishRelease …) are methods that take
// an actor and know nothing of HTTP, so that the REST routes and the browser
// pages cause the same changes and the same webhooks. Handlers and operations
// run with the server's lock held, taken in one place (see route.locking).
//
// The package imports no other room of the project and must never learn what a
// registry is.
package sandbox
