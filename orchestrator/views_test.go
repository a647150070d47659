package orchestrator

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/deedrun/deed/events"
	memevents "github.com/deedrun/deed/events/mem"
	"github.com/deedrun/deed/task"
)

// fed is an event store that counts the commits it feeds.
type fed struct {
	events.Driver
	commits atomic.Int64
}

func (f *fed) Subscribe(ctx context.Context, prefix string, after events.Checkpoint) (events.Subscription, error) {
	sub, err := f.Driver.Subscribe(ctx, prefix, after)
	return &fedSubscription{sub, f}, err
}

type fedSubscription struct {
	events.Subscription
	by *fed
}

func (s *fedSubscription) Next(ctx context.Context, wait bool) (events.Commit, bool, error) {
	c, ready, err := s.Subscription.Next(ctx, wait)
	if ready {
		s.by.commits.Add(1)
	}
	return c, ready, err
}

// viewsRig is a rig with a process of which thirty tasks were confirmed one by
// one, another that ended, and their list, stored.
type viewsRig struct {
	*rig
	views *Views
	fed   *fed
}

func newViewsRig(t *testing.T) *viewsRig {
	r := &viewsRig{rig: newRig(t), fed: &fed{Driver: memevents.New()}}
	r.on(r.fed)
	r.views = &Views{Events: r.store, Blobs: newBlobs(t), Every: 10, Log: slog.New(slog.DiscardHandler)}
	r.send("p", fanOut(), 100)
	r.send("ended", fanOut(), 1)
	r.step()
	r.report("ended", done(task.Of(0)))
	for i := range 30 {
		r.report("p", done(task.Of(i)))
		r.step()
	}
	r.sameAsStreams()
	require.Len(t, r.keys(), 1)
	return r
}

func (r *viewsRig) keys() []string {
	r.t.Helper()
	keys, err := r.views.keys(r.ctx)
	require.NoError(r.t, err)
	return keys
}

// sameAsStreams lists the processes, and says how many commits that took.
func (r *viewsRig) sameAsStreams() (commits int) {
	r.t.Helper()
	r.fed.commits.Store(0)
	got, err := r.views.Processes(r.ctx, r.now)
	require.NoError(r.t, err)
	want, err := summarise(r.ctx, r.store)
	require.NoError(r.t, err)
	require.Equal(r.t, want, got)
	return int(r.fed.commits.Load())
}

// spoil replaces what is stored.
func (r *viewsRig) spoil(spoil func(data []byte) []byte) {
	r.t.Helper()
	for _, key := range r.keys() {
		data, err := r.views.Blobs.ReadNamed(r.ctx, key, viewLimit)
		require.NoError(r.t, err)
		require.NoError(r.t, r.views.Blobs.Remove(r.ctx, key))
		require.NoError(r.t, r.views.Blobs.StoreNamed(r.ctx, key, spoil(data)))
	}
}

func TestAStoredListReadsOnlyWhatIsNew(t *testing.T) {
	r := newViewsRig(t)
	require.Equal(t, 1, r.sameAsStreams(), "the commit that it read last")
	for i := range 5 {
		r.report("p", done(task.Of(30+i)))
		r.step()
	}
	require.Equal(t, 6, r.sameAsStreams())
	require.Len(t, r.keys(), 1, "too little is new to store it again")
	for round := range 3 {
		for i := range 10 {
			r.report("p", done(task.Of(35+10*round+i)))
			r.step()
		}
		require.LessOrEqual(t, r.sameAsStreams(), 16)
	}
	require.Len(t, r.keys(), 2, "the two latest are kept")
}

