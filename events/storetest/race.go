package storetest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/events"
)

func contextOver(ctx context.Context) (context.Context, context.CancelFunc) {
	over, cancel := context.WithCancel(ctx)
	cancel()
	return over, cancel
}

func testRace(t *testing.T, backend Backend) {
	t.Run("of many who append at one version exactly one wins, and its event is the one stored", func(t *testing.T) {
		ctx, open := several(t, backend)
		const racers, versions = 12, 20
		stores := []*events.Store{open(), open(), open()}
		var mu sync.Mutex
		winners := map[uint64][]string{}
		var wg sync.WaitGroup
		for r := range racers {
			wg.Go(func() {
				s := stores[r%len(stores)]
				for v := range uint64(versions) {
					who := fmt.Sprintf("racer %d", r)
					_, err := s.Append(ctx, "a", events.Exactly(v), fmt.Sprintf("%d-%d", r, v), record(who))
					var lost *events.ConflictError
					switch {
					case err == nil:
						mu.Lock()
						winners[v] = append(winners[v], fmt.Sprintf("%q", who))
						mu.Unlock()
					case !errors.As(err, &lost):
						assert.NoError(t, err)
						return
					}
				}
			})
		}
		wg.Wait()
		stored := data(read(t, ctx, stores[0], "a", 0))
		require.Len(t, stored, versions)
		for v, who := range stored {
			assert.Equal(t, []string{who}, winners[uint64(v)], "version %d", v)
		}
	})

	t.Run("of many who append at any version none is lost, and each gets a version of its own", func(t *testing.T) {
		ctx, open := several(t, backend)
		stores := []*events.Store{open(), open()}
		const racers, each = 6, 10
		versions := make(chan uint64, racers*each)
		var wg sync.WaitGroup
		for r := range racers {
			wg.Go(func() {
				for i := range each {
					v, err := stores[r%2].Append(ctx, "a", events.Any(), fmt.Sprintf("%d-%d", r, i), numbered(r, 2)...)
					assert.NoError(t, err)
					versions <- v
				}
			})
		}
		wg.Wait()
		close(versions)
		seen := map[uint64]bool{}
		for v := range versions {
			seen[v] = true
		}
		assert.Len(t, seen, racers*each)
		assert.Len(t, read(t, ctx, stores[0], "a", 0), 2*racers*each)
	})

	t.Run("appends to different streams do not refuse each other", func(t *testing.T) {
		ctx, s := store(t, backend)
		var wg sync.WaitGroup
		for r := range 8 {
			wg.Go(func() {
				for v := range uint64(10) {
					_, err := s.Append(ctx, fmt.Sprintf("s%d", r), events.Exactly(v), fmt.Sprint(v), record("x"))
					assert.NoError(t, err)
				}
			})
		}
		wg.Wait()
	})
}
