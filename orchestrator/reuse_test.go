package orchestrator

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/blob"
	"github.com/deedrun/deed/orchestrator/definition"
	"github.com/deedrun/deed/orchestrator/process"
	"github.com/deedrun/deed/task"
)

// cacheRig is a rig with a cache. The test plays the workers, and leaves results
// as they do.
func cacheRig(t *testing.T) (*rig, *blob.Store) {
	r := newRig(t)
	blobs := newBlobs(t)
	r.options.Cache = &Cache{Blobs: blobs, Log: r.options.Log}
	r.restart()
	return r, blobs
}

func reusing(s *definition.Step) { s.Cache, s.Run = definition.CacheUse, task.Run{Handler: "any@1"} }

func unpinned(s *definition.Step) { s.Run.Handler = "any" }

// begin starts a process that reads values, one a task.
func (r *rig) begin(id string, def definition.Definition, values ...int) {
	r.t.Helper()
	var in []task.Part
	for _, v := range values {
		in = append(in, task.Part{Value: json.RawMessage(fmt.Sprint(v))})
	}
	r.give(id, startOf(id, def, task.Inline(in)), "")
	r.step()
}

// execute does what is on the work queue, as a worker with that version does.
func (r *rig) execute(blobs *blob.Store, version string) (executed task.Ranges) {
	r.t.Helper()
	for _, w := range r.received() {
		for k, i := range indexesOf(w) {
			part := task.Produced{Index: i, Data: "out", Part: task.Part{Value: json.RawMessage(fmt.Sprintf("%q", "result of "+string(w.Inputs[0].Lists[k][0].Value)))}}
			inputs, known := w.KnownInputs(k)
			require.True(r.t, known)
			entry := blob.Cached{Origin: w.At(i), Ingredients: w.Ingredients(version, inputs), Parts: []task.Produced{part}}
			entry.Key = task.CacheKey(entry.Ingredients)
			if w.Reusable() {
				require.NoError(r.t, blobs.Cache().Store(r.t.Context(), entry, "unused"))
			}
			result := done(task.Span(i, 1))
			result.Attempt, result.Parts = w.Attempt, []task.Produced{part}
			r.report(w.Process, result)
			executed = executed.Union(task.Span(i, 1))
		}
	}
	r.step()
	return executed
}

func indexesOf(w task.Work) []int {
	var all []int
	for i := range w.Tasks.All() {
		all = append(all, i)
	}
	return all
}

func (r *rig) outputs(id string) (all []string) {
	r.t.Helper()
	s := r.state(id)
	require.Equal(r.t, process.Completed, s.Status, "%s", s.Reason())
	data, _ := s.Data("out")
	for _, p := range data.Parts {
		all = append(all, string(p.Value))
	}
	return all
}

func (r *rig) reusedIn(id string) (reused task.Ranges, origins []task.Origin) {
	r.t.Helper()
	for _, e := range happened(r.t, &Archive{Events: r.store}, id) {
		if e, ok := e.(process.TasksReused); ok {
			reused, origins = reused.Union(e.Tasks), append(origins, e.Origins...)
		}
	}
	return reused, origins
}

func TestATaskThatRanEarlierCostsNoWorker(t *testing.T) {
	r, blobs := cacheRig(t)
	def := fanOut(reusing)
	r.begin("a", def, 1, 2, 3)
	require.Equal(t, task.Span(0, 3), r.execute(blobs, "1"))
	want := r.outputs("a")

	def.Version = "2"
	r.begin("b", def, 1, 2, 3)
	require.Empty(t, r.received())
	require.Equal(t, want, r.outputs("b"))
	reused, origins := r.reusedIn("b")
	require.Equal(t, task.Span(0, 3), reused)
	require.Len(t, origins, 3)
	require.Equal(t, task.Attempt{Process: "a", Address: "work", Index: 1, Attempt: 1}, origins[1].Attempt)
	require.Equal(t, 3, r.state("b").Steps()[0].Reused)
}

func TestWhatChangedIsExecutedBesideWhatIsReused(t *testing.T) {
	r, blobs := cacheRig(t)
	r.begin("a", fanOut(reusing), 1, 2, 3, 4)
	r.execute(blobs, "1")
	r.begin("b", fanOut(reusing), 1, 20, 3, 4, 5)
	work := r.received()
	require.Equal(t, task.Of(1, 4), indexes(work))
	for _, w := range work {
		require.True(t, w.Cache && w.Refresh, "it need not be looked for again")
		require.Equal(t, "fan-out", w.Scope)
	}
	reused, _ := r.reusedIn("b")
	require.Equal(t, task.Of(0, 2, 3), reused)
	require.Equal(t, process.Running, r.state("b").Status)
}

