package task

import "time"

// Outcome is how the execution of tasks ended.
type Outcome string

// The outcomes a worker reports.
const (
	Done     Outcome = "done"     // executed; outputs written
	Failed   Outcome = "failed"   // executed and failed, or could not be executed
	Lost     Outcome = "lost"     // handed over a second time: the first holder is presumed dead; not executed
	Returned Outcome = "returned" // handed back by a worker that drains; not executed, no attempt is spent
	Prepared Outcome = "prepared" // what the child of the task reads is known: Inputs; the task itself goes on
	Reused   Outcome = "reused"   // not executed: an equal task that ran earlier wrote Parts; see Origins
	Begun    Outcome = "begun"    // the child of the task has started
	Unserved Outcome = "unserved" // this worker does not offer the handler; not executed, no attempt is spent
)

// Verdict is what a failure asks for; the core decides.
type Verdict string

// The verdicts of a failure.
const (
	Retry     Verdict = "retry"     // may succeed if tried again
	Permanent Verdict = "permanent" // trying again is pointless
	TimedOut  Verdict = "timed-out" // the attempt ran longer than the step's timeout
)

// MaxInline is how many bytes of encoded parts a report carries itself; more
// go into a manifest.
const MaxInline = 4 << 10

// MaxError is how many bytes of a failure's text travel in reports and events.
const MaxError = 1 << 10

// MaxElement is how many bytes of an element's name travel with a failure.
const MaxElement = 256

// Report is one message from a worker to a process: results of tasks that
// ended close together. A report may arrive twice, late, and out of order.
type Report struct {
	Process string   `json:"process"`
	Worker  string   `json:"worker"`
	Results []Result `json:"results"`
}

// Result speaks for exactly the tasks it names.
type Result struct {
	Address    string     `json:"address"`
	Generation int        `json:"generation,omitempty"`
	Attempt    int        `json:"attempt"`
	Tasks      Ranges     `json:"tasks"`
	Outcome    Outcome    `json:"outcome"`
	Parts      []Produced `json:"parts,omitempty"`    // outputs, inline: at most MaxInline bytes
	Manifest   *Ref       `json:"manifest,omitempty"` // or where their list is: see blob.WriteReport
	Sealed     *Dataset   `json:"sealed,omitempty"`   // the result of deed/seal
	Elapsed    Duration   `json:"elapsed,omitempty"`  // execution time, summed over the tasks
	Failure    *Failure   `json:"failure,omitempty"`

	Lists   map[string]Dataset `json:"lists,omitempty"`   // Done, of a child: by output of the child
	Held    bool               `json:"held,omitempty"`    // Begun: it has, and its parent has paused it
	Inputs  map[string]Dataset `json:"inputs,omitempty"`  // Prepared: by local name
	Origins []Origin           `json:"origins,omitempty"` // Reused: of each task
}

// Origin is the task whose result another one took.
type Origin struct {
	Index   int     `json:"index"` // of the task that took it
	Attempt Attempt `json:"attempt"`
	Key     string  `json:"key"` // what is equal of both: see CacheKey
}

// Failure is why tasks failed.
type Failure struct {
	Error   string   `json:"error"` // at most MaxError bytes
	Verdict Verdict  `json:"verdict"`
	After   Duration `json:"after,omitempty"` // with Retry: how long to wait, whatever the step says; 0: as the step says

	// Element is what people call the part that the task was about, a file or a
	// key, at most MaxElement bytes; "" if it has no name, or it is not known.
	Element string `json:"element,omitempty"`
}

// Heartbeat is what a worker says of itself once a second, on a signal that is
// never stored. What it says of tasks are elapsed times, never wall times.
type Heartbeat struct {
	Worker   string   `json:"worker"`
	Version  string   `json:"version,omitempty"` // of its binary
	Slots    int      `json:"slots"`
	Pool     string   `json:"pool,omitempty"`     // whose tasks it takes; "": those that name no pool
	AnyPool  bool     `json:"anyPool,omitempty"`  // it has no pool, and takes the tasks of pools that have no worker
	Handlers []string `json:"handlers,omitempty"` // what it offers, versions included: "words/count", "words/count@2"

	// Versions are, of those of Handlers that have versions, the one that runs what
	// names none: the newest, or "" for a handler without a version.
	Versions map[string]string `json:"versions,omitempty"`

	// Offer is what the tasks that it executes may need together, Used what those
	// do that it executes now.
	Offer Resources `json:"offer,omitzero"`
	Used  Resources `json:"used,omitzero"`

	// Now is its wall clock, for people who look for one that is wrong: nothing is
	// decided by it.
	Now time.Time `json:"now,omitzero"`

	Holding  []Hold `json:"holding,omitempty"`
	Draining bool   `json:"draining,omitempty"` // it takes nothing more: it ends once what it executes has ended
	Leaving  bool   `json:"leaving,omitempty"`  // the worker ends after this; it holds nothing
}

// Hold is one message that a worker holds: Tasks are not yet reported, Running
// lists those being executed.
type Hold struct {
	Process    string    `json:"process"`
	Address    string    `json:"address"`
	Generation int       `json:"generation,omitempty"`
	Attempt    int       `json:"attempt"`
	Tasks      Ranges    `json:"tasks"`
	Running    []Running `json:"running,omitempty"`
}

// MaxMessage is how many bytes of what a task says of its progress travel.
const MaxMessage = 200

// Running is a task being executed, for how long, and how far it says it is.
type Running struct {
	Index    int      `json:"index"`
	Elapsed  Duration `json:"elapsed"`
	Progress float64  `json:"progress,omitempty"` // from 0 to 1
	Message  string   `json:"message,omitempty"`  // at most MaxMessage bytes
}

// Cancel is the body of the signal by which workers are told to stop what they
// execute of a process: everything, or, with Before, only the tasks of these
// addresses whose generation is lower than the one given.
type Cancel struct {
	Process string         `json:"process"`
	Before  map[string]int `json:"before,omitzero"` // empty is nothing, and not everything
}

// Covers reports whether a task of the process is to be stopped.
func (c Cancel) Covers(address string, generation int) bool {
	if c.Before == nil {
		return true
	}
	before, ok := c.Before[address]
	return ok && generation < before
}

// Drain is the body of the signal by which a worker is told to leave: it
// finishes what it executes, hands back what it only holds, and ends.
type Drain struct {
	Worker string `json:"worker"`
}
