package nats

import "sync"

// head is the end of a stream: its version, and the log sequence of its last
// commit, which the server compares. The zero head is a stream without events.
type head struct {
	version uint64
	seq     uint64
}

// maxHeads bounds the cache: about 100 bytes each.
const maxHeads = 50_000

// heads remembers the ends of the streams this process appended to last, so
// that an append costs one round trip. It is only a guess at the truth: a
// wrong head makes an append fail, never succeed.
//
// Two generations bound it: when the young one is full it becomes the old one,
// and what is used moves back.
type heads struct {
	mu    sync.Mutex
	max   int
	young map[string]head
	old   map[string]head
}

func newHeads(most int) *heads {
	return &heads{max: most / 2, young: map[string]head{}}
}

func (h *heads) get(stream string) (head, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if found, ok := h.young[stream]; ok {
		return found, true
	}
	found, ok := h.old[stream]
	if ok {
		h.add(stream, found)
	}
	return found, ok
}

// put remembers a head, unless a later one is known.
func (h *heads) put(stream string, latest head) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, m := range []map[string]head{h.young, h.old} {
		if known, ok := m[stream]; ok && known.seq > latest.seq {
			return
		}
	}
	h.add(stream, latest)
}

func (h *heads) add(stream string, latest head) {
	if _, ok := h.young[stream]; !ok && len(h.young) >= h.max {
		h.old, h.young = h.young, map[string]head{}
	}
	h.young[stream] = latest
}

func (h *heads) drop(stream string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.young, stream)
	delete(h.old, stream)
}
