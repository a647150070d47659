package gc

import (
	"context"
	"slices"

	"github.com/deedrun/deed/blob"
	"github.com/deedrun/deed/orchestrator"
)

const (
	sweepBatch       = 1000 // blobs of a process that are removed after one look at it
	sweepSharedBatch = 100  // inputs, while imports of the same have to wait
)

// batch is garbage of one process, or of none, that is removed together.
type batch struct {
	process string
	shared  bool
	objects []blob.Object
}

// sweep goes through the store once.
func (c *collection) sweep(ctx context.Context) error {
	next := &batch{}
	for o, err := range c.archive.Blobs.Objects(ctx) {
		if err != nil {
			return err
		}
		kind, process := blob.Classify(o.Key)
		if !c.isGarbage(o, kind, process) {
			continue
		}
		if !c.Delete {
			c.count(o, kind, process)
			continue
		}
		shared, most := kind == blob.KindInput || kind == blob.KindRenewal, sweepBatch
		if shared {
			most = sweepSharedBatch
		}
		if next.process != process || next.shared != shared || len(next.objects) >= most {
			if err := c.remove(ctx, next); err != nil {
				return err
			}
			next = &batch{process: process, shared: shared}
		}
		next.objects = append(next.objects, o)
	}
	return c.remove(ctx, next)
}

// isGarbage decides on one blob, and counts it if it stays.
func (c *collection) isGarbage(o blob.Object, kind blob.Kind, process string) bool {
	before := c.before
	switch kind {
	case blob.KindForeign:
		add(&c.report.Foreign, o)
		return false
	case blob.KindInput, blob.KindRenewal:
		before = c.wantedBefore
	}
	switch {
	case c.keeps(o.Key, kind, process):
		add(&c.report.Kept, o)
	case !o.ModTime.Before(before):
		add(&c.report.Young, o)
	default:
		return true
	}
	return false
}

// keeps reports whether a blob is kept, however old it is.
func (c *collection) keeps(key string, kind blob.Kind, process string) bool {
	if entry, is := blob.CachedUnder(key); is {
		return c.entries.Has(entry)
	}
	return c.cached.Has(key) || c.keptByProcess(key, kind, process)
}

// keptByProcess reports whether a blob is kept, but for what the cache refers to.
func (c *collection) keptByProcess(key string, kind blob.Kind, process string) bool {
	switch kind {
	case blob.KindView, blob.KindSweep: // whoever waits for a sweep that died removes its mark
		return true
	case blob.KindInput:
		return c.held.Has(key) || len(c.report.Unread) > 0
	case blob.KindData:
		if c.held.Has(key) { // whoever holds it: one process may be given what another wrote
			return true
		}
	}
	s, known := c.processes[process]
	if !known || s.all {
		return known
	}
	switch kind {
	case blob.KindLog:
		return !s.removed
	case blob.KindSnapshot:
		return !s.closed()
	case blob.KindArchive: // while it is not closed, somebody may be archiving it
		return !s.closed() || key == s.archive
	}
	return false
}

// remove removes a batch, unless its process has gone on since its state was
// read: then what it refers to is not known any more.
func (c *collection) remove(ctx context.Context, b *batch) error {
	if len(b.objects) == 0 {
		return nil
	}
	c.Pause(BeforeRemove)
	gone := func(o blob.Object) {
		kind, process := blob.Classify(o.Key)
		c.count(o, kind, process)
	}
	if b.shared {
		return c.archive.Blobs.SweepShared(ctx, b.objects, c.wantedBefore, gone)
	}
	version := c.processes[b.process].version
	if b.process != "" && !c.Without.Again {
		now, err := orchestrator.Version(ctx, c.archive.Events, b.process)
		if err != nil {
			return err
		}
		if now != version {
			if !slices.Contains(c.report.Changed, b.process) {
				c.report.Changed = append(c.report.Changed, b.process)
			}
			return nil
		}
	}
	return c.archive.Blobs.Sweep(ctx, b.objects, b.process != "" && version == 0, gone)
}
