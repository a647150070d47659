package parse

// The authored format as Go types, for the schema: what may stand where, in
// the order in which it is best written, with the words an editor shows.
type document struct {
	Deed     formatVersion `json:"deed" jsonschema:"The version of this format."`
	Name     processName   `json:"name" jsonschema:"What the process is called."`
	Version  version       `json:"version,omitempty" jsonschema:"The author's own version of the process."`
	Inputs   names         `json:"inputs,omitempty" jsonschema:"Names of data given at submit. A name holds an ordered list of parts."`
	Params   params        `json:"params,omitempty" jsonschema:"Small values for all steps, with their defaults. null: to be given at submit."`
	Files    filePaths     `json:"files,omitempty" jsonschema:"Files that travel with the definition and lie in a program's working directory. Paths relative to the definition, inside its folder."`
	Steps    nodes         `json:"steps" jsonschema:"The steps and groups of steps, by name."`
	Outputs  names         `json:"outputs,omitempty" jsonschema:"Names of data that are the result of the process."`
	Deadline span          `json:"deadline,omitempty" jsonschema:"The longest time of the whole process, such as 2h, from its start or from when a person last made it go again. Default: none."`

	Parallelism positive `json:"parallelism,omitempty" jsonschema:"How many tasks may be open at a time, of all steps together. Default: no limit."`
	Weight      weight   `json:"weight,omitempty" jsonschema:"Its share of the workers beside other processes: 3 is three times that of a process with 1. Default: 1."`

	Settings settingsMap `json:"settings,omitempty" jsonschema:"Settings by address, such as clean/dedupe. What is set for a group applies to its steps unless they say otherwise."`
}

type stepForm struct {
	Run         runner    `json:"run,omitempty" jsonschema:"What executes a task: a handler by name, perhaps pinned to a version (words/count@2), or a command as a list of words, in which ${params.x} is replaced."`
	Sh          script    `json:"sh,omitempty" jsonschema:"A shell script that executes a task. Params are in its environment."`
	Each        fanOut    `json:"each,omitempty" jsonschema:"Data to fan out over: one task a part. With 'by key' one task a distinct key, with 'by key into N' one task a bucket of keys. Without each: one task."`
	In          wiring    `json:"in,omitempty" jsonschema:"Data that every task reads whole: names, or local names with the names they stand for."`
	Out         wiring    `json:"out,omitempty" jsonschema:"Data that the step writes: names, or local names with the names they stand for. Each name has one writer."`
	After       addresses `json:"after,omitempty" jsonschema:"Addresses of steps that must be complete first, though no data ties them. A group stands for all its steps."`
	Timeout     duration  `json:"timeout,omitempty" jsonschema:"The longest time of one attempt at a task, such as 1m30s. 0: no limit, the default."`
	Retry       retryForm `json:"retry,omitzero" jsonschema:"How often a task is tried, and the wait in between."`
	Parallelism positive  `json:"parallelism,omitempty" jsonschema:"How many tasks of the step may be open at a time. Default: no limit."`
	Tolerate    tolerance `json:"tolerate,omitzero" jsonschema:"How many tasks may fail for good: a number, a share such as 1%, or all. Default: 0."`
	Pool        pool      `json:"pool,omitempty" jsonschema:"The pool of workers that execute its tasks, such as gpu. Default: workers without a pool."`
	Needs       needsForm `json:"needs,omitzero" jsonschema:"What each task needs of the machine that executes it."`
	Rate        rate      `json:"rate,omitempty" jsonschema:"How many tasks may begin in which time, such as 5000/h or 10/30s. Default: no limit."`
	Env         env       `json:"env,omitempty" jsonschema:"Variables of the environment of its tasks: texts, or {secret: NAME} for what the worker finds under that name."`
}

type groupForm struct {
	Steps    nodes     `json:"steps" jsonschema:"The steps and groups inside."`
	Timeout  duration  `json:"timeout,omitempty" jsonschema:"The timeout of the steps inside that have none of their own."`
	Retry    retryForm `json:"retry,omitzero" jsonschema:"The retry of the steps inside that say nothing themselves."`
	Tolerate tolerance `json:"tolerate,omitzero" jsonschema:"How many tasks of each step inside may fail for good: a number, a share such as 1%, or all."`
	Pool     pool      `json:"pool,omitempty" jsonschema:"The pool of the steps inside that name none themselves; default stands for workers without a pool."`
	Needs    needsForm `json:"needs,omitzero" jsonschema:"What each task needs, of the steps inside that say nothing themselves."`
	Env      env       `json:"env,omitempty" jsonschema:"Variables of the environment, for the steps inside that do not set them themselves."`
}

type settingsForm struct {
	Timeout     duration  `json:"timeout,omitempty" jsonschema:"The longest time of one attempt at a task, such as 1m30s. 0: no limit."`
	Retry       retryForm `json:"retry,omitzero" jsonschema:"How often a task is tried, and the wait in between."`
	Parallelism positive  `json:"parallelism,omitempty" jsonschema:"How many tasks of the step may be open at a time. Not for groups."`
	Tolerate    tolerance `json:"tolerate,omitzero" jsonschema:"How many tasks may fail for good: a number, a share such as 1%, or all."`
	Pool        pool      `json:"pool,omitempty" jsonschema:"The pool of workers that execute the tasks; default stands for workers without a pool."`
	Needs       needsForm `json:"needs,omitzero" jsonschema:"What each task needs of the machine that executes it."`
	Rate        rate      `json:"rate,omitempty" jsonschema:"How many tasks of the step may begin in which time, such as 5000/h. Not for groups."`
	Env         env       `json:"env,omitempty" jsonschema:"Variables of the environment: texts, or {secret: NAME}."`
}

type retryForm struct {
	Attempts positive `json:"attempts,omitempty" jsonschema:"How often a task is tried in all. Default: 3."`
	Backoff  backoff  `json:"backoff,omitempty" jsonschema:"The wait after a failure: from..to, growing each time, or one time that stays the same. Default: 1s..30s."`
	Factor   growth   `json:"factor,omitempty" jsonschema:"How many times as long each wait is as the one before. Default: 2."`
	Jitter   share    `json:"jitter,omitzero" jsonschema:"The share of a wait by which it may be shorter, so that tasks which failed together do not come back together: 10% or 0.1. Default: 10%."`
}

type needsForm struct {
	CPU    cores   `json:"cpu,omitzero" jsonschema:"Cores, up to 3 decimals."`
	Memory size    `json:"memory,omitempty" jsonschema:"With a unit: 4GiB, 512MiB, 20GB."`
	GPU    devices `json:"gpu,omitzero" jsonschema:"Devices."`
}

// Values with a form of their own: schema.go gives each its schema.
type (
	formatVersion string
	processName   string
	version       string
	names         []string
	params        map[string]string
	filePaths     []string
	runner        string
	script        string
	fanOut        string
	wiring        []string
	addresses     []string
	nodes         map[string]string
	settingsMap   map[string]string
	duration      string
	span          string
	backoff       string
	growth        float64
	share         struct{}
	tolerance     struct{}
	positive      int
	weight        int
	pool          string
	rate          string
	env           map[string]string
	cores         struct{}
	size          string
	devices       struct{}
)
