package esdb

import "sync"

// maxHeads bounds the cache: about 100 bytes each.
const maxHeads = 50_000

// heads remembers the versions of the streams this process used last, so that
// an append costs one round trip. It is only a guess at the truth: a wrong
// version makes an append fail, never succeed.
//
// Two generations bound it: when the young one is full it becomes the old one,
// and what is used moves back.
type heads struct {
	mu    sync.Mutex
	max   int
	young map[string]uint64
	old   map[string]uint64
}

func newHeads(most int) *heads {
	return &heads{max: most / 2, young: map[string]uint64{}}
}

func (h *heads) get(stream string) (uint64, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if version, ok := h.young[stream]; ok {
		return version, true
	}
	version, ok := h.old[stream]
	if ok {
		h.add(stream, version)
	}
	return version, ok
}

// put remembers a version, unless a later one is known.
func (h *heads) put(stream string, version uint64) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, m := range []map[string]uint64{h.young, h.old} {
		if known, ok := m[stream]; ok && known > version {
			return
		}
	}
	h.add(stream, version)
}

func (h *heads) add(stream string, version uint64) {
	if _, ok := h.young[stream]; !ok && len(h.young) >= h.max {
		h.old, h.young = h.young, map[string]uint64{}
	}
	h.young[stream] = version
}

func (h *heads) drop(stream string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.young, stream)
	delete(h.old, stream)
}