func TestAStoredListThatCannotBeBelievedIsPassedOverAndReplaced(t *testing.T) {
	for name, spoil := range map[string]func(r *viewsRig, data []byte) []byte{
		"torn":                func(_ *viewsRig, data []byte) []byte { return data[:len(data)/2] },
		"with a changed byte": func(_ *viewsRig, data []byte) []byte { data[len(data)/2] ^= 1; return data },
		"empty":               func(*viewsRig, []byte) []byte { return nil },
		"of no list":          func(*viewsRig, []byte) []byte { return seal("c", []byte("[]")) },
		"of another commit at its place": func(r *viewsRig, data []byte) []byte {
			return r.changed(data, func(l *list) { l.at.Commit = "another" })
		},
		"of another stream at its place": func(r *viewsRig, data []byte) []byte {
			return r.changed(data, func(l *list) { l.at.Stream = "process-q" })
		},
		"that is ahead of the store": func(r *viewsRig, data []byte) []byte {
			return r.changed(data, func(l *list) { l.at.Before, l.at.At = 10_000, 10_001 })
		},
		"whose last commit is the end of a longer stretch": func(r *viewsRig, data []byte) []byte {
			return r.changed(data, func(l *list) { l.at.Before-- })
		},
		"of a schema to come": func(_ *viewsRig, data []byte) []byte {
			commitID, _, _ := unseal(data)
			return seal(commitID, []byte(`{"view":"processes","schema":99,"place":{"commit":"`+commitID+`"}}`))
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := newViewsRig(t)
			r.spoil(func(data []byte) []byte { return spoil(r, data) })
			require.Greater(t, r.sameAsStreams(), 30, "all is read")
			require.Equal(t, 1, r.sameAsStreams(), "it has been stored again")
			require.Len(t, r.keys(), 1)
		})
	}
}

// changed is a stored list in which something is different, well sealed.
func (r *viewsRig) changed(data []byte, change func(*list)) []byte {
	r.t.Helper()
	v, byID, err := decodeView(data)
	require.NoError(r.t, err)
	l := &list{byID: byID, at: v.Place}
	change(l)
	data, err = l.encode(r.now)
	require.NoError(r.t, err)
	return data
}

func TestAListThatWasStoredForAnotherStoreIsNotBelieved(t *testing.T) {
	r := newViewsRig(t)
	other := newRig(t) // the same processes, in a store that was restored from an older copy
	other.send("p", fanOut(), 100)
	other.step()
	views := &Views{Events: other.store, Blobs: r.views.Blobs, Log: slog.New(slog.DiscardHandler)}
	got, err := views.Processes(r.ctx, r.now)
	require.NoError(t, err)
	want, err := summarise(r.ctx, other.store)
	require.NoError(t, err)
	require.Equal(t, want, got)
}

func TestABlobStoreThatIsAwayOnlyMakesListingSlower(t *testing.T) {
	r := newViewsRig(t)
	r.views.Blobs = brokenStore(t)
	require.Greater(t, r.sameAsStreams(), 30)
}

func TestManyWhoStoreTheListAtOnceDoNotHarmIt(t *testing.T) {
	r := newViewsRig(t)
	r.views.Every = 1
	var all sync.WaitGroup
	for range 4 {
		views := &Views{Events: r.store, Blobs: r.views.Blobs, Every: 1, Log: r.views.Log}
		all.Go(func() {
			for range 20 {
				if _, err := views.Processes(r.ctx, r.now); err != nil {
					t.Error(err)
				}
			}
		})
	}
	for i := range 40 {
		r.report("p", done(task.Of(30+i)))
		r.step()
	}
	all.Wait()
	r.sameAsStreams()
	require.LessOrEqual(t, len(r.keys()), viewsKept)
	rebuilt, err := r.views.Rebuild(r.ctx, r.now)
	require.NoError(t, err)
	require.Nil(t, rebuilt.Differs)
}

func TestAListWithAnEventOfANewerVersionIsNotStored(t *testing.T) {
	r := newViewsRig(t)
	_, err := r.store.Append(r.ctx, streamPrefix+"new", events.NoStream(), "c", events.Record{Type: "process-levitated", Schema: 1, Data: []byte(`{}`)})
	require.NoError(t, err)
	stored := r.keys()
	r.views.Every = 1
	require.Equal(t, 2, r.sameAsStreams())
	require.Equal(t, stored, r.keys())
	_, err = r.views.Rebuild(r.ctx, r.now)
	require.ErrorContains(t, err, "use the version that wrote them")
	require.Equal(t, stored, r.keys())
}

