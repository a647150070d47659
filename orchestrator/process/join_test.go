package process

import (
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/orchestrator/definition"
	"github.com/deedrun/deed/task"
)

// joining starts a process whose only step joins these lists by key.
func joining(t testing.TB, lists map[string]task.Dataset) State {
	t.Helper()
	def := fanOut(0)
	def.Inputs = []string{"in", "other"}
	def.Steps[0].Each.ByKey, def.Steps[0].Each.With = true, []definition.Binding{{Local: "other", Data: "other"}}
	return decideAll(t, State{}, StartProcess{ID: "p", Definition: def, Inputs: lists, At: start})
}

// keyed is a list in a manifest that has these keys.
func keyed(keys ...string) task.Dataset {
	return task.Dataset{Count: len(keys), Keys: len(keys), KeyNames: keys, Manifest: manifestOf(1).Manifest}
}

func TestTheTasksOfAJoinHaveItsKeysInOrderWhicheverOfThemAreAskedFor(t *testing.T) {
	other := task.Inline([]task.Part{{Key: "b", Name: "1"}, {Key: "b", Name: "2"}, {Key: "d"}, {Key: "f"}})
	s := joining(t, map[string]task.Dataset{"in": keyed("a", "b", "c", "f"), "other": other})
	want := []string{"a", "b", "c", "d", "f"}
	require.Equal(t, len(want), s.nodes[0].total)
	for mask := 1; mask < 1<<len(want); mask++ {
		var tasks []int
		var keys []string
		for i, key := range want {
			if mask>>i&1 == 1 {
				tasks, keys = append(tasks, i), append(keys, key)
			}
		}
		w, err := Message(s, Enqueue{Address: "work", Attempt: 1}, task.Of(tasks...))
		require.NoError(t, err)
		require.Equal(t, keys, w.Inputs[0].Keys)
		require.Equal(t, keys, w.Inputs[1].Keys)
		for k, list := range w.Inputs[1].Lists {
			wants := slices.DeleteFunc(slices.Clone(other.Parts), func(p task.Part) bool { return p.Key != keys[k] })
			require.ElementsMatch(t, wants, list, keys[k])
		}
	}
	require.Equal(t, "d", s.Element("work", 3))
}

func TestAListThatIsNotInTheOrderOfItsKeysIsNotJoined(t *testing.T) {
	for _, other := range []task.Dataset{keyed("b", "a"), task.Inline([]task.Part{{Key: "b"}, {Key: "a"}, {Key: "b"}})} {
		s := joining(t, map[string]task.Dataset{"in": keyed("a", "b"), "other": other})
		require.Equal(t, Failed, s.Status)
		require.Contains(t, s.Reason(), "other does not list its parts in the order of their keys")
	}
}

// BenchmarkJoin makes the messages of a join of as many keys as there may be.
func BenchmarkJoin(b *testing.B) {
	keys := make([]string, MaxKeys)
	for i := range keys {
		keys[i] = fmt.Sprintf("%05d", i)
	}
	s := joining(b, map[string]task.Dataset{"in": keyed(keys...), "other": keyed(keys...)})
	for b.Loop() {
		for i := range keys {
			if _, err := Message(s, Enqueue{Address: "work", Attempt: 1}, task.Span(i, 1)); err != nil {
				b.Fatal(err)
			}
		}
	}
}
