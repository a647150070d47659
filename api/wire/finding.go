package wire

// Finding is what a check of what a server stands on found.
type Finding struct {
	Check  string        `json:"check" doc:"Its name, which stays the same."`
	Status FindingStatus `json:"status" enum:"ok,warn,fail"`
	Found  string        `json:"found" doc:"What was found, for people."`
	Fix    string        `json:"fix,omitempty" doc:"What to do; commands are between backticks."`
}

// FindingStatus is how a check ended.
type FindingStatus string

// The statuses.
const (
	FindingOK   FindingStatus = "ok"
	FindingWarn FindingStatus = "warn" // it works, and will not always
	FindingFail FindingStatus = "fail" // it does not work, or loses what it must keep
)

// Findings are those of an examination.
type Findings struct {
	Findings []Finding `json:"findings"`
}
