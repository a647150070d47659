package blob_test

import (
	"cmp"
	"fmt"
	"iter"
	"slices"
	"strings"
	"testing"

	"github.com/deedrun/deed/blob"
	"github.com/deedrun/deed/task"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"
)

// contribution is what one task wrote, by which kind of source it arrives.
type contribution struct {
	source int
	parts  []task.Produced
}

// drawContributions invents tasks, each with parts of several names and keys.
func drawContributions(t *rapid.T, sources int) []contribution {
	tasks := make([]contribution, rapid.IntRange(0, 30).Draw(t, "tasks"))
	for i := range tasks {
		tasks[i].source = rapid.IntRange(0, sources-1).Draw(t, "source")
		for n := range rapid.IntRange(0, 6).Draw(t, "parts") {
			key := rapid.SampledFrom([]string{"", "a", "a/b", "a b", "b", "ü"}).Draw(t, "key")
			data := rapid.SampledFrom([]string{"out", "out", "other"}).Draw(t, "data")
			tasks[i].parts = append(tasks[i].parts, task.Produced{Index: i, Data: data, Part: value(key, i*100+n)})
		}
	}
	return tasks
}

// reference is what a seal must give: the parts of the name, in the order of
// creation within a task, then by task, then by key.
func reference(tasks []contribution) []task.Part {
	var parts []task.Part
	for _, c := range tasks {
		for _, p := range c.parts {
			if p.Data == "out" {
				parts = append(parts, p.Part)
			}
		}
	}
	slices.SortStableFunc(parts, func(a, b task.Part) int { return strings.Compare(a.Key, b.Key) })
	return parts
}

func TestSealIsTheReference(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		store, err := blob.Open(t.Context(), "mem://")
		require.NoError(t, err)
		defer store.Close()
		const sources = 6
		tasks := drawContributions(rt, sources)
		seal := task.Seal{Data: "out"}
		for n := range sources {
			kind := rapid.SampledFrom([]string{"report", "inline", "both", "merged", "merged twice", "child"}).Draw(rt, "kind")
			seal.Sources = append(seal.Sources, source(t, store, kind, n, tasks)...)
		}
		data, err := store.Seal(t.Context(), "sealed", seal)
		require.NoError(t, err)
		want := task.Inline(reference(tasks))
		parts := want.Parts
		want.Parts, want.Manifest = nil, data.Manifest
		assert.Equal(t, want, data)
		assert.Equal(t, parts, sealed(t, store, data))
	})
}

// source brings the tasks of source n in, as one of the kinds of sources.
func source(t *testing.T, store *blob.Store, kind string, n int, tasks []contribution) []task.Source {
	if kind == "child" {
		return children(t, store, n, tasks)
	}
	return []task.Source{oneSource(t, store, kind, n, tasks)}
}

// children brings each task of source n in as what a process of its own wrote:
// a list that several tasks there contributed to.
func children(t *testing.T, store *blob.Store, n int, tasks []contribution) []task.Source {
	var sources []task.Source
	for i, c := range tasks {
		inner := task.Seal{Data: "inner", Sources: []task.Source{{}}}
		for k, p := range c.parts {
			if p.Data == "out" && c.source == n {
				inner.Sources[0].Parts = append(inner.Sources[0].Parts, task.Produced{Index: 7 + k/2, Data: "inner", Part: p.Part})
			}
		}
		data, err := store.Seal(t.Context(), fmt.Sprint("child/", i), inner)
		require.NoError(t, err)
		if data.Manifest != nil {
			sources = append(sources, task.Source{Merged: data.Manifest, Tasks: task.Of(i), Data: "out"})
		}
	}
	return sources
}

func oneSource(t *testing.T, store *blob.Store, kind string, n int, tasks []contribution) task.Source {
	var produced, foreign []task.Produced
	var indexes []int
	for i, c := range tasks {
		if c.source == n {
			produced = append(produced, c.parts...)
			indexes = append(indexes, i)
		} else {
			foreign = append(foreign, c.parts...) // written, but not confirmed by this report
		}
	}
	switch kind {
	case "inline":
		return task.Source{Parts: produced}
	case "both": // the parts of one name are inline, all others in the report
		if len(indexes) == 0 {
			return task.Source{}
		}
		var small, large []task.Produced
		for _, p := range produced {
			if p.Data == "out" {
				small = append(small, p)
			} else {
				large = append(large, p)
			}
		}
		ref, err := store.WriteReport(t.Context(), fmt.Sprint("report/", n), large)
		require.NoError(t, err)
		return task.Source{Report: &ref, Parts: append(foreign, small...), Tasks: task.Of(indexes...)}
	case "report":
		slices.SortStableFunc(produced, func(a, b task.Produced) int { return cmp.Compare(b.Index, a.Index) })
		ref, err := store.WriteReport(t.Context(), fmt.Sprint("report/", n), append(foreign, produced...))
		require.NoError(t, err)
		return task.Source{Report: &ref, Tasks: task.Of(indexes...)}
	}
	once := task.Seal{Data: "out", Sources: []task.Source{{Parts: produced}}}
	data, err := store.Seal(t.Context(), fmt.Sprint("merged/", n), once)
	require.NoError(t, err)
	if kind == "merged twice" && data.Manifest != nil {
		again := task.Seal{Data: "out", Sources: []task.Source{{Merged: data.Manifest}}}
		data, err = store.Seal(t.Context(), fmt.Sprint("merged again/", n), again)
		require.NoError(t, err)
	}
	return task.Source{Merged: data.Manifest}
}

