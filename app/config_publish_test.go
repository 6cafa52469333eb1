package main

import "testing"

func TestConfigMaxDelete(t *testing.T) {
	for name, want := range map[string]float64{"max_delete": 0.05, "least": 0} {
		_, c := readConfigCase(t, "testdata/config/"+name+".txtar")
		got, err := c.parse()
		if err != nil || got.Publish.MaxDelete != want {
			t.Errorf("%s: %v, %v; want %v", name, got.Publish.MaxDelete, err, want)
		}
	}
}
