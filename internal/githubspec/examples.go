package githubspec

import (
	_ "embed"
	"encoding/json"
	"fmt"
)

//go:embed testdata/webhooks-examples.json.gz
var packedExamples []byte

// An Example is one webhook payload that GitHub once sent, names changed.
type Example struct {
	Event   string          // the value of X-GitHub-Event
	Index   int             // its place among the event's examples, from 0
	Payload json.RawMessage // one JSON object
}

// WebhookExamples returns the 329 examples of @octokit/webhooks-examples 7.6.1
// in a fixed order. Most lack the member "installation", which a delivery to
// an app always has.
func WebhookExamples() ([]Example, error) {
	data, err := unpack(packedExamples)
	if err != nil {
		return nil, fmt.Errorf("unpack the webhook examples: %w", err)
	}
	var events []struct {
		Name     string            `json:"name"`
		Examples []json.RawMessage `json:"examples"`
	}
	if err := json.Unmarshal(data, &events); err != nil {
		return nil, fmt.Errorf("parse the webhook examples: %w", err)
	}
	var examples []Example
	for _, event := range events {
		for i, payload := range event.Examples {
			examples = append(examples, Example{Event: event.Name, Index: i, Payload: payload})
		}
	}
	return examples, nil
}
