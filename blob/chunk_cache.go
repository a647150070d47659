package blob

import (
	"context"
	"errors"
	"slices"
	"sync"
)

// cachedChunks is how many chunks a ManifestReader keeps: enough for the tasks
// that one worker runs at a time, each a little further in the list.
const cachedChunks = 16

// chunkCache keeps the chunks used last. Callers that want a chunk at the same
// moment share one read. Errors are not kept.
type chunkCache struct {
	mu    sync.Mutex
	slots map[int]*chunkSlot
	used  []int // the chunks in slots, the one used last at the end
}

type chunkSlot struct {
	done    chan struct{}
	entries []Entry
	err     error
}

func newChunkCache() *chunkCache { return &chunkCache{slots: map[int]*chunkSlot{}} }

// get returns chunk c, from load if need be, which runs under ctx. A caller
// whose own context is fine does not suffer from the end of another's.
func (c *chunkCache) get(ctx context.Context, n int, load func() ([]Entry, error)) ([]Entry, error) {
	for {
		slot, mine := c.slot(n)
		if mine {
			slot.entries, slot.err = load()
			if slot.err != nil {
				c.drop(n, slot)
			}
			close(slot.done)
			return slot.entries, slot.err
		}
		select {
		case <-slot.done:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		if slot.err == nil {
			return slot.entries, nil
		}
		ended := errors.Is(slot.err, context.Canceled) || errors.Is(slot.err, context.DeadlineExceeded)
		if !ended || ctx.Err() != nil {
			return nil, slot.err
		}
	}
}

// slot finds the slot of a chunk; mine is true for the caller who must fill it.
func (c *chunkCache) slot(n int) (slot *chunkSlot, mine bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	slot, found := c.slots[n]
	if found {
		c.used = slices.DeleteFunc(c.used, func(m int) bool { return m == n })
	} else {
		slot = &chunkSlot{done: make(chan struct{})}
		c.slots[n] = slot
	}
	c.used = append(c.used, n)
	if len(c.used) > cachedChunks {
		delete(c.slots, c.used[0])
		c.used = c.used[1:]
	}
	return slot, !found
}

func (c *chunkCache) drop(n int, slot *chunkSlot) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.slots[n] == slot {
		delete(c.slots, n)
		c.used = slices.DeleteFunc(c.used, func(m int) bool { return m == n })
	}
}
