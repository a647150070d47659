package whole_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/events"
	"github.com/deedrun/deed/events/esdb"
	"github.com/deedrun/deed/internal/esdbtest"
)

// witness writes down which appends were acknowledged.
type witness struct {
	events.Driver
	mu      sync.Mutex
	acked   map[string]uint64 // by commit: the version of its stream
	refused int               // appends of which nothing is known
}

func (w *witness) Append(ctx context.Context, stream string, expected events.Expected, c events.Commit) (uint64, error) {
	version, err := w.Driver.Append(ctx, stream, expected, c)
	w.mu.Lock()
	defer w.mu.Unlock()
	if err == nil {
		w.acked[stream+" "+c.ID] = version
	} else if errors.Is(err, events.ErrUnavailable) {
		w.refused++
	}
	return version, err
}

func TestWhateverHappensToTheEventStoreWhatItAcknowledgedIsThereOnceAndTheAnswerIsRight(t *testing.T) {
	t.Parallel()
	for seed := range uint64(3) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			t.Parallel()
			ctx, stop := context.WithTimeout(t.Context(), time.Minute)
			defer stop()
			random := rand.New(rand.NewPCG(seed, 2))
			first, err := esdbtest.Start(esdbtest.Options{})
			require.NoError(t, err)
			defer first.Stop()
			second, err := first.Join()
			require.NoError(t, err)
			defer second.Stop()
			nodes := []*esdbtest.Server{first, second}
			for _, n := range nodes {
				planFaults(n, random)
			}
			address := fmt.Sprintf("esdb://%s,%s?tls=false", first.Address(), second.Address())

			w := &witness{Driver: must(esdb.Open(ctx, address, esdb.Options{})), acked: map[string]uint64{}}
			store := events.New(w)
			defer store.Close()
			ended := runOn(ctx, t, store)
			over := make(chan struct{})
			disturbed := disturb(ctx, nodes, random, over)
			err = <-ended
			close(over)
			require.NoError(t, err)
			did := <-disturbed
			require.NoError(t, did.err)

			appends := first.Calls(esdbtest.Append) + second.Calls(esdbtest.Append)
			t.Logf("%d commits in %d calls; of %d appends it was not known what became of them; %s", len(w.acked), appends, w.refused, did)
			require.Greater(t, len(w.acked), 100)
			require.Greater(t, appends, len(w.acked)+20, "faults were met")
			require.Positive(t, did.restarts)
			requireStored(ctx, t, address, w.acked)
		})
	}
}

// planFaults plans what goes wrong with the calls of a node: one append in
// three, one read in eight.
func planFaults(n *esdbtest.Server, random *rand.Rand) {
	faults := []esdbtest.Fault{
		esdbtest.CutBefore, esdbtest.CutAfter, esdbtest.CutAfter, esdbtest.NotReady, esdbtest.TimedOut, esdbtest.Delay(20 * time.Millisecond),
	}
	for range 2000 {
		var inAppend, inRead esdbtest.Fault
		if random.IntN(3) == 0 {
			inAppend = faults[random.IntN(len(faults))]
		}
		if random.IntN(8) == 0 {
			inRead = faults[random.IntN(len(faults))]
		}
		n.Next(esdbtest.Append, inAppend)
		n.Next(esdbtest.Read, inRead)
	}
}

// disturbance is what happened to the nodes as a whole.
type disturbance struct {
	cuts, restarts, elections int
	err                       error
}

func (d disturbance) String() string {
	return fmt.Sprintf("%d cuts, %d restarts, %d elections", d.cuts, d.restarts, d.elections)
}

// disturb cuts, restarts and elects nodes, one of these every few appends that
// they are asked for, until the run is over.
func disturb(ctx context.Context, nodes []*esdbtest.Server, random *rand.Rand, over <-chan struct{}) <-chan disturbance {
	done := make(chan disturbance, 1)
	go func() {
		var d disturbance
		defer func() { done <- d }()
		look := time.NewTicker(time.Millisecond)
		defer look.Stop()
		for next := 5; d.err == nil; {
			select {
			case <-over:
				return
			case <-ctx.Done():
				return
			case <-look.C:
			}
			calls := 0
			for _, n := range nodes {
				calls += n.Calls(esdbtest.Append)
			}
			if calls < next {
				continue
			}
			next = calls + 3 + random.IntN(12)
			node := nodes[random.IntN(len(nodes))]
			switch x := random.IntN(6); {
			case x < 2:
				d.cuts++
				node.Cut()
			case x < 4:
				d.restarts++
				d.err = node.Restart()
			default:
				d.elections++
				node.Lead()
			}
		}
	}()
	return done
}
