package orchestrator

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/oklog/ulid/v2"

	"github.com/deedrun/deed/blob"
	"github.com/deedrun/deed/orchestrator/process"
	"github.com/deedrun/deed/task"
)

// Cache is where tasks leave results for later ones that are equal. What is in it
// is never believed alone, and without any of it everything is executed.
type Cache struct {
	Blobs *blob.Store
	Log   *slog.Logger // nil: slog.Default
}

const (
	searchAtOnce = 16               // tasks of a slice that are looked for at a time
	searchWithin = 20 * time.Second // a slice; what is left then workers look for
)

// begin looks for what waits, a slice at a time: aside, or, if the owner is
// stepped, at once.
func (l *searches) begin(ctx context.Context, o *Owner) {
	for len(l.waiting) > 0 {
		if o.isStepped() {
			l.over = append(l.over, o.Cache.search(ctx, l.next()))
			continue
		}
		l.mu.Lock()
		busy := l.begun >= looksAside
		if !busy {
			l.begun++
		}
		l.mu.Unlock()
		if busy {
			return
		}
		slice := l.next()
		l.aside.Go(func() {
			came := o.Cache.search(ctx, slice)
			l.mu.Lock()
			defer l.mu.Unlock()
			l.begun--
			l.over = append(l.over, came)
		})
	}
}

// next takes out a slice. What is left goes to the end, so that a million tasks
// of one process do not hold up those of another.
func (l *searches) next() search {
	first := l.waiting[0]
	l.waiting = l.waiting[1:]
	slice, left := first, lookSlice
	slice.Tasks = nil
	for left > 0 && len(first.Tasks) > 0 {
		r := &first.Tasks[0] // which nobody else has, see lookFor: what is left is not copied, it may be a million ranges
		n := min(left, r.Count)
		slice.Tasks = append(slice.Tasks, task.Range{First: r.First, Count: n})
		left, r.First, r.Count = left-n, r.First+n, r.Count-n
		if r.Count == 0 {
			first.Tasks = first.Tasks[1:]
		}
	}
	if len(first.Tasks) > 0 {
		l.waiting = append(l.waiting, first)
	}
	return slice
}

// busy reports whether something is being looked for, or is to be.
func (l *searches) busy() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.waiting) > 0 || l.begun > 0 || len(l.over) > 0
}

// search looks for equal tasks of those of a slice.
func (c *Cache) search(ctx context.Context, s search) finding {
	ctx, stop := context.WithTimeout(ctx, searchWithin)
	defer stop()
	came := finding{search: s}
	w, err := workOf(&s.state, s.Enqueue)
	if err != nil {
		came.unsure = s.Tasks // the feeder says what is wrong with it
		return came
	}
	entries, errs := c.entries(ctx, &w, s.version)
	var hits, misses, unsure []int
	var parts []task.Produced
	var origins []task.Origin
	var trouble error
	k := 0
	for i := range s.Tasks.All() {
		entry, err := entries[k], errs[k]
		k++
		adopted, complete := adopt(&w, entry, i)
		switch {
		case errors.Is(err, blob.ErrUncached):
			misses = append(misses, i)
		case err != nil || !complete: // or the list of its parts is too long to be read here
			unsure, trouble = append(unsure, i), errors.Join(trouble, err)
		default:
			hits, parts = append(hits, i), append(parts, adopted...)
			origins = append(origins, task.Origin{Index: i, Attempt: entry.Origin, Key: entry.Key})
		}
	}
	came.misses, came.unsure = task.Of(misses...), task.Of(unsure...)
	if len(hits) > 0 {
		came.hits = &process.ReuseTasks{Address: s.Address, Generation: s.Generation, Attempt: s.Attempt, Tasks: task.Of(hits...), Origins: origins}
		if came.hits.Parts, came.hits.Manifest, err = c.claim(ctx, &w, parts); err != nil {
			came.hits, came.unsure, trouble = nil, came.unsure.Union(task.Of(hits...)), errors.Join(trouble, err)
		}
	}
	if trouble != nil {
		logTo(c.Log).Warn("orchestrator: the results of earlier tasks could not all be looked at; workers try it again",
			"process", s.state.ID, "address", s.Address, "tasks", came.unsure.Len(), "error", trouble)
	}
	return came
}

// entries looks up those of all tasks of the work.
func (c *Cache) entries(ctx context.Context, w *task.Work, version string) ([]blob.Cached, []error) {
	n := w.Tasks.Len()
	entries, errs := make([]blob.Cached, n), make([]error, n)
	var all sync.WaitGroup
	gate := make(chan struct{}, searchAtOnce)
	for k := range n {
		inputs, known := w.KnownInputs(k)
		if !known {
			errs[k] = fmt.Errorf("what a task of %s reads is not in its message", w.Address)
			continue
		}
		key := task.CacheKey(w.Ingredients(version, inputs))
		gate <- struct{}{}
		all.Go(func() {
			defer func() { <-gate }()
			entries[k], errs[k] = c.Blobs.Cache().LookUp(ctx, key)
		})
	}
	all.Wait()
	return entries, errs
}

// adopt makes what another task wrote the parts of task i; false if they are not
// all in the entry.
func adopt(w *task.Work, entry blob.Cached, i int) (parts []task.Produced, complete bool) {
	if entry.List != nil {
		return nil, false
	}
	for _, p := range entry.Parts {
		found := false
		for _, out := range w.Outputs {
			if out.Local == p.Data {
				p.Index, p.Data, found = i, out.Data, true
				break
			}
		}
		if !found {
			return nil, false
		}
		parts = append(parts, p)
	}
	return parts, true
}

// claim puts parts where an event wants them: inline if all of it is small; else,
// but for small values, in a list.
func (c *Cache) claim(ctx context.Context, w *task.Work, parts []task.Produced) (inline []task.Produced, list *task.Ref, err error) {
	text, err := json.Marshal(parts)
	if err != nil || len(text) <= task.MaxInline {
		return parts, nil, err
	}
	values := map[string]bool{}
	for _, out := range w.Outputs {
		values[out.Data] = out.JSON != ""
	}
	var listed []task.Produced
	for _, p := range parts {
		if values[p.Data] {
			inline = append(inline, p)
		} else {
			listed = append(listed, p)
		}
	}
	if len(listed) == 0 {
		return inline, nil, nil
	}
	key := fmt.Sprintf("%s/%s/%d/reports/%d-%s", w.Process, w.Address, w.Generation, w.Attempt, strings.ToLower(ulid.Make().String()))
	ref, err := c.Blobs.WriteReport(ctx, key, listed)
	return inline, &ref, err
}
