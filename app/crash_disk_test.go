package main

import (
	"context"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

var playFullDisk = flag.Bool("full-disk", false, "play a day on a disk that is full now and then")

// fill leaves no byte on the disk. What SQLite has of it for its log it gives back
// before.
func (d ownDisk) fill(w *world) error {
	if _, err := w.bot.Queue.db.Exec("PRAGMA wal_checkpoint(TRUNCATE)"); err != nil {
		return err
	}
	f, err := os.Create(d.filler())
	if err != nil {
		return err
	}
	block := make([]byte, 1<<16)
	for err == nil {
		_, err = f.Write(block)
	}
	if !errors.Is(err, syscall.ENOSPC) {
		return errors.Join(err, f.Close())
	}
	return f.Close()
}

func (d ownDisk) filler() string { return filepath.Join(string(d), "filler") }

// fullNowAndThen fills the disk again and again, from now on, and counts how often.
func (d ownDisk) fullNowAndThen(ctx context.Context, w *world, full, free time.Duration) (stop func() (times int, err error)) {
	first := d.fill(w)
	ctx, cancel := context.WithCancel(ctx)
	type end struct {
		times int
		err   error
	}
	done := make(chan end, 1)
	go func() {
		e := end{err: first}
		for e.err == nil {
			e.times++
			_ = pause(ctx, full) // ends early where the day ends
			if e.err = os.Remove(d.filler()); e.err != nil || pause(ctx, free) != nil {
				break
			}
			e.err = d.fill(w)
		}
		done <- e
	}()
	return func() (int, error) {
		cancel()
		e := <-done
		return e.times, e.err
	}
}

// TestFullDisk plays a day whose database is on a disk that is full again and
// again. What cannot be stored is refused, and comes again: the end is that of
// any day.
func TestFullDisk(t *testing.T) {
	if !*playFullDisk {
		t.Log("takes minutes: -full-disk")
		return
	}
	onOwnDisk(t, dayOnFullDisk)
}

func dayOnFullDisk(t *testing.T, disk ownDisk) {
	plan, err := planDay(seedOf(t), *crashSubmissions, *crashReleases)
	if err != nil {
		t.Fatal(err)
	}
	want := playTroubled(t, troubledWorld(t, nil, ""), plan)
	want.sane(t)
	disk.mount(t, "size=64m")
	w := troubledWorld(t, nil, string(disk))
	stop := disk.fullNowAndThen(t.Context(), w, 2*time.Second, 2*time.Second)
	d := newDay(w, plan, 5*time.Minute)
	if err := d.play(t.Context()); err != nil {
		t.Fatal(err)
	}
	times, err := stop()
	if err != nil {
		t.Fatal(err)
	}
	refused := w.refusedDeliveries(t)
	t.Logf("the disk was full %d times, and %d deliveries were refused", times, refused)
	if refused == 0 {
		t.Error("no delivery met the full disk")
	}
	reportDifferences(t, want, d.settledEnd(t))
}

// refusedDeliveries counts those that could not be stored.
func (w *world) refusedDeliveries(t *testing.T) (refused int) {
	t.Helper()
	figures, err := w.figures(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(figures) {
		if strings.HasPrefix(line, "registrar_deliveries_total") && strings.Contains(line, `"failed"`) {
			n, err := strconv.Atoi(strings.TrimSpace(line[strings.LastIndex(line, " "):]))
			if err != nil {
				t.Fatal(err)
			}
			refused += n
		}
	}
	return refused
}
