package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"
)

// stepReport is one step of the demo, as --json prints it, one object a line.
type stepReport struct {
	Step    string  `json:"step"`
	OK      bool    `json:"ok"`
	Seconds float64 `json:"seconds"`
	Detail  string  `json:"detail"`
}

// demoSteps runs steps one after another and prints a line for each. After one
// that failed, the others are not tried.
type demoSteps struct {
	out    io.Writer
	json   bool
	failed bool
	last   time.Time
}

func (d *demoSteps) start() { d.last = time.Now() }

// run measures from the end of the step before, so that the times add up.
func (d *demoSteps) run(step string, play func() (detail string, err error)) {
	if d.failed {
		return
	}
	detail, err := play()
	now := time.Now()
	r := stepReport{Step: step, OK: err == nil, Seconds: now.Sub(d.last).Round(time.Millisecond).Seconds(), Detail: detail}
	if err != nil {
		r.Detail, d.failed = err.Error(), true
	}
	d.last = now
	d.print(r)
}

func (d *demoSteps) print(r stepReport) {
	if d.json {
		b, err := json.Marshal(r)
		if err != nil {
			b = []byte(`{"step":"` + r.Step + `","ok":false}`)
		}
		fmt.Fprintf(d.out, "%s\n", b)
		return
	}
	mark := "ok  "
	switch {
	case !r.OK:
		mark = "FAIL"
	case strings.HasPrefix(r.Detail, skippedPrefix):
		mark = "skip"
	}
	fmt.Fprintf(d.out, "%s %7.3fs  %-22s %s\n", mark, r.Seconds, r.Step, r.Detail)
}

// skippedPrefix begins the detail of a step that could not be tried here.
const skippedPrefix = "skipped: "
