package task

import "time"

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
