package main

import (
	"fmt"
	"time"
)

// AuditConfig is the block audit: what is recorded is compared with what authors
// publish now.
type AuditConfig struct {
	Off bool
	// Every is how often each entry has its turn, 30 days if 0.
	Every time.Duration
}

// BackfillConfig is the block backfill: sizes and hashes of versions that were
// recorded without are found, a few at a time.
type BackfillConfig struct {
	Off bool
	// Every is how often each provider has its turn, 30 days if 0. One of which
	// something is missing is gone on with every ten minutes.
	Every time.Duration
}

// fileUpkeep is the shape of both blocks.
type fileUpkeep struct {
	Off   bool   `hcl:"off,optional"`
	Every string `hcl:"every,optional"`
}

func (f *fileUpkeep) config(block string, faults *[]configFault) (off bool, every time.Duration) {
	if f == nil {
		return false, 0
	}
	return f.Off, duration(block+".every", f.Every, faults)
}

func (c AuditConfig) withDefaults() AuditConfig {
	c.Every = orElse(c.Every, 30*24*time.Hour)
	return c
}

func (c BackfillConfig) withDefaults() BackfillConfig {
	c.Every = orElse(c.Every, 30*24*time.Hour)
	return c
}

func (c AuditConfig) faults() []configFault { return upkeepFaults("audit", c.Every) }

func (c BackfillConfig) faults() []configFault { return upkeepFaults("backfill", c.Every) }

func upkeepFaults(block string, every time.Duration) []configFault {
	if every < time.Hour || every > 366*24*time.Hour {
		return []configFault{{block + ".every", fmt.Sprintf("a turn every %s", every), `It is a time from "1h" to "8784h" (a year), usually "720h" (30 days).`}}
	}
	return nil
}
