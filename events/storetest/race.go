package storetest

import (
	"errors"
	"fmt"
	"sync"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/events"
)

// racing is many at once. That versions agree in every interleaving is one
// behaviour (linear.go); the others are about what is stored.
var racing = []behaviour{
	{"of many who append at one version exactly one wins, and its event is the one stored", func(t *trial) {
		const racers, versions = 12, 16
		stores := []*events.Store{t.open(), t.open(), t.open()}
		t.put(stores[0], "a", events.NoStream(), "begin", record("begin"))
		var mu sync.Mutex
		winners := map[uint64][]string{}
		var all sync.WaitGroup
		for r := range racers {
			all.Go(func() {
				who := fmt.Sprintf("racer %d", r)
				for v := uint64(1); v <= versions; v++ {
					_, err := stores[r%len(stores)].Append(t.ctx, "a", events.Exactly(v), fmt.Sprintf("%d-%d", r, v), record(who))
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
		all.Wait()
		stored := data(t.read(t.open(), "a", 1))
		require.Len(t, stored, versions)
		for i, who := range stored {
			assert.Equal(t, []string{who}, winners[uint64(i)+1], "version %d", i+1)
		}
	}},

	{"of many who append at any version each is stored, whole", func(t *trial) {
		const racers, each = 6, 8
		stores := []*events.Store{t.open(), t.open()}
		t.put(stores[0], "a", events.NoStream(), "begin", record("begin"))
		var all sync.WaitGroup
		for r := range racers {
			all.Go(func() {
				for i := range each {
					_, err := stores[r%len(stores)].Append(t.ctx, "a", events.Any(), fmt.Sprintf("%d-%d", r, i), record(fmt.Sprint(r)), record(fmt.Sprint(i)))
					assert.NoError(t, err)
				}
			})
		}
		all.Wait()
		seen := map[string]bool{}
		for _, c := range t.commits(t.open(), "a", 1) {
			require.Len(t, c.Events, 2)
			seen[fmt.Sprintf("%s-%s", c.Events[0].Data, c.Events[1].Data)] = true
		}
		assert.Len(t, seen, racers*each)
	}},

	{"appends to different streams do not get into each other's way", func(t *trial) {
		s := t.open()
		var all sync.WaitGroup
		for r := range 8 {
			all.Go(func() {
				for v := range uint64(8) {
					_, err := s.Append(t.ctx, fmt.Sprintf("s%d", r), events.Exactly(v), fmt.Sprintf("%d-%d", r, v), record("x"))
					assert.NoError(t, err)
				}
			})
		}
		all.Wait()
	}},

	{"racing appends and reads of the version are linearizable", linearizable},

	{"what one store wrote the others read at once", func(t *trial) {
		stores := []*events.Store{t.open(), t.open(), t.open()}
		for i := range 9 {
			t.put(stores[i%3], "a", events.Exactly(uint64(i)), fmt.Sprint("c", i), numbered(i, 1)...)
			for _, s := range stores {
				assert.Equal(t, numbers(0, i), data(t.read(s, "a", 0)))
			}
		}
	}},

	{"a reader beside a writer sees whole commits, in order, and never fewer than before", func(t *trial) {
		s := t.open()
		const commits = 30
		begins := make(chan int) // a commit, which is then appended while the reader reads
		var writer sync.WaitGroup
		defer writer.Wait()
		writer.Go(func() {
			defer close(begins)
			for i := range commits {
				select {
				case begins <- i:
				case <-t.ctx.Done():
					return
				}
				_, err := s.Append(t.ctx, "a", events.Exactly(uint64(3*i)), fmt.Sprint("c", i), numbered(3*i, 3)...)
				assert.NoError(t, err)
			}
		})
		for i := range begins {
			for range 3 {
				list := t.commits(s, "a", 0)
				assert.GreaterOrEqual(t, len(list), i, "what was acknowledged before is there")
				assert.LessOrEqual(t, len(list), i+2, "and what the writer has begun")
				for i, c := range list {
					assert.EqualValues(t, 3*i, c.First)
					assert.Len(t, c.Events, 3)
				}
			}
		}
		assert.Len(t, t.commits(s, "a", 0), commits)
	}},
}
