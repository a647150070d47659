package metrics

import (
	"cmp"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// program is the handler of tasks that are programs: their command lines have no end.
const program = "program"

// What a worker tries again.
const (
	Receiving     = "receive"
	Reporting     = "report"
	Acknowledging = "acknowledge"
	Extending     = "extend"
	Signalling    = "signal"
)

// Dropped is the outcome of tasks that were ended since they are nobody's any more.
const Dropped = "dropped"

// Worker is what a worker measures. A nil one measures nothing.
type Worker struct {
	now sources[func() WorkerNow]

	handlers    sync.Map // *ofHandler, by name
	tasks       *prometheus.CounterVec
	durations   *prometheus.HistogramVec
	read        prometheus.Counter
	written     prometheus.Counter
	reports     prometheus.Histogram
	reported    prometheus.Histogram
	failures    map[string]prometheus.Counter
	abandoned   prometheus.Counter
	quarantined prometheus.Counter
	lookups     map[bool]prometheus.Counter // by whether there was a hit
}

// WorkerNow is what a worker has at a time.
type WorkerNow struct {
	Slots, Executing, Waiting int
	Draining                  bool
}

func newWorker(r *Registry) *Worker {
	m := &Worker{
		tasks:       r.counters("deed_worker_tasks_total"),
		durations:   r.histograms("deed_worker_task_duration_seconds"),
		read:        r.counter("deed_worker_read_bytes_total"),
		written:     r.counter("deed_worker_written_bytes_total"),
		reports:     r.histogram("deed_worker_report_duration_seconds"),
		reported:    r.histogram("deed_worker_report_tasks"),
		failures:    map[string]prometheus.Counter{},
		abandoned:   r.counter("deed_worker_abandoned_total"),
		quarantined: r.counter("deed_worker_quarantined_total"),
		lookups:     map[bool]prometheus.Counter{},
	}
	failures := r.counters("deed_worker_failures_total")
	for _, operation := range []string{Receiving, Reporting, Acknowledging, Extending, Signalling} {
		m.failures[operation] = failures.WithLabelValues(operation)
	}
	lookups := r.counters("deed_worker_cache_lookups_total")
	for found, outcome := range hitOrMiss {
		m.lookups[found] = lookups.WithLabelValues(outcome)
	}
	r.read(m.tell, "deed_worker_slots", "deed_worker_slots_used", "deed_worker_tasks_waiting", "deed_worker_draining")
	return m
}

func (m *Worker) tell(tell func(name string, value float64, labels ...string)) {
	now, draining := m.now.each(), 0.0
	if len(now) == 0 {
		return
	}
	var all WorkerNow
	for _, look := range now {
		w := look()
		all.Slots, all.Executing, all.Waiting = all.Slots+w.Slots, all.Executing+w.Executing, all.Waiting+w.Waiting
		if w.Draining {
			draining = 1
		}
	}
	tell("deed_worker_slots", float64(all.Slots))
	tell("deed_worker_slots_used", float64(all.Executing))
	tell("deed_worker_tasks_waiting", float64(all.Waiting))
	tell("deed_worker_draining", draining)
}

// Attach says where to look while a worker is there.
func (m *Worker) Attach(now func() WorkerNow) (detach func()) {
	if m == nil {
		return func() {}
	}
	return m.now.attach(now)
}

// ofHandler is the instruments of one handler, found once.
type ofHandler struct {
	duration prometheus.Observer

	done, failed, returned, dropped prometheus.Counter
}

func (m *Worker) handler(name string) *ofHandler {
	if h, known := m.handlers.Load(name); known {
		return h.(*ofHandler)
	}
	label := cmp.Or(name, program)
	h, _ := m.handlers.LoadOrStore(name, &ofHandler{
		duration: m.durations.WithLabelValues(label),
		done:     m.tasks.WithLabelValues(label, "done"),
		failed:   m.tasks.WithLabelValues(label, "failed"),
		returned: m.tasks.WithLabelValues(label, "returned"),
		dropped:  m.tasks.WithLabelValues(label, Dropped),
	})
	return h.(*ofHandler)
}

// Executed notes a task that was executed: done, failed, returned or dropped. The handler
// is one that the worker offers, so that there are few, or "" for a program.
func (m *Worker) Executed(handler, outcome string, took time.Duration) {
	if m == nil {
		return
	}
	h := m.handler(handler)
	switch outcome {
	case "done":
		h.done.Inc()
	case "failed":
		h.failed.Inc()
	case Dropped:
		h.dropped.Inc()
		return // before its end: how long it took says nothing of the handler
	default:
		h.returned.Inc()
		return
	}
	h.duration.Observe(took.Seconds())
}

// NotExecuted notes tasks that were not, for whatever handler a message says: so
// for none in particular.
func (m *Worker) NotExecuted(outcome string, n int) {
	if m != nil {
		m.tasks.WithLabelValues("(none)", outcome).Add(float64(n))
	}
}

// LookedUp notes that an equal task was looked for that ran earlier.
func (m *Worker) LookedUp(found bool) {
	if m != nil {
		m.lookups[found].Inc()
	}
}

// hitOrMiss is how looks into the cache end, by whether something was found.
var hitOrMiss = map[bool]string{true: "hit", false: "miss"}

// Read notes bytes of inputs.
func (m *Worker) Read(bytes int64) {
	if m != nil && bytes > 0 {
		m.read.Add(float64(bytes))
	}
}

// Written notes bytes of outputs.
func (m *Worker) Written(bytes int64) {
	if m != nil && bytes > 0 {
		m.written.Add(float64(bytes))
	}
}

// Now is the time from which something is measured.
func (m *Worker) Now() time.Time {
	if m == nil {
		return time.Time{}
	}
	return time.Now()
}

// Reported notes that the ends of tasks are stored in the inbox, which began at a time.
func (m *Worker) Reported(tasks int, since time.Time) {
	if m == nil {
		return
	}
	m.reports.Observe(time.Since(since).Seconds())
	m.reported.Observe(float64(tasks))
}

// Failed notes what failed and is tried again.
func (m *Worker) Failed(operation string) {
	if m != nil {
		m.failures[operation].Inc()
	}
}

// Abandoned notes a handler that was left to itself.
func (m *Worker) Abandoned() {
	if m != nil {
		m.abandoned.Inc()
	}
}

// Quarantined notes a message that was put into quarantine.
func (m *Worker) Quarantined() {
	if m != nil {
		m.quarantined.Inc()
	}
}