func sealed(t *testing.T, store *blob.Store, data task.Dataset) []task.Part {
	t.Helper()
	if data.Manifest == nil {
		return nil
	}
	r, err := store.OpenManifest(t.Context(), *data.Manifest)
	require.NoError(t, err)
	return all(t, r.All(t.Context()))
}

func all(t *testing.T, seq iter.Seq2[task.Part, error]) []task.Part {
	t.Helper()
	var parts []task.Part
	for p, err := range seq {
		require.NoError(t, err)
		parts = append(parts, p)
	}
	return parts
}

func TestSeal(t *testing.T) {
	part := func(index int, key string) task.Produced {
		return task.Produced{Index: index, Data: "out", Part: value(key, index)}
	}
	t.Run("a report speaks for the tasks of its source only", func(t *testing.T) {
		store := open(t, "mem://")
		ref, err := store.WriteReport(t.Context(), "r", []task.Produced{part(1, "a"), part(2, "a"), part(3, "a")})
		require.NoError(t, err)
		data, err := store.Seal(t.Context(), "s", task.Seal{Data: "out", Sources: []task.Source{{Report: &ref, Tasks: task.Of(1, 3)}}})
		require.NoError(t, err)
		assert.Equal(t, []task.Part{value("a", 1), value("a", 3)}, sealed(t, store, data))
	})
	t.Run("inline parts are taken whole unless their source names tasks", func(t *testing.T) {
		store := open(t, "mem://")
		data, err := store.Seal(t.Context(), "s", task.Seal{Data: "out", Sources: []task.Source{
			{Parts: []task.Produced{part(1, "a"), part(2, "a")}},
			{Parts: []task.Produced{part(3, "a"), part(4, "a")}, Tasks: task.Of(4)},
		}})
		require.NoError(t, err)
		assert.Equal(t, []task.Part{value("a", 1), value("a", 2), value("a", 4)}, sealed(t, store, data))
	})
	t.Run("two sources that speak for the same task are refused", func(t *testing.T) {
		_, err := open(t, "mem://").Seal(t.Context(), "s", task.Seal{Data: "out", Sources: []task.Source{
			{Parts: []task.Produced{part(5, "a")}, Tasks: task.Span(0, 10)}, {Tasks: task.Of(9, 12)},
		}})
		require.ErrorContains(t, err, `seal "out": source 1: an earlier source speaks for some of its tasks 9, 12`)
	})
	t.Run("two earlier merges that hold the same task are refused", func(t *testing.T) {
		store := open(t, "mem://")
		merged, err := store.Seal(t.Context(), "m", task.Seal{Data: "out", Sources: []task.Source{{Parts: []task.Produced{part(5, "a")}}}})
		require.NoError(t, err)
		_, err = store.Seal(t.Context(), "s", task.Seal{Data: "out", Sources: []task.Source{{Merged: merged.Manifest}, {Merged: merged.Manifest}}})
		require.ErrorContains(t, err, "comes twice: two sources speak for the same task")
	})
	t.Run("a list of another process is what one task wrote, and another name's is not looked at", func(t *testing.T) {
		store := open(t, "mem://")
		child, err := store.Seal(t.Context(), "c", task.Seal{Data: "x", Sources: []task.Source{{Parts: []task.Produced{
			{Index: 8, Data: "x", Part: value("a", 80)}, {Index: 3, Data: "x", Part: value("a", 30)}, {Index: 5, Data: "x", Part: value("b", 50)},
		}}}})
		require.NoError(t, err)
		gone := *child.Manifest
		gone.Key = "gone"
		data, err := store.Seal(t.Context(), "s", task.Seal{Data: "out", Sources: []task.Source{
			{Parts: []task.Produced{part(1, "a"), part(3, "a"), part(3, "c")}},
			{Merged: child.Manifest, Tasks: task.Of(2), Data: "out"},
			{Merged: &gone, Tasks: task.Of(2), Data: "other"},
		}})
		require.NoError(t, err)
		assert.Equal(t, []task.Part{value("a", 1), value("a", 30), value("a", 80), value("a", 3), value("b", 50), value("c", 3)}, sealed(t, store, data))
	})
	t.Run("a list of another process that is said to be of two tasks is refused, and so is one of a task that has spoken", func(t *testing.T) {
		store := open(t, "mem://")
		child, err := store.Seal(t.Context(), "c", task.Seal{Data: "out", Sources: []task.Source{{Parts: []task.Produced{part(0, "a")}}}})
		require.NoError(t, err)
		_, err = store.Seal(t.Context(), "s", task.Seal{Data: "out", Sources: []task.Source{{Merged: child.Manifest, Tasks: task.Of(1, 2), Data: "out"}}})
		require.ErrorContains(t, err, "source 0: its list is said to be of the tasks 1–2, it can only be of one")
		_, err = store.Seal(t.Context(), "s", task.Seal{Data: "out", Sources: []task.Source{
			{Parts: []task.Produced{part(1, "b")}, Tasks: task.Of(1)}, {Merged: child.Manifest, Tasks: task.Of(1), Data: "out"},
		}})
		require.ErrorContains(t, err, "source 1: an earlier source speaks for some of its tasks 1")
	})
	t.Run("nothing to seal is an empty dataset", func(t *testing.T) {
		data, err := open(t, "mem://").Seal(t.Context(), "s", task.Seal{Data: "out", Sources: []task.Source{{}, {Parts: []task.Produced{{Data: "other", Part: value("a", 1)}}}}})
		require.NoError(t, err)
		assert.Equal(t, task.Inline(nil), data)
	})
}
