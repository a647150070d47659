package metrics

import "slices"

// metric is a line of the catalogue.
type metric struct {
	Name   string
	Kind   string // counter, gauge or histogram
	Labels []string
	Help   string

	// Role is who has it: everybody, an orchestrator, and so on.
	Role string

	Buckets []float64 // of a histogram
}

const (
	counter   = "counter"
	gauge     = "gauge"
	histogram = "histogram"
)

var (
	quick = []float64{.0001, .0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 10}
	long  = []float64{.001, .01, .1, .5, 1, 5, 15, 60, 300, 900, 3600, 14400, 86400}
	some  = []float64{1, 2, 5, 10, 25, 50, 100, 250, 500, 1000, 2500}
)

// catalogue is every metric there is, by role.
var catalogue = slices.Concat(
	roleOf("everybody", []metric{
		{Name: "deed_build_info", Kind: gauge, Labels: []string{"version", "go"}, Help: "1, with the version of the binary and of the Go that built it."},
	}),
	roleOf("orchestrator", []metric{
		{Name: "deed_shards_held", Kind: gauge, Help: "Shards whose processes this replica owns; all replicas together hold 64."},
		{Name: "deed_replicas", Kind: gauge, Help: "Orchestrators that this one hears, itself included."},
		{Name: "deed_orchestrator_last_step_timestamp_seconds", Kind: gauge, Help: "When this replica last came through all there was to do, in Unix time; a few moments ago, unless it stands still."},
		{Name: "deed_orchestrator_step_duration_seconds", Kind: histogram, Buckets: quick, Help: "How long the orchestrator worked between two waits for messages; its rate of seconds a second is how busy its one goroutine is."},
		{Name: "deed_orchestrator_step_failures_total", Kind: counter, Help: "Steps of the orchestrator that failed, most likely since a backend was away; each is tried again."},
		{Name: "deed_takeovers_total", Kind: counter, Help: "How often this replica took over shards, at its start, or from one that left or died."},
		{Name: "deed_processes", Kind: gauge, Labels: []string{"status"}, Help: "Processes of the shards held that have not ended: running or paused."},
		{Name: "deed_process_transitions_total", Kind: counter, Labels: []string{"to"}, Help: "Changes of the status of processes: to running, paused, completed, failed or cancelled."},
		{Name: "deed_process_duration_seconds", Kind: histogram, Labels: []string{"outcome"}, Buckets: long, Help: "How long processes took that ended, since they started or were last made to go again."},
		{Name: "deed_processes_quiet_seconds", Kind: gauge, Help: "For how long nothing has happened to the running process to which that applies longest: no event, and no worker executes a task of it. Planned retries count as something."},
		{Name: "deed_processes_stuck_total", Kind: counter, Help: "Processes that were found to stand still, since their history cannot be read or is damaged."},
		{Name: "deed_step_duration_seconds", Kind: histogram, Buckets: long, Help: "How long steps of processes took that completed, from when they started."},
		{Name: "deed_commits_total", Kind: counter, Help: "Commits stored in the event store."},
		{Name: "deed_commit_events", Kind: histogram, Buckets: some, Help: "Events a commit."},
		{Name: "deed_append_duration_seconds", Kind: histogram, Buckets: quick, Help: "How long the event store took to store a commit."},
		{Name: "deed_decide_duration_seconds", Kind: histogram, Buckets: quick, Help: "How long it took to decide on what makes one commit."},
		{Name: "deed_conflicts_total", Kind: counter, Help: "Commits that were refused since another replica had written; they are decided on again."},
		{Name: "deed_inbox_messages_total", Kind: counter, Labels: []string{"kind"}, Help: "Messages taken from the inbox: reports of workers, commands of people, and unusable ones."},
		{Name: "deed_inbox_batch_messages", Kind: histogram, Buckets: some, Help: "Messages that one look into the inbox brought, if any."},
		{Name: "deed_tasks_total", Kind: counter, Labels: []string{"event"}, Help: "What happened to tasks: scheduled, sent (to the queue), confirmed, failed, lost (with their worker), timed_out (ended by their worker, or given up), skipped, returned (unexecuted), unserved (by the worker that got them), resent (nobody had them), reused (equal ones ran earlier)."},
		{Name: "deed_cache_lookups_total", Kind: counter, Labels: []string{"outcome"}, Help: "Looks for results of equal tasks before tasks were sent to workers: hit (the task needs no worker), miss."},
		{Name: "deed_late_results_total", Kind: counter, Help: "Tasks reported done when they were not open any more; those results were dropped."},
		{Name: "deed_quarantined_total", Kind: counter, Help: "Messages that this orchestrator put into quarantine."},
		{Name: "deed_queue_tasks", Kind: gauge, Labels: []string{"pool", "place"}, Help: "Tasks by where they are: waiting (to be sent), unserved (no worker can execute them), queued, running."},
		{Name: "deed_pool_backlog_seconds", Kind: gauge, Labels: []string{"pool"}, Help: "The tasks of a pool that wait or are out, as time of one slot, by what tasks of their steps took of late."},
		{Name: "deed_workers", Kind: gauge, Labels: []string{"pool"}, Help: "Workers whose heartbeats this replica hears; each replica hears all."},
		{Name: "deed_workers_draining", Kind: gauge, Labels: []string{"pool"}, Help: "Those of them that take nothing more."},
		{Name: "deed_pool_slots", Kind: gauge, Labels: []string{"pool"}, Help: "Tasks that the workers of a pool execute at a time, all of them together."},
		{Name: "deed_workers_lost_total", Kind: counter, Help: "Workers that fell silent without having left; each replica counts all."},
	}),
	roleOf("worker", []metric{
		{Name: "deed_worker_slots", Kind: gauge, Help: "Tasks that this worker executes at a time."},
		{Name: "deed_worker_slots_used", Kind: gauge, Help: "Tasks that it executes now."},
		{Name: "deed_worker_tasks_waiting", Kind: gauge, Help: "Tasks that it holds and has not begun."},
		{Name: "deed_worker_draining", Kind: gauge, Help: "1 if it takes nothing more."},
		{Name: "deed_worker_tasks_total", Kind: counter, Labels: []string{"handler", "outcome"}, Help: "Tasks by how they ended here: done, failed, lost (by the worker before), returned, unserved, dropped (cancelled, or without a lease any more). Programs are the handler \"program\"."},
		{Name: "deed_worker_task_duration_seconds", Kind: histogram, Labels: []string{"handler"}, Buckets: long, Help: "How long tasks were executed that are done or failed."},
		{Name: "deed_worker_read_bytes_total", Kind: counter, Help: "Bytes of inputs that tasks read."},
		{Name: "deed_worker_written_bytes_total", Kind: counter, Help: "Bytes of outputs that tasks wrote that are done."},
		{Name: "deed_worker_report_duration_seconds", Kind: histogram, Buckets: quick, Help: "How long it took to store reports in the inbox."},
		{Name: "deed_worker_report_tasks", Kind: histogram, Buckets: some, Help: "Tasks whose ends were told together."},
		{Name: "deed_worker_failures_total", Kind: counter, Labels: []string{"operation"}, Help: "What failed against a backend and was tried again: receive, report, acknowledge, extend, signal."},
		{Name: "deed_worker_abandoned_total", Kind: counter, Help: "Handlers that went on after their task had ended, and were left to themselves."},
		{Name: "deed_worker_cache_lookups_total", Kind: counter, Labels: []string{"outcome"}, Help: "Looks for results of equal tasks before a task was executed here: hit, miss. Those that the orchestrator could look for are not among them."},
		{Name: "deed_worker_quarantined_total", Kind: counter, Help: "Messages that this worker put into quarantine."},
	}),
	roleOf("api", []metric{
		{Name: "deed_api_requests_total", Kind: counter, Labels: []string{"route", "method", "code"}, Help: "Requests by the route that answered and the status; \"none\" is the route of what has no address."},
		{Name: "deed_api_request_duration_seconds", Kind: histogram, Labels: []string{"route"}, Buckets: quick, Help: "How long answers took, but for streams, which last as long as somebody listens."},
		{Name: "deed_api_requests_in_flight", Kind: gauge, Help: "Requests that are being answered, streams included."},
		{Name: "deed_api_streams", Kind: gauge, Help: "Watches and other streams that are open."},
	}),
	roleOf("queues", []metric{
		{Name: "deed_quarantine_messages", Kind: gauge, Help: "Messages in quarantine, which wait for a person."},
		{Name: "deed_stream_messages", Kind: gauge, Labels: []string{"stream"}, Help: "Messages in the streams of JetStream: events, inbox, work, quarantine."},
		{Name: "deed_stream_bytes", Kind: gauge, Labels: []string{"stream"}, Help: "What those take."},
		{Name: "deed_stream_replicas_missing", Kind: gauge, Labels: []string{"stream"}, Help: "Servers of a cluster that should keep the stream, and are away or behind."},
		{Name: "deed_jetstream_storage_bytes", Kind: gauge, Help: "What all streams of the account take."},
		{Name: "deed_jetstream_storage_limit_bytes", Kind: gauge, Help: "What they may take; absent if nothing limits them."},
		{Name: "deed_data_free_bytes", Kind: gauge, Help: "What is free on the disk of the data folder; absent without one."},
		{Name: "deed_data_size_bytes", Kind: gauge, Help: "How large that disk is."},
	}),
	roleOf("nats", []metric{
		{Name: "deed_nats_connected", Kind: gauge, Help: "1 while the connection to NATS stands."},
		{Name: "deed_nats_reconnects_total", Kind: counter, Help: "How often the connection came back."},
		{Name: "deed_nats_messages_total", Kind: counter, Labels: []string{"direction"}, Help: "Messages that went out, and that came in."},
		{Name: "deed_nats_bytes_total", Kind: counter, Labels: []string{"direction"}, Help: "Their bytes."},
	}),
	roleOf("listener", []metric{
		{Name: "deed_certificate_expiry_timestamp_seconds", Kind: gauge, Help: "When the certificate that this process shows ends, in Unix time; absent without one."},
	}),
	roleOf("autoscale", []metric{
		{Name: "deed_autoscale_workers", Kind: gauge, Labels: []string{"pool"}, Help: "Worker processes that autoscale keeps."},
		{Name: "deed_autoscale_decisions_total", Kind: counter, Labels: []string{"pool", "kind"}, Help: "Decisions, those not to change anything included, by kind: began, rose, fell, held, blind, steady, replaced, failing, killed, left."},
		{Name: "deed_autoscale_looks_total", Kind: counter, Labels: []string{"outcome"}, Help: "Looks at the pool: seen, or failed, after which it keeps what it has."},
	}),
)

func roleOf(role string, all []metric) []metric {
	for i := range all {
		all[i].Role = role
	}
	return all
}

// find is a metric of the catalogue.
func find(name string) metric {
	i := slices.IndexFunc(catalogue, func(m metric) bool { return m.Name == name })
	if i < 0 {
		panic("metrics: " + name + " is not in the catalogue")
	}
	return catalogue[i]
}
