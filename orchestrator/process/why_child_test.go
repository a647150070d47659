package process

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/orchestrator/definition"
	"github.com/deedrun/deed/task"
)

func TestATaskThatIsAChildIsExplainedWithTheIDOfTheChild(t *testing.T) {
	x := tell(t, library(1), 2)
	require.Equal(t, "0/2 tasks are done\n2 tasks are under way as processes of their own", x.why("album", -1).said())
	task := x.why("album", 1)
	require.Equal(t, ChildID(Parent{Process: "p", Address: "album", Index: 1, Attempt: 1, Root: "p"}), task.Child)
	require.Contains(t, task.said(), "attempt 1 is a process of its own, "+task.Child)
	require.Empty(t, x.why("bind", 0).Child)
}

func TestAStepThatWasSkippedIsExplainedWithItsCondition(t *testing.T) {
	def := words()
	def.Steps[0].When = &definition.Condition{Text: "count(in) > 3", Expr: definition.Expr{Op: ">", Args: []definition.Expr{
		{Op: definition.OpCount, Name: "in"}, {Op: definition.OpValue, Value: []byte("3")},
	}}}
	x := tell(t, def, 2)
	why := x.why("count", -1)
	require.Equal(t, IsSkipped, why.Standing)
	require.Equal(t, "it did not hold that count(in) > 3 (when)", why.said())
	require.Contains(t, why.told(), "count skipped, since it does not hold that count(in) > 3")
}

func TestATaskThatWasReusedIsExplainedWithWhereItsResultComesFrom(t *testing.T) {
	x := tell(t, words(), 2)
	x.do(ReuseTasks{
		Address: "count", Attempt: 1, Tasks: task.Of(1), At: start,
		Origins: []task.Origin{{Index: 1, Attempt: task.Attempt{Process: "yesterday", Address: "count", Index: 4, Attempt: 2}}},
	})
	why := x.why("count", 1)
	require.Equal(t, IsConfirmed, why.Standing)
	require.Equal(t, "it was not executed: at 12:00:00 the result of an equal task was taken, yesterday/count[4] attempt 2", why.said())
	require.Contains(t, why.told(), "needless: the result is that of an equal task, yesterday/count[4] attempt 2")
	require.Contains(t, x.why("count", -1).said(), "1/2 tasks are done, 1 of them with results of earlier tasks")
}
