package eventdriver

import (
	"sync"

	"github.com/deedrun/deed/events"
)

// Head is the end of a stream as a driver remembers it.
type Head struct {
	Version  uint64
	Position uint64 // of the last commit, for a driver whose backend compares that
}

// maxHeads bounds what is remembered: about 100 bytes each.
const maxHeads = 50_000

// Heads remembers the ends of the streams this process used last, so that a
// driver appends in one round trip. It is only a guess at the truth: the
// backend compares it, and a wrong one makes an append fail, never succeed.
//
// Two generations bound it: when the young one is full it becomes the old one,
// and what is used moves back.
type Heads struct {
	mu    sync.Mutex
	max   int
	young map[string]Head
	old   map[string]Head
}

// NewHeads remembers nothing yet.
func NewHeads() *Heads { return newHeads(maxHeads) }

func newHeads(most int) *Heads {
	return &Heads{max: most / 2, young: map[string]Head{}}
}

// Get is the end of a stream, if one is remembered that fits what is expected.
func (h *Heads) Get(stream string, expected events.Expected) (Head, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	known, ok := h.young[stream]
	if !ok {
		if known, ok = h.old[stream]; ok {
			h.add(stream, known)
		}
	}
	want, exact := expected.Version()
	if !ok || exact && known.Version != want {
		return Head{}, false
	}
	return known, true
}

// Put remembers an end, unless a later one is known.
func (h *Heads) Put(stream string, latest Head) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, m := range []map[string]Head{h.young, h.old} {
		if known, ok := m[stream]; ok && known.Version > latest.Version {
			return
		}
	}
	h.add(stream, latest)
}

func (h *Heads) add(stream string, latest Head) {
	if _, ok := h.young[stream]; !ok && len(h.young) >= h.max {
		h.old, h.young = h.young, map[string]Head{}
	}
	h.young[stream] = latest
}

// Drop forgets an end that was wrong, or that nobody knows any more.
func (h *Heads) Drop(stream string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.young, stream)
	delete(h.old, stream)
}