func TestProcessesOfOtherDefinitionsAndOtherVersionsShareNothing(t *testing.T) {
	r, blobs := cacheRig(t)
	r.begin("a", fanOut(reusing), 1)
	r.execute(blobs, "1")
	other := fanOut(reusing)
	other.Name = "fan-in"
	r.begin("b", other, 1)
	require.Equal(t, task.Span(0, 1), r.execute(blobs, "1"))
	r.begin("c", fanOut(reusing, func(s *definition.Step) { s.Run.Handler = "any@2" }), 1)
	require.Equal(t, task.Span(0, 1), r.execute(blobs, "2"))
}

func TestWhoSaysNoCacheExecutesAndLeavesItsResults(t *testing.T) {
	r, blobs := cacheRig(t)
	r.begin("a", fanOut(reusing), 1)
	r.execute(blobs, "1")
	r.begin("b", fanOut(reusing, func(s *definition.Step) { s.Cache = definition.CacheRefresh }), 1)
	require.Equal(t, task.Span(0, 1), r.execute(blobs, "1"))
	r.begin("c", fanOut(reusing), 1)
	_, origins := r.reusedIn("c")
	require.Equal(t, "b", origins[0].Attempt.Process)
	r.begin("d", fanOut(), 1)
	require.Len(t, r.received(), 1, "a step without a cache")
}

func TestTheVersionOfAHandlerIsThatOfTheWorkersIfTheyAgree(t *testing.T) {
	r, blobs := cacheRig(t)
	def := fanOut(reusing, unpinned)
	offer := func(worker, version string) {
		r.beat(task.Heartbeat{Worker: worker, Slots: 100, Handlers: []string{"any", "any@" + version}, Versions: map[string]string{"any": version}})
		r.step()
	}
	looked := func(id string) bool {
		r.begin(id, def, 1)
		work := r.received()
		require.Len(t, work, 1)
		return work[0].Refresh
	}
	require.False(t, looked("nobody-is-there"))
	offer("w1", "1")
	require.True(t, looked("they-agree"))
	r.begin("a", def, 1)
	r.execute(blobs, "1")
	r.begin("b", fanOut(reusing), 1)
	require.Empty(t, r.received(), "pinned to the version that they have")
	offer("w2", "2")
	require.False(t, looked("they-differ"))
	r.beat(task.Heartbeat{Worker: "w1", Leaving: true})
	r.step()
	require.True(t, looked("the-other-version"))
	r.begin("c", def, 1)
	require.Len(t, r.received(), 1, "which has not run it yet")
	r.beat(task.Heartbeat{Worker: "w3", Slots: 100, Handlers: []string{"any", "any@2"}})
	r.step()
	require.False(t, looked("one-that-does-not-say"))
}

func TestWhatWasNotLookedForYetIsLookedForAfterACrash(t *testing.T) {
	r, blobs := cacheRig(t)
	r.begin("a", fanOut(reusing), 1, 2)
	r.execute(blobs, "1")
	crash := r.options
	r.options.Cache = nil // so that the tasks are scheduled, and nothing else
	r.restart()
	r.begin("b", fanOut(reusing), 1, 2)
	r.received()
	r.options = crash
	r.restart()
	r.step()
	r.pass(rollCall + time.Second)
	r.step()
	require.Empty(t, r.received())
	require.Len(t, r.outputs("b"), 2)
}

func TestResultsWhoseBlobsAreGoneAreNotTaken(t *testing.T) {
	r, blobs := cacheRig(t)
	r.begin("a", fanOut(reusing), 1, 2)
	r.execute(blobs, "1")
	for o, err := range blobs.Cache().Keys(t.Context()) {
		require.NoError(t, err)
		e, err := blobs.Cache().Entry(t.Context(), o.Key)
		require.NoError(t, err)
		if e.Origin.Index == 1 {
			e.Parts[0].Value = nil
			e.Parts[0].Ref = &task.Ref{Key: "a/work/0/1/1-n/0", Size: 3, SHA256: strings.Repeat("0", 64)}
			require.NoError(t, blobs.Cache().Store(t.Context(), e, "unused"))
		}
	}
	r.begin("b", fanOut(reusing), 1, 2)
	require.Equal(t, task.Of(1), indexes(r.received()))
}

