package task

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
