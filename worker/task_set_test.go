package worker

import (
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/deedrun/deed/task"
)

func TestASetThatGrowsIsTheUnionOfWhatWasAdded(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var set taskSet
		var want task.Ranges
		for range rapid.IntRange(1, 60).Draw(t, "times") {
			r := task.Range{First: rapid.IntRange(0, 200).Draw(t, "first"), Count: rapid.IntRange(1, 10).Draw(t, "count")}
			free := task.Ranges{r}.Minus(want)
			require.Equal(t, free.Len() < r.Count, set.has(r))
			for _, r := range free {
				set.add(r)
			}
			want = want.Union(free)
			require.Equal(t, want, set.ranges)
		}
	})
}

func TestACursorGivesEachTaskOnceWithItsPlaceInTheMessageHoweverMuchIsPutBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		tasks := task.Of(rapid.SliceOfNDistinct(rapid.IntRange(0, 100), 1, 60, rapid.ID).Draw(t, "tasks")...)
		c := cursor{rest: tasks}
		var had task.Ranges
		for !c.empty() {
			require.Equal(t, tasks.Minus(had), c.left())
			require.Equal(t, tasks.Minus(had).Len(), c.len())
			most := rapid.IntRange(1, 20).Draw(t, "most")
			s := c.take(most)
			require.LessOrEqual(t, s.Count, most)
			require.Equal(t, ordinal(tasks, s.First), s.ordinal)
			if used := rapid.IntRange(1, s.Count).Draw(t, "used"); used < s.Count {
				rest := s
				rest.skip(used)
				s.Count = used
				c.putBack(rest)
			}
			require.Empty(t, task.Ranges{s.Range}.Minus(tasks.Minus(had)))
			had = had.Union(task.Ranges{s.Range})
		}
		require.Equal(t, tasks, had)
	})
}
