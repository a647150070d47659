package worker

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/task"
)

func TestAResultOfWhichAMessageWasLostSpeaksForTheOthersOnly(t *testing.T) {
	h := func() *holding {
		return &holding{header: &header{work: &task.Work{Process: "p", Address: "a", Attempt: 1}}}
	}
	kept, lost := h(), h()
	var l ledger
	for i, of := range []*holding{kept, kept, lost, kept, lost} {
		l.done(of, i, []task.Produced{{Index: i, Data: "d", Part: value("1")}}, 1)
	}
	require.Len(t, l.results, 1)
	r := l.results[0]
	lost.gone = true
	require.False(t, r.gone())
	r.trim()
	require.Equal(t, task.Of(0, 1, 3), r.Tasks)
	require.Len(t, r.Parts, 3)
	for _, p := range r.Parts {
		require.Contains(t, []int{0, 1, 3}, p.Index)
	}
	require.Equal(t, []share{{kept, task.Range{First: 0, Count: 2}}, {kept, task.Range{First: 3, Count: 1}}}, r.shares)
	kept.gone = true
	require.True(t, r.gone())
}