func TestAnArchiveThatSaysNothingOfItsProcessIsNotStoredInTheList(t *testing.T) {
	r := newViewsRig(t)
	_, err := r.store.Append(r.ctx, streamPrefix+"new", events.NoStream(), "c", events.Record{Type: archivedType, Schema: 2, Data: []byte(`{}`)})
	require.NoError(t, err)
	stored := r.keys()
	r.views.Every = 1
	all, err := r.views.Processes(r.ctx, r.now)
	require.NoError(t, err)
	require.Contains(t, all[2].Reason, "use that version")
	require.Equal(t, stored, r.keys())
}

func TestAListSurvivesThatTheCommitItReadLastIsTruncated(t *testing.T) {
	r := newViewsRig(t)
	version, err := r.store.Version(r.ctx, streamPrefix+"p")
	require.NoError(t, err)
	archived := events.Record{Type: archivedType, Schema: 1, Data: []byte(`{"summary":{"id":"p","name":"fan-out","status":"completed","tasks":100,"tasksDone":100}}`)}
	_, err = r.store.Replace(r.ctx, streamPrefix+"p", events.Exactly(version), "archive", archived)
	require.NoError(t, err)
	r.sameAsStreams()
	all, err := r.views.Processes(r.ctx, r.now)
	require.NoError(t, err)
	require.Len(t, all, 2)
	require.True(t, all[1].Archived)
	require.Equal(t, 100, all[1].TasksDone)

	_, err = r.store.Append(r.ctx, streamPrefix+"p", events.Exactly(version+1), "removal", events.Record{Type: removedType, Schema: 1, Data: []byte(`{}`)})
	require.NoError(t, err)
	r.sameAsStreams()
	rebuilt, err := r.views.Rebuild(r.ctx, r.now)
	require.NoError(t, err)
	require.True(t, rebuilt.Equal)
	require.Equal(t, 1, rebuilt.Processes, "what was removed is not listed")
}

func TestARebuiltListEqualsTheStoredOneOrSaysWhatDiffers(t *testing.T) {
	r := newViewsRig(t)
	rebuilt, err := r.views.Rebuild(r.ctx, r.now)
	require.NoError(t, err)
	require.True(t, rebuilt.Was)
	require.True(t, rebuilt.Equal)
	require.Nil(t, rebuilt.Differs)

	r.spoil(func(data []byte) []byte {
		return r.changed(data, func(l *list) { l.byID["p"].step("work", func(s *listedStep) { s.Confirmed = 7 }) })
	})
	rebuilt, err = r.views.Rebuild(r.ctx, r.now)
	require.NoError(t, err)
	require.True(t, rebuilt.Was)
	require.False(t, rebuilt.Equal)
	require.Equal(t, &Difference{Process: "p", Field: "tasksDone", Stored: []byte("7"), Events: []byte("30")}, rebuilt.Differs)
	require.Equal(t, 1, r.sameAsStreams(), "it has been replaced")

	r.spoil(func(data []byte) []byte {
		return r.changed(data, func(l *list) { delete(l.byID, "ended") })
	})
	rebuilt, err = r.views.Rebuild(r.ctx, r.now)
	require.NoError(t, err)
	require.Equal(t, "ended", rebuilt.Differs.Process)
	require.Empty(t, rebuilt.Differs.Stored)
}

func TestTheStatusOfAViewSaysHowFarItHasRead(t *testing.T) {
	r := newViewsRig(t)
	r.report("p", done(task.Of(50)))
	r.step()
	all, err := r.views.Status(r.ctx)
	require.NoError(t, err)
	require.Len(t, all, 1)
	require.True(t, all[0].Stored)
	require.Equal(t, 1, all[0].Behind)
	require.Equal(t, 2, all[0].Processes)
	require.Equal(t, r.now, all[0].StoredAt)
	require.Positive(t, all[0].Bytes)
	for _, key := range r.keys() {
		require.NoError(t, r.views.Blobs.Remove(r.ctx, key))
	}
	all, err = r.views.Status(r.ctx)
	require.NoError(t, err)
	require.False(t, all[0].Stored)
	require.Greater(t, all[0].Behind, 30)
}
