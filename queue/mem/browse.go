package mem

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/deedrun/deed/queue"
)

var _ queue.Browser = (*Queue)(nil)

// Browse lists messages of all lanes as they lie there, leased ones included.
func (q *Queue) Browse(ctx context.Context, after uint64, n int) ([]queue.Browsed, error) {
	if n < 1 {
		return nil, fmt.Errorf("browse queue: %d messages: ask for at least 1", n)
	}
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("browse queue: %w", err)
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	var found []*item
	for it := range q.items() {
		if it.number > after {
			found = append(found, it)
		}
	}
	slices.SortFunc(found, func(a, b *item) int { return cmp.Compare(a.number, b.number) })
	var all []queue.Browsed
	for _, it := range found[:min(n, len(found))] {
		all = append(all, queue.Browsed{
			Message: queue.Message{Lane: it.lane, Key: it.key, Body: bytes.Clone(it.body), Trace: it.trace}, Number: it.number, Sent: it.sent,
		})
	}
	return all, nil
}

// Remove removes a message for good, also one that somebody holds.
func (q *Queue) Remove(ctx context.Context, number uint64) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("remove from queue: %w", err)
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	for it := range q.items() {
		if it.number == number {
			q.remove(it)
			return nil
		}
	}
	return nil
}