func TestManyResultsAreTakenAsOneList(t *testing.T) {
	r, blobs := cacheRig(t)
	values := make([]int, 300)
	for i := range values {
		values[i] = i
	}
	r.begin("a", fanOut(reusing), values...)
	for len(r.execute(blobs, "1")) > 0 {
		r.step()
	}
	r.begin("b", fanOut(reusing), values...)
	reused, _ := r.reusedIn("b")
	require.Equal(t, task.Span(0, 300), reused)
	work := r.received()
	require.Len(t, work, 1)
	require.NotNil(t, work[0].Seal, "all that is left to be done is to merge the lists")
	parts := 0
	for _, source := range work[0].Seal.Sources {
		parts += len(source.Parts)
		if source.Report == nil {
			continue
		}
		for p, err := range blobs.ReadReport(t.Context(), *source.Report) {
			require.NoError(t, err)
			require.Equal(t, fmt.Sprintf(`"result of %d"`, p.Index), string(p.Value))
			parts++
		}
	}
	require.Equal(t, 300, parts)
}

func TestWhatAWorkerFoundCountsAsReused(t *testing.T) {
	r, _ := cacheRig(t)
	r.begin("a", fanOut(reusing), 1, 2)
	require.Len(t, r.received(), 2)
	result := done(task.Span(0, 2))
	result.Outcome = task.Reused
	for i := range 2 {
		result.Parts = append(result.Parts, task.Produced{Index: i, Data: "out", Part: task.Part{Value: json.RawMessage(`1`)}})
		result.Origins = append(result.Origins, task.Origin{Index: i, Attempt: task.Attempt{Process: "earlier", Address: "work", Index: i, Attempt: 1}, Key: "k"})
	}
	r.report("a", result)
	r.step()
	require.Equal(t, []string{"1", "1"}, r.outputs("a"))
	reused, origins := r.reusedIn("a")
	require.Equal(t, task.Span(0, 2), reused)
	require.Equal(t, result.Origins, origins)

	list, err := newList(r.ctx, r.store)
	require.NoError(t, err)
	defer list.stop()
	_, err = list.catchUp(r.ctx)
	require.NoError(t, err)
	sum := list.all()[0]
	require.Equal(t, []int{2, 2, 2}, []int{sum.Tasks, sum.TasksDone, sum.Reused})
	require.Equal(t, []string{"earlier"}, sum.Uses)
	stored, err := list.encode(r.now)
	require.NoError(t, err)
	_, byID, err := decodeView(stored)
	require.NoError(t, err)
	require.Equal(t, sum, byID["a"].summary())
}

func TestAnOwnerThatRunsLooksAsideAndStoresTheSame(t *testing.T) {
	r, blobs := cacheRig(t)
	r.begin("a", fanOut(reusing), 1, 2, 3)
	r.execute(blobs, "1")
	want := r.outputs("a")
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = r.owner.Run(ctx)
	}()
	r.give("b", startOf("b", fanOut(reusing), r.state("a").Inputs["in"]), "")
	require.Eventually(t, func() bool {
		s, err := Load(context.Background(), r.store, "b")
		return err == nil && s.Ended()
	}, 20*time.Second, 5*time.Millisecond)
	stop()
	<-ended
	require.Equal(t, want, r.outputs("b"))
	require.Empty(t, r.received())
}

func TestALongListOfTasksIsLookedForInSlices(t *testing.T) {
	l := &searches{waiting: []search{
		{Enqueue: process.Enqueue{Address: "a", Tasks: task.Of(1, 3, 5).Union(task.Span(100, 600))}}, {Enqueue: process.Enqueue{Address: "b", Tasks: task.Span(0, 2)}},
	}}
	all := map[string]task.Ranges{}
	for n := 0; len(l.waiting) > 0; n++ {
		slice := l.next()
		require.Equal(t, n == 1, slice.Address == "b", "one that is short does not wait for all of one that is long")
		require.LessOrEqual(t, slice.Tasks.Len(), lookSlice)
		require.Empty(t, all[slice.Address].Minus(all[slice.Address].Minus(slice.Tasks)), "no task twice")
		all[slice.Address] = all[slice.Address].Union(slice.Tasks)
	}
	require.Equal(t, map[string]task.Ranges{"a": task.Of(1, 3, 5).Union(task.Span(100, 600)), "b": task.Span(0, 2)}, all)
}

func TestWhatIsStillToBeLookedForIsNotCopiedWithEverySlice(t *testing.T) {
	var scattered []int
	for i := range 20_000 {
		scattered = append(scattered, 2*i)
	}
	l := &searches{waiting: []search{{Enqueue: process.Enqueue{Address: "a", Tasks: task.Of(scattered...)}}}}
	require.Less(t, testing.AllocsPerRun(20, func() { l.next() }), 50.0, "else the owner stands still over a long list")
}
