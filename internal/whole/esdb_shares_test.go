package whole_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed"
	"github.com/deedrun/deed/blob"
	"github.com/deedrun/deed/events"
	"github.com/deedrun/deed/events/esdb"
	"github.com/deedrun/deed/orchestrator"
	"github.com/deedrun/deed/orchestrator/definition"
	"github.com/deedrun/deed/orchestrator/process"
	memqueue "github.com/deedrun/deed/queue/mem"
	"github.com/deedrun/deed/worker"
)

var shares = []int{70, 60, 50, 40, 30}

// runOn runs a process for each share, of as many tasks, with queues in memory,
// and says, when all is over, whether they have ended with the right answers.
func runOn(ctx context.Context, t *testing.T, store *events.Store) <-chan error {
	q := memqueue.Options{Lease: 2 * time.Second}
	inbox, work, bad, signals := memqueue.NewSharded(q), memqueue.NewQueue(q), memqueue.NewQueue(q), memqueue.NewSignals()
	blobs := must(blob.Open(ctx, "mem://"))
	t.Cleanup(func() { _ = blobs.Close() })
	silent := slog.New(slog.DiscardHandler)
	owner := must(orchestrator.NewOwner(orchestrator.Options{
		Events: store, Inbox: inbox, Work: work, Quarantine: bad, Signals: signals, First: true, Log: silent,
		Snapshots: &orchestrator.Snapshots{Blobs: blobs, Every: 15, Log: silent}, Window: 8,
	}))
	hand := must(worker.New(worker.Options{
		Work: work, Inbox: inbox, Quarantine: bad, Signals: signals, Blobs: blobs, Registry: takers(), Slots: 4, Log: silent,
	}))
	running, stop := context.WithCancel(ctx)
	var group sync.WaitGroup
	group.Go(func() { _ = owner.Run(running); owner.Close() }) // until it is stopped
	group.Go(func() { assert.NoError(t, hand.Run(context.WithoutCancel(ctx))) })

	client := &orchestrator.Client{Events: store, Inbox: inbox, Signals: signals, Patient: true}
	ended := make(chan error, 1)
	go func() {
		var all sync.WaitGroup
		results := make([]error, len(shares))
		for i, n := range shares {
			all.Go(func() { results[i] = oneShare(ctx, client, blobs, fmt.Sprintf("p%d", i), n) })
		}
		all.Wait()
		hand.Close()
		stop()
		group.Wait() // the owner hears of an append later than whoever follows
		ended <- errors.Join(results...)
	}()
	return ended
}

const shareOut = `
deed: v1
name: share-out
inputs: [numbers]
steps:
  take: {run: take, each: numbers, out: [taken], parallelism: 2}
  add:  {run: add, in: {numbers: taken}, out: {sum: total}}
outputs: [total]
`

func oneShare(ctx context.Context, client *orchestrator.Client, blobs *blob.Store, id string, n int) error {
	def, faults := definition.Resolve(deed.MustParse(shareOut), nil, nil, nil)
	if len(faults) > 0 {
		return fmt.Errorf("%v", faults)
	}
	if _, err := client.Start(ctx, process.StartProcess{ID: id, Definition: def, Inputs: numbers(upTo(n)...)}); err != nil {
		return err
	}
	for s, err := range client.Follow(ctx, id) {
		if err != nil {
			return err
		}
		if !s.Ended() {
			continue
		}
		total, _ := s.Data("total")
		if s.Status != process.Completed || len(total.Parts) != 1 {
			return fmt.Errorf("process %s is %s: %s", id, s.Status, s.Reason())
		}
		in, err := blobs.OpenPart(ctx, total.Parts[0])
		if err != nil {
			return err
		}
		defer in.Close()
		if text, err := io.ReadAll(in); err != nil || string(text) != fmt.Sprint(n*(n-1)/2) {
			return fmt.Errorf("process %s: its total is %q: %w", id, text, err)
		}
		return nil
	}
	return fmt.Errorf("process %s: nothing more was heard of it: %w", id, ctx.Err())
}

// requireStored reads all that is in the store, by a connection of its own.
func requireStored(ctx context.Context, t *testing.T, address string, acked map[string]uint64) {
	t.Helper()
	store := events.New(must(esdb.Open(ctx, address, esdb.Options{})))
	defer store.Close()
	stored := map[string]uint64{}
	ids := map[string]bool{}
	confirmed := map[string]bool{}
	for i, n := range shares {
		stream, tasks := fmt.Sprintf("process-p%d", i), 0
		for c, err := range store.ReadCommits(ctx, stream, 0) {
			require.NoError(t, err)
			require.NotContains(t, stored, stream+" "+c.ID, "a commit twice")
			stored[stream+" "+c.ID] = c.Version()
			for e := range c.All() {
				require.False(t, ids[e.ID], "an event twice: %s", e.ID)
				ids[e.ID] = true
				decoded, err := process.Decode(process.Stored{Type: e.Type, Schema: e.Schema, Data: e.Data})
				require.NoError(t, err)
				if c, ok := decoded.(process.TasksConfirmed); ok && c.Address == "take" {
					tasks += c.Tasks.Len()
					for i := range c.Tasks.All() {
						name := fmt.Sprint(stream, i)
						require.False(t, confirmed[name], "confirmed twice: %s", name)
						confirmed[name] = true
					}
				}
			}
		}
		require.Equal(t, n, tasks)
	}
	for name, version := range acked {
		require.Equal(t, version, stored[name], "acknowledged, and not stored: %s", strings.TrimSpace(name))
	}
}
