package worker_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/task"
	"github.com/deedrun/deed/worker"
)

// sealedList is a list of parts, one for each of the keys, in a manifest.
func (w *world) sealedList(name string, keys ...string) task.Dataset {
	var produced []task.Produced
	for i, key := range keys {
		produced = append(produced, task.Produced{Index: i, Data: "d", Part: w.blob(key, "", fmt.Sprintf("%s %d", name, i))})
	}
	data, err := w.blobs.Seal(w.ctx, "p/"+name, task.Seal{Data: "d", Sources: []task.Source{{Parts: produced}}})
	require.NoError(w.t, err)
	return data
}

func childOf(w *task.Work) { w.Run.Handler = task.ChildHandler }

func TestWhatAChildReadsOfAStoredListIsReportedAsAListOfItsOwn(t *testing.T) {
	w := newWorld(t)
	w.run()
	list := w.sealedList("photo", "sea", "sea", "woods")
	in := task.Input{Local: "photos", Mode: task.Group, Manifest: list.Manifest}

	r := w.result(job(task.Of(0), childOf, reads(in)))
	require.Equal(t, task.Prepared, r.Outcome, "%+v", r.Failure)
	sea := r.Inputs["photos"]
	require.Len(t, sea.Parts, 2)
	require.Equal(t, task.Inline(sea.Parts), sea)
	require.Equal(t, "photo 1", w.read(sea.Parts[1]))

	in.Mode = task.Element
	r = w.result(job(task.Of(2), childOf, reads(in)))
	require.Len(t, r.Inputs["photos"].Parts, 1)
	require.Equal(t, "woods", r.Inputs["photos"].Parts[0].Key)
}

func TestWhatIsLongOfWhatAChildReadsIsListedInAManifest(t *testing.T) {
	w := newWorld(t)
	w.run()
	keys := make([]string, 300)
	for i := range keys {
		keys[i] = "sea"
	}
	list := w.sealedList("photo", keys...)
	r := w.result(job(task.Of(0), childOf, reads(task.Input{Local: "photos", Mode: task.Group, Manifest: list.Manifest})))
	require.Equal(t, task.Prepared, r.Outcome, "%+v", r.Failure)
	sea := r.Inputs["photos"]
	require.Equal(t, 300, sea.Count)
	require.NotNil(t, sea.Manifest)
	require.Equal(t, list.Digest, sea.Digest, "it is the same content")
	m, err := w.blobs.OpenManifest(w.ctx, *sea.Manifest)
	require.NoError(t, err)
	last, err := m.Part(w.ctx, 299)
	require.NoError(t, err)
	require.Equal(t, "photo 299", w.read(last))
}

func TestLookingUpNothingIsRefused(t *testing.T) {
	w := newWorld(t)
	w.run()
	require.Contains(t, w.failure(job(task.Of(0), childOf)).Error, "does not say what to look up")
}

func TestATaskOfAJoinReadsTheSameKeyOfEveryListAlsoWhereThereIsNone(t *testing.T) {
	w := newWorld(t)
	w.handle("h", func(_ context.Context, t *worker.Task) error {
		count := map[string]int{}
		for _, local := range []string{"orders", "payments"} {
			for _, err := range t.Parts(local) {
				if err != nil {
					return err
				}
				count[local]++
			}
		}
		return t.EmitKeyed("out", t.Key(), fmt.Sprintf("%d of %d", count["payments"], count["orders"]))
	})
	w.run()
	orders, payments := w.sealedList("order", "ann", "bob", "bob"), task.Part{Key: "cyd", Value: []byte("1")}
	joined := reads(
		task.Input{Local: "orders", Mode: task.Group, Keys: []string{"ann", "bob", "cyd"}, Manifest: orders.Manifest},
		task.Input{Local: "payments", Mode: task.Group, Keys: []string{"ann", "bob", "cyd"}, Lists: [][]task.Part{nil, nil, {payments}}},
	)
	r := w.result(job(task.Of(0, 1, 2), joined, writes("out")))
	require.Equal(t, task.Done, r.Outcome, "%+v", r.Failure)
	said := map[string]string{}
	for _, p := range r.Parts {
		said[p.Key] = string(p.Value)
	}
	require.Equal(t, map[string]string{"ann": `"0 of 1"`, "bob": `"0 of 2"`, "cyd": `"1 of 0"`}, said)
}

func TestTheKeysOfAMergedListAreReportedWhereAJoinNeedsThem(t *testing.T) {
	w := newWorld(t)
	w.run()
	parts := []task.Produced{{Index: 0, Data: "d", Part: w.blob("bob", "", "x")}, {Index: 1, Data: "d", Part: w.blob("ann", "", "y")}}
	r := w.result(job(task.Of(0), func(work *task.Work) {
		work.Run.Handler, work.Seal = "deed/seal", &task.Seal{Data: "d", Keys: true, Sources: []task.Source{{Parts: parts}}}
	}))
	require.Equal(t, []string{"ann", "bob"}, r.Sealed.KeyNames)
}
