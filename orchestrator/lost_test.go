package orchestrator

import (
	"context"
	"iter"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/events"
	memevents "github.com/deedrun/deed/events/mem"
	"github.com/deedrun/deed/task"
)

// shortened is an event store whose disk lost the last commits of one stream:
// they cannot be read, and nothing can be written after them.
type shortened struct {
	events.Driver
	stream string
	left   uint64 // events that can be read
}

func (s *shortened) Read(ctx context.Context, stream string, after uint64) iter.Seq2[events.Commit, error] {
	return func(yield func(events.Commit, error) bool) {
		for c, err := range s.Driver.Read(ctx, stream, after) {
			if stream == s.stream && err == nil && c.Version() > s.left || !yield(c, err) {
				return
			}
		}
	}
}

func (s *shortened) Last(ctx context.Context, stream string) (events.Commit, bool, error) {
	if stream == s.stream {
		return events.Commit{}, false, nil
	}
	return s.Driver.Last(ctx, stream)
}

func (s *shortened) Append(ctx context.Context, stream string, expected events.Expected, c events.Commit) (uint64, error) {
	if stream == s.stream {
		return 0, &events.ConflictError{Stream: stream, Expected: expected, Actual: 0}
	}
	return s.Driver.Append(ctx, stream, expected, c)
}

func TestAProcessWhoseLastEventsAreLostStandsStillAndHoldsUpNobody(t *testing.T) {
	r := newRig(t)
	disk := memevents.New()
	r.on(disk)
	r.send("hurt", fanOut(), 3)
	r.step()
	require.Len(t, r.received(), 3)
	left := r.state("hurt").Version
	r.report("hurt", done(task.Span(0, 1)))
	r.step()

	r.on(&shortened{disk, "process-hurt", left})
	r.report("hurt", done(task.Span(1, 1)))
	answer := r.send("hurt", fanOut(), 3)
	healthy := r.send("healthy", fanOut(), 1)
	r.step()
	a := r.answer(answer)
	assert.Contains(t, a.Error, `"process-hurt" is damaged`)
	assert.Contains(t, a.Error, "restore the data from a copy")
	assert.Equal(t, 1, quarantined(r), "the report that cannot be counted is kept")
	a = r.answer(healthy)
	assert.Empty(t, a.Error)

	for range 10 {
		r.pass(lease)
		r.step()
		for _, w := range r.received() {
			assert.Equal(t, "healthy", w.Process, "no work is sent whose results cannot be stored")
		}
	}
}

func quarantined(r *rig) int {
	deliveries, err := r.bad.Receive(r.ctx, 10, time.Duration(0))
	require.NoError(r.t, err)
	return len(deliveries)
}
