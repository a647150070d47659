package orchestrator

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/deedrun/deed/internal/amount"
	"github.com/deedrun/deed/orchestrator/definition"
	"github.com/deedrun/deed/task"
)

// Place is where an open task is right now.
type Place string

// The places of an open task.
const (
	Executing Place = "executing" // a worker executes it
	Held      Place = "held"      // a worker has it, and has not begun
	Queued    Place = "queued"    // it is on the work queue
	Unsent    Place = "unsent"    // it waits for others of its process to leave the queue
	Unserved  Place = "unserved"  // no worker offers its handler
	Nowhere   Place = "nowhere"   // nobody has it, as far as is known: it is sent again after a lease
)

// Whereabouts is where an open task is, by a View.
type Whereabouts struct {
	Place   Place         `json:"place"`
	Worker  string        `json:"worker,omitempty"`
	Attempt int           `json:"attempt,omitempty"` // that the worker has, if it is not the current one
	Elapsed task.Duration `json:"elapsed,omitempty"`
	Timeout task.Duration `json:"timeout,omitempty"`
	Before  int           `json:"before,omitempty"`  // queued: messages before it, at most
	Offered []string      `json:"offered,omitempty"` // unserved: what workers offer
	Text    string        `json:"text"`
	Certain bool          `json:"certain"` // the orchestrator has listened for long enough to know who has what
}

// Find says where an attempt at an open task is. v is the view of its process,
// all that of everything; handler is "" for a program.
func (v View) Find(all View, t task.Attempt, handler string) Whereabouts {
	w := Whereabouts{Certain: v.Certain}
	for _, r := range v.Running {
		if r.Process == t.Process && r.Address == t.Address && r.Generation == t.Generation && r.Index == t.Index {
			w.Place, w.Worker, w.Elapsed, w.Timeout = Executing, r.Worker, r.Elapsed, r.Timeout
			w.Text = fmt.Sprintf("worker %s is executing it, for %s%s", r.Worker, round(r.Elapsed), of(r.Timeout))
			if r.Attempt != t.Attempt {
				w.Attempt = r.Attempt
				w.Text = fmt.Sprintf("worker %s is still executing attempt %d at it, for %s; if that ends well it counts", r.Worker, r.Attempt, round(r.Elapsed))
			}
			if r.Attempt == t.Attempt {
				return w
			}
		}
	}
	q := v.queue(t.Process)
	for _, h := range q.Held {
		if h.has(t) {
			return Whereabouts{Certain: v.Certain, Place: Held, Worker: h.Worker, Text: fmt.Sprintf("worker %s has it, and has not begun", h.Worker)}
		}
	}
	if w.Place == Executing {
		return w
	}
	if text, unserved := v.Unserved(handler); unserved {
		w.Place, w.Offered, w.Text = Unserved, v.offered(), text
		return w
	}
	before := max(all.messages()-1, 0)
	if i := slices.IndexFunc(q.Unsent, func(h HeldTasks) bool { return h.has(t) && h.Why != "" }); i >= 0 {
		w.Place, w.Text = Unsent, q.Unsent[i].Why
		if q.Unsent[i].Unserved {
			w.Place, w.Offered = Unserved, v.offered()
		}
		return w
	}
	if i := slices.IndexFunc(q.Unattended, func(h HeldTasks) bool { return h.has(t) }); i >= 0 {
		w.Place, w.Text = Queued, "it is on the queue, and "+q.Unattended[i].Why
		return w
	}
	switch {
	case slices.ContainsFunc(q.Unsent, func(h HeldTasks) bool { return h.has(t) }):
		w.Place, w.Before = Unsent, before
		w.Text = fmt.Sprintf("it waits to be put on the queue, which is kept short: %s of its process there now, and %s not yet", amount.Of(q.Queued, "message"), amount.Of(q.Pending, "task"))
	case q.Queued > 0:
		w.Place, w.Before = Queued, before
		w.Text = fmt.Sprintf("it is on the queue, with at most %s before it", amount.Of(before, "message"))
	default:
		w.Place = Nowhere
		w.Text = "nobody has it: it is just changing hands, or its message was lost; then it is sent again"
	}
	text, refused := v.Refusal(t.Process, t.Address)
	switch {
	case len(v.Workers) == 0:
		w.Text += "; no worker is there"
	case refused && w.Place == Nowhere:
		w.Text = text
	case refused:
		w.Text += "; " + text
	}
	return w
}

// Unserved says that there are workers and none of them offers a handler.
func (v View) Unserved(handler string) (text string, unserved bool) {
	offered := v.offered()
	if handler == "" || handler == task.SealHandler || len(v.Workers) == 0 || offers(offered, handler) {
		return "", false
	}
	return fmt.Sprintf("no worker offers the handler %q%s", handler, instead(handler, offered)), true
}

func (h HeldTasks) has(t task.Attempt) bool {
	return h.Address == t.Address && h.Generation == t.Generation && h.Attempt == t.Attempt && h.Tasks.Contains(t.Index)
}

func (v View) queue(id string) QueueView {
	for _, q := range v.Queues {
		if q.Process == id {
			return q
		}
	}
	return QueueView{}
}

// messages is how many messages are on the queue that no worker has, at most: how
// many messages the tasks came in that a worker holds, it does not say.
func (v View) messages() int {
	n := 0
	for _, q := range v.Queues {
		n += q.Queued
	}
	for _, w := range v.Workers {
		n -= min(w.Holding, 1)
	}
	return max(n, 0)
}

// offered lists the handlers that some worker offers.
func (v View) offered() []string {
	var all []string
	for _, w := range v.Workers {
		all = append(all, w.Handlers...)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

func instead(handler string, offered []string) string {
	var spell definition.Speller
	if near, ok := spell.Nearest(handler, offered); ok {
		return fmt.Sprintf("; did you mean %q?", near)
	}
	if len(offered) == 0 {
		return "; workers offer none, only programs"
	}
	const most = 10
	more := ""
	if len(offered) > most {
		more = fmt.Sprintf(" and %d more", len(offered)-most)
	}
	return "; offered: " + strings.Join(offered[:min(most, len(offered))], ", ") + more
}

func of(timeout task.Duration) string {
	if timeout == 0 {
		return ", without a timeout"
	}
	return " of " + timeout.String()
}

func round(d task.Duration) string {
	return task.Duration(time.Duration(d).Round(time.Second / 10)).String()
}
