package process

import (
	"fmt"
	"strings"

	"github.com/deedrun/deed/task"
)

// oddTasks is how many tasks of a step are explained one by one.
const oddTasks = 5

// waits explains a step that has not started.
func (w *why) waits(i int) {
	w.stands(IsWaiting)
	step, isStep := w.s.graph.step(i)
	if !isStep {
		writer := w.s.graph.address(w.s.graph.writer[w.s.graph.sealed(i)])
		w.because("the parts of %s are not merged yet, and may not have to be: %s", w.s.graph.sealed(i), w.stateOf(writer))
		return
	}
	missing := 0
	for _, name := range step.Reads() {
		if _, sealed := w.s.Data(name); !sealed {
			missing++
			writer := w.s.graph.address(w.s.graph.writer[name])
			w.WaitsFor = append(w.WaitsFor, writer)
			w.because("it reads %s, which %s writes: %s", name, writer, w.stateOf(writer))
		}
	}
	for _, address := range step.After {
		if w.s.nodes[w.s.graph.number[address]].phase != completed {
			missing++
			w.WaitsFor = append(w.WaitsFor, address)
			w.because("it runs after %s: %s", address, w.stateOf(address))
		}
	}
	if missing == 0 {
		w.because("all that it reads is there")
	}
	w.notRunning()
}

// notRunning adds that the process keeps everything from being scheduled.
func (w *why) notRunning() {
	switch {
	case w.s.Status == Paused:
		w.stands(IsPaused)
		w.Because = append([]string{w.s.paused()}, w.Because...)
	case w.s.Ended() && w.s.Status != Completed:
		w.stands(IsStopped)
		w.Because = append([]string{"the process has ended: " + w.s.Reason()}, w.Because...)
	}
}

// stateOf is where a step stands, as the reason for another one that waits for it.
func (w *why) stateOf(address string) string {
	n := w.s.nodes[w.s.graph.number[address]]
	switch n.phase {
	case waiting:
		return address + " has not started either"
	case sealing:
		return "the tasks of " + address + " are done, and the lists of what they wrote are being merged"
	case completed:
		return address + " has completed"
	}
	return fmt.Sprintf("%d/%d tasks of %s are done", n.closed(), n.total, address)
}

func (w *why) step(i int) {
	n := w.s.nodes[i]
	p := n.progress(w.Address)
	p.Data, p.Skips = nil, nil
	w.Tasks = &p
	switch n.phase {
	case waiting:
		w.waits(i)
		return
	case completed:
		w.stands(IsCompleted)
		if n.unmet != "" {
			w.stands(IsSkipped)
			w.because("it did not hold that %s (when)", n.unmet)
			return
		}
		w.because("%d/%d tasks are done%s", n.closed(), n.total, skippedOf(n))
		return
	case sealing:
		w.stands(IsSealing)
		w.because("its tasks are done, and the lists of what they wrote are being merged")
		w.notRunning()
		return
	}
	w.stands(IsRunning)
	w.because("%d/%d tasks are done%s", n.closed(), n.total, skippedOf(n))
	if w.s.Ended() {
		w.notRunning()
		return
	}
	open := n.scheduled - n.closed()
	step, _ := w.s.graph.step(i)
	if busy := open - n.retrying; busy > 0 && step.Process != nil {
		w.because("%s under way as %s", tasksAre(busy), map[bool]string{true: "a process of its own", false: "processes of their own"}[busy == 1])
	} else if busy := open - n.retrying; busy > 0 {
		w.because("%s scheduled, for whichever worker takes %s", tasksAre(busy), map[bool]string{true: "it", false: "them"}[busy == 1])
	}
	if n.retrying > 0 {
		w.because("%s waiting for another attempt", tasksAre(n.retrying))
	}
	if left := n.total - n.scheduled; left > 0 {
		ofAll, most := w.s.openTasks(), w.s.Definition.Parallelism
		if step.Parallelism > 0 && (open >= step.Parallelism || most <= 0) {
			w.because("%s held back: no more than %d may be open at a time (parallelism), and %d are", tasksAre(left), step.Parallelism, open)
		}
		if most > 0 && ofAll >= most {
			w.because("%s held back: of the whole process no more than %d may be open at a time (parallelism), and %d are", tasksAre(left), most, ofAll)
		}
	}
	w.notRunning()
}

// odd names the first tasks that had trouble and are not done.
func (w *why) odd(i int) {
	n, told := w.s.nodes[i], 0
	for index, t := range n.tasks.troubled() {
		if t.stand == skipped {
			continue
		}
		if told++; told > oddTasks {
			w.because("and others had trouble")
			return
		}
		one := why{s: w.s, now: w.now, Explanation: Explanation{Process: w.s.ID, Address: w.Address, Index: index}}
		if one.task(i, index) == nil && len(one.Because) > 0 {
			w.because("%s: %s", subject(w.Address, task.Span(index, 1)), one.Because[0])
		}
	}
}

func (w *why) process() {
	switch w.s.Status {
	case Completed:
		w.stands(IsCompleted)
		w.because("%d/%d steps have completed", len(w.s.graph.def.Steps), len(w.s.graph.def.Steps))
		return
	case Failed:
		w.stands(IsFailed)
		w.because("%s", w.s.Reason())
	case Cancelled:
		w.stands(IsStopped)
		w.because("%s", w.s.Reason())
	case Paused:
		w.stands(IsPaused)
		w.because("%s", w.s.paused())
	default:
		w.stands(IsRunning)
		w.because("%d/%d steps have completed", len(w.s.graph.def.Steps)-w.s.left, len(w.s.graph.def.Steps))
	}
	if due := w.s.Deadline(); !due.IsZero() && !w.s.Ended() {
		w.because("it has to be done by %s", w.clock(due))
	}
	for i, step := range w.s.graph.def.Steps {
		if w.s.nodes[i].phase == completed {
			continue
		}
		one := why{s: w.s, now: w.now, Explanation: Explanation{Process: w.s.ID, Address: step.Address, Index: -1}}
		one.step(i)
		said := one.Because
		if one.Standing == IsPaused || one.Standing == IsStopped { // that is said already
			said = said[1:]
		}
		w.because("%s: %s", step.Address, strings.Join(said, "; "))
	}
}

func skippedOf(n *node) string {
	said := ""
	if n.skipped > 0 {
		said += fmt.Sprintf(", %d of them skipped", n.skipped)
	}
	if n.reused > 0 {
		said += fmt.Sprintf(", %d of them with results of earlier tasks", n.reused)
	}
	return said
}

func tasksAre(n int) string {
	if n == 1 {
		return "1 task is"
	}
	return fmt.Sprintf("%d tasks are", n)
}
