package orchestrator

import (
	"maps"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/deedrun/deed/orchestrator/process"
	"github.com/deedrun/deed/task"
)

func TestMarksAgreeWithASetOfTasks(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var m marks
		set := map[int]bool{}
		for range rapid.IntRange(1, 10).Draw(t, "changes") {
			tasks := task.Span(rapid.IntRange(0, 300).Draw(t, "first"), rapid.IntRange(0, 200).Draw(t, "count"))
			adds := rapid.Bool().Draw(t, "adds")
			for i := range tasks.All() {
				set[i] = adds
			}
			if adds {
				m.add(tasks)
			} else {
				m.remove(tasks)
			}
		}
		maps.DeleteFunc(set, func(_ int, in bool) bool { return !in })
		want := task.Of(slices.Collect(maps.Keys(set))...)
		require.Equal(t, want.Len(), m.count())
		var all marks
		all.add(want)
		require.Equal(t, string(all), string(m))
	})
}

func TestAHistoryThatSkipsTasksWhichNoStepCanHaveIsFoldedAsQuickly(t *testing.T) {
	p := &listed{Started: map[string]listedStep{"work": {Tasks: 3}}}
	everything := task.Span(0, task.MaxIndex)
	for range 10 { // of each index it would take minutes
		p.apply(process.TasksSkipped{Address: "work", Attempt: 1, Tasks: everything})
		p.apply(process.ProcessRetried{Tasks: []process.Reopened{{Address: "work", Tasks: everything}}})
	}
	p.apply(process.TasksSkipped{Address: "work", Attempt: 1, Tasks: task.Of(1, task.MaxIndex-1)})
	require.Equal(t, 1, p.summary().Skipped)
	require.LessOrEqual(t, len(p.Started["work"].Skipped), process.MaxTasks/8+8)
}

func TestAListIsStoredAsEarlierVersionsStoredIt(t *testing.T) {
	p := newListed(Summary{ID: "p"})
	p.Started["work"] = listedStep{Tasks: 100, Confirmed: 3}
	p.apply(process.TasksSkipped{Address: "work", Attempt: 1, Tasks: task.Of(1, 70)})
	require.Contains(t, asJSON(t, p), `"version":0,"started":{"work":{"tasks":100,"confirmed":3,"skipped":"AgAAAAAAAABAAAAAAAAAAA=="}}}`)
	p.apply(process.ProcessRetried{Tasks: []process.Reopened{{Address: "work", Tasks: task.Of(1, 70)}}})
	require.Contains(t, asJSON(t, p), `"started":{"work":{"tasks":100,"confirmed":3}}}`)
}
