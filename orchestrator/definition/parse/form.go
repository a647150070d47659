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

	Cache    yes         `json:"cache,omitzero" jsonschema:"Whether steps take the results of equal tasks that ran earlier, in whatever process, and leave theirs for later ones. Default: false."`
	Settings settingsMap `json:"settings,omitempty" jsonschema:"Settings by address, such as clean/dedupe. What is set for a group applies to its steps unless they say otherwise."`
}

type stepForm struct {
	Run         runner     `json:"run,omitempty" jsonschema:"What executes a task: a handler by name, perhaps pinned to a version (words/count@2), or a command as a list of words, in which ${params.x} is replaced."`
	Sh          script     `json:"sh,omitempty" jsonschema:"A shell script that executes a task. Params are in its environment."`
	Process     filePath   `json:"process,omitempty" jsonschema:"Instead of run: the file of a definition, each of whose processes is a task of the step. The path is relative to this definition, inside its folder."`
	Keep        bool       `json:"keep,omitempty" jsonschema:"Whether one program a slot stays alive and is fed tasks as JSON lines, instead of being started for each. Default: false."`
	Each        fanOut     `json:"each,omitempty" jsonschema:"Data to fan out over: one task a part. With 'by key' one task a distinct key, with 'by key into N' one task a bucket of keys; several names, as in 'orders, customers by key', are joined. Without each: one task."`
	In          wiring     `json:"in,omitempty" jsonschema:"Data that every task reads whole: names, or local names with the names they stand for."`
	Out         written    `json:"out,omitempty" jsonschema:"Data that the step writes: names, or local names with the names they stand for, or with {json: TYPE} for small values that expressions can look at. Each name has one writer."`
	When        condition  `json:"when,omitempty" jsonschema:"An expression over small values. If it does not hold, the step is skipped, and what it writes are empty lists."`
	Params      given      `json:"params,omitempty" jsonschema:"Params of its tasks, or of its child, before those of the process. ${params.x} stands for a param of the process."`
	Repeat      repeats    `json:"repeat,omitzero" jsonschema:"How a process is repeated: round after round."`
	After       addresses  `json:"after,omitempty" jsonschema:"Addresses of steps that must be complete first, though no data ties them. A group stands for all its steps."`
	Timeout     duration   `json:"timeout,omitempty" jsonschema:"The longest time of one attempt at a task, such as 1m30s. 0: no limit, the default."`
	Retry       retryForm  `json:"retry,omitzero" jsonschema:"How often a task is tried, and the wait in between."`
	Parallelism positive   `json:"parallelism,omitempty" jsonschema:"How many tasks of the step may be open at a time. Default: no limit."`
	Tolerate    tolerance  `json:"tolerate,omitzero" jsonschema:"How many tasks may fail for good: a number, a share such as 1%, or all. Default: 0."`
	Pool        pool       `json:"pool,omitempty" jsonschema:"The pool of workers that execute its tasks, such as gpu. Default: workers without a pool."`
	Needs       needsForm  `json:"needs,omitzero" jsonschema:"What each task needs of the machine that executes it."`
	Rate        rate       `json:"rate,omitempty" jsonschema:"How many tasks may begin in which time, such as 5000/h or 10/30s. Default: no limit."`
	Env         env        `json:"env,omitempty" jsonschema:"Variables of the environment of its tasks: texts, or {secret: NAME} for what the worker finds under that name."`
	Cache       yes        `json:"cache,omitzero" jsonschema:"Whether results of equal tasks that ran earlier will do. Default: false."`
	Limits      limitsForm `json:"limits,omitzero" jsonschema:"What each program of the step may use. Default: no limits."`
}

