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

func TestTheTaskOfAJoinReadsAllPartsOfItsKeyInWhateverOrderAnInputHasThem(t *testing.T) {
	other := task.Inline([]task.Part{{Key: "b", Name: "1"}, {Key: "a", Name: "2"}, {Key: "b", Name: "3"}})
	s := joining(t, map[string]task.Dataset{"in": keyed("c"), "other": other})
	w, err := Message(s, Enqueue{Address: "work", Attempt: 1}, task.Span(0, 3))
	require.NoError(t, err)
	require.Equal(t, []string{"a", "b", "c"}, w.Inputs[1].Keys)
	require.Equal(t, [][]task.Part{{{Key: "a", Name: "2"}}, {{Key: "b", Name: "1"}, {Key: "b", Name: "3"}}, nil}, w.Inputs[1].Lists)
}

func TestAMergedListWhoseKeysAreNotInOrderIsNotJoined(t *testing.T) {
	s := joining(t, map[string]task.Dataset{"in": keyed("a", "b"), "other": keyed("b", "a")})
	require.Equal(t, Failed, s.Status)
	require.Contains(t, s.Reason(), "other does not list its keys in order")
}

// BenchmarkJoin makes the messages of a join of as many keys as there may be.
func BenchmarkJoin(b *testing.B) {
	keys := make([]string, maxKeys)
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

func TestADefinitionThatJoinsAListBeingMergedWithoutItsKeysIsRefused(t *testing.T) {
	s := decideAll(t, State{},
		StartProcess{ID: "p", Definition: fanOut(0), Inputs: map[string]task.Dataset{"in": listOf(2)}, At: start},
		ConfirmTasks{Address: "work", Attempt: 1, Tasks: task.Span(0, 2), Manifest: &task.Ref{Key: "r", Size: 1}, At: start},
	)
	require.True(t, s.isMerging("out"))
	joins := fanOut(0)
	joins.Outputs, joins.Steps = nil, append(slices.Clip(joins.Steps), definition.Step{
		Address: "pair", Run: task.Run{Handler: "noop"},
		Each: &definition.Each{Binding: definition.Binding{Local: "in", Data: "in"}, ByKey: true, With: []definition.Binding{{Local: "out", Data: "out"}}},
	})
	_, err := Decide(s, ReviseProcess{Definition: joins, At: start})
	require.ErrorContains(t, err, "pair joins out by key, which is being merged without a list of its keys; write `by key into N`")

	joins.Steps[1].Each.Into = 2
	decideAll(t, s, ReviseProcess{Definition: joins, At: start})

	joins.Steps[1].Each.Into, joins.Steps[0].Run.Handler = 0, "other" // which begins anew, and is merged with its keys
	decideAll(t, s, ReviseProcess{Definition: joins, At: start})
}

func TestAStepThatBeginsAnewAsAJoinHasToKnowTheKeysToo(t *testing.T) {
	def := fanOut(0)
	def.Inputs, def.Steps[0].Each.ByKey = []string{"in", "other"}, true
	unknown := task.Dataset{Count: 5, Keys: 5, Manifest: manifestOf(1).Manifest}
	s := decideAll(t, State{}, StartProcess{ID: "p", Definition: withOther(def), Inputs: map[string]task.Dataset{"in": listOf(2), "other": unknown}, At: start})
	joins := withOther(def)
	each := *joins.Steps[0].Each
	each.With = []definition.Binding{{Local: "other", Data: "other"}}
	joins.Steps[0].Each = &each
	_, err := Decide(s, ReviseProcess{Definition: joins, At: start})
	require.ErrorContains(t, err, "work joins other by key, which was merged without a list of its keys")
}

// withOther has a second step, which reads the other input.
func withOther(d definition.Definition) definition.Definition {
	d.Steps = append(slices.Clone(d.Steps), definition.Step{
		Address: "rest", Run: task.Run{Handler: "noop"}, In: []definition.Binding{{Local: "other", Data: "other"}},
	})
	return d
}
