// Package handlers drives what Registrar knows about to where it should be: one
// file an event, each in two halves.
//
// The top half is pure. It translates a webhook into keys ("issue 12", "pull 15",
// "repository acme/terraform-provider-demo", "publish") and drops what is not
// ours; the payload is not used again.
//
// The bottom half is handed a key. It observes the world through the small
// interfaces of ports.go, decides with pure functions, and applies the plan. A
// key may run any number of times, in any order: a run that finds everything in
// place writes nothing.
//
// The package has no rules of its own (validation), no sentences (templates),
// and never sees HTTP, the queue or a GitHub client.
package handlers