type groupForm struct {
	Steps       nodes      `json:"steps" jsonschema:"The steps and groups inside."`
	Each        fanOut     `json:"each,omitempty" jsonschema:"Makes a process of the group: one child a part, or a key. What the steps inside read, and do not write, is that of the process around."`
	Repeat      repeats    `json:"repeat,omitzero" jsonschema:"Makes a process of the group, which is repeated: round after round."`
	In          wiring     `json:"in,omitempty" jsonschema:"Of a group with each or repeat: data of the process around that has another name inside."`
	Out         written    `json:"out,omitempty" jsonschema:"Of a group with each or repeat: what is handed up of that which the steps inside write."`
	After       addresses  `json:"after,omitempty" jsonschema:"Of a group with each or repeat: addresses of steps that must be complete first."`
	Params      given      `json:"params,omitempty" jsonschema:"Of a group with each or repeat: params of the steps inside, before those of the process."`
	When        condition  `json:"when,omitempty" jsonschema:"An expression over small values. If it does not hold, all steps inside are skipped."`
	Parallelism positive   `json:"parallelism,omitempty" jsonschema:"Of a group with each: how many of its processes may be open at a time."`
	Rate        rate       `json:"rate,omitempty" jsonschema:"Of a group with each: how many of its processes may begin in which time."`
	Timeout     duration   `json:"timeout,omitempty" jsonschema:"The timeout of the steps inside that have none of their own; with each or repeat, of the process as a whole."`
	Retry       retryForm  `json:"retry,omitzero" jsonschema:"The retry of the steps inside that say nothing themselves."`
	Tolerate    tolerance  `json:"tolerate,omitzero" jsonschema:"How many tasks of each step inside may fail for good: a number, a share such as 1%, or all."`
	Pool        pool       `json:"pool,omitempty" jsonschema:"The pool of the steps inside that name none themselves; default stands for workers without a pool."`
	Needs       needsForm  `json:"needs,omitzero" jsonschema:"What each task needs, of the steps inside that say nothing themselves."`
	Env         env        `json:"env,omitempty" jsonschema:"Variables of the environment, for the steps inside that do not set them themselves."`
	Cache       yes        `json:"cache,omitzero" jsonschema:"Whether results of equal tasks that ran earlier will do, for the steps inside that say nothing themselves."`
	Limits      limitsForm `json:"limits,omitzero" jsonschema:"What each program may use, of the steps inside that say nothing themselves."`
}

type settingsForm struct {
	Timeout     duration   `json:"timeout,omitempty" jsonschema:"The longest time of one attempt at a task, such as 1m30s. 0: no limit."`
	Retry       retryForm  `json:"retry,omitzero" jsonschema:"How often a task is tried, and the wait in between."`
	Parallelism positive   `json:"parallelism,omitempty" jsonschema:"How many tasks of the step may be open at a time. Not for groups."`
	Tolerate    tolerance  `json:"tolerate,omitzero" jsonschema:"How many tasks may fail for good: a number, a share such as 1%, or all."`
	Pool        pool       `json:"pool,omitempty" jsonschema:"The pool of workers that execute the tasks; default stands for workers without a pool."`
	Needs       needsForm  `json:"needs,omitzero" jsonschema:"What each task needs of the machine that executes it."`
	Rate        rate       `json:"rate,omitempty" jsonschema:"How many tasks of the step may begin in which time, such as 5000/h. Not for groups."`
	Env         env        `json:"env,omitempty" jsonschema:"Variables of the environment: texts, or {secret: NAME}."`
	Cache       yes        `json:"cache,omitzero" jsonschema:"Whether results of equal tasks that ran earlier will do."`
	Limits      limitsForm `json:"limits,omitzero" jsonschema:"What each program may use."`
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

type limitsForm struct {
	Memory size     `json:"memory,omitempty" jsonschema:"Of the program and what it starts, with a unit: 2GiB, 512MiB."`
	CPU    span     `json:"cpu,omitempty" jsonschema:"How long it may compute, in whole seconds: 10m."`
	Files  positive `json:"files,omitempty" jsonschema:"How many files it may have open at a time."`
}

type repeats struct {
	Carry   carried   `json:"carry,omitempty" jsonschema:"By input of the next round: the output of this one. In the first round these inputs are empty."`
	Collect names     `json:"collect,omitempty" jsonschema:"Outputs that gather what all rounds write; of others that of the last round stays."`
	Until   condition `json:"until,omitempty" jsonschema:"An expression over small values that a round writes, and its number, round: if it holds, the round was the last one."`
	Max     positive  `json:"max" jsonschema:"How many rounds there may be. With until, the step fails when it has not held by then."`
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
	filePath      string
	written       []string
	condition     string
	given         map[string]string
	carried       map[string]string
	yes           struct{}
)
