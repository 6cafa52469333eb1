package githubspec

import (
	"encoding/json"
	"testing"
)

func TestWebhookExamples(t *testing.T) {
	examples, err := WebhookExamples()
	if err != nil {
		t.Fatal(err)
	}
	if len(examples) != 329 {
		t.Errorf("%d examples, want the 329 that the package holds", len(examples))
	}
	count := map[string]int{}
	for _, example := range examples {
		if example.Index != count[example.Event] {
			t.Errorf("%s: index %d, want %d", example.Event, example.Index, count[example.Event])
		}
		count[example.Event]++
		var payload map[string]any
		if err := json.Unmarshal(example.Payload, &payload); err != nil || len(payload) == 0 {
			t.Errorf("%s %d: no object: %v", example.Event, example.Index, err)
		}
	}
	for event, want := range map[string]int{"issues": 29, "release": 13, "push": 7, "pull_request": 29} {
		if count[event] != want {
			t.Errorf("%d examples of %s, want %d", count[event], event, want)
		}
	}
}
