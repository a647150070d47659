package wire

import "github.com/deedrun/deed/orchestrator"

// Health is how a server is.
type Health struct {
	Status string `json:"status"`
}

// Version is what a server is.
type Version struct {
	Version  string `json:"version"`
	Go       string `json:"go"`
	Platform string `json:"platform"`
}

// Pools is how much work there is for whom.
type Pools struct {
	Certain bool                    `json:"certain" doc:"The orchestrators have listened for long enough to know who is there."`
	Pools   []orchestrator.PoolView `json:"pools"`
}

// Drained is a worker that was told to leave.
type Drained struct {
	Worker  string `json:"worker"`
	Holding int    `json:"holding" doc:"Tasks that it had: it finishes those that it executes, and hands back the others."`
}
