package metrics

import (
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// TaskEvent is what happens to tasks, as an orchestrator sees it.
type TaskEvent int

// What happens to tasks.
const (
	TasksScheduled TaskEvent = iota
	TasksSent
	TasksConfirmed
	TasksFailed
	TasksLost
	TasksTimedOut
	TasksSkipped
	TasksReturned
	TasksUnserved
	TasksResent
	TasksReused
)

var taskEvents = []string{"scheduled", "sent", "confirmed", "failed", "lost", "timed_out", "skipped", "returned", "unserved", "resent", "reused"}

// What an inbox brings.
const (
	Report   = "report"
	Command  = "command"
	Unusable = "unusable"
)

var (
	statuses = []string{"running", "paused", "completed", "failed", "cancelled"}
	ends     = statuses[2:]
)

// Orchestrator is what an orchestrator measures. A nil one measures nothing.
type Orchestrator struct {
	seen seen

	steps       prometheus.Histogram
	failedSteps prometheus.Counter
	takeovers   prometheus.Counter
	transitions *prometheus.CounterVec
	processes   *prometheus.HistogramVec
	stuck       prometheus.Counter
	nodes       prometheus.Histogram
	commits     prometheus.Counter
	events      prometheus.Histogram
	appends     prometheus.Histogram
	decisions   prometheus.Histogram
	conflicts   prometheus.Counter
	inbox       map[string]prometheus.Counter
	batches     prometheus.Histogram
	tasks       []prometheus.Counter
	late        prometheus.Counter
	quarantined prometheus.Counter
	silent      prometheus.Counter
	lookups     map[bool]prometheus.Counter // into the cache, by whether there was a hit
}

func newOrchestrator(r *Registry) *Orchestrator {
	m := &Orchestrator{
		steps:       r.histogram("deed_orchestrator_step_duration_seconds"),
		failedSteps: r.counter("deed_orchestrator_step_failures_total"),
		takeovers:   r.counter("deed_takeovers_total"),
		transitions: r.counters("deed_process_transitions_total"),
		processes:   r.histograms("deed_process_duration_seconds"),
		stuck:       r.counter("deed_processes_stuck_total"),
		nodes:       r.histogram("deed_step_duration_seconds"),
		commits:     r.counter("deed_commits_total"),
		events:      r.histogram("deed_commit_events"),
		appends:     r.histogram("deed_append_duration_seconds"),
		decisions:   r.histogram("deed_decide_duration_seconds"),
		conflicts:   r.counter("deed_conflicts_total"),
		inbox:       map[string]prometheus.Counter{},
		batches:     r.histogram("deed_inbox_batch_messages"),
		late:        r.counter("deed_late_results_total"),
		quarantined: r.counter("deed_quarantined_total"),
		silent:      r.counter("deed_workers_lost_total"),
		lookups:     map[bool]prometheus.Counter{},
	}
	// All series are there from the start: an alert on an increase would not see
	// the first one of a series that begins with it.
	inbox, tasks := r.counters("deed_inbox_messages_total"), r.counters("deed_tasks_total")
	for _, kind := range []string{Report, Command, Unusable} {
		m.inbox[kind] = inbox.WithLabelValues(kind)
	}
	lookups := r.counters("deed_cache_lookups_total")
	for found, outcome := range hitOrMiss {
		m.lookups[found] = lookups.WithLabelValues(outcome)
	}
	for _, event := range taskEvents {
		m.tasks = append(m.tasks, tasks.WithLabelValues(event))
	}
	for _, status := range statuses {
		m.transitions.WithLabelValues(status)
	}
	for _, end := range ends {
		m.processes.WithLabelValues(end)
	}
	m.seen.register(r)
	return m
}

// Now is the time from which something is measured.
func (m *Orchestrator) Now() time.Time {
	if m == nil {
		return time.Time{}
	}
	return time.Now()
}

// Stepped notes a step that worked since a time, without its wait for messages,
// and whether it came through.
func (m *Orchestrator) Stepped(since time.Time, through bool) {
	if m == nil {
		return
	}
	m.steps.Observe(time.Since(since).Seconds())
	if through {
		m.seen.stepped.Store(time.Now().UnixNano())
	}
}

// StepFailed notes a step that failed, be it before it had anything to work on.
func (m *Orchestrator) StepFailed() {
	if m != nil {
		m.failedSteps.Inc()
	}
}

// TookOver notes that shards were taken.
func (m *Orchestrator) TookOver() {
	if m != nil {
		m.takeovers.Inc()
	}
}

// Became notes that a process has another status. If that is an end, it took so long.
func (m *Orchestrator) Became(status string, took time.Duration) {
	if m == nil {
		return
	}
	m.transitions.WithLabelValues(status).Inc()
	if slices.Contains(ends, status) {
		m.processes.WithLabelValues(status).Observe(took.Seconds())
	}
}

// Stuck notes a process that cannot go on.
func (m *Orchestrator) Stuck() {
	if m != nil {
		m.stuck.Inc()
	}
}

// StepCompleted notes how long a step of a process took.
func (m *Orchestrator) StepCompleted(took time.Duration) {
	if m != nil {
		m.nodes.Observe(took.Seconds())
	}
}

// Decided notes a decision that began at a time.
func (m *Orchestrator) Decided(since time.Time) {
	if m != nil {
		m.decisions.Observe(time.Since(since).Seconds())
	}
}

// Committed notes a commit, whose append began at a time.
func (m *Orchestrator) Committed(events int, since time.Time) {
	if m == nil {
		return
	}
	m.commits.Inc()
	m.events.Observe(float64(events))
	m.appends.Observe(time.Since(since).Seconds())
}

// Conflict notes that another replica had written.
func (m *Orchestrator) Conflict() {
	if m != nil {
		m.conflicts.Inc()
	}
}

// Received notes the messages of one look into the inbox.
func (m *Orchestrator) Received(n int) {
	if m != nil && n > 0 {
		m.batches.Observe(float64(n))
	}
}

// Messages notes n messages that came in, by kind: Report, Command or Unusable.
func (m *Orchestrator) Messages(kind string, n int) {
	if m != nil && n > 0 {
		m.inbox[kind].Add(float64(n))
	}
}

// Tasks notes what happened to n tasks.
func (m *Orchestrator) Tasks(event TaskEvent, n int) {
	if m != nil && n > 0 {
		m.tasks[event].Add(float64(n))
	}
}

// LookedUp notes that n tasks were looked for among those that ran earlier.
func (m *Orchestrator) LookedUp(found bool, n int) {
	if m != nil && n > 0 {
		m.lookups[found].Add(float64(n))
	}
}

// Late notes results that came too late.
func (m *Orchestrator) Late(tasks int) {
	if m != nil && tasks > 0 {
		m.late.Add(float64(tasks))
	}
}

// Quarantined notes a message that was put into quarantine.
func (m *Orchestrator) Quarantined() {
	if m != nil {
		m.quarantined.Inc()
	}
}

// Silent notes workers that fell silent without having left.
func (m *Orchestrator) Silent(workers int) {
	if m != nil && workers > 0 {
		m.silent.Add(float64(workers))
	}
}
