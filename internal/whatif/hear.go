package whatif

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/deedrun/deed/orchestrator/definition"
	"github.com/deedrun/deed/orchestrator/process"
	"github.com/deedrun/deed/task"
)

// hear gives a recorded result to the other world. It may come too early
// there: then it waits until its attempt is scheduled. why says why it says
// nothing about the other world, where that is so.
func (r *Replay) hear(res result, at time.Time, recorded []process.Event) (why string, err error) {
	w := &r.would
	if why := r.void(res); why != "" {
		r.leftOut += res.tasks.Len()
		return why, nil
	}
	now, later := r.split(res)
	if len(later) > 0 {
		w.shelf.put(res.of(later))
	}
	over := res.tasks.Len() - now.Len() - later.Len()
	if w.parted && recorded != nil {
		now = r.onTime(res, now, at)
	}
	granted := false
	if len(now) > 0 {
		granted, err = w.obey(res.report(now, w.state.Generation(res.address), at), recorded)
		if _, refused := refusal(err); refused {
			granted, err = false, nil
		}
	}
	if r.leftOut += over; !granted {
		r.leftOut += now.Len()
	}
	return "", err
}

// split finds the tasks of a result that are at its attempt in the other world,
// or beyond, and those that are still to get there. Others are over.
func (r *Replay) split(res result) (now, later task.Ranges) {
	s := r.would.state
	scheduled := s.Scheduled(res.address)
	later = res.tasks.Minus(task.Span(0, scheduled))
	now = s.Open(res.address, s.Generation(res.address), res.tasks)
	if res.attempt == 1 {
		return now, later
	}
	var early []int
	for index := range now.All() {
		if attempt, due := s.Attempt(res.address, index); attempt < res.attempt || attempt == res.attempt && !due.IsZero() {
			early = append(early, index)
		}
	}
	return now.Minus(task.Of(early...)), later.Union(task.Of(early...))
}

// onTime keeps the tasks that can have been done by now: an attempt that began
// at another time takes as long as the recorded one did. The rest comes later.
func (r *Replay) onTime(res result, now task.Ranges, at time.Time) task.Ranges {
	w := &r.would
	var early []int
	for index := range now.All() {
		began, otherwise := w.since.of(spot{res.address, res.attempt}, index)
		if done := began.Add(res.took); otherwise && done.After(at) {
			early = append(early, index)
			part := res.of(task.Span(index, 1))
			w.agenda.put(item{at: done, result: &part})
		}
	}
	return now.Minus(task.Of(early...))
}

// void says why a result tells nothing about the other world.
func (r *Replay) void(res result) string {
	was, would := r.was.state, r.would.state
	switch {
	case would.Generation(res.address) < 0:
		return res.address + " does not exist"
	case was.Generation(res.address) != res.generation:
		return res.address + " has begun anew"
	case isMerge(res.address):
		return r.voidMerge(res.address)
	}
	if why := r.otherWork(res.address); why != "" {
		return why
	}
	if why := r.inTime(res); why != "" {
		return why
	}
	return r.otherData(res.address)
}

// otherWork says what is different in what a step does.
func (r *Replay) otherWork(address string) string {
	if why, known := r.work[address]; known {
		return why
	}
	was, would := r.was.state.Definition, r.would.state.Definition
	why := ""
	a, had := was.Step(address)
	b, has := would.Step(address)
	if had && has {
		a.After, b.After = nil, nil // only an order
		differs := definition.SameWork(a, b)
		for _, name := range changedFiles(*was, *would) {
			if b.NamesFile(name) {
				differs = append(differs, "the file "+name+", which it names, is another")
			}
		}
		if len(differs) > 0 {
			why = fmt.Sprintf("%s does other work: %s", address, strings.Join(differs, ", "))
		}
	}
	r.work[address] = why
	return why
}

// otherData says which of the names that a step reads has other content. Of a
// step that has not started nothing is said: its results wait anyway.
func (r *Replay) otherData(address string) string {
	if why, known := r.data[address]; known {
		return why
	}
	step, ok := r.would.state.Step(address)
	if !ok || r.would.state.Scheduled(address) == 0 {
		return ""
	}
	why := ""
	for _, name := range step.Reads() {
		here, known := r.was.state.Data(name)
		there, _ := r.would.state.Data(name)
		if !known || here.Digest != there.Digest || here.Count != there.Count {
			why = fmt.Sprintf("%s reads %s, which has other content", address, name)
			break
		}
	}
	r.data[address] = why
	return why
}

// voidMerge compares what there is to merge: a recorded merge holds if both
// worlds cut as many lists into as many tasks.
func (r *Replay) voidMerge(address string) string {
	name := strings.TrimPrefix(address, process.SealPrefix)
	there, started := r.would.merges[address]
	if started && (there != r.merges[address] || skipped(r.was.state, name) != skipped(r.would.state, name)) {
		return name + " consists of other lists"
	}
	return ""
}

// skipped is how many tasks the step that writes a name has gone on without.
func skipped(s process.State, name string) int {
	progress := s.Steps()
	for i, step := range s.Definition.Steps {
		if slices.ContainsFunc(step.Out, func(b definition.Output) bool { return b.Data == name }) {
			return progress[i].Skipped
		}
	}
	return 0
}

// inTime leaves out an attempt that ran too long under a timeout that the other
// world has lifted, or raised above that.
func (r *Replay) inTime(res result) string {
	had, has := r.was.state.Timeout(res.address), r.would.state.Timeout(res.address)
	ran := had
	switch c := res.said.(type) {
	case process.TryTimeoutTask:
		ran = max(had, time.Duration(c.Elapsed))
	case process.FailTasks:
		if c.Verdict != task.TimedOut {
			return ""
		}
	default:
		return ""
	}
	if has == had || has > 0 && has <= ran {
		return ""
	}
	limit := "no timeout"
	if has > 0 {
		limit = "a timeout of " + task.Duration(has).String()
	}
	return fmt.Sprintf("with %s nobody knows how %s would have ended", limit, named(res.address, res.tasks))
}

// changedFiles lists the files that travel with both definitions and differ,
// or with one only.
func changedFiles(a, b definition.Definition) []string {
	digests := map[string]string{}
	for _, f := range a.Files {
		digests[f.Name] = f.Ref.SHA256
	}
	var names []string
	for _, f := range b.Files {
		if digests[f.Name] != f.Ref.SHA256 {
			names = append(names, f.Name)
		}
		delete(digests, f.Name)
	}
	for name := range digests {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
