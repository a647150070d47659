package process

import (
	"encoding/json"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/orchestrator/definition"
	"github.com/deedrun/deed/task"
)

// chronicle writes the history of one process, a command after the other, a
// second apart.
type chronicle struct {
	t       *testing.T
	s       State
	at      time.Time
	history []Event
}

func (c *chronicle) tell(command Command) {
	c.t.Helper()
	events, err := Decide(c.s, command)
	require.NoError(c.t, err, "%s", command)
	require.NotEmpty(c.t, events, "it led to nothing: %s", command)
	c.s = Fold(c.s, events...)
	require.NoError(c.t, c.s.Damage())
	c.history = append(c.history, events...)
	c.at = c.at.Add(time.Second)
}

func (c *chronicle) start(def definition.Definition, parts int) {
	c.t.Helper()
	c.tell(StartProcess{ID: "recorded", Definition: def, Inputs: map[string]task.Dataset{"in": listOf(parts)}, At: c.at})
}

// done confirms tasks at the generation their step has now: each writes one
// part to every name.
func (c *chronicle) done(address string, attempt int, tasks task.Ranges) {
	c.t.Helper()
	done := ConfirmTasks{
		Address: address, Generation: c.s.Generation(address), Attempt: attempt, Tasks: tasks,
		Worker: "worker-1", Elapsed: task.Duration(time.Duration(tasks.Len()) * 1500 * time.Millisecond), At: c.at,
	}
	work, err := Message(c.s, Enqueue{Address: address, Generation: done.Generation, Attempt: attempt}, tasks)
	require.NoError(c.t, err)
	if work.Seal != nil {
		n := len(work.Seal.Sources)
		done.Sealed = &task.Dataset{Count: n, Keys: 2, Bytes: int64(n), Digest: "d1", Manifest: &task.Manifest{
			Ref: task.Ref{Key: fmt.Sprintf("recorded/%s/%d", address, tasks[0].First), Size: 99, SHA256: "5a"}, IndexOffset: 70, IndexSize: 29, IndexSHA256: "1d",
		}}
		c.tell(done)
		return
	}
	for i := range tasks.All() {
		for _, out := range work.Outputs {
			p := task.Part{Key: fmt.Sprintf("k%d", i%2), Value: json.RawMessage(fmt.Sprint(i))}
			if i == 1 {
				p = task.Part{Key: "k1", Name: "one.txt", Ref: &task.Ref{Key: fmt.Sprintf("recorded/%s/1", address), Size: 7, SHA256: "ab"}}
			}
			done.Parts = append(done.Parts, task.Produced{Index: i, Data: out.Data, Part: p})
		}
	}
	c.tell(done)
}

// handedUp confirms a task with what its child wrote.
func (c *chronicle) handedUp(address string, attempt, index int, lists map[string]task.Dataset) {
	c.t.Helper()
	c.tell(ConfirmTasks{
		Address: address, Generation: c.s.Generation(address), Attempt: attempt, Tasks: task.Of(index), Lists: lists,
		Elapsed: task.Duration(3 * time.Second), At: c.at,
	})
}

// mergedList is a long list that lies in a manifest.
func mergedList(key string) task.Dataset {
	return task.Dataset{Count: 5000, Keys: 2, Bytes: 90_000, Digest: "d5", Manifest: &task.Manifest{
		Ref: task.Ref{Key: key, Size: 99, SHA256: "5a"}, IndexOffset: 70, IndexSize: 29, IndexSHA256: "1d",
	}}
}

// listed confirms tasks whose parts are listed in a manifest.
func (c *chronicle) listed(address string, tasks task.Ranges) {
	c.t.Helper()
	c.tell(ConfirmTasks{
		Address: address, Generation: c.s.Generation(address), Attempt: 1, Tasks: tasks,
		Manifest: &task.Ref{Key: fmt.Sprintf("recorded/report/%s", tasks), Size: 50, SHA256: "cd"}, Worker: "worker-2", At: c.at,
	})
}

func (c *chronicle) failed(address string, attempt int, tasks task.Ranges, verdict task.Verdict) {
	c.t.Helper()
	c.tell(FailTasks{
		Address: address, Generation: c.s.Generation(address), Attempt: attempt, Tasks: tasks,
		Error: "exit status 1: no such word", Verdict: verdict, Worker: "worker-1", At: c.at,
	})
}

func (c *chronicle) lost(address string, attempt int, tasks task.Ranges) {
	c.t.Helper()
	c.tell(LoseTasks{Address: address, Generation: c.s.Generation(address), Attempt: attempt, Tasks: tasks, Worker: "worker-2", At: c.at})
}

func (c *chronicle) timedOut(address string, attempt, index int) {
	c.t.Helper()
	c.tell(TryTimeoutTask{
		Address: address, Generation: c.s.Generation(address), Attempt: attempt, Index: index,
		Elapsed: task.Duration(time.Minute), Worker: "worker-1", At: c.at,
	})
}

func (c *chronicle) timer(address string, attempt int, tasks task.Ranges) {
	c.t.Helper()
	c.at = c.at.Add(time.Minute)
	c.tell(FireTimer{Address: address, Generation: c.s.Generation(address), Attempt: attempt, Tasks: tasks, At: c.at})
}

// asked is who asks for the next thing, and why.
func (c *chronicle) asked(why string) Asked {
	return Asked{By: "ada", Reason: why, Command: fmt.Sprintf("command-%d", len(c.history))}
}

// rest does whatever is waiting, until nothing is.
func (c *chronicle) rest() {
	c.t.Helper()
	for rounds := 0; !c.s.Ended(); rounds++ {
		require.Less(c.t, rounds, 100)
		next, ok := c.s.Outstanding()[0].(Enqueue)
		require.True(c.t, ok, "the rest waits for a timer")
		if len(next.Address) > len(SealPrefix) && next.Address[:len(SealPrefix)] == SealPrefix {
			next.Tasks = task.Span(next.Tasks[0].First, 1)
		}
		c.done(next.Address, next.Attempt, next.Tasks)
	}
}
