package orchestrator

import (
	"slices"
	"sort"
	"time"

	"github.com/deedrun/deed/task"
)

// outs is the tasks of a row that are on the queue or with a worker, as runs of
// tasks that were sent alike: sorted, never overlapping. So what is out of a
// million short tasks is a handful of runs.
type outs struct {
	runs  []run
	tasks int
}

// run is tasks one after the other that are out.
type run struct {
	task.Range
	sending
}

// sending is how tasks went out.
type sending struct {
	generation int
	attempt    int
	at         time.Time
	missed     bool // nobody had it at the last look
	parts      int  // of its message, each task
}

// alikeTime is how far apart tasks of a run may have been sent: the run counts as
// sent with the first of them.
const alikeTime = 100 * time.Millisecond

// joins reports whether what is sent next may be one run with what was sent before.
func (s sending) joins(next sending) bool {
	return s.generation == next.generation && s.attempt == next.attempt && s.missed == next.missed && s.parts == next.parts && s.at.Equal(next.at)
}

// rounded keeps runs few: what goes out a moment after other tasks counts as sent
// with them.
func (s sending) rounded(with time.Time) sending {
	if gap := s.at.Sub(with); gap > 0 && gap < alikeTime {
		s.at = with
	}
	return s
}

// after is the first run that ends after an index.
func (o *outs) after(index int) int {
	return sort.Search(len(o.runs), func(i int) bool { return o.runs[i].End() > index })
}

// add notes tasks that are not out as gone out.
func (o *outs) add(r task.Range, s sending) {
	at := o.after(r.First)
	o.tasks += r.Count
	if at > 0 {
		before := &o.runs[at-1]
		if s = s.rounded(before.at); before.End() == r.First && before.joins(s) {
			before.Count += r.Count
			o.merge(at - 1)
			return
		}
	}
	o.runs = slices.Insert(o.runs, at, run{r, s})
	o.merge(at)
}

// merge makes a run and the next one of them one, if they are alike.
func (o *outs) merge(at int) {
	if at+1 < len(o.runs) && o.runs[at].End() == o.runs[at+1].First && o.runs[at].joins(o.runs[at+1].sending) {
		o.runs[at].Count += o.runs[at+1].Count
		o.runs = slices.Delete(o.runs, at+1, at+2)
	}
}

// remove takes tasks out of what is out: of those named, what accepts says yes to;
// nil: all. They may be any: a report names them. It calls removed for each run
// that is taken out.
func (o *outs) remove(tasks task.Ranges, accepts func(s sending) bool, removed func(r run)) {
	for _, r := range tasks {
		for at := o.after(r.First); at < len(o.runs) && o.runs[at].First < r.End(); {
			is := o.runs[at]
			first, end := max(is.First, r.First), min(is.End(), r.End())
			if accepts != nil && !accepts(is.sending) {
				at++
				continue
			}
			var left []run
			if is.First < first {
				left = append(left, run{task.Range{First: is.First, Count: first - is.First}, is.sending})
			}
			if end < is.End() {
				left = append(left, run{task.Range{First: end, Count: is.End() - end}, is.sending})
			}
			if len(left) == 1 { // as nearly always when not all of it goes
				o.runs[at] = left[0]
			} else {
				o.runs = slices.Replace(o.runs, at, at+1, left...)
			}
			at += len(left)
			o.tasks -= end - first
			removed(run{task.Range{First: first, Count: end - first}, is.sending})
		}
	}
}

// without is those of the tasks that are not out at this very attempt.
func (o *outs) without(tasks task.Ranges, generation, attempt int) task.Ranges {
	if len(o.runs) == 0 || len(tasks) == 0 || o.runs[len(o.runs)-1].End() <= tasks[0].First {
		return tasks
	}
	var same task.Ranges
	last := tasks[len(tasks)-1].End()
	for at := o.after(tasks[0].First); at < len(o.runs) && o.runs[at].First < last; at++ {
		if is := o.runs[at]; is.generation == generation && is.attempt == attempt {
			same = append(same, is.Range)
		}
	}
	return tasks.Minus(same)
}

// all is what is out, at whatever attempt.
func (o *outs) all() task.Ranges {
	var all task.Ranges
	for _, r := range o.runs {
		all = append(all, r.Range)
	}
	return all.Joined()
}
