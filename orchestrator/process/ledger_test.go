package process

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/deedrun/deed/task"
)

func TestALedgerAgreesWithASetOfIndexes(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		const total = 3 * chunkSize
		var l ledger
		l.grow(total)
		done := map[int]bool{}
		tok := &token{}
		for range rapid.IntRange(1, 20).Draw(t, "rounds") {
			first := rapid.IntRange(0, total-1).Draw(t, "first")
			r := task.Span(first, rapid.IntRange(1, total-first).Draw(t, "count"))
			if rapid.Bool().Draw(t, "scattered") {
				r = task.Of(rapid.SliceOfN(rapid.IntRange(0, total-1), 1, 30).Draw(t, "indexes")...)
			}
			var open []int
			fresh := 0
			for i := range r.All() {
				if !done[i] {
					open = append(open, i)
					fresh++
				}
			}
			require.Equal(t, task.Of(open...).String(), l.open(r).String())
			if rapid.Bool().Draw(t, "confirm") {
				got, _ := l.close(tok, r)
				require.Equal(t, fresh, got)
				for i := range r.All() {
					done[i] = true
				}
			}
		}
	})
}

func TestAnEditLeavesTheStateItBeganFromAsItWas(t *testing.T) {
	s := decideAll(t, State{}, StartProcess{ID: "p", Definition: fanOut(0), Inputs: map[string]task.Dataset{"in": listOf(1000)}, At: start})
	before := s.Open("work", 0, task.Span(0, 1000)).Len()
	after := decideAll(t, s,
		ConfirmTasks{Address: "work", Attempt: 1, Tasks: task.Span(0, 600), At: start},
		FailTasks{Address: "work", Attempt: 1, Tasks: task.Span(700, 3), Error: "x", Verdict: task.Retry, At: start},
	)
	require.Equal(t, 1000, before)
	require.Equal(t, 1000, s.Open("work", 0, task.Span(0, 1000)).Len())
	require.Equal(t, 400, after.Open("work", 0, task.Span(0, 1000)).Len())
	require.True(t, s.IsCurrent("work", 701, 1))
	require.False(t, after.IsCurrent("work", 701, 1))
	require.False(t, after.IsCurrent("work", 701, 2), "it waits for its time")
}
